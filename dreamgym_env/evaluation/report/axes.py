"""Axes, marks and lines that plots share."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from markupsafe import Markup

from dreamgym_env.evaluation.report.reading import Figure
from dreamgym_env.evaluation.report.svg import Scale, element, label
from dreamgym_env.evaluation.report.wording import clip

__all__ = [
    "least",
    "mark",
    "nice_ticks",
    "percent_axis_x",
    "percent_axis_y",
    "points_of",
    "polyline",
    "square",
    "whisker_x",
    "whisker_y",
    "whole_ticks",
]


def mark(side: str, x: float = 6, y: float = 6, size: float = 4, class_: str = "") -> Markup:
    """Return the mark of the dream (a disc) or of the real environment (a square); ``class_`` replaces the side's."""
    if side == "dream":
        return element("circle", cx=x, cy=y, r=size, class_=class_ or side)
    half = size - 0.3
    return element("rect", x=x - half, y=y - half, width=2 * half, height=2 * half, class_=class_ or side)


def percent_axis_x(across: Scale, top: float, bottom: float) -> Iterator[Markup]:
    """Yield upright lines at each quarter, and what they stand for below."""
    for share in (0, 0.25, 0.5, 0.75, 1):
        x = across(share)
        anchor = "start" if share == 0 else "end" if share == 1 else "middle"
        yield element("line", x1=x, y1=top, x2=x, y2=bottom, class_="grid")
        yield label(x, bottom + 14, f"{share:.0%}".replace("%", "\u00a0%"), "label small", anchor)


def percent_axis_y(up: Scale, left: float, right: float) -> Iterator[Markup]:
    """Yield lying lines at four or five round shares, and what they stand for on their left."""
    steps = 5 if up.low == 0.5 else 4
    for at in range(steps + 1):
        share = up.low + (up.high - up.low) * at / steps
        y = up(share)
        yield element("line", x1=left, y1=y, x2=right, y2=y, class_="grid")
        yield label(left - 5, y + 3.5, f"{share * 100:.0f}", "label small", "end")


def least(estimate: Figure) -> float:
    """Return the lower end of an interval, or the value where there is no interval."""
    return estimate.value if estimate.low is None else estimate.low


def square(
    low: float, high: float, below: str, beside: str, *, percent_axes: bool = False
) -> tuple[Scale, Scale, list[Markup]]:
    """Return the scales of a square plot with its axes and its diagonal."""
    left, top, size = 50, 8, 296
    across, up = Scale(low, high, left, left + size), Scale(low, high, top + size, top)
    parts = []
    for tick in (0, 0.25, 0.5, 0.75, 1):
        written = f"{tick * 100:.0f}" if percent_axes else f"{tick:g}"
        parts += [
            element("line", x1=across(tick), y1=top, x2=across(tick), y2=top + size, class_="grid"),
            element("line", x1=left, y1=up(tick), x2=left + size, y2=up(tick), class_="grid"),
            label(across(tick), top + size + 13, written, "label small", "middle"),
            label(left - 5, up(tick) + 3.5, written, "label small", "end"),
        ]
    unit = ", %" if percent_axes else ""
    parts += [
        element("line", x1=left, y1=top + size, x2=left + size, y2=top, class_="diagonal"),
        label(left + size / 2, top + size + 29, clip(f"{below}{unit}", 48), "label", "middle"),
        element(
            "text",
            clip(f"{beside}{unit}", 48),
            transform=f"translate(14 {top + size / 2}) rotate(-90)",
            class_="label",
            text_anchor="middle",
        ),
    ]
    return across, up, parts


def whisker_x(across: Scale, estimate: Figure, y: float, side: str) -> Markup:
    """Return an interval, lying; nothing where there is none."""
    if estimate.low is None or estimate.high is None:
        return Markup("")
    return element("line", x1=across(estimate.low), y1=y, x2=across(estimate.high), y2=y, class_=f"whisker {side}")


def whisker_y(up: Scale, estimate: Figure, x: float, side: str) -> Markup:
    """Return an interval, standing; nothing where there is none."""
    if estimate.low is None or estimate.high is None:
        return Markup("")
    return element("line", x1=x, y1=up(estimate.low), x2=x, y2=up(estimate.high), class_=f"whisker {side}")


def polyline(points: Sequence[tuple[float, float]], class_: str) -> Markup:
    """Return a line through points."""
    return element("polyline", points=points_of(points), class_=class_)


def points_of(points: Sequence[tuple[float, float]]) -> str:
    """Write points as SVG does."""
    return " ".join(f"{x:g},{y:g}" for x, y in points)


def nice_ticks(low: float, high: float) -> list[float]:
    """Return 3 to 7 round numbers that span a range."""
    width = high - low or 1.0
    size = 10 ** math.floor(math.log10(width / 4))
    step = next(size * factor for factor in (1, 2, 2.5, 5, 10) if width / (size * factor) <= 5)
    first, last = math.floor(low / step + 1e-9), math.ceil((low + width) / step - 1e-9)
    return [round(step * at, 10) for at in range(first, last + 1)]


def whole_ticks(low: float, high: float) -> list[float]:
    """Return at most 11 whole numbers of a range."""
    step = max(1, math.ceil((high - low) / 10))
    return [float(tick) for tick in range(math.ceil(low), math.floor(high) + 1, step)]
