"""Placing the names of points in a plot so that none hides another."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

__all__ = ["Box", "Placed", "place"]

_DIRECTIONS = 16
_RADII = (0, 6, 12, 20, 30, 42, 56, 72, 90, 110, 132, 156, 182, 210)


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle, its sides parallel to the axes."""

    left: float
    top: float
    right: float
    bottom: float

    def overlap(self, other: Box) -> float:
        """Return the area that two boxes share."""
        width = min(self.right, other.right) - max(self.left, other.left)
        height = min(self.bottom, other.bottom) - max(self.top, other.top)
        return max(0.0, width) * max(0.0, height)

    def outside(self, frame: Box) -> bool:
        """Return whether a part of it is outside a frame."""
        return self.left < frame.left or self.top < frame.top or self.right > frame.right or self.bottom > frame.bottom


@dataclass(frozen=True, slots=True)
class Placed:
    """Where a label stands."""

    box: Box
    far: bool
    """Whether it stands so far from its point that a line has to lead there."""


def place(
    points: Sequence[tuple[float, float]],
    widths: Sequence[float],
    height: float,
    radius: float,
    frame: Box,
    taken: Sequence[Box] = (),
) -> list[Placed]:
    """Find a place for the label of each point: the nearest that is free, in the points' order.

    Args:
        points: n places.
        widths: n widths of labels.
        height: of every label.
        radius: of a point's mark.
        frame: no label leaves it, unless there is no room in it.
        taken: what labels must not cover, beside the points.

    Returns:
        n places.  Where all is taken, the one that covers least.
    """
    marks = [Box(x - radius, y - radius, x + radius, y + radius) for x, y in points]
    filled = [*marks, *taken]
    placed: list[Placed] = []
    for (x, y), width in zip(points, widths, strict=True):
        best: Placed | None = None
        least = math.inf
        for box, far in _candidates(x, y, width, height, radius):
            if box.outside(frame):
                continue
            covered = sum(box.overlap(other) for other in filled)
            if covered < least:
                best, least = Placed(box, far), covered
            if not covered:
                break
        best = best or Placed(_beside(x, y, width, height, radius), far=False)
        placed.append(best)
        filled.append(best.box)
    return placed


def _beside(x: float, y: float, width: float, height: float, radius: float) -> Box:
    return Box(x + radius + 2, y - height / 2, x + radius + 2 + width, y + height / 2)


def _candidates(x: float, y: float, width: float, height: float, radius: float) -> Iterator[tuple[Box, bool]]:
    """Yield boxes around a point, from near to far; to its right first."""
    for distance in _RADII:
        for turn in range(_DIRECTIONS):
            angle = 2 * math.pi * turn / _DIRECTIONS
            across, down = math.cos(angle), math.sin(angle)
            reach = radius + 2 + distance
            middle_x = x + across * (reach + width / 2)
            middle_y = y + down * (reach + height / 2)
            box = Box(middle_x - width / 2, middle_y - height / 2, middle_x + width / 2, middle_y + height / 2)
            yield box, distance > 12
