"""Figures that several benchmarks give."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from dreamgym_env.evaluation.fidelity import Answer
from dreamgym_env.evaluation.intervals import ratio_estimates


def estimate(values: Sequence[float], answers: Sequence[Answer]) -> dict[str, float | int]:
    """Return the mean of one value an answer, with its 95 % interval over episodes; empty where nobody was asked."""
    numerators = np.array(values, dtype=np.float64).reshape(-1, 1)
    (found,) = ratio_estimates(
        numerators, np.ones_like(numerators), [answer.step.episode for answer in answers], seed=0
    )
    return found.to_json() if found else {}


def without_reports(figures: Any) -> Any:
    """Return figures without the fidelity reports, which are long."""
    if not isinstance(figures, dict):
        return figures
    return {key: without_reports(value) for key, value in figures.items() if key != "report"}
