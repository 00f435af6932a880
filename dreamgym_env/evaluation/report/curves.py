"""The curve of a policy that learnt: its success in the real environment against the steps it learnt from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from markupsafe import Markup

from dreamgym_env.evaluation.report.axes import mark, nice_ticks, percent_axis_y, points_of, polyline
from dreamgym_env.evaluation.report.reading import Figure, figure, items, number, text
from dreamgym_env.evaluation.report.svg import Scale, element, label, picture
from dreamgym_env.evaluation.report.wording import count, percent

__all__ = ["learning_curve"]

_WIDTH = 360


def learning_curve(comparison: Mapping[str, Any]) -> Markup | None:
    """Return the curve of ``learning``: evaluations with ``steps``, ``phase`` and ``success``; None for fewer than 2.

    A disc stands where all learning had been in the dream, a square where some of it had been in the real environment.
    """
    points: list[tuple[float, str, Figure]] = []
    for row in items(comparison.get("learning"), "curve"):
        steps, success = number(row.get("steps")), figure(row.get("success"))
        if steps is not None and success is not None:
            points.append((steps, text(row, "phase"), success))
    if len(points) < 2:
        return None
    ticks = nice_ticks(0.0, max(steps for steps, _, _ in points))
    across, up = Scale(0, ticks[-1], 34, _WIDTH - 18), Scale(0, 1, 186, 8)
    parts = [*percent_axis_y(up, across.start, across.end)]
    parts += [label(across(tick), up.start + 14, count(tick), "label small", "middle") for tick in ticks]
    parts.append(label((across.start + across.end) / 2, up.start + 28, "steps learnt from", "label small", "middle"))
    banded = [(across(steps), success) for steps, _, success in points if success.low is not None]
    band = [(x, up(success.high or 0.0)) for x, success in banded]
    band += [(x, up(success.low or 0.0)) for x, success in reversed(banded)]
    if len(band) > 2:
        parts.append(element("polygon", points=points_of(band), class_="band line-2"))
    parts.append(polyline([(across(steps), up(success.value)) for steps, _, success in points], "series line-2"))
    parts += [mark(phase, across(steps), up(success.value), 3.4) for steps, phase, success in points]
    first, last = points[0], points[-1]
    described = (
        f"Success in the real environment: {percent(first[2].value)} before learning, {percent(last[2].value)} after "
        f"{count(last[0])} steps"
    )
    return picture(_WIDTH, up.start + 34, f"{described}.", parts)
