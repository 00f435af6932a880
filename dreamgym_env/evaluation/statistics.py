"""Figures that lay a dream beside reality: shares, means, gaps, consistency and distributions, with 95 % intervals.

Everywhere, the n-th value is of the n-th episode and ``clusters[n]`` names its task.  Episodes of one task are alike,
so that tasks are drawn with replacement, not episodes (percentile bootstrap, see
:mod:`~dreamgym_env.evaluation.intervals`).

Where no task differs from another, every draw is the same, and the bootstrap would claim to know the figure exactly.
Then the interval allows for what was not seen: among n tasks that are alike, the share of tasks that would differ may
be as high as the upper end of Wilson's interval of 0 out of n, and these tasks may lie at either end of the scale.
For a share of 0 or 1 this is Wilson's interval over tasks.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from dreamgym_env.evaluation.intervals import Estimate, ratio_estimates

__all__ = [
    "Distance",
    "Summary",
    "consistency_ratio",
    "distribution_distance",
    "false_success",
    "mean_estimate",
    "missed_success",
    "paired_gap",
    "proportion",
]

Values = npt.NDArray[np.float64]

_SAME = 1e-12
"""Draws whose figures differ by less differ by rounding only."""


def proportion(successes: Sequence[bool], clusters: Sequence[Hashable], seed: int) -> Estimate | None:
    """Estimate the share of episodes that succeed.

    Args:
        successes: of n episodes.
        clusters: the task of each.
        seed: of the draws.

    Returns:
        The share with Wilson's interval where each task has one episode (Wilson, JASA 22, 1927), else with the
        bootstrap's over tasks; None for no episode.

    Raises:
        ValueError: there are not as many clusters as episodes, or a success is neither true nor false.
    """
    hits = _values(successes, clusters)
    if not np.isin(hits, (0.0, 1.0)).all():
        raise ValueError("A success is true or false. Estimate the mean of scores with mean_estimate.")
    if not len(hits) or len(set(clusters)) < len(clusters):
        return mean_estimate(successes, clusters, seed)
    low, high = _wilson(int(hits.sum()), len(hits))
    return Estimate(float(hits.mean()), low, high, len(hits), len(hits))


def mean_estimate(
    values: Sequence[float],
    clusters: Sequence[Hashable],
    seed: int,
    *,
    bounds: tuple[float, float] | None = (0.0, 1.0),
) -> Estimate | None:
    """Estimate the mean of a value that each episode has, such as its score.

    Args:
        values: of n episodes.
        clusters: the task of each.
        seed: of the draws.
        bounds: between what a value can lie.  With None nothing is known of what was not seen, and the interval of
            tasks that are all alike has no width.

    Returns:
        The mean, None for no episode.

    Raises:
        ValueError: a value is no finite number or lies out of bounds, or there are not as many clusters as values.
    """
    scores = _values(values, clusters)
    if not len(scores):
        return None
    if bounds is not None and (scores.min() < bounds[0] or scores.max() > bounds[1]):
        raise ValueError(
            f"The values lie between {scores.min():g} and {scores.max():g}, out of their bounds "
            f"{bounds[0]:g} and {bounds[1]:g}. Say bounds=None for values without bounds."
        )
    estimate = _ratio(scores, np.ones_like(scores), clusters, seed)
    if estimate is None or bounds is None or not _alike(estimate):
        return estimate
    unseen = _unseen(estimate.clusters)
    low, high = (estimate.value + (end - estimate.value) * unseen for end in bounds)
    return replace(estimate, low=low, high=high)


def paired_gap(
    dream: Sequence[float],
    real: Sequence[float],
    clusters: Sequence[Hashable],
    seed: int,
    *,
    bounds: tuple[float, float] | None = (-1.0, 1.0),
) -> Estimate | None:
    """Estimate mean dream value − mean real value over the same episodes; positive where the dream flatters.

    Args:
        dream: values of n episodes in the dream.
        real: those of the same tasks, agents and seeds in the real environment.
        clusters: the task of each.
        seed: of the draws.
        bounds: between what a difference can lie, as for :func:`mean_estimate`; the default is that of scores.

    Returns:
        The difference, None for no episode.

    Raises:
        ValueError: as for :func:`mean_estimate`, or the two are not of one length.
    """
    differences = _values(dream, clusters) - _values(real, clusters)
    return mean_estimate(differences.tolist(), clusters, seed, bounds=bounds)


def false_success(
    dream_success: Sequence[bool], replayed_success: Sequence[bool], clusters: Sequence[Hashable], seed: int
) -> Estimate | None:
    """Estimate which share of the dream's successes is none: the same actions do not succeed in the real environment.

    Args:
        dream_success: whether each of n episodes succeeded in the dream.
        replayed_success: whether its actions, taken again in the real environment, succeed there.
        clusters: the task of each.
        seed: of the draws.

    Returns:
        The share, whose ``count`` is the number of the dream's successes; None where the dream has none.

    Raises:
        ValueError: the three are not of one length.
    """
    claimed, true = _values(dream_success, clusters) > 0, _values(replayed_success, clusters) > 0
    tasks = [task for task, one in zip(clusters, claimed, strict=True) if one]
    return proportion((~true[claimed]).tolist(), tasks, seed)


def missed_success(
    dream_success: Sequence[bool], replayed_success: Sequence[bool], clusters: Sequence[Hashable], seed: int
) -> Estimate | None:
    """Estimate which share of the action sequences that succeed in the real environment the dream counts as no success.

    It is :func:`false_success` with the sides exchanged; only sequences that the agent took in the dream are looked at.
    """
    return false_success(replayed_success, dream_success, clusters, seed)


def consistency_ratio(
    replayed_success: Sequence[bool], acted_success: Sequence[bool], clusters: Sequence[Hashable], seed: int
) -> Estimate | None:
    """Estimate successes of the dream's actions in the real environment ÷ successes of acting there.

    The measure is that of Word2World; it may exceed 1.

    Args:
        replayed_success: whether the actions of each of n dreamt episodes succeed in the real environment.
        acted_success: whether the same agent with the same task and seed succeeds there.
        clusters: the task of each.
        seed: of the draws.

    Returns:
        The ratio, whose ``count`` is the number of successes of acting; None where acting never succeeds.

    Raises:
        ValueError: the three are not of one length.
    """
    replayed, acted = _values(replayed_success, clusters), _values(acted_success, clusters)
    estimate = _ratio(replayed, acted, clusters, seed)
    if estimate is None or not _alike(estimate):
        return estimate
    # In the tasks that were not seen only acting succeeds, or only the replay.
    unseen = _unseen(len(set(clusters)))
    above, below = replayed.mean() * (1 - unseen), acted.mean() * (1 - unseen)
    return replace(estimate, low=float(above / (below + unseen)), high=float((above + unseen) / below))


@dataclass(frozen=True, slots=True)
class Summary:
    """What the values of some episodes are like."""

    count: int
    mean: float
    lower_quartile: float
    median: float
    upper_quartile: float

    @classmethod
    def of(cls, values: Values) -> Summary:
        """Sum up n > 0 values; quartiles are interpolated linearly."""
        lower, median, upper = (float(value) for value in np.quantile(values, [0.25, 0.5, 0.75]))
        return cls(len(values), float(values.mean()), lower, median, upper)

    def to_json(self) -> dict[str, float | int]:
        """Return the members, rounded."""
        return {name: round(value, 6) for name, value in asdict(self).items()}


@dataclass(frozen=True, slots=True)
class Distance:
    """How far the distribution of a value in the dream is from that in the real environment."""

    unit: str
    """Of all figures, for example ``"steps"``."""
    distance: float
    """Wasserstein-1: by how much values must be moved, on average, to turn one distribution into the other."""
    chance: float
    """95 % of the distances that come of exchanging the sides of whole tasks at random are no larger than this.
    A larger distance is more than chance; a bootstrap interval would never reach 0."""
    dream: Summary
    real: Summary

    def to_json(self) -> dict[str, Any]:
        """Return the members as JSON values, rounded."""
        return {
            "unit": self.unit,
            "distance": round(self.distance, 6),
            "chance": round(self.chance, 6),
            "dream": self.dream.to_json(),
            "real": self.real.to_json(),
        }


def distribution_distance(
    dream: Sequence[float], real: Sequence[float], clusters: Sequence[Hashable], seed: int, *, unit: str
) -> Distance | None:
    """Compare how returns, or episode lengths, are distributed in the dream and in the real environment.

    Args:
        dream: values of n episodes in the dream.
        real: those of the same tasks, agents and seeds in the real environment.
        clusters: the task of each.
        seed: of the exchanges.
        unit: of the values.

    Returns:
        None for no episode.

    Raises:
        ValueError: the three are not of one length, or a value is no finite number.
    """
    from scipy.stats import wasserstein_distance

    dreamt, lived = _values(dream, clusters), _values(real, clusters)
    if not len(dreamt):
        return None
    numbers = {task: number for number, task in enumerate(dict.fromkeys(clusters))}
    tasks = np.array([numbers[task] for task in clusters])
    exchanged = np.random.default_rng(seed).random((_EXCHANGES, len(numbers))) < 0.5
    distances = [
        wasserstein_distance(np.where(sides, lived, dreamt), np.where(sides, dreamt, lived))
        for sides in exchanged[:, tasks]
    ]
    return Distance(
        unit,
        float(wasserstein_distance(dreamt, lived)),
        float(np.quantile(distances, 0.95)),
        Summary.of(dreamt),
        Summary.of(lived),
    )


_EXCHANGES = 1_000


def _values(values: Sequence[float], clusters: Sequence[Hashable]) -> Values:
    array = np.asarray(values, dtype=np.float64)
    if array.shape != (len(clusters),):
        raise ValueError(f"There are {len(array)} values for the tasks of {len(clusters)} episodes; give one for each.")
    if not np.isfinite(array).all():
        raise ValueError("A value is no finite number. Leave out the episodes that have none.")
    return array


def _ratio(above: Values, below: Values, clusters: Sequence[Hashable], seed: int) -> Estimate | None:
    (estimate,) = ratio_estimates(above[:, np.newaxis], below[:, np.newaxis], clusters, seed)
    return estimate


def _alike(estimate: Estimate) -> bool:
    """Whether no task differs from another, so that all draws are the same."""
    return estimate.high - estimate.low < _SAME


def _wilson(successes: int, count: int) -> tuple[float, float]:
    from scipy.stats import binomtest

    interval = binomtest(successes, count).proportion_ci(method="wilson")
    return float(interval.low), float(interval.high)


def _unseen(tasks: int) -> float:
    """Return how large a share of the tasks may be unlike all that were seen."""
    return _wilson(0, tasks)[1]
