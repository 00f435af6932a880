"""Any server that speaks the OpenAI protocol: vLLM, SGLang, Ollama, llama.cpp, or a hosted one."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from dreamgym_env.errors import WorldModelError
from dreamgym_env.masking import mask_secrets
from dreamgym_env.types import Completion, Prompt, Sampling
from dreamgym_env.world_model.generators.batches import check_batch
from dreamgym_env.world_model.generators.openai.protocol import Api
from dreamgym_env.world_model.generators.openai.retry import RetryPolicy
from dreamgym_env.world_model.generators.openai.servers import Server

if TYPE_CHECKING:
    from dreamgym_env.world_model.generators.openai.dispatch import Dispatcher
    from dreamgym_env.world_model.generators.openai.stream import OpenAIStream

__all__ = ["OpenAIGenerator"]


class OpenAIGenerator:
    """Sends each prompt of a batch as a request of its own, all at the same time.

    Calls that fail for a reason that may pass (status 408, 409, 425, 429 or 5xx, a broken or refused connection, a
    timeout, a malformed answer) are tried again, on another server where there are several: for about half a minute,
    so that a server may be restarted, but for about 3 seconds while no connection to any server ever stood, so that a
    wrong URL is soon known.  Any other refusal of one prompt (it is too long, for example) is an error of its
    completion.  The key appears in no message, log or repr.
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
        ValueError: a URL cannot be one, there is none, a header holds a control character, or no call may be in flight.
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
        if max_concurrency < 1:
            raise ValueError(f"max_concurrency is {max_concurrency}, but at least 1 call must be allowed.")
        key = (api_key if api_key is not None else os.environ.get("OPENAI_API_KEY", "")).strip()
        headers = {**({"Authorization": f"Bearer {key}"} if key else {}), **(extra_headers or {})}
        if any(ord(character) < 32 for value in headers.values() for character in value):
            raise ValueError("A header (or the API key) holds a line break or another control character; remove it.")
        servers = [Server(url, Api(api).path) for url in base_urls]
        self._model, self._shown_urls = model, [server.base_url for server in servers]

        def quote(error: Exception) -> str:
            text = str(error).replace(key, "***") if key else str(error)
            text = mask_secrets(" ".join(text[:2_000].split()))  # what a server says may be long
            return text if len(text) <= 400 else f"{text[:400]}…"

        def connect() -> Dispatcher:
            from dreamgym_env.world_model.generators.openai.dispatch import Dispatcher, Service
            from dreamgym_env.world_model.generators.openai.http import HttpClient

            return Dispatcher(
                Service(model, Api(api), servers, dict(extra_body or {}), quote),
                HttpClient(headers, timeout, connect_timeout, max_response_bytes, max_idle=max_concurrency),
                max_concurrency=max_concurrency,
                retry=retry or RetryPolicy(),
                structured_output=structured_output,
            )

        self._connect = connect  # a closure, so that no attribute shows the key
        self._connecting = threading.Lock()
        self._dispatcher: Dispatcher | None = None
        self._closed = False

    def __repr__(self) -> str:
        return f"OpenAIGenerator({self._model!r}, {self._shown_urls!r})"

    def generate(self, prompts: Sequence[Prompt], sampling: Sampling, seeds: Sequence[int]) -> list[Completion]:
        """Answer every prompt, in order.

        Whether an answer repeats with the same seed is the server's affair.

        Raises:
            WorldModelError: no prompt of the batch could be answered by any server after all retries, or a server
                refuses the key or does not know the model.
        """
        check_batch(prompts, seeds)
        with contextlib.closing(self.open()) as stream:
            for prompt, seed in zip(prompts, seeds, strict=True):
                stream.submit(prompt, sampling, seed)
            answers: dict[int, Completion] = {}
            while len(answers) < len(prompts):
                answers.update(stream.receive())
        return [answers[ticket] for ticket in range(len(prompts))]

    def open(self) -> OpenAIStream:
        """Open a stream, whose prompts are sent as they are submitted; any number of streams share the servers.

        Raises:
            WorldModelError: this generator was closed, or belongs to a parent process.
        """
        from dreamgym_env.world_model.generators.openai.stream import OpenAIStream

        return OpenAIStream(self._running())

    def close(self) -> None:
        """Close all connections and end the thread."""
        self._closed = True
        if self._dispatcher is not None:
            self._dispatcher.close()

    def _running(self) -> Dispatcher:
        if self._closed:
            raise WorldModelError("This generator was closed; make a new one to generate again.")
        with self._connecting:
            if self._dispatcher is None:
                self._dispatcher = self._connect()
        if not self._dispatcher.alive:
            raise WorldModelError(
                "This generator was used before the process was forked, and its connections belong to the parent; make "
                "a new generator in each process."
            )
        return self._dispatcher
