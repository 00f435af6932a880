"""The OpenAI protocol: what a request holds, and what a response means."""

from __future__ import annotations

import enum
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from dreamgym_env.types import Completion, Prompt, Sampling
from dreamgym_env.world_model.generators.batches import clean_text
from dreamgym_env.world_model.generators.openai.retry import TryAgainError
from dreamgym_env.world_model.generators.stop_strings import cut_at_stop

__all__ = ["Api", "RefusedError", "Response", "read_completion", "request_body"]

_MOST_STOP_STRINGS = 4
"""More are refused by the OpenAI API; all are applied to the answer here."""
_PASSING = frozenset({408, 409, 425, 429})
"""Statuses below 500 after which the same request may succeed."""
_SETUP = {
    401: "refused the API key; pass the right one as api_key or set OPENAI_API_KEY",
    403: "does not let this API key use the model; check the key's rights",
    404: "knows neither this path nor this model; check the base URL (it usually ends in /v1) and the model's name",
}
"""Statuses that no prompt can change."""


class Api(enum.StrEnum):
    """Which of a server's interfaces is called."""

    CHAT = "chat"
    """``/chat/completions``, for instruction-tuned models."""
    COMPLETIONS = "completions"
    """``/completions``, for base models: the prompt is ``system + user``, no template is applied."""

    @property
    def path(self) -> str:
        """Path below the base URL."""
        return "/chat/completions" if self is Api.CHAT else "/completions"


@dataclass(frozen=True, slots=True)
class Response:
    """A complete HTTP response."""

    status: int
    body: bytes
    retry_after: float = 0.0
    """Seconds that the server asks to wait; 0 where it asks for nothing."""
    location: str = ""
    """Where a redirect leads."""


class RefusedError(Exception):
    """No retry can change the answer; the message continues a sentence that begins with the server."""

    def __init__(self, reason: str, *, every_prompt: bool = False) -> None:
        super().__init__(reason)
        self.every_prompt = every_prompt
        """Whether no other prompt can do better."""


def request_body(
    model: str, api: Api, prompt: Prompt, sampling: Sampling, seed: int, *, structured: bool, extra: Mapping[str, Any]
) -> bytes:
    """Return the JSON body of a request.

    Args:
        model: its name on the server.
        api: which interface the body is for.
        prompt: lone surrogates in it are replaced by ``?``.
        sampling: how to decode.
        seed: of any size; the server gets it modulo 2**31, which all servers accept.
        structured: whether to ask for an answer by ``sampling.json_schema`` where there is one.
        extra: further members of the body; they win over those made here, and None takes a member out.
    """
    body: dict[str, Any] = {
        "model": model,
        "max_tokens": sampling.max_new_tokens,
        "temperature": sampling.temperature,
        "seed": seed % 2**31,
    }
    system, user = clean_text(prompt.system), clean_text(prompt.user)
    if api is Api.CHAT:
        messages = [{"role": "system", "content": system}] if system else []
        body["messages"] = [*messages, {"role": "user", "content": user}]
    else:
        body["prompt"] = system + user
    if stop := [string for string in sampling.stop if string]:
        body["stop"] = stop[:_MOST_STOP_STRINGS]
    if structured and sampling.json_schema is not None:
        schema = {"name": "answer", "schema": sampling.json_schema, "strict": True}
        body["response_format"] = {"type": "json_schema", "json_schema": schema}
    body.update(extra)
    body = {name: value for name, value in body.items() if value is not None}
    return orjson.dumps(body, option=orjson.OPT_NON_STR_KEYS)  # keys of logit_bias are often written as numbers


def read_completion(response: Response, api: Api, sampling: Sampling) -> Completion:
    """Return the completion that a response holds.

    Raises:
        TryAgainError: it holds none, which may pass.
        RefusedError: it holds none, and the same request will get none.
    """
    status = response.status
    if status == 200:
        return _read_answer(response.body, api, sampling)
    said = f"status {status}: {_error_message(response.body)}"
    if status in _PASSING or status >= 500:
        raise TryAgainError(said, response.retry_after)
    if status in _SETUP:
        raise RefusedError(f"{_SETUP[status]} ({said})", every_prompt=True)
    if 300 <= status < 400:
        target = response.location or "another address"
        raise RefusedError(f"redirects to {target}; give the final base URL", every_prompt=True)
    raise RefusedError(f"refused this prompt ({said})")


def _read_answer(body: bytes, api: Api, sampling: Sampling) -> Completion:
    try:
        answer = json.loads(body)
        choice = answer["choices"][0]
        text = choice["message"].get("content") if api is Api.CHAT else choice["text"]
        if text is None:  # a refusal, or nothing but hidden reasoning
            text = (choice.get("message") or {}).get("refusal") or ""
        usage = answer.get("usage") or {}
        tokens = int(usage.get("prompt_tokens") or 0), int(usage.get("completion_tokens") or 0)
    except (ValueError, LookupError, TypeError, AttributeError, OverflowError, RecursionError) as error:
        start = body[:1000].decode("utf-8", "replace")
        raise TryAgainError(f"the answer is not the protocol's ({error!r}); it begins {start!r}") from error
    if not isinstance(text, str):
        raise TryAgainError(f"the answer's content is no text but {type(text).__name__}")
    return Completion(cut_at_stop(text, sampling.stop), *tokens)


def _error_message(body: bytes) -> str:
    """Return what a server says of a failure."""
    text = body.decode("utf-8", "replace")
    try:
        answer = json.loads(text)
        error = answer.get("error", answer)
        message = error.get("message") if isinstance(error, dict) else error
    except (ValueError, AttributeError, RecursionError):
        return text  # not the protocol's form: the body itself is the message
    return message if isinstance(message, str) else text
