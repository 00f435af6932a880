"""Calls with retries: each prompt until it is answered, refused, or given up."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from dreamgym_env.errors import WorldModelError
from dreamgym_env.types import Completion, Prompt, Sampling
from dreamgym_env.world_model.generators.openai.connection import Response, ResponseTooLargeError
from dreamgym_env.world_model.generators.openai.endpoints import Endpoint, Endpoints
from dreamgym_env.world_model.generators.openai.protocol import (
    Api,
    MalformedAnswerError,
    error_message,
    read_completion,
    request_body,
)
from dreamgym_env.world_model.generators.openai.retry import RetryPolicy, parse_retry_after

__all__ = ["Caller"]

_logger = logging.getLogger(__name__)

_PASSING = frozenset({408, 409, 425, 429})
"""Statuses below 500 after which the same request may succeed."""
_SETUP = {
    401: "refused the API key; pass the right one as api_key or set OPENAI_API_KEY",
    403: "does not let this API key use the model; check the key's rights",
    404: "knows neither this path nor this model; check the base URL (it usually ends in /v1) and the model's name",
}
"""Statuses that no prompt can change."""


class _GaveUpError(Exception):
    """One prompt got no answer after all retries."""


class _TryAgainError(Exception):
    """An attempt failed in a way that may pass."""

    def __init__(self, reason: str, retry_after: float | None = None) -> None:
        super().__init__(reason)
        self.retry_after = retry_after


class Caller:
    """Answers batches of prompts by calling servers; all its methods run in one event loop.

    Args:
        model: its name on the servers.
        endpoints: the servers.
        api: which interface is called.
        secret: never to appear in a message; may be empty.
        max_concurrency: the most calls in flight.
        timeout: seconds until a call must be answered completely.
        retry: how often and how soon failed calls are tried again.
        structured_output: whether to ask for answers by schema.
        extra_body: further members of each request.
        dice: spreads retries over time.
    """

    def __init__(
        self,
        model: str,
        endpoints: Endpoints,
        *,
        api: Api,
        secret: str,
        max_concurrency: int,
        timeout: float,
        retry: RetryPolicy,
        structured_output: bool,
        extra_body: Mapping[str, Any],
        dice: random.Random,
    ) -> None:
        self._model = model
        self._endpoints = endpoints
        self._api = api
        self._secret = secret
        self._slots = asyncio.Semaphore(max_concurrency)
        self._timeout = timeout
        self._retry = retry
        self._structured = structured_output
        self._structured_known = False
        """Whether a server has answered a request by schema."""
        self._extra_body = extra_body
        self._dice = dice

    async def call_all(self, prompts: Sequence[Prompt], sampling: Sampling, seeds: Sequence[int]) -> list[Completion]:
        """Answer every prompt, in order.

        Raises:
            WorldModelError: none could be answered, or a server refuses the key or the model.
        """
        pairs = zip(prompts, seeds, strict=True)
        tasks = [asyncio.ensure_future(self._call(prompt, sampling, seed)) for prompt, seed in pairs]
        try:
            await asyncio.gather(*tasks)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        outcomes = [task.result() for task in tasks]
        given_up = [outcome for outcome in outcomes if isinstance(outcome, _GaveUpError)]
        if len(given_up) == len(outcomes):
            raise WorldModelError(str(given_up[0]))
        return [Completion("", error=str(item)) if isinstance(item, _GaveUpError) else item for item in outcomes]

    async def close(self) -> None:
        """Drop all connections."""
        self._endpoints.close()

    async def _call(self, prompt: Prompt, sampling: Sampling, seed: int) -> Completion | _GaveUpError:
        reasons: dict[str, str] = {}
        for attempt in range(self._retry.max_retries + 1):
            async with self._slots:
                endpoint = self._endpoints.choose()
                try:
                    completion = await self._attempt(endpoint, prompt, sampling, seed)
                except ResponseTooLargeError as error:
                    return Completion("", error=f"The answer of {endpoint.url} was not read to its end: {error}.")
                except _TryAgainError as error:
                    failure = error
                else:
                    endpoint.recover()
                    return completion
            reasons[endpoint.url] = self._clean(str(failure))
            endpoint.rest(self._retry, failure.retry_after)
            _logger.debug("attempt %d at %s failed: %s", attempt + 1, endpoint.url, reasons[endpoint.url])
            if attempt < self._retry.max_retries and not self._endpoints.any_available():
                await asyncio.sleep(self._retry.delay(attempt, failure.retry_after, self._dice))
        story = "; ".join(f"{url}: {reason}" for url, reason in reasons.items())
        return _GaveUpError(
            f"No answer for model {self._model} after {self._retry.max_retries + 1} attempts; the last problem at "
            f"{story}. Check that the server runs and can be reached from here, or allow a longer timeout or more "
            "retries."
        )

    async def _attempt(self, endpoint: Endpoint, prompt: Prompt, sampling: Sampling, seed: int) -> Completion:
        structured = self._structured and sampling.json_schema is not None
        response = await self._post(endpoint, self._body(prompt, sampling, seed, structured))
        if structured and response.status in (400, 422) and not self._structured_known:
            response = await self._post(endpoint, self._body(prompt, sampling, seed, structured=False))
            if response.status == 200:
                self._do_without_schema(endpoint)
        elif structured and response.status == 200:
            self._structured_known = True
        return self._judge(endpoint, response, sampling)

    def _body(self, prompt: Prompt, sampling: Sampling, seed: int, structured: bool) -> bytes:
        return request_body(
            self._model, self._api, prompt, sampling, seed, structured=structured, extra=self._extra_body
        )

    def _do_without_schema(self, endpoint: Endpoint) -> None:
        if self._structured:
            _logger.warning(
                "%s refuses response_format with a JSON schema; from now on answers are asked for without it.",
                endpoint.url,
            )
        self._structured = False

    async def _post(self, endpoint: Endpoint, body: bytes) -> Response:
        endpoint.in_flight += 1
        try:
            async with asyncio.timeout(self._timeout):
                return await endpoint.post(body)
        except TimeoutError as error:
            raise _TryAgainError(str(error) or f"no complete answer within {self._timeout:g} s") from error
        except OSError as error:
            raise _TryAgainError(str(error) or type(error).__name__) from error
        finally:
            endpoint.in_flight -= 1

    def _judge(self, endpoint: Endpoint, response: Response, sampling: Sampling) -> Completion:
        status = response.status
        if status == 200:
            try:
                return read_completion(response, self._api, sampling)
            except MalformedAnswerError as error:
                raise _TryAgainError(str(error)) from error
        said = self._clean(error_message(response))
        if status in _PASSING or status >= 500:
            retry_after = parse_retry_after(response.headers.get("retry-after"), datetime.now(UTC))
            raise _TryAgainError(f"status {status}: {said}", retry_after)
        if status in _SETUP:
            raise WorldModelError(
                f"The server at {endpoint.url} {_SETUP[status]} (status {status}, model {self._model}: {said})."
            )
        if 300 <= status < 400:
            target = response.headers.get("location", "another address")
            raise WorldModelError(f"The server at {endpoint.url} redirects to {target}; give the final base URL.")
        return Completion("", error=f"The server at {endpoint.url} refused this prompt (status {status}): {said}")

    def _clean(self, text: str) -> str:
        return text.replace(self._secret, "***") if self._secret else text
