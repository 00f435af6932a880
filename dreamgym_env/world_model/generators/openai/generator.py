"""Any server that speaks the OpenAI protocol: vLLM, SGLang, Ollama, llama.cpp, or a hosted one."""

from __future__ import annotations

import logging
import os
import random
from collections.abc import Mapping, Sequence
from typing import Any

from dreamgym_env.errors import WorldModelError
from dreamgym_env.types import Completion, Prompt, Sampling
from dreamgym_env.world_model.generators.batches import check_batch
from dreamgym_env.world_model.generators.openai.caller import Caller
from dreamgym_env.world_model.generators.openai.endpoints import Endpoint, Endpoints
from dreamgym_env.world_model.generators.openai.loop_thread import LoopThread
from dreamgym_env.world_model.generators.openai.protocol import Api
from dreamgym_env.world_model.generators.openai.retry import RetryPolicy

__all__ = ["OpenAIGenerator"]

_logger = logging.getLogger(__name__)


class OpenAIGenerator:
    """Sends each prompt of a batch as a request of its own, all at the same time.

    Calls that fail for a reason that may pass (status 408, 409, 425, 429 or 5xx, a broken or refused connection, a
    timeout, a malformed answer) are tried again, on another server where there are several.  Any other refusal of one
    prompt (it is too long, for example) is an error of its completion.  The key appears in no message, log or repr.

    Proxies are not used, whatever the environment says.

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
        ValueError: a URL cannot be one, or there is none.
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
        interface = Api(api)
        self._name = f"OpenAIGenerator({model!r}, {list(base_urls)!r})"
        self._caller = Caller(
            model,
            Endpoints(
                [Endpoint(url, interface.path, headers, connect_timeout, max_response_bytes) for url in base_urls]
            ),
            api=interface,
            secret=key,
            max_concurrency=max_concurrency,
            timeout=timeout,
            retry=retry or RetryPolicy(),
            structured_output=structured_output,
            extra_body=dict(extra_body or {}),
            dice=random.Random(),  # noqa: S311 - spreads retries over time, decides nothing else
        )
        self._thread: LoopThread | None = None
        self._closed = False

    def __repr__(self) -> str:
        return self._name

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
        return self._running_thread().run(self._caller.call_all(prompts, sampling, seeds))

    def close(self) -> None:
        """Close all connections and end the thread."""
        self._closed = True
        if self._thread is not None and self._thread.alive:
            self._thread.run(self._caller.close())
            self._thread.close()

    def _running_thread(self) -> LoopThread:
        if self._closed:
            raise WorldModelError("This generator was closed; make a new one to generate again.")
        if self._thread is None:
            self._thread = LoopThread("dreamgym-openai")
        if not self._thread.alive:
            raise WorldModelError(
                "This generator was used before the process was forked, and its connections belong to the parent; make "
                "a new generator in each process."
            )
        return self._thread
