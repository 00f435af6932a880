"""A dream's backend with the real environment running along on the same actions."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from dreamgym_env.envs.text_env import is_truncated
from dreamgym_env.shadow.comparison import Comparison, Step
from dreamgym_env.simulation.episode import Backend, Episode, Outcome, OutcomeStream, open_stream
from dreamgym_env.types import Domain, StopReason, Task

__all__ = ["ShadowedBackend"]


@dataclass(frozen=True, slots=True)
class _Companion:
    """The real episode that runs along with a dream's."""

    episode: Episode
    comparison: Comparison

    @property
    def info(self) -> Mapping[str, Any]:
        return self.comparison.info


class ShadowedBackend:
    """Answers what the dream answers; :attr:`Episode.shadow` says how the real environment differs.

    The real environment is asked about exactly the episodes that moved on, in one batch.  It has no step limit: the
    dream's own decides.  A real episode that the dream has left behind is over when nobody refers to it.
    """

    def __init__(
        self,
        dream: Backend,
        real: Backend,
        domain: Domain,
        env_id: str,
        max_differing_steps: int | None,
        close_real: Callable[[], None],
    ) -> None:
        """Join a dream and a real environment.

        Args:
            dream: answers the agent; :meth:`close` closes it.
            real: runs along.
            domain: of both.
            env_id: the real environment's id.
            max_differing_steps: an episode stops (:attr:`StopReason.DRIFT`) at the step that makes it so many; None
                for never.
            close_real: called by :meth:`close`.
        """
        self._dream, self._real, self._domain, self._env_id = dream, real, domain, env_id
        self._bound, self._close_real = max_differing_steps, close_real
        self.real_transitions = 0
        """How many transitions the real environment has taken alongside."""

    def begin(self, tasks: Sequence[Task], seeds: Sequence[int]) -> list[Episode]:
        """Start one episode a task in both.

        Raises:
            ResetOptionError: a task's goal cannot be checked, or the real environment has no such task.
            GameError: the real environment cannot play a task's game.
        """
        episodes = self._dream.begin(tasks, seeds)
        began = time.perf_counter()
        followers = self._real.begin(tasks, seeds)
        seconds = (time.perf_counter() - began) / max(len(tasks), 1)
        for episode, real in zip(episodes, followers, strict=True):
            segment = partial(self._domain.segment, instruction=episode.task.instruction)
            comparison = Comparison(self._env_id, segment, episode.state, real.state, seconds)
            episode.shadow = _Companion(real, comparison)
        return episodes

    def advance(
        self, episodes: Sequence[Episode], actions: Sequence[str], step_limit: int | None = None
    ) -> list[Outcome]:
        """Take one action in each episode and in the real one beside it.

        Raises:
            WorldModelError: the world model as a whole cannot answer; no episode was changed, dreamt or real.
        """
        outcomes = self._dream.advance(episodes, actions, step_limit)
        return self.follow(list(zip(episodes, outcomes, strict=True)))

    def follow(self, moved: Sequence[tuple[Episode, Outcome]]) -> list[Outcome]:
        """Let the real episodes follow dreams that have moved on; return their outcomes, with the bound applied."""
        companions = [_companion(episode) for episode, _ in moved]
        running = [at for at, real in enumerate(companions) if real.episode.stop is StopReason.RUNNING]
        began = time.perf_counter()
        answers = self._real.advance(
            [companions[at].episode for at in running], [moved[at][1].transition.action for at in running]
        )
        seconds = (time.perf_counter() - began) / max(len(running), 1)
        self.real_transitions += sum(answer.is_real for answer in answers)
        real_steps = {at: _step(answer) for at, answer in zip(running, answers, strict=True)}
        return [
            self._compare(episode, outcome, companions[at].comparison, real_steps.get(at), seconds)
            for at, (episode, outcome) in enumerate(moved)
        ]

    def open(self) -> OutcomeStream:
        """Open a stream."""
        return _ShadowedStream(self, open_stream(self._dream))

    def available_actions(self, episode: Episode) -> tuple[str, ...]:
        """Return the actions that the dream offers."""
        return self._dream.available_actions(episode)

    def close(self) -> None:
        """Close the dream, and the real environment where it is this one's own."""
        try:
            self._dream.close()
        finally:
            self._close_real()

    def _compare(
        self, episode: Episode, outcome: Outcome, comparison: Comparison, real: Step | None, seconds: float
    ) -> Outcome:
        comparison.add(_step(outcome), real, 0.0 if real is None else seconds)
        if self._bound is None or comparison.differing < self._bound or episode.stop is not StopReason.RUNNING:
            return outcome
        episode.stop = StopReason.DRIFT
        return replace(outcome, stop=StopReason.DRIFT)


class _ShadowedStream:
    """A dream's stream; the real environment follows what it returns."""

    def __init__(self, backend: ShadowedBackend, dream: OutcomeStream) -> None:
        self._backend, self._dream = backend, dream

    def submit(self, episodes: Sequence[Episode], actions: Sequence[str], step_limit: int | None = None) -> None:
        """Ask the dream."""
        self._dream.submit(episodes, actions, step_limit)

    def receive(self, timeout: float | None = None) -> list[tuple[Episode, Outcome]]:
        """Return episodes that moved on; the timeout is the dream's, and the real environment takes its time."""
        moved = self._dream.receive(timeout)
        outcomes = self._backend.follow(moved) if moved else []
        return [(episode, outcome) for (episode, _), outcome in zip(moved, outcomes, strict=True)]

    def close(self) -> None:
        """Forget what was not received."""
        self._dream.close()


def _companion(episode: Episode) -> _Companion:
    assert isinstance(episode.shadow, _Companion)
    return episode.shadow


def _step(outcome: Outcome) -> Step:
    transition = outcome.transition
    return Step(
        transition.next_state,
        transition.reward,
        transition.terminated,
        is_truncated(outcome.stop),
        outcome.stop is StopReason.SUCCESS,
        outcome.failure,
    )
