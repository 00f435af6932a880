"""Calibration: from the score that a dream gives to the score to expect in the real environment.

A few anchor tasks are played in both.  Isotonic regression finds the rising curve that fits their scores best; it can
correct a dream that flatters, but not the order in which the dream puts episodes.  What the calibration is worth is
measured on tasks that the curve was not fitted to.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from dreamgym_env.errors import DreamGymError
from dreamgym_env.evaluation.intervals import Estimate, FloatArray
from dreamgym_env.evaluation.statistics import mean_estimate, paired_gap

__all__ = ["FEWEST_ANCHORS", "Bin", "Calibration", "CalibrationError", "Errors", "calibration_errors"]

FEWEST_ANCHORS = 10
"""Anchor tasks that a calibration needs."""
_FOLDS = 10
_BINS = 10
_FORMAT = "dreamgym-calibration-1"


class CalibrationError(DreamGymError, ValueError):
    """A calibration cannot be fitted, applied or read; the message says why."""


@dataclass(frozen=True, slots=True)
class Bin:
    """The episodes whose expected score lies in one tenth of the scale."""

    low: float
    high: float
    """The bin is [low, high); the last one holds 1, too."""
    count: int
    expected: float
    """Mean score that was expected of them, from the dream or by the calibration."""
    real: float
    """Mean score in the real environment."""


@dataclass(frozen=True, slots=True)
class Errors:
    """How far expected scores are from the real ones; the intervals are over tasks."""

    mean_absolute: Estimate
    mean_squared: Estimate
    """Brier's score where the real scores are 0 and 1."""
    bias: Estimate
    """Mean expected score − mean real score; above 0 where too much is expected."""
    expected_calibration: float
    """Mean of \\|expected − real\\| over the bins, each weighed by how many episodes it holds."""
    bins: tuple[Bin, ...]
    """The bins that hold any episode: ten equal parts of [0, 1]."""

    def to_json(self) -> dict[str, Any]:
        """Return the members as JSON values, rounded."""
        return {
            "mean_absolute": self.mean_absolute.to_json(),
            "mean_squared": self.mean_squared.to_json(),
            "bias": self.bias.to_json(),
            "expected_calibration": round(self.expected_calibration, 6),
            "bins": [{name: round(value, 6) for name, value in asdict(one).items()} for one in self.bins],
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Errors:
        """Inverse of :meth:`to_json`. Raises KeyError, TypeError or ValueError for anything else."""
        return cls(
            Estimate(**data["mean_absolute"]),
            Estimate(**data["mean_squared"]),
            Estimate(**data["bias"]),
            float(data["expected_calibration"]),
            tuple(Bin(**one) for one in data["bins"]),
        )


@dataclass(frozen=True, slots=True)
class Calibration:
    """A rising curve from dream scores to real scores, with its errors; made by :meth:`fit` or :meth:`from_json`."""

    dream: tuple[float, ...]
    """Dream scores at which the curve bends, rising; before the first and after the last it is level."""
    real: tuple[float, ...]
    """The real score to expect at each of them; in between the curve is straight."""
    tasks: int
    """How many anchor tasks it was fitted to."""
    episodes: int
    before: Errors
    """Of the dream scores as they are."""
    after: Errors
    """Of calibrated scores, each by a curve that was fitted without the episode's own task."""

    @classmethod
    def fit(
        cls, dream_scores: Sequence[float], real_scores: Sequence[float], tasks: Sequence[Hashable], seed: int
    ) -> Calibration:
        """Fit the curve to all anchor tasks, and measure it by cross-validation.

        The tasks are shuffled into 10 parts; the episodes of each part get the scores of a curve fitted to the others.

        Args:
            dream_scores: of n episodes in the dream, in [0, 1].
            real_scores: of the same episodes in the real environment, in [0, 1].
            tasks: the anchor task of each episode.
            seed: of the shuffle and of the intervals.

        Raises:
            CalibrationError: there are fewer than 10 tasks, the three are not of one length, or a score is out of
                [0, 1].
        """
        from sklearn.isotonic import IsotonicRegression
        from sklearn.model_selection import GroupKFold

        dream, real = _checked(dream_scores), _checked(real_scores)
        if not len(dream) == len(real) == len(tasks):
            raise CalibrationError(
                f"There are {len(dream)} dream scores and {len(real)} real scores for the tasks of {len(tasks)} "
                "episodes. Give one of each for every episode."
            )
        numbers = {task: number for number, task in enumerate(dict.fromkeys(tasks))}
        if len(numbers) < FEWEST_ANCHORS:
            raise CalibrationError(
                f"A calibration needs at least {FEWEST_ANCHORS} anchor tasks that were played in both environments; "
                f"there are {len(numbers)}. Play more tasks in both."
            )

        def curve(rows: npt.NDArray[np.intp]) -> IsotonicRegression:
            return IsotonicRegression(y_min=0.0, y_max=1.0, out_of_bounds="clip").fit(dream[rows], real[rows])

        calibrated = np.empty_like(real)
        parts = GroupKFold(_FOLDS, shuffle=True, random_state=seed)
        for fitted, held_out in parts.split(dream, groups=[numbers[task] for task in tasks]):
            calibrated[held_out] = curve(fitted).predict(dream[held_out])
        whole = curve(np.arange(len(dream)))
        return cls(
            tuple(whole.X_thresholds_.tolist()),
            tuple(whole.y_thresholds_.tolist()),
            len(numbers),
            len(dream),
            calibration_errors(dream_scores, real_scores, tasks, seed),
            calibration_errors(calibrated.tolist(), real_scores, tasks, seed),
        )

    def apply(self, scores: Sequence[float]) -> list[float]:
        """Return the real scores to expect of episodes with these dream scores.

        Raises:
            CalibrationError: a score is out of [0, 1].
        """
        expected: list[float] = np.interp(_checked(scores), self.dream, self.real).tolist()
        return expected

    def to_json(self) -> dict[str, Any]:
        """Return the curve, unrounded, and its errors as JSON values."""
        return {
            "format": _FORMAT,
            "dream": list(self.dream),
            "real": list(self.real),
            "tasks": self.tasks,
            "episodes": self.episodes,
            "before": self.before.to_json(),
            "after": self.after.to_json(),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Calibration:
        """Read what :meth:`to_json` wrote.

        Raises:
            CalibrationError: it is something else, of another version, or its curve does not rise within [0, 1].
        """
        if not isinstance(data, Mapping) or data.get("format") != _FORMAT:
            raise CalibrationError(f"This is no calibration of the format {_FORMAT!r}. Fit it again.")
        try:
            dream, real = (tuple(float(score) for score in data[side]) for side in ("dream", "real"))
            before, after = Errors.from_json(data["before"]), Errors.from_json(data["after"])
            read = cls(dream, real, int(data["tasks"]), int(data["episodes"]), before, after)
        except (KeyError, TypeError, ValueError) as error:
            raise CalibrationError(
                f"This calibration lacks something, or is damaged: {error}. Fit it again."
            ) from error
        rises = all(np.diff(dream) > 0) and all(np.diff(real) >= 0)
        if not dream or len(dream) != len(real) or not rises or not all(0 <= score <= 1 for score in (*dream, *real)):
            raise CalibrationError("The curve of this calibration does not rise within [0, 1]. Fit it again.")
        return read


def _checked(scores: Sequence[float]) -> FloatArray:
    for score in scores:
        if not (math.isfinite(score) and 0 <= score <= 1):
            raise CalibrationError(f"A score of {score} cannot be calibrated: scores are in [0, 1].")
    return np.asarray(scores, dtype=np.float64)


def calibration_errors(
    expected_scores: Sequence[float], real_scores: Sequence[float], tasks: Sequence[Hashable], seed: int
) -> Errors:
    """Return how far expected scores are from the real ones.

    Args:
        expected_scores: of n > 0 episodes, in [0, 1].
        real_scores: of the same episodes.
        tasks: the task of each.
        seed: of the intervals.

    Raises:
        CalibrationError: a score is out of [0, 1].
    """
    expected, real = _checked(expected_scores), _checked(real_scores)
    absolute = np.abs(expected - real)
    estimates = (
        mean_estimate(absolute.tolist(), tasks, seed),
        mean_estimate((absolute**2).tolist(), tasks, seed),
        paired_gap(expected.tolist(), real.tolist(), tasks, seed),
    )
    mean_absolute, mean_squared, bias = (one for one in estimates if one is not None)  # there are episodes
    bins = _bins(expected, real)
    weighed = sum(one.count * abs(one.expected - one.real) for one in bins)
    return Errors(mean_absolute, mean_squared, bias, weighed / len(real), bins)


def _bins(expected: FloatArray, real: FloatArray) -> tuple[Bin, ...]:
    places = np.digitize(expected, [edge / _BINS for edge in range(1, _BINS)])
    return tuple(
        Bin(
            place / _BINS,
            (place + 1) / _BINS,
            int(inside.sum()),
            float(expected[inside].mean()),
            float(real[inside].mean()),
        )
        for place in range(_BINS)
        if (inside := places == place).any()
    )
