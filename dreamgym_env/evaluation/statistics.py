"""Figures that lay a dream beside reality: shares, means, gaps and consistency, with 95 % intervals.

Everywhere, the n-th value is of the n-th episode and ``clusters[n]`` names its task.  Episodes of one task are alike,
so that n episodes of few tasks say less than n tasks.  An interval must also allow for what was not seen: of 200 tasks
without a false success, up to 2 % may still have one, where a plain bootstrap would claim to know that none has.

- *Shares*: Wilson's interval (JASA 22, 1927), in which n is divided by the design effect (Kish, "Survey Sampling",
  1965; Franco et al., J. Survey Statistics and Methodology 7, 2019): by how much the spread of the tasks' sums exceeds
  that of independent episodes.  It is worked out with two more tasks, one of successes alone and one without, so that
  tasks that are all alike count as tasks, not as episodes.  With one episode a task it is Wilson's interval as it is.
- *Means, gaps and ratios*: tasks are drawn with replacement (percentile bootstrap, see
  :mod:`~dreamgym_env.evaluation.intervals`), and among them two more that lie at either end of the scale, as Agresti
  and Min add pairs to a table (Statistics in Medicine 24, 2005).

The added tasks have no part in the figures themselves, only in their intervals.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence

import numpy as np

from dreamgym_env.evaluation.intervals import Estimate, FloatArray, finite_values, ratio_estimates, sum_by_cluster

__all__ = [
    "consistency_ratio",
    "false_success",
    "mean_estimate",
    "missed_success",
    "paired_gap",
    "proportion",
]


def proportion(successes: Sequence[bool], clusters: Sequence[Hashable]) -> Estimate | None:
    """Estimate the share of episodes that succeed.

    Args:
        successes: of n episodes.
        clusters: the task of each.

    Returns:
        The share, with Wilson's interval where each task has one episode; None for no episode.

    Raises:
        ValueError: there are not as many clusters as episodes, or a success is neither true nor false.
    """
    hits = finite_values(successes, clusters)
    if not np.isin(hits, (0.0, 1.0)).all():
        raise ValueError("A success is true or false. Estimate the mean of scores with mean_estimate.")
    if not len(hits):
        return None
    sums = sum_by_cluster(np.stack([hits, np.ones_like(hits)], axis=1), clusters)
    share, count = float(hits.mean()), len(hits)
    low, high = _wilson(share, count / _design_effect(sums))
    return Estimate(share, low, high, count, len(sums))


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
        bounds: between what a value can lie.  With None the interval allows for nothing that was not seen: tasks that
            are all alike give it no width.

    Returns:
        The mean, None for no episode.

    Raises:
        ValueError: a value is no finite number or lies out of bounds, or there are not as many clusters as values.
    """
    scores = finite_values(values, clusters)
    if not len(scores):
        return None
    if bounds is not None and (scores.min() < bounds[0] or scores.max() > bounds[1]):
        raise ValueError(
            f"The values lie between {scores.min():g} and {scores.max():g}, out of their bounds "
            f"{bounds[0]:g} and {bounds[1]:g}. Say bounds=None for values without bounds."
        )
    ends = np.zeros((0, 2)) if bounds is None else np.array([[bounds[0], 1.0], [bounds[1], 1.0]])
    return _ratio(scores, np.ones_like(scores), clusters, ends, seed)


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
    differences = finite_values(dream, clusters) - finite_values(real, clusters)
    return mean_estimate(differences.tolist(), clusters, seed, bounds=bounds)


def false_success(
    dream_success: Sequence[bool], replayed_success: Sequence[bool], clusters: Sequence[Hashable]
) -> Estimate | None:
    """Estimate which share of the dream's successes is none: the same actions do not succeed in the real environment.

    Args:
        dream_success: whether each of n episodes succeeded in the dream.
        replayed_success: whether its actions, taken again in the real environment, succeed there.
        clusters: the task of each.

    Returns:
        The share, whose ``count`` is the number of the dream's successes; None where the dream has none.

    Raises:
        ValueError: the three are not of one length.
    """
    claimed, true = finite_values(dream_success, clusters) > 0, finite_values(replayed_success, clusters) > 0
    tasks = [task for task, one in zip(clusters, claimed, strict=True) if one]
    return proportion((~true[claimed]).tolist(), tasks)


def missed_success(
    dream_success: Sequence[bool], replayed_success: Sequence[bool], clusters: Sequence[Hashable]
) -> Estimate | None:
    """Estimate which share of the action sequences that succeed in the real environment the dream counts as no success.

    It is :func:`false_success` with the sides exchanged; only sequences that the agent took in the dream are looked at.
    """
    return false_success(replayed_success, dream_success, clusters)


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
    replayed, acted = finite_values(replayed_success, clusters), finite_values(acted_success, clusters)
    ends = np.array([[1.0, 0.0], [0.0, 1.0]])  # only the replay succeeds, or only acting
    return _ratio(replayed, acted, clusters, ends, seed) if acted.any() else None


def _ratio(
    above: FloatArray, below: FloatArray, clusters: Sequence[Hashable], ends: FloatArray, seed: int
) -> Estimate | None:
    """Estimate a ratio of sums; draw also from one more task for each row of ``ends``, (above, below) of an episode."""
    size = len(clusters) / len(set(clusters))
    (interval,) = ratio_estimates(
        np.append(above, ends[:, 0] * size)[:, np.newaxis],
        np.append(below, ends[:, 1] * size)[:, np.newaxis],
        [*clusters, *(object() for _ in ends)],
        seed,
    )
    total = below.sum()
    if interval is None or total == 0:
        return None
    value = float(above.sum() / total)
    taking_part = len({task for task, weight in zip(clusters, below, strict=True) if weight})
    return Estimate(value, min(interval.low, value), max(interval.high, value), int(total), taking_part)


def _design_effect(sums: FloatArray) -> float:
    """Return by how much successes of one task are alike: 1 for not at all, the episodes of a task for wholly.

    Args:
        sums: shape (tasks, 2): successes and episodes of each.
    """
    size = sums[:, 1].mean()
    successes, episodes = np.vstack([sums, [size, size], [0.0, size]]).T
    share = successes.sum() / episodes.sum()
    spread = ((successes - share * episodes) ** 2).sum()
    return max(1.0, float(spread / (episodes.sum() * share * (1 - share))))


def _wilson(share: float, count: float) -> tuple[float, float]:
    """Return Wilson's interval, which scipy has for whole numbers only."""
    from scipy.special import ndtri

    square = float(ndtri(0.975)) ** 2
    middle = share + square / (2 * count)
    half = math.sqrt(square * (share * (1 - share) / count + square / (4 * count**2)))
    low, high = ((middle + side) / (1 + square / count) for side in (-half, half))
    return min(max(low, 0.0), share), max(min(high, 1.0), share)
