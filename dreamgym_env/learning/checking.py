"""Whether what was learnt is still made of numbers."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

import torch

from dreamgym_env.learning.learner import DivergedError

__all__ = ["refuse_infinite"]


def refuse_infinite(weights: Iterable[torch.Tensor], figures: Mapping[str, float], steps: int) -> None:
    """Raise DivergedError where a weight or a loss is no finite number.

    Args:
        weights: of the policy.
        figures: losses by name; only those whose name says "loss" count.
        steps: that were learnt from.
    """
    wrong = next((name for name, value in figures.items() if "loss" in name and not math.isfinite(value)), "")
    if not wrong and all(bool(torch.isfinite(one).all()) for one in weights):
        return
    said = f"{wrong} is {figures[wrong]}" if wrong else "a weight of the policy is no finite number"
    raise DivergedError(f"Learning has diverged after {steps:,} steps: {said}. A smaller learning_rate often helps.")
