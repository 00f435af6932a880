"""How returns and episode lengths are distributed in a dream and in reality."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from dreamgym_env.evaluation.intervals import FloatArray, finite_values

__all__ = ["Distance", "Summary", "distribution_distance"]

_EXCHANGES = 1_000


@dataclass(frozen=True, slots=True)
class Summary:
    """What the values of some episodes are like."""

    count: int
    mean: float
    lower_quartile: float
    median: float
    upper_quartile: float

    @classmethod
    def of(cls, values: FloatArray) -> Summary:
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

    dreamt, lived = finite_values(dream, clusters), finite_values(real, clusters)
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
