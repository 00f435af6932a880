"""Confidence intervals of ratios by bootstrap over clusters.

Steps of one episode are alike, so that episodes are drawn with replacement, not steps (Field and Welsh, "Bootstrapping
clustered data", JRSS B 69, 2007).
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import asdict, dataclass

import numpy as np
import numpy.typing as npt

__all__ = ["Estimate", "ratio_estimates"]

_DRAWS = 1_000


@dataclass(frozen=True, slots=True)
class Estimate:
    """A ratio with its 95 % interval (percentile bootstrap)."""

    value: float
    low: float
    high: float
    count: int
    """What the ratio is over: steps, mostly."""

    def to_json(self) -> dict[str, float | int]:
        """Return the members, rounded."""
        return {name: round(value, 6) for name, value in asdict(self).items()}


def ratio_estimates(
    numerators: npt.NDArray[np.float64], denominators: npt.NDArray[np.float64], clusters: Sequence[Hashable], seed: int
) -> list[Estimate | None]:
    """Estimate m ratios of sums over n steps.

    Args:
        numerators: shape (n, m).
        denominators: shape (n, m), at least 0.
        clusters: which episode each of the n steps is of.
        seed: of the draws.

    Returns:
        m estimates; None where the denominators add up to 0.
    """
    numbers: dict[Hashable, int] = {}
    places = np.array([numbers.setdefault(cluster, len(numbers)) for cluster in clusters], dtype=np.intp)
    above, below = (np.zeros((len(numbers), numerators.shape[1])) for _ in range(2))
    np.add.at(above, places, numerators)
    np.add.at(below, places, denominators)
    rng = np.random.default_rng(seed)
    draws = rng.multinomial(len(numbers), np.full(len(numbers), 1 / len(numbers)), size=_DRAWS) if numbers else None
    estimates: list[Estimate | None] = []
    for column in range(numerators.shape[1]):
        total = below[:, column].sum()
        if draws is None or total == 0:
            estimates.append(None)
            continue
        drawn = draws @ below[:, column]
        ratios = (draws @ above[:, column])[drawn > 0] / drawn[drawn > 0]
        low, high = np.percentile(ratios, [2.5, 97.5])
        estimates.append(Estimate(float(above[:, column].sum() / total), float(low), float(high), int(total)))
    return estimates
