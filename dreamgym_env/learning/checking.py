"""Whether what was learnt is still made of numbers."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterable, Iterator, Mapping

import torch

from dreamgym_env.learning.learner import DivergedError

__all__ = ["numbers_only", "refuse_infinite"]


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
    raise _diverged(said, f" after {steps:,} steps")


@contextlib.contextmanager
def numbers_only() -> Iterator[None]:
    """Turn torch's refusal of a distribution over candidates whose scores are no numbers into a DivergedError."""
    try:
        yield
    except ValueError as error:
        if "Expected parameter" not in str(error):
            raise
        raise _diverged("the policy's scores are no numbers") from error


def _diverged(said: str, when: str = "") -> DivergedError:
    return DivergedError(f"Learning has diverged{when}: {said}. A smaller learning_rate often helps.")
