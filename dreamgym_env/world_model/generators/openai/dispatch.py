"""Calls on their way: bounded in number, spread over the servers and tried again, by one thread for all callers."""

from __future__ import annotations

import heapq
import itertools
import logging
import random
import threading
import time
from collections import defaultdict, deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue
from typing import Any

from dreamgym_env.errors import WorldModelError
from dreamgym_env.types import Completion, Prompt, Sampling
from dreamgym_env.world_model.generators.openai.http import HttpClient
from dreamgym_env.world_model.generators.openai.protocol import (
    Api,
    RefusedError,
    Response,
    read_completion,
    request_body,
)
from dreamgym_env.world_model.generators.openai.retry import RetryPolicy, TryAgainError, UnreachedError
from dreamgym_env.world_model.generators.openai.servers import Server, choose_server

__all__ = ["Batch", "Dispatcher", "GaveUpError", "Service"]

_logger = logging.getLogger(__name__)

_WAKE_INTERVAL = 0.005
"""Seconds for which submitted calls wait for each other: one look at all connections costs as much as several calls."""
_STARTED_AT_ONCE = 64
"""Calls that are begun before the first of them are sent."""


class GaveUpError(Exception):
    """One prompt got no answer after all retries."""


@dataclass(frozen=True, slots=True)
class Service:
    """What is asked of which servers."""

    model: str
    api: Api
    servers: Sequence[Server]
    extra_body: Mapping[str, Any]
    quote: Callable[[Exception], str]
    """What to say of a failure: in one line, and without the key."""


@dataclass(slots=True, eq=False)
class _Call:
    batch: Batch
    index: int
    prompt: Prompt
    sampling: Sampling
    seed: int
    server: Server | None = None
    structured: bool = False
    """Whether an answer by schema was asked for."""
    attempts: int = 0
    """Those that failed."""
    reasons: dict[str, str] = field(default_factory=dict)
    """The last problem with each server."""


class Batch:
    """Calls of one caller; their outcomes come in any order, and further calls may be submitted meanwhile."""

    def __init__(self) -> None:
        self.size = 0
        """Calls submitted so far."""
        self.cancelled = False
        self.news: SimpleQueue[list[tuple[int, Completion | GaveUpError]] | BaseException] = SimpleQueue()
        """Outcomes with the indices of their calls, several at a time; or what ended the batch as a whole."""

    def take(self, timeout: float | None) -> list[tuple[int, Completion | GaveUpError]]:
        """Return all outcomes that are there; wait for the first, but no longer than ``timeout`` seconds.

        Raises what ended the batch as a whole, after all outcomes that came before were taken.
        """
        outcomes: list[tuple[int, Completion | GaveUpError]] = []
        try:
            while True:
                news = self.news.get_nowait() if outcomes else self.news.get(timeout=timeout)
                if not isinstance(news, BaseException):
                    outcomes.extend(news)
                elif outcomes:
                    self.news.put(news)  # for the next call
                    return outcomes
                else:
                    raise news
        except Empty:
            return outcomes


class Dispatcher:
    """Makes calls in a thread of its own, whoever submits them.

    Args:
        service: what is asked of which servers.
        http: sends the calls; closed at the end.
        max_concurrency: the most calls in flight.
        retry: how often and how soon failed calls are tried again.
        structured_output: whether to ask for answers by schema, as long as no server refuses that.
    """

    def __init__(
        self,
        service: Service,
        http: HttpClient,
        *,
        max_concurrency: int,
        retry: RetryPolicy,
        structured_output: bool,
    ) -> None:
        self._service = service
        self._max_concurrency = max_concurrency
        self._retry = retry
        self._structured = structured_output
        self._structured_known = False
        """Whether a server has answered a request by schema."""
        self._dice = random.Random()  # noqa: S311 - spreads retries over time, decides nothing else
        self._ready: deque[_Call] = deque()
        self._pausing: list[tuple[float, int, _Call]] = []
        """Calls to be tried again, by the time when: a heap."""
        self._tickets = itertools.count()
        self._batches: set[Batch] = set()
        """Those that somebody waits for."""
        self._cancelled: deque[Batch] = deque()
        self._news: defaultdict[Batch, list[tuple[int, Completion | GaveUpError]]] = defaultdict(list)
        self._lock = threading.Lock()
        self._closed = False
        """Set under the lock; no batch is added afterwards."""
        self._woken_at = 0.0
        self._http = http
        self._thread = threading.Thread(target=self._serve, name="dreamgym-openai", daemon=True)
        self._thread.start()

    @property
    def alive(self) -> bool:
        """Whether the thread runs (it does not after :meth:`close`, nor in a forked child)."""
        return self._thread.is_alive()

    def submit(self, batch: Batch, prompt: Prompt, sampling: Sampling, seed: int) -> int:
        """Add a call to a batch and return its index; it waits a little for further ones, or until :meth:`wake`.

        Raises:
            WorldModelError: this dispatcher was closed.
        """
        with self._lock:
            if self._closed:
                raise _closed()
            self._batches.add(batch)
        self._ready.append(_Call(batch, batch.size, prompt, sampling, seed))
        batch.size += 1
        if time.monotonic() > self._woken_at + _WAKE_INTERVAL:
            self.wake()
        return batch.size - 1

    def wake(self) -> None:
        """Make the calls that were submitted, at once."""
        self._woken_at = time.monotonic()
        self._http.wake()

    def cancel(self, batch: Batch) -> None:
        """Forget what is left of a batch."""
        with self._lock:
            self._batches.discard(batch)
        batch.cancelled = True
        self._cancelled.append(batch)
        self.wake()

    def close(self) -> None:
        """End all calls, close all connections and end the thread; calling it twice is allowed."""
        if self.alive:
            with self._lock:
                self._closed = True
            self.wake()
            self._thread.join()

    # What follows runs in the thread.

    def _serve(self) -> None:
        ending: BaseException = _closed()
        try:
            while not self._closed:
                self._forget_cancelled()
                self._start()
                for call, result in self._http.advance(self._patience()):
                    self._settle(call, result)
                for batch, news in self._news.items():
                    batch.news.put(news)
                self._news.clear()
        except BaseException as error:
            ending = error
            raise
        finally:
            with self._lock:
                self._closed = True
                for batch in self._batches:
                    batch.news.put(ending)
            self._http.close()

    def _forget_cancelled(self) -> None:
        while self._cancelled:
            batch = self._cancelled.popleft()
            for call in [call for call in self._http.in_flight if call.batch is batch]:
                self._http.cancel(call)
                call.server.in_flight -= 1

    def _start(self) -> None:
        now = time.monotonic()
        while self._pausing and self._pausing[0][0] <= now:
            self._ready.append(heapq.heappop(self._pausing)[2])
        for _ in range(_STARTED_AT_ONCE):
            if not self._ready or len(self._http.in_flight) >= self._max_concurrency:
                break
            call = self._ready.popleft()
            if not call.batch.cancelled:
                structured = self._structured and call.sampling.json_schema is not None
                self._send(call, choose_server(self._service.servers), structured=structured)

    def _patience(self) -> float | None:
        """Return the seconds for which nothing is to be done but what the network brings."""
        if self._ready and len(self._http.in_flight) < self._max_concurrency:
            return 0.0
        now = time.monotonic()
        times = [self._woken_at + _WAKE_INTERVAL]  # until then calls are submitted without a wake
        if self._pausing:
            times.append(max(now, self._pausing[0][0]))
        return min((moment - now for moment in times if moment >= now), default=None)

    def _send(self, call: _Call, server: Server, *, structured: bool) -> None:
        service = self._service
        try:
            body = request_body(
                service.model,
                service.api,
                call.prompt,
                call.sampling,
                call.seed,
                structured=structured,
                extra=service.extra_body,
            )
        except Exception as error:  # extra_body or the schema holds what JSON cannot
            self._end(call.batch, error)
            return
        call.server, call.structured = server, structured
        server.in_flight += 1
        self._http.post(call, server.url, body)

    def _settle(self, call: _Call, result: Response | TryAgainError | RefusedError) -> None:
        server = call.server
        assert server is not None
        server.in_flight -= 1
        if not isinstance(result, UnreachedError):
            server.reached = True
        if call.batch.cancelled or self._asked_without_schema(call, server, result):
            return
        try:
            if isinstance(result, Exception):
                raise result
            completion = read_completion(result, self._service.api, call.sampling)
        except RefusedError as error:
            said = self._service.quote(error)
            story = f"The server at {server.base_url}, asked for model {self._service.model}, {said}."
            if error.every_prompt:
                self._end(call.batch, WorldModelError(story))
            else:
                self._news[call.batch].append((call.index, Completion("", error=story)))
        except TryAgainError as error:
            self._try_again(call, server, error)
        except Exception as error:  # what nobody thought of is not to end this thread
            ending = WorldModelError(
                f"The answer of {server.base_url} could not be read: {self._service.quote(error)}."
            )
            ending.__cause__ = error
            self._end(call.batch, ending)
        else:
            server.recover()
            self._news[call.batch].append((call.index, completion))

    def _asked_without_schema(
        self, call: _Call, server: Server, result: Response | TryAgainError | RefusedError
    ) -> bool:
        """Note whether the server takes schemas, and ask again without one where it seems to refuse them."""
        if not isinstance(result, Response):
            return False
        if call.structured and result.status in (400, 422) and not self._structured_known:
            self._send(call, server, structured=False)
            return True
        if result.status == 200:
            if call.structured:
                self._structured_known = True
            elif self._structured and call.sampling.json_schema is not None:
                self._structured = False
                _logger.warning(
                    "%s refuses response_format with a JSON schema; from now on answers are asked for without it.",
                    server.base_url,
                )
        return False

    def _try_again(self, call: _Call, server: Server, failure: TryAgainError) -> None:
        retry, servers = self._retry, self._service.servers
        reason = call.reasons[server.base_url] = self._service.quote(failure)
        if server.well:
            _logger.warning("%s fails and is asked again: %s", server.base_url, reason)
        server.rest(retry, failure.retry_after)
        call.attempts += 1
        _logger.debug("attempt %d at %s failed: %s", call.attempts, server.base_url, reason)
        reached = any(server.reached for server in servers)
        if call.attempts > retry.retries(len(servers), reached=reached):
            self._news[call.batch].append((call.index, self._gave_up(call, reached)))
        elif any(server.available for server in servers):
            self._ready.append(call)
        else:
            pause = retry.delay(call.attempts - 1, failure.retry_after, self._dice)
            heapq.heappush(self._pausing, (time.monotonic() + pause, next(self._tickets), call))

    def _gave_up(self, call: _Call, reached: bool) -> GaveUpError:
        story = "; ".join(f"{url}: {reason}" for url, reason in call.reasons.items())
        if not reached:
            return GaveUpError(
                f"No server for model {self._service.model} could be reached in {call.attempts} attempts; the last "
                f"problem at {story}. Check that the server runs, and that the base URL names its host and port."
            )
        return GaveUpError(
            f"No answer for model {self._service.model} after {call.attempts} attempts; the last problem at {story}. "
            "Check that the server runs and can be reached from here, or allow a longer timeout or more retries."
        )

    def _end(self, batch: Batch, reason: Exception) -> None:
        batch.news.put(reason)
        batch.cancelled = True
        self._cancelled.append(batch)


def _closed() -> WorldModelError:
    return WorldModelError("This generator was closed; make a new one to generate again.")
