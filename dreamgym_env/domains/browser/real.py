"""A real browser as a backend: episodes of a web domain, several to a browser, each browser in a process of its own."""

from __future__ import annotations

import functools
import os
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dreamgym_env.domains.browser.chromium import find_chromium, require_packages
from dreamgym_env.domains.browser.domain import WebDomain
from dreamgym_env.domains.browser.texts import PageText
from dreamgym_env.domains.workers import EngineError, PlayedGame, Pool, Program, Request, engine_failure
from dreamgym_env.errors import GameError, KeywordError
from dreamgym_env.simulation.episode import Episode, Outcome, episode_name, stop_reason
from dreamgym_env.types import AnsweredBy, StopReason, Task, Turn

__all__ = ["BrowserTask", "RealBrowser"]

_OBSERVATIONS = ("elements", "axtree")
_MOST_WORKERS = 4
"""Browsers at most by default; each takes about 400 MB."""
_TIMEOUT = 30.0
"""Seconds by default."""
_GRACE = 60.0
"""Seconds that starting a browser may take."""
_LONGEST_FOLDER = 104 - len("/dreamgym-12345678/browser-12345678/org.chromium.Chromium.123456/SingletonSocket\0")
"""Bytes that the name of the folder for temporary files may have: the name of a socket may have 104 or 108, and a
browser that cannot make its own there does not start."""


@dataclass(frozen=True, slots=True)
class BrowserTask:
    """What a browser's process needs to set a task up."""

    entry: str
    """``"module:Class"`` of a task of BrowserGym's protocol."""
    arguments: Mapping[str, Any]
    """Keyword arguments of the class; JSON values only."""


class RealBrowser:
    """Advances episodes in real browsers.

    A page that hangs, or a browser that is lost, ends the episodes of that browser with
    :attr:`StopReason.ENGINE_FAILURE` and a sentence in ``info["failure"]``; the next episode gets a new browser.
    """

    OPTIONS: tuple[str, ...] = ("observation", "timeout", "workers")
    """Keywords of ``gym.make`` that are the real environment's alone."""

    def __init__(
        self,
        domain: WebDomain,
        find_task: Callable[[Task], BrowserTask],
        *,
        extra: str,
        packages: Sequence[str],
        observation: str = "elements",
        workers: int = _MOST_WORKERS,
        timeout: float = _TIMEOUT,
    ) -> None:
        """Prepare for browsers; they are started when episodes begin.

        Args:
            domain: the domain that is played.
            find_task: returns what sets a task up; it may raise ResetOptionError.
            extra: the extra of this library that brings the packages.
            packages: names of packages that the tasks need.
            observation: ``"elements"`` lists what matters; ``"axtree"`` is BrowserGym's text of the whole tree.
            workers: how many browsers there may be; more episodes at a time than that share them.
            timeout: seconds in which a browser must answer an action, or it is ended.

        Raises:
            MissingDependencyError: a package or Chromium is not installed.
            KeywordError: an option is of the wrong type or value.
        """
        if observation not in _OBSERVATIONS:
            raise KeywordError(f"observation takes 'elements' or 'axtree', not {observation!r:.80}.")
        if isinstance(workers, bool) or not isinstance(workers, int) or workers < 1:
            raise KeywordError(f"workers takes a whole number of at least 1, not {workers!r:.80}.")
        if isinstance(timeout, bool) or not isinstance(timeout, int | float) or not 0 < timeout < float("inf"):
            raise KeywordError(f"timeout takes a number of seconds above 0, not {timeout!r:.80}.")
        require_packages(extra, *packages)
        self._domain, self._find_task, self._observation = domain, find_task, observation
        files = tempfile.TemporaryDirectory(prefix="dreamgym-", dir=_folder(), ignore_cleanup_errors=True)
        program = Program(
            "the browser",
            ["-m", "dreamgym_env.domains.browser.engine", str(find_chromium()), files.name],
            timeout=timeout,
            grace=_GRACE,
        )
        self._pool = Pool(program, workers, files.cleanup)

    def begin(self, tasks: Sequence[Task], seeds: Sequence[int]) -> list[Episode]:
        """Start one episode a task.

        Raises:
            ResetOptionError: a task is a user's own, and names none of the domain's as its original.
            GameError: a task cannot be set up; no episode was begun.
        """
        found = [self._find_task(task) for task in tasks]
        episodes = []
        for task, seed, (place, answer) in zip(
            tasks, seeds, self._start(found, [task.id for task in tasks]), strict=True
        ):
            text = _page(answer).write(task.instruction)
            episodes.append(Episode(task, episode_name(task, seed), seed, text, session=place))
        return episodes

    def advance(
        self, episodes: Sequence[Episode], actions: Sequence[str], step_limit: int | None = None
    ) -> list[Outcome]:
        """Take one action in each episode; episodes in different browsers move at the same time."""
        answers = self._pool.ask(
            [
                Request(episode.session, {"step": episode.session.key, "action": action})
                for episode, action in zip(episodes, actions, strict=True)
            ]
        )
        return [
            engine_failure(episode, action, episode.session, answer, replacement="browser", valid=False)
            if isinstance(answer, EngineError)
            else _moved(episode, action, answer, step_limit)
            for episode, action, answer in zip(episodes, actions, answers, strict=True)
        ]

    def look(self, tasks: Sequence[BrowserTask]) -> list[tuple[str, PageText]]:
        """Return the instruction and the first page of tasks, without beginning episodes. Raises GameError."""
        shown = []
        for task in tasks:
            ((place, answer),) = self._start([task], [str(dict(task.arguments))])
            place.end()
            shown.append((answer["instruction"], _page(answer)))
        return shown

    def available_actions(self, episode: Episode) -> tuple[str, ...]:
        """Return the actions that the page offers; nothing after the episode's end."""
        if episode.stop is not StopReason.RUNNING:
            return ()
        return self._domain.available_actions(episode.task, episode.history, episode.state)

    def close(self) -> None:
        """End all browsers."""
        self._pool.close()

    def _start(self, found: Sequence[BrowserTask], names: Sequence[str]) -> list[tuple[PlayedGame, Mapping[str, Any]]]:
        """Start episodes. Raises GameError."""

        def refusal(at: int, error: EngineError) -> GameError:
            return GameError(
                f"The task {names[at]!r:.80} cannot be set up in the browser: {error}. Choose another task, or see to "
                "what it says."
            )

        return self._pool.start([functools.partial(self._start_request, task=task) for task in found], refusal)

    def _start_request(self, place: PlayedGame, task: BrowserTask) -> dict[str, Any]:
        return {
            "start": place.key,
            "task": task.entry,
            "arguments": dict(task.arguments),
            "observation": self._observation,
            "actions": list(self._domain.actions),
        }


def _folder() -> str:
    """Return the folder for temporary files, or ``/tmp`` where its name is too long for a browser."""
    folder = tempfile.gettempdir()
    return folder if len(os.fsencode(folder)) <= _LONGEST_FOLDER else "/tmp"  # noqa: S108 - mkdtemp is told the folder


def _page(answer: Mapping[str, Any]) -> PageText:
    lines, tabs = tuple(answer["lines"]), tuple(answer["tabs"])
    return PageText(answer["title"], answer["url"], lines, tabs, answer["failure"])


def _moved(episode: Episode, action: str, answer: Mapping[str, Any], step_limit: int | None) -> Outcome:
    """Return what came of an action, and move the episode on."""
    success, done = answer["reward"] > 0, bool(answer["done"])
    text = _page(answer).write(episode.task.instruction)
    valid = not answer["failure"]
    transition = episode.real_transition(action, text, success=success, terminated=done, valid=valid)
    episode.history.append(Turn(episode.state, action))
    episode.state = text
    episode.stop = stop_reason(episode.step, step_limit, success=success, terminated=done)
    if episode.stop is not StopReason.RUNNING:
        episode.session.end()
    return Outcome(transition, AnsweredBy.REAL, episode.stop)
