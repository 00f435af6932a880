"""Reading a comparison: whatever is missing, null or not a number reads as None or as empty."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

__all__ = ["Figure", "figure", "items", "number", "part", "text"]


@dataclass(frozen=True, slots=True)
class Figure:
    """An estimate as a comparison holds it."""

    value: float
    low: float | None = None
    high: float | None = None
    """Ends of the 95 % interval; both None where there is none."""
    count: float | None = None
    """What it is over."""


def part(container: Any, *names: str) -> Mapping[str, Any]:
    """Return the object under a path of names; an empty one where there is none."""
    for name in names:
        container = container.get(name) if isinstance(container, Mapping) else None
    return container if isinstance(container, Mapping) else {}


def items(container: Any, name: str) -> Sequence[Any]:
    """Return the list under a name; an empty one where there is none."""
    value = container.get(name) if isinstance(container, Mapping) else None
    return value if isinstance(value, Sequence) and not isinstance(value, str | bytes) else ()


def text(container: Any, name: str) -> str:
    """Return the text under a name; an empty one where there is none."""
    value = container.get(name) if isinstance(container, Mapping) else None
    return "" if value is None else str(value)


def number(value: Any) -> float | None:
    """Return a finite number, or None for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return value


def figure(value: Any) -> Figure | None:
    """Return an estimate, or None where there is none or it is not a number."""
    estimate = part({"estimate": value}, "estimate")
    middle = number(estimate.get("value"))
    if middle is None:
        return None
    low, high = number(estimate.get("low")), number(estimate.get("high"))
    if low is None or high is None:
        low = high = None
    return Figure(middle, low, high, number(estimate.get("count")))
