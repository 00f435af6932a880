"""Confidence intervals of ratios by bootstrap over clusters.

Steps of one episode are alike, so that episodes are drawn with replacement, not steps (Field and Welsh, "Bootstrapping
clustered data", JRSS B 69, 2007).
"""

from __future__ import annotations

import functools
from collections.abc import Hashable, Sequence
from dataclasses import asdict, dataclass

import numpy as np
import numpy.typing as npt

__all__ = ["Estimate", "FloatArray", "draw_clusters", "finite_values", "ratio_estimates", "sum_by_cluster"]

FloatArray = npt.NDArray[np.float64]

_DRAWS = 1_000


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure with its 95 % interval."""

    value: float
    low: float
    high: float
    count: int
    """What the figure is over: steps or episodes, mostly."""
    clusters: int
    """How many of the clusters (episodes, or tasks) that were drawn from have a part in it."""

    def to_json(self) -> dict[str, float | int]:
        """Return the members, rounded."""
        return {name: round(value, 6) for name, value in asdict(self).items()}


def finite_values(values: Sequence[float], clusters: Sequence[Hashable]) -> FloatArray:
    """Return one value an episode as an array.

    Raises:
        ValueError: there are not as many values as episodes, or one is no finite number.
    """
    array = np.asarray(values, dtype=np.float64)
    if array.shape != (len(clusters),):
        raise ValueError(
            f"There are {len(values)} values for the tasks of {len(clusters)} episodes; give one for each."
        )
    if not np.isfinite(array).all():
        raise ValueError("A value is no finite number. Leave out the episodes that have none.")
    return array


def sum_by_cluster(values: FloatArray, clusters: Sequence[Hashable]) -> FloatArray:
    """Add up the rows of each cluster: shapes (n, m) and n give (number of clusters, m), in order of appearance."""
    numbers: dict[Hashable, int] = {}
    places = np.array([numbers.setdefault(cluster, len(numbers)) for cluster in clusters], dtype=np.intp)
    sums = np.zeros((len(numbers), values.shape[1]))
    np.add.at(sums, places, values)
    return sums


@functools.lru_cache(maxsize=8)
def draw_clusters(count: int, seed: int) -> npt.NDArray[np.int64]:
    """Draw as many of ``count`` clusters as there are, with replacement, 1,000 times.

    Returns:
        Shape (1000, count), read-only: how often each cluster was drawn.
    """
    draws = np.random.default_rng(seed).multinomial(count, np.full(count, 1 / count), size=_DRAWS)
    draws.setflags(write=False)
    return draws


def ratio_estimates(
    numerators: FloatArray, denominators: FloatArray, clusters: Sequence[Hashable], seed: int
) -> list[Estimate | None]:
    """Estimate m ratios of sums over n steps, with percentile intervals.

    Args:
        numerators: shape (n, m).
        denominators: shape (n, m), at least 0.
        clusters: which episode each of the n steps is of.
        seed: of the draws.

    Returns:
        m estimates; None where the denominators add up to 0.
    """
    above, below = sum_by_cluster(numerators, clusters), sum_by_cluster(denominators, clusters)
    draws = draw_clusters(len(above), seed) if len(above) else None
    estimates: list[Estimate | None] = []
    for column in range(numerators.shape[1]):
        total = below[:, column].sum()
        if draws is None or total == 0:
            estimates.append(None)
            continue
        drawn = draws @ below[:, column]
        ratios = (draws @ above[:, column])[drawn > 0] / drawn[drawn > 0]
        low, high = np.percentile(ratios, [2.5, 97.5])
        value, taking_part = float(above[:, column].sum() / total), int(np.count_nonzero(below[:, column]))
        estimates.append(Estimate(value, float(low), float(high), int(total), taking_part))
    return estimates
