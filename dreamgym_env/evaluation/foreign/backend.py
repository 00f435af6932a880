"""Advancing episodes of somebody else's environments, each in an environment of its own."""

from __future__ import annotations

import logging
import math
import weakref
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, SupportsFloat

import gymnasium as gym

from dreamgym_env.envs.reading import graded_score, observed_text, offered_actions, won
from dreamgym_env.errors import KeywordError
from dreamgym_env.evaluation.foreign.domain import ForeignDomain
from dreamgym_env.simulation.episode import Episode, Outcome, episode_name, stop_reason
from dreamgym_env.types import AnsweredBy, StopReason, Task, Turn

__all__ = ["ForeignBackend", "named_error"]

_LOG = logging.getLogger(__name__)

Env = gym.Env[Any, Any]


class _Seat:
    """An environment that an episode is played in; it is free again when the episode is forgotten."""

    def __init__(self, env: Env, offered: tuple[str, ...], free: Callable[[Env], None]) -> None:
        self.env, self.offered = env, offered
        self.release = weakref.finalize(self, free, env)
        self.release.atexit = False


@dataclass(slots=True)
class _Lost:
    """Stands for an environment that could not begin an episode."""

    failure: str
    offered: tuple[str, ...] = ()


@dataclass(slots=True)
class ForeignBackend:
    """A :class:`~dreamgym_env.simulation.episode.Backend` of environments with Gymnasium's interface.

    An episode succeeds where it terminates with ``info["won"]``, or where there is no such entry with a reward above 0.
    An environment that raises an error, or answers with anything but a text and a reward, ends its episode with
    ``engine_failure`` and is made anew.  Where that happens in ``reset``, the episode's first step says so.
    """

    domain: ForeignDomain
    make: Callable[[], Env]
    """Makes one more environment."""
    free: list[Env]
    """Environments that no episode is played in."""

    def begin(self, tasks: Sequence[Task], seeds: Sequence[int]) -> list[Episode]:
        """Begin each task by ``reset`` with the task's own seed."""
        return [self._begin(task, seed) for task, seed in zip(tasks, seeds, strict=True)]

    def advance(
        self, episodes: Sequence[Episode], actions: Sequence[str], step_limit: int | None = None
    ) -> list[Outcome]:
        """Take one action in each episode, one after the other."""
        return [self._advance(episode, action, step_limit) for episode, action in zip(episodes, actions, strict=True)]

    def available_actions(self, episode: Episode) -> tuple[str, ...]:
        """Return what the latest info offers; nothing after the episode's end."""
        return episode.session.offered if episode.stop is StopReason.RUNNING else ()

    def close(self) -> None:
        """Close the environments that no episode holds; the others follow when their episode is forgotten."""
        self.make = _closed
        while self.free:
            _close(self.free.pop())

    def _begin(self, task: Task, seed: int) -> Episode:
        try:
            env = self.free.pop() if self.free else self.make()
        except KeywordError as error:
            if self.make is _closed:
                raise
            return self._lost(task, seed, str(error))
        try:
            observation, info = env.reset(seed=self.domain.seeds[task.id])
            state, session = (
                observed_text(env, observation, "a comparison"),
                _Seat(env, offered_actions(info), self._take_back),
            )
        except (Exception, SystemExit) as error:  # whatever somebody else's environment may raise, it is reported
            _close(env)
            return self._lost(task, seed, self._said(error, "in reset"))
        return Episode(task, episode_name(task, seed), seed, state, session=session)

    def _lost(self, task: Task, seed: int, failure: str) -> Episode:
        return Episode(task, episode_name(task, seed), seed, task.initial_state, session=_Lost(failure))

    def _take_back(self, env: Env) -> None:
        if self.make is _closed:
            _close(env)
        else:
            self.free.append(env)

    def _advance(self, episode: Episode, action: str, step_limit: int | None) -> Outcome:
        seat: _Seat | _Lost = episode.session
        if isinstance(seat, _Lost):
            return self._lose(episode, action, seat.failure)
        try:
            observation, paid, terminated, truncated, info = seat.env.step(action)
            state, reward, offered = (
                observed_text(seat.env, observation, "a comparison"),
                self._reward(paid),
                offered_actions(info),
            )
            terminated, truncated = bool(terminated), bool(truncated)
            success = terminated and won(reward, info)
            score, valid = graded_score(reward, info, float(success)), bool(info.get("valid", True))
        except (Exception, SystemExit) as error:
            seat.release.detach()
            _close(seat.env)
            return self._lose(episode, action, self._said(error))
        transition = episode.real_transition(
            action,
            state,
            success=success,
            terminated=terminated,
            score=score,
            valid=valid,
        )
        episode.history.append(Turn(episode.state, action))
        episode.state, seat.offered = state, offered
        episode.stop = stop_reason(episode.step, step_limit, success=success, terminated=terminated)
        if episode.stop is StopReason.RUNNING and truncated:
            episode.stop = StopReason.STEP_LIMIT
        return Outcome(transition, AnsweredBy.REAL, episode.stop, paid=reward)

    def _reward(self, paid: object) -> float:
        """Return a reward. Raises KeywordError where it is none."""
        reward = float(paid) if isinstance(paid, SupportsFloat) else math.nan
        if not math.isfinite(reward):
            raise KeywordError(f"{self.domain.name} paid {paid!r:.80}, and a reward is a finite number.")
        return reward

    def _said(self, error: BaseException, where: str = "") -> str:
        if isinstance(error, KeywordError):
            return str(error)
        return f"{self.domain.name} raised {type(error).__name__}{f' {where}' if where else ''}: {error}"

    def _lose(self, episode: Episode, action: str, failure: str) -> Outcome:
        transition = episode.real_transition(action, episode.state, success=False, terminated=False, valid=True)
        episode.history.append(Turn(episode.state, action))
        episode.stop = StopReason.ENGINE_FAILURE
        return Outcome(transition, AnsweredBy.REAL, episode.stop, failure=failure[:500])


def named_error(error: BaseException) -> str:
    """Return what an error is called, and what it says."""
    return f"{type(error).__name__}: {error}"


def _close(env: Env) -> None:
    """Close an environment; what was played in it stands, whether it can be closed or not."""
    try:
        env.close()
    except Exception as error:
        _LOG.warning("An environment could not be closed: %s", named_error(error))


def _closed() -> Env:
    raise KeywordError("The environment was closed: make it again.")
