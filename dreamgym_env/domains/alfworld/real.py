"""The real ALFWorld as a backend: the same episodes, played in ALFWorld's own engine, each in a process of its own."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dreamgym_env.domains.alfworld.domain import ALFWorld
from dreamgym_env.domains.alfworld.games import Game
from dreamgym_env.domains.alfworld.grammar import parse
from dreamgym_env.domains.alfworld.package_data import require_package
from dreamgym_env.domains.alfworld.texts import TASK_LEAD
from dreamgym_env.domains.alfworld.tracker import NOTHING_HAPPENS
from dreamgym_env.domains.workers import EngineError, PlayedGame, Pool, Program, Request, engine_failure
from dreamgym_env.errors import GameError, KeywordError
from dreamgym_env.simulation.episode import Episode, Outcome, episode_name, stop_reason
from dreamgym_env.types import AnsweredBy, StopReason, Task, Turn

__all__ = ["RealALFWorld"]

_ENGINE = Program("ALFWorld's engine", [str(Path(__file__).with_name("engine.py"))])
_UNKNOWN_TASK = "UNKNOWN GOAL."
"""What the installed package's words say in place of a task."""
_MOST_WORKERS = 16
"""Processes at most by default; each takes about 80 MB."""


@dataclass(frozen=True, slots=True)
class _Session:
    """A game and what it offers."""

    game: PlayedGame
    commands: tuple[str, ...]


class RealALFWorld:
    """Advances episodes in ALFWorld's engine.

    A process that is lost ends the episode that was played in it, with :attr:`StopReason.ENGINE_FAILURE` and a sentence
    in ``info["failure"]``; the others go on, and the next episode gets a new process.
    """

    OPTIONS = ("workers",)
    """Keywords of ``gym.make`` that are the real environment's alone."""

    def __init__(self, domain: ALFWorld, workers: int = _MOST_WORKERS) -> None:
        """Prepare the engine; processes are started when episodes begin.

        Args:
            domain: where the games come from.
            workers: how many processes there may be; more episodes at a time than that share them.

        Raises:
            MissingDependencyError: the extra ``alfworld`` is not installed.
            KeywordError: ``workers`` is no whole number of at least 1.
        """
        if isinstance(workers, bool) or not isinstance(workers, int) or workers < 1:
            raise KeywordError(f"workers takes a whole number of at least 1, not {workers!r:.80}.")
        require_package()
        require_package("textworld")
        require_package("fast_downward")
        self._domain = domain
        self._pool = Pool(_ENGINE, workers)

    def begin(self, tasks: Sequence[Task], seeds: Sequence[int]) -> list[Episode]:
        """Start one game a task.

        Raises:
            ResetOptionError: a task is a user's own, and names no game as its original.
            GameError: a game cannot be played; no episode was begun.
        """
        games = [self._domain.game_of(task) for task in tasks]
        shown = self._start(games, tasks)
        episodes = []
        for task, seed, game, (played, answer) in zip(tasks, seeds, games, shown, strict=True):
            text = answer["text"]
            for said in (_UNKNOWN_TASK, game.sentence):  # a variation of a task is told in its own words
                text = text.replace(f"{TASK_LEAD}{said}", f"{TASK_LEAD}{task.instruction}")
            session = _Session(played, tuple(answer["commands"]))
            episodes.append(Episode(task, episode_name(task, seed), seed, text, session=session))
        return episodes

    def advance(
        self, episodes: Sequence[Episode], actions: Sequence[str], step_limit: int | None = None
    ) -> list[Outcome]:
        """Take one action in each game; games in different processes move at the same time."""
        answers = self._pool.ask(
            [
                Request(episode.session.game, {"step": episode.session.game.key, "action": _command(episode, action)})
                for episode, action in zip(episodes, actions, strict=True)
            ]
        )
        return [
            _failed(episode, action, answer)
            if isinstance(answer, EngineError)
            else _moved(episode, action, answer, step_limit)
            for episode, action, answer in zip(episodes, actions, answers, strict=True)
        ]

    def available_actions(self, episode: Episode) -> tuple[str, ...]:
        """Return the engine's admissible commands; nothing after the episode's end."""
        return episode.session.commands if episode.stop is StopReason.RUNNING else ()

    def plan(self, episode: Episode) -> list[str]:
        """Return the commands by which the engine's planner would go on; none where it finds no way to the goal.

        It takes from a tenth of a second to minutes.

        Raises:
            GameError: the planner failed.
        """
        played = episode.session.game
        (answer,) = self._pool.ask([Request(played, {"plan": played.key})])
        if isinstance(answer, EngineError):
            raise GameError(f"The planner failed on the task {episode.task.id!r:.80}: {answer}.")
        return list(answer["plan"])

    def close(self) -> None:
        """End all processes."""
        self._pool.close()

    def _start(self, games: Sequence[Game], tasks: Sequence[Task]) -> list[tuple[PlayedGame, Mapping[str, Any]]]:
        """Start games. Raises GameError."""

        def refusal(at: int, error: EngineError) -> GameError:
            return GameError(
                f"ALFWorld's engine cannot play the task {tasks[at].id!r:.80}: {error}. Choose another task, or mend "
                "its game."
            )

        return self._pool.start([functools.partial(_start_request, game=game) for game in games], refusal)


def _start_request(place: PlayedGame, game: Game) -> dict[str, Any]:
    logic = game.logic
    return {"start": place.key, "domain": logic.domain, "grammar": logic.grammar, "problem": game.problem}


def _command(episode: Episode, action: str) -> str:
    """Return an action as the engine knows it, whose commands have one spelling; in a dream case does not matter."""
    parsed = parse(action)
    return parsed.text if parsed and action.strip() not in episode.session.commands else action


def _moved(episode: Episode, action: str, answer: Mapping[str, Any], step_limit: int | None) -> Outcome:
    """Return what came of an action, and move the episode on."""
    won, text, game = answer["won"], answer["text"], episode.session.game
    transition = episode.real_transition(action, text, success=won, terminated=won, valid=text != NOTHING_HAPPENS)
    episode.history.append(Turn(episode.state, action))
    episode.state = text
    episode.session = _Session(game, tuple(answer["commands"]))
    episode.stop = stop_reason(episode.step, step_limit, success=won, terminated=won)
    if episode.stop is not StopReason.RUNNING:
        game.end()
    return Outcome(transition, AnsweredBy.REAL, episode.stop)


def _failed(episode: Episode, action: str, error: EngineError) -> Outcome:
    """Return that the engine has no answer, and end the episode as it is."""
    valid = episode.state != NOTHING_HAPPENS
    return engine_failure(episode, action, episode.session.game, error, replacement="process", valid=valid)
