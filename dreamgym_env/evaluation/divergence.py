"""Where a dream and reality part: the first difference of an episode, and how true the pages are step by step.

A dreamt episode is laid beside the replay of its actions in the real environment (closed loop: the dream goes on from
its own pages).  Both show the same texts where the dream is right, so that texts are compared character by character.
"""

from __future__ import annotations

import enum
import statistics
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dreamgym_env.evaluation.fidelity import line_f1
from dreamgym_env.evaluation.intervals import Estimate
from dreamgym_env.evaluation.rollout import EpisodeResult
from dreamgym_env.evaluation.statistics import mean_estimate, proportion
from dreamgym_env.simulation.episode import Outcome
from dreamgym_env.types import Domain, StopReason

__all__ = [
    "Divergence",
    "DivergenceKind",
    "DivergenceShare",
    "Divergences",
    "DriftStep",
    "drift",
    "first_divergence",
    "sum_up_divergences",
]

_SHORT = 120
_FAILURES = (StopReason.MODEL_FAILURE, StopReason.ENGINE_FAILURE)


class DivergenceKind(enum.StrEnum):
    """What differs."""

    PAGE = "page"
    """The texts."""
    VERDICT = "verdict"
    """The texts are the same, but only one of the two is a success."""
    END = "end"
    """Texts and success are the same, but only one of the two episodes has ended."""
    OFFER = "offer"
    """The texts, because one side offered the action and the other did not."""
    FAILURE = "failure"
    """The world model, or the real engine, gave no answer."""


@dataclass(frozen=True, slots=True)
class Divergence:
    """The first difference of an episode."""

    step: int
    """Which action led to it, counted from 1; 0 where the first states differ already."""
    kind: DivergenceKind
    action_kind: str
    """Of the action, as the domain names it; ``"not offered"`` where the real environment did not offer it; ``"reset"``
    at step 0."""
    dream: str
    """What the dream has and the real environment has not, in short."""
    real: str
    """The reverse."""

    def to_json(self) -> dict[str, Any]:
        """Return the members."""
        return {
            "step": self.step,
            "kind": str(self.kind),
            "action_kind": self.action_kind,
            "dream": self.dream,
            "real": self.real,
        }


def first_divergence(domain: Domain, dreamt: EpisodeResult, replayed: EpisodeResult) -> Divergence | None:
    """Find the first difference between a dreamt episode and the replay of its actions in the real environment.

    Whether an action was offered is compared only where the texts differ: each side has its own way to work it out,
    and the agent sees the text alone.

    Args:
        domain: segments pages and names kinds of actions.
        dreamt: the episode in the dream.
        replayed: its actions taken again, as :func:`~dreamgym_env.evaluation.rollout.replay_actions` returns it.

    Returns:
        None where nothing differs.

    Raises:
        ValueError: the one is no replay of the other.
    """
    _check_replay(dreamt, replayed)
    instruction = dreamt.task.instruction
    if dreamt.states[0] != replayed.states[0]:
        texts = _differing(domain, instruction, dreamt.states[0], replayed.states[0])
        return Divergence(0, DivergenceKind.PAGE, "reset", *texts)
    for step, (one, other) in enumerate(zip(dreamt.outcomes, replayed.outcomes, strict=False), 1):
        kind = _kind(one, other)
        if kind is not None:
            real = other.transition
            action_kind = domain.action_kind(real.action) if real.valid else "not offered"
            return Divergence(step, kind, action_kind, *_both(domain, instruction, kind, one, other))
    return None


@dataclass(frozen=True, slots=True)
class DivergenceShare:
    """Episodes whose first difference is of one kind."""

    share: Estimate
    """Of all episodes."""
    count: int
    median_step: float
    action_kinds: Mapping[str, int]
    """Kind of the action that led to it -> how many episodes, the most frequent first."""

    def to_json(self) -> dict[str, Any]:
        """Return the members as JSON values."""
        return {
            "share": self.share.to_json(),
            "count": self.count,
            "median_step": self.median_step,
            "action_kinds": dict(self.action_kinds),
        }


@dataclass(frozen=True, slots=True)
class Divergences:
    """The first differences of some episodes."""

    episodes: int
    same: Estimate | None
    """Share of episodes in which nothing differs; None for no episode."""
    kinds: Mapping[DivergenceKind, DivergenceShare]
    """The kinds that occur, the most frequent first."""

    def to_json(self) -> dict[str, Any]:
        """Return the members as JSON values."""
        return {
            "episodes": self.episodes,
            "same": self.same.to_json() if self.same else None,
            "kinds": {str(kind): share.to_json() for kind, share in self.kinds.items()},
        }


def sum_up_divergences(divergences: Sequence[Divergence | None], tasks: Sequence[str]) -> Divergences:
    """Count first differences by kind.

    Args:
        divergences: of n episodes, as :func:`first_divergence` returns them.
        tasks: the task of each.

    Raises:
        ValueError: the two are not of one length.
    """
    kinds = {}
    found = [one for one in divergences if one is not None]
    for kind, count in Counter(one.kind for one in found).most_common():
        share = proportion([one is not None and one.kind is kind for one in divergences], tasks)
        assert share is not None  # there is at least this one
        steps = [one.step for one in found if one.kind is kind]
        actions = Counter(one.action_kind for one in found if one.kind is kind)
        kinds[kind] = DivergenceShare(share, count, float(statistics.median(steps)), dict(actions.most_common()))
    return Divergences(len(divergences), proportion([one is None for one in divergences], tasks), kinds)


@dataclass(frozen=True, slots=True)
class DriftStep:
    """How true the dream's pages are after so many actions; intervals are over tasks."""

    step: int
    """Counted from 1."""
    count: int
    """Episodes that have this step both in the dream and in the real environment; the first two figures are theirs."""
    exact: Estimate
    """Share whose page is the real one, character by character."""
    line_f1: Estimate
    """Mean F1 score of the page as a bag of segments."""
    no_difference: Estimate
    """Share of *all* episodes, also of those that are over, in which nothing has differed so far."""

    def to_json(self) -> dict[str, Any]:
        """Return the members as JSON values."""
        return {
            "step": self.step,
            "count": self.count,
            "exact": self.exact.to_json(),
            "line_f1": self.line_f1.to_json(),
            "no_difference": self.no_difference.to_json(),
        }


def drift(domain: Domain, pairs: Sequence[tuple[EpisodeResult, EpisodeResult]], seed: int) -> tuple[DriftStep, ...]:
    """Say how true the dream's pages are against the number of steps, in closed loop.

    Args:
        domain: segments pages.
        pairs: episodes in the dream, each with its replay in the real environment.
        seed: of the intervals.

    Returns:
        One row a step number, up to the last that any episode has in both.

    Raises:
        ValueError: the one is no replay of the other.
    """
    differs = [first_divergence(domain, *pair) for pair in pairs]
    all_tasks = [dreamt.task.id for dreamt, _ in pairs]
    rows = []
    for step in range(1, max((replayed.steps for _, replayed in pairs), default=0) + 1):
        there = [pair for pair in pairs if pair[1].steps >= step]
        tasks = [dreamt.task.id for dreamt, _ in there]
        closeness = [_closeness(domain, dreamt, replayed, step) for dreamt, replayed in there]
        so_far = [one is None or one.step > step for one in differs]
        figures = (
            proportion([exact for exact, _ in closeness], tasks),
            mean_estimate([f1 for _, f1 in closeness], tasks, seed),
            proportion(so_far, all_tasks),
        )
        exact, f1, no_difference = (one for one in figures if one is not None)  # at least one episode is there
        rows.append(DriftStep(step, len(there), exact, f1, no_difference))
    return tuple(rows)


def _check_replay(dreamt: EpisodeResult, replayed: EpisodeResult) -> None:
    """A replay has the same actions, and fewer of them only where the real environment ended it."""
    stopped_early = replayed.steps < dreamt.steps
    if (
        dreamt.task.id != replayed.task.id
        or replayed.actions != dreamt.actions[: replayed.steps]
        or (stopped_early and replayed.stop is StopReason.RUNNING)
    ):
        raise ValueError(
            f"The episodes of {dreamt.task.id!r} and {replayed.task.id!r} cannot be laid side by side: the one is no "
            "replay of the other's actions. Make it with replay_actions."
        )


def _kind(dreamt: Outcome, real: Outcome) -> DivergenceKind | None:
    one, other = dreamt.transition, real.transition
    if dreamt.stop in _FAILURES or real.stop in _FAILURES:
        return DivergenceKind.FAILURE
    if one.next_state != other.next_state:
        return DivergenceKind.PAGE if one.valid == other.valid else DivergenceKind.OFFER
    if (dreamt.stop is StopReason.SUCCESS) != (real.stop is StopReason.SUCCESS):
        return DivergenceKind.VERDICT
    if one.terminated != other.terminated or (dreamt.stop is StopReason.RUNNING) != (real.stop is StopReason.RUNNING):
        return DivergenceKind.END
    return None


def _both(domain: Domain, instruction: str, kind: DivergenceKind, dreamt: Outcome, real: Outcome) -> tuple[str, str]:
    """Say in short what each side has."""
    if kind in (DivergenceKind.PAGE, DivergenceKind.OFFER):
        return _differing(domain, instruction, dreamt.transition.next_state, real.transition.next_state)
    if kind is DivergenceKind.FAILURE:
        return _said(dreamt), _said(real)
    return str(dreamt.stop), str(real.stop)


def _said(outcome: Outcome) -> str:
    return _shortened(outcome.failure or str(outcome.stop)) if outcome.stop in _FAILURES else "answered"


def _differing(domain: Domain, instruction: str, dream: str, real: str) -> tuple[str, str]:
    """Return the first segments that only one of two pages has; their whole texts where only the order differs."""
    one, other = domain.segment(dream, instruction), domain.segment(real, instruction)
    only_dream, only_real = Counter(one) - Counter(other), Counter(other) - Counter(one)
    if not only_dream and not only_real:
        at = next((at for at, pair in enumerate(zip(one, other, strict=True)) if pair[0] != pair[1]), 0)
        return _shortened(one[at]), _shortened(other[at])
    return _shortened(next(iter(only_dream), "")), _shortened(next(iter(only_real), ""))


def _shortened(text: str) -> str:
    return text if len(text) <= _SHORT else f"{text[: _SHORT - 1]}…"


def _closeness(domain: Domain, dreamt: EpisodeResult, replayed: EpisodeResult, step: int) -> tuple[bool, float]:
    """Return whether the pages after a step are the same, and the F1 score of their segments."""
    failed = any(episode.outcomes[step - 1].stop in _FAILURES for episode in (dreamt, replayed))
    one, other = dreamt.states[step], replayed.states[step]
    if failed or one == other:
        return not failed, float(not failed)
    instruction = dreamt.task.instruction
    return False, line_f1(domain.segment(one, instruction), domain.segment(other, instruction))
