"""Processes that run a real environment's engine, and what is played where.

A process reads requests from its standard input and answers on its standard output, one JSON object a line; it ends
when its input does.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import select
import signal
import subprocess
import sys
import weakref
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from dreamgym_env.simulation.episode import Episode, Outcome
from dreamgym_env.types import AnsweredBy, StopReason, Turn

__all__ = ["EngineError", "EngineLostError", "PlayedGame", "Pool", "Program", "Request", "engine_failure"]

_PATIENCE = 2.0
"""Seconds that a process has to end by itself when it is closed."""

Answer = Mapping[str, Any]


class EngineError(Exception):
    """The engine has no answer; the message says why."""


class EngineLostError(EngineError):
    """The process that a game was played in is gone."""


@dataclass(frozen=True, slots=True)
class Program:
    """What the processes run."""

    name: str
    """The engine's name in messages, for example ``"ALFWorld's engine"``."""
    arguments: Sequence[str]
    """What follows the interpreter's name on the command line."""
    environment: Mapping[str, str] = field(default_factory=dict)
    """Variables beside those of this process."""
    timeout: float | None = None
    """Seconds in which a request must be answered, or the process is ended; None for as long as it takes."""
    grace: float = 0.0
    """Seconds more for a process's first answer, before which it loads the engine."""


class _Worker:
    """One process; at most one request is on its way at a time."""

    def __init__(self, program: Program) -> None:
        """Start it; it loads the engine when it is first asked."""
        environment = {**os.environ, "PYTHONHASHSEED": "0", "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
        self._program = program
        self._process = subprocess.Popen(  # noqa: S603 - the interpreter that runs this
            [sys.executable, "-P", *program.arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            encoding="utf-8",
            env={**environment, **program.environment},
            start_new_session=True,  # an interrupt from the keyboard is for the caller, who closes the pool
        )
        self._loaded = False
        self.games = 0
        """How many games in progress it has."""
        self.forgotten: deque[int] = deque()
        """Keys of games that are over, to be told with the next request."""

    @property
    def alive(self) -> bool:
        """Whether the process runs and has not been told to end."""
        assert self._process.stdin is not None
        return self._process.poll() is None and not self._process.stdin.closed

    @property
    def pid(self) -> int:
        """Number of the process."""
        return self._process.pid

    def send(self, request: Mapping[str, Any]) -> None:
        """Send a request. Raises EngineLostError."""
        over = [self.forgotten.popleft() for _ in range(len(self.forgotten))]
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(f"{json.dumps({**request, 'forget': over})}\n")
            self._process.stdin.flush()
        except (OSError, ValueError) as error:  # a broken pipe; a closed file
            raise self._lost() from error

    def receive(self) -> Answer:
        """Wait for the answer. Raises EngineError."""
        assert self._process.stdout is not None
        try:
            if not select.select([self._process.stdout], [], [], self._patience())[0]:
                raise self._late()
            line = self._process.stdout.readline()
            self._loaded = True
        except (OSError, ValueError) as error:
            raise self._lost() from error
        if not line.endswith("\n"):
            raise self._lost()
        answer: Answer = json.loads(line)
        if "error" in answer:
            raise EngineError(answer["error"])
        return answer

    def stop(self) -> None:
        """Tell the process to end, which it does when its input ends."""
        assert self._process.stdin is not None
        with contextlib.suppress(OSError):
            self._process.stdin.close()

    def kill(self) -> None:
        """End the process, and what it started in its session, at once."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)

    def close(self) -> None:
        """End the process and wait for that."""
        self.stop()
        assert self._process.stdout is not None
        self._process.stdout.close()
        try:
            self._process.wait(_PATIENCE)
        except subprocess.TimeoutExpired:
            self.kill()
            self._process.wait()

    def _patience(self) -> float | None:
        """Return how many seconds to wait for an answer."""
        timeout = self._program.timeout
        return timeout if timeout is None or self._loaded else timeout + self._program.grace

    def _late(self) -> EngineLostError:
        patience = self._patience()
        self.close()
        return EngineLostError(
            f"the process of {self._program.name} (number {self.pid}) gave no answer within "
            f"{patience:g} seconds and was ended"
        )

    def _lost(self) -> EngineLostError:
        try:
            code = self._process.wait(_PATIENCE)  # its pipes close a moment before it is gone
        except subprocess.TimeoutExpired:
            code = None
        how = (
            "does not answer" if code is None else f"was killed by signal {-code}" if code < 0 else f"ended with {code}"
        )
        return EngineLostError(f"the process of {self._program.name} (number {self.pid}) {how}")


class PlayedGame:
    """A game in progress in one of the processes; it is over when nobody refers to it, or :meth:`end` is called."""

    def __init__(self, worker: _Worker, key: int) -> None:
        self.worker, self.key = worker, key
        self.end = weakref.finalize(self, _forget, worker, key)
        """Tell the process, with its next request, that the game is over."""


def _forget(worker: _Worker, key: int) -> None:
    worker.games -= 1
    worker.forgotten.append(key)


@dataclass(frozen=True, slots=True)
class Request:
    """Something to ask about a game."""

    game: PlayedGame
    body: Mapping[str, Any]


class Pool:
    """As many processes as there are games at a time, up to a limit; beyond it they share."""

    def __init__(self, program: Program, limit: int, after: Callable[[], None] = lambda: None) -> None:
        """Open a pool without processes.

        Args:
            program: what they will run.
            limit: how many there may be, at least 1.
            after: what to do once all have ended.
        """
        self._program, self._limit = program, limit
        self._workers: list[_Worker] = []
        self._keys = itertools.count()
        self._size = 0
        self._close = weakref.finalize(self, _close_all, self._workers, after)

    def place(self, games: int) -> list[PlayedGame]:
        """Return places for new games, on processes that have the fewest."""
        self._size = max(self._size, min(self._limit, games))
        for worker in [worker for worker in self._workers if not worker.alive]:
            self._workers.remove(worker)
            worker.close()
        self._workers.extend(_Worker(self._program) for _ in range(self._size - len(self._workers)))
        placed = []
        for _ in range(games):
            worker = min(self._workers, key=lambda worker: worker.games)
            worker.games += 1
            placed.append(PlayedGame(worker, next(self._keys)))
        return placed

    def start(
        self,
        begin: Sequence[Callable[[PlayedGame], Mapping[str, Any]]],
        refusal: Callable[[int, EngineError], Exception],
    ) -> list[tuple[PlayedGame, Answer]]:
        """Start games; one that lost its process is tried once more, in another.

        Args:
            begin: for each game what makes the request that begins it, from its place.
            refusal: what is raised where a game, named by its number, cannot be started.

        Returns:
            The place of each game and the first answer.
        """
        started: dict[int, tuple[PlayedGame, Answer]] = {}
        for last_try in (False, True):
            missing = [at for at in range(len(begin)) if at not in started]
            placed = self.place(len(missing))
            requests = [Request(place, begin[at](place)) for place, at in zip(placed, missing, strict=True)]
            for at, place, answer in zip(missing, placed, self.ask(requests), strict=True):
                if not isinstance(answer, EngineError):
                    started[at] = (place, answer)
                elif last_try or not isinstance(answer, EngineLostError):
                    raise refusal(at, answer) from answer
        return [started[at] for at in range(len(begin))]

    def ask(self, requests: Sequence[Request]) -> list[Answer | EngineError]:
        """Return an answer to each request, or why there is none; processes work at the same time."""
        answers: list[Answer | EngineError] = [EngineError("it was not asked")] * len(requests)
        waiting: dict[int, tuple[_Worker, deque[int]]] = {}
        for at, request in enumerate(requests):
            waiting.setdefault(id(request.game.worker), (request.game.worker, deque()))[1].append(at)
        while waiting:
            sent = []
            for worker, queue in waiting.values():
                at = queue.popleft()
                try:
                    worker.send(requests[at].body)
                    sent.append((worker, at))
                except EngineError as error:
                    answers[at] = error
            self._receive(sent, answers)
            waiting = {key: (worker, queue) for key, (worker, queue) in waiting.items() if queue}
        return answers

    def close(self) -> None:
        """End all processes; calling it twice is allowed."""
        self._close()

    @staticmethod
    def _receive(sent: Sequence[tuple[_Worker, int]], answers: list[Answer | EngineError]) -> None:
        """Wait for the answers of processes that were each sent one request, and put them in their places."""
        unread = deque(sent)
        try:
            while unread:
                worker, at = unread[0]
                try:
                    answers[at] = worker.receive()
                except EngineError as error:
                    answers[at] = error
                unread.popleft()
        finally:
            for worker, _ in unread:  # an interrupt: an answer that comes later would pass for that of the next request
                worker.stop()


def engine_failure(
    episode: Episode, action: str, game: PlayedGame, error: EngineError, *, replacement: str, valid: bool
) -> Outcome:
    """Return that the engine has no answer, and end the episode as it is.

    Args:
        episode: in progress.
        action: what there is no answer to.
        game: where the episode is played.
        error: why.
        replacement: what the next episode gets a new one of, as its user knows it.
        valid: whether the action passes for one that the state offered.
    """
    transition = episode.real_transition(action, episode.state, success=False, terminated=False, valid=valid)
    episode.history.append(Turn(episode.state, action))
    episode.stop = StopReason.ENGINE_FAILURE
    game.end()
    failure = f"The episode cannot go on: {error}. Reset this environment: the next episode gets a new {replacement}."
    return Outcome(transition, AnsweredBy.REAL, episode.stop, failure=failure)


def _close_all(workers: list[_Worker], after: Callable[[], None]) -> None:
    for worker in workers:
        worker.stop()
    for worker in workers:
        worker.close()
    workers.clear()
    after()
