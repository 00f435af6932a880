"""Any server that speaks the OpenAI protocol: vLLM, SGLang, Ollama, llama.cpp, or a hosted one."""

from __future__ import annotations

import asyncio
import logging
import os
import random
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from dreamgym_env.errors import WorldModelError
from dreamgym_env.masking import mask_secrets
from dreamgym_env.types import Completion, Prompt, Sampling
from dreamgym_env.world_model.generators.batches import check_batch
from dreamgym_env.world_model.generators.openai.protocol import (
    Api,
    RefusedError,
    Response,
    read_completion,
    request_body,
)
from dreamgym_env.world_model.generators.openai.retry import RetryPolicy, TryAgainError
from dreamgym_env.world_model.generators.openai.servers import Server, choose_server

if TYPE_CHECKING:
    from dreamgym_env.world_model.generators.openai.http import HttpThread

__all__ = ["OpenAIGenerator"]

_logger = logging.getLogger(__name__)


class _GaveUpError(Exception):
    """One prompt got no answer after all retries."""


class OpenAIGenerator:
    """Sends each prompt of a batch as a request of its own, all at the same time.

    Calls that fail for a reason that may pass (status 408, 409, 425, 429 or 5xx, a broken or refused connection, a
    timeout, a malformed answer) are tried again, on another server where there are several.  Any other refusal of one
    prompt (it is too long, for example) is an error of its completion.  The key appears in no message, log or repr.
    The environment's ``HTTP_PROXY``, ``HTTPS_PROXY`` and ``NO_PROXY`` are respected.

    Args:
        model: its name on the server.
        base_urls: one or more URLs that end where ``/chat/completions`` begins, for example
            ``["http://localhost:8000/v1"]``; several share the load.
        api_key: by default the environment's ``OPENAI_API_KEY``, or none.
        api: ``"chat"``, or ``"completions"`` for a base model.
        max_concurrency: the most calls in flight, over all servers.
        timeout: seconds until a call must be answered completely.
        connect_timeout: seconds until a connection must stand.
        retry: how often and how soon failed calls are tried again.
        max_response_bytes: the longest answer that is read, in bytes of its HTTP body.
        structured_output: whether to ask for answers by ``Sampling.json_schema`` (``response_format``).  A server that
            refuses that is asked without it from then on, and a warning is logged.
        extra_body: further members of each request, for example ``{"top_p": 0.9}``; None takes a member out, for
            example ``{"max_tokens": None, "max_completion_tokens": 512}``.
        extra_headers: further headers of each request.

    Raises:
        ValueError: a URL cannot be one, there is none, or a header holds a control character.
    """

    def __init__(
        self,
        model: str,
        base_urls: Sequence[str],
        *,
        api_key: str | None = None,
        api: str = Api.CHAT,
        max_concurrency: int = 256,
        timeout: float = 60.0,
        connect_timeout: float = 10.0,
        retry: RetryPolicy | None = None,
        max_response_bytes: int = 1_048_576,
        structured_output: bool = True,
        extra_body: Mapping[str, Any] | None = None,
        extra_headers: Mapping[str, str] | None = None,
    ) -> None:
        if isinstance(base_urls, str) or not base_urls:
            raise ValueError("base_urls must be a list of at least one URL, for example ['http://localhost:8000/v1'].")
        key = (api_key if api_key is not None else os.environ.get("OPENAI_API_KEY", "")).strip()
        headers = {**({"Authorization": f"Bearer {key}"} if key else {}), **(extra_headers or {})}
        if any(ord(character) < 32 for value in headers.values() for character in value):
            raise ValueError("A header (or the API key) holds a line break or another control character; remove it.")
        self._model = model
        self._api = Api(api)
        self._servers = [Server(url, self._api.path) for url in base_urls]
        self._slots = asyncio.Semaphore(max_concurrency)
        self._retry = retry or RetryPolicy()
        self._structured = structured_output
        self._structured_known = False
        """Whether a server has answered a request by schema."""
        self._extra_body = dict(extra_body or {})
        self._dice = random.Random()  # noqa: S311 - spreads retries over time, decides nothing else

        def connect() -> HttpThread:
            from dreamgym_env.world_model.generators.openai.http import HttpThread

            return HttpThread(headers, timeout, connect_timeout, max_response_bytes)

        def quote(error: Exception) -> str:
            text = " ".join(str(error).split())
            text = mask_secrets(text.replace(key, "***") if key else text)
            return text if len(text) <= 400 else f"{text[:400]}…"

        # Closures, so that no attribute shows the key.
        self._connect, self._quote = connect, quote
        self._http: HttpThread | None = None
        self._closed = False

    def __repr__(self) -> str:
        return f"OpenAIGenerator({self._model!r}, {[server.base_url for server in self._servers]!r})"

    def generate(self, prompts: Sequence[Prompt], sampling: Sampling, seeds: Sequence[int]) -> list[Completion]:
        """Answer every prompt, in order.

        Whether an answer repeats with the same seed is the server's affair.

        Raises:
            WorldModelError: no prompt of the batch could be answered by any server after all retries, or a server
                refuses the key or does not know the model.
        """
        check_batch(prompts, seeds)
        if not prompts:
            return []
        http = self._running()
        return http.run(self._call_all(http, prompts, sampling, seeds))

    def close(self) -> None:
        """Close all connections and end the thread."""
        self._closed = True
        if self._http is not None:
            self._http.close()

    def _running(self) -> HttpThread:
        if self._closed:
            raise WorldModelError("This generator was closed; make a new one to generate again.")
        if self._http is None:
            self._http = self._connect()
        if not self._http.alive:
            raise WorldModelError(
                "This generator was used before the process was forked, and its connections belong to the parent; make "
                "a new generator in each process."
            )
        return self._http

    # What follows runs in the event loop of the thread.

    async def _call_all(
        self, http: HttpThread, prompts: Sequence[Prompt], sampling: Sampling, seeds: Sequence[int]
    ) -> list[Completion]:
        pairs = zip(prompts, seeds, strict=True)
        tasks = [asyncio.ensure_future(self._call(http, prompt, sampling, seed)) for prompt, seed in pairs]
        try:
            outcomes = await asyncio.gather(*tasks)
        finally:
            for task in tasks:
                task.cancel()
        given_up = [outcome for outcome in outcomes if isinstance(outcome, _GaveUpError)]
        if len(given_up) == len(outcomes):
            raise WorldModelError(str(given_up[0]))
        return [Completion("", error=str(item)) if isinstance(item, _GaveUpError) else item for item in outcomes]

    async def _call(self, http: HttpThread, prompt: Prompt, sampling: Sampling, seed: int) -> Completion | _GaveUpError:
        """Ask until the prompt is answered, refused, or given up."""
        reasons: dict[str, str] = {}
        for attempt in range(self._retry.max_retries + 1):
            async with self._slots:
                server = choose_server(self._servers)
                server.in_flight += 1
                try:
                    completion = await self._attempt(http, server, prompt, sampling, seed)
                except RefusedError as error:
                    said = self._quote(error)
                    story = f"The server at {server.base_url}, asked for model {self._model}, {said}."
                    if error.every_prompt:
                        raise WorldModelError(story) from None
                    return Completion("", error=story)
                except TryAgainError as error:
                    failure = error
                else:
                    server.recover()
                    return completion
                finally:
                    server.in_flight -= 1
            reasons[server.base_url] = self._quote(failure)
            server.rest(self._retry, failure.retry_after)
            _logger.debug("attempt %d at %s failed: %s", attempt + 1, server.base_url, reasons[server.base_url])
            if attempt < self._retry.max_retries and not any(server.available for server in self._servers):
                await asyncio.sleep(self._retry.delay(attempt, failure.retry_after, self._dice))
        story = "; ".join(f"{url}: {reason}" for url, reason in reasons.items())
        return _GaveUpError(
            f"No answer for model {self._model} after {self._retry.max_retries + 1} attempts; the last problem at "
            f"{story}. Check that the server runs and can be reached from here, or allow a longer timeout or more "
            "retries."
        )

    async def _attempt(
        self, http: HttpThread, server: Server, prompt: Prompt, sampling: Sampling, seed: int
    ) -> Completion:
        async def ask(structured: bool) -> Response:
            body = request_body(
                self._model, self._api, prompt, sampling, seed, structured=structured, extra=self._extra_body
            )
            return await http.post(server.url, body)

        structured = self._structured and sampling.json_schema is not None
        response = await ask(structured)
        if structured and response.status == 200:
            self._structured_known = True
        elif structured and response.status in (400, 422) and not self._structured_known:
            response = await ask(structured=False)
            if response.status == 200 and self._structured:
                self._structured = False
                _logger.warning(
                    "%s refuses response_format with a JSON schema; from now on answers are asked for without it.",
                    server.base_url,
                )
        return read_completion(response, self._api, sampling)
