"""Confidence intervals of ratios by bootstrap over clusters.

Steps of one episode are alike, so that episodes are drawn with replacement, not steps (Field and Welsh, "Bootstrapping
clustered data", JRSS B 69, 2007).
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import asdict, dataclass

import numpy as np
import numpy.typing as npt

__all__ = ["Estimate", "draw_clusters", "ratio_estimates", "sum_by_cluster"]

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


def sum_by_cluster(values: npt.NDArray[np.float64], clusters: Sequence[Hashable]) -> npt.NDArray[np.float64]:
    """Add up the rows of each cluster: shapes (n, m) and n give (number of clusters, m), in order of appearance."""
    numbers: dict[Hashable, int] = {}
    places = np.array([numbers.setdefault(cluster, len(numbers)) for cluster in clusters], dtype=np.intp)
    sums = np.zeros((len(numbers), values.shape[1]))
    np.add.at(sums, places, values)
    return sums


def draw_clusters(count: int, seed: int) -> npt.NDArray[np.int64]:
    """Draw as many of ``count`` clusters as there are, with replacement, 1,000 times.

    Returns:
        Shape (1000, count): how often each cluster was drawn.
    """
    rng = np.random.default_rng(seed)
    return rng.multinomial(count, np.full(count, 1 / count), size=_DRAWS)


def ratio_estimates(
    numerators: npt.NDArray[np.float64], denominators: npt.NDArray[np.float64], clusters: Sequence[Hashable], seed: int
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
