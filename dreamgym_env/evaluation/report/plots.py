"""The plots of a report, as SVG.

All are 360 units wide, so that their texts can be read on a phone.  What belongs to the dream is a disc, what belongs
to the real environment a square; the style sheet gives both their colours.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from dreamgym_env.evaluation.report.axes import (
    least,
    mark,
    nice_ticks,
    percent_axis_x,
    percent_axis_y,
    points_of,
    polyline,
    square,
    whisker_x,
    whisker_y,
    whole_ticks,
)
from dreamgym_env.evaluation.report.cells import environment_ids
from dreamgym_env.evaluation.report.labels import Box, place
from dreamgym_env.evaluation.report.reading import Figure, figure, items, number, part, text
from dreamgym_env.evaluation.report.svg import Scale, element, label, picture, text_width
from dreamgym_env.evaluation.report.wording import clip, count, decimal, percent

__all__ = [
    "agreement_plots",
    "calibration_plot",
    "drift_plot",
    "rank_plot",
    "spread_plot",
    "success_plot",
]

_WIDTH = 360
_NAME = 40
"""Letters of an agent's name that a plot has room for."""
_SHORT_NAME = 22
_SIZE = 11
"""Size of a label, as in the style sheet."""


def success_plot(comparison: Mapping[str, Any]) -> Markup | None:
    """Return the success of every agent in both environments, with intervals; None where there is none."""
    rows = []
    for row in _agents(comparison):
        shares = {side: figure(part(row, "success").get(side)) for side in ("dream", "real")}
        if any(shares.values()):
            rows.append((text(row, "agent"), shares))
    if not rows:
        return None
    across = Scale(0, 1, 10, _WIDTH - 14)
    step, top = 46, 2
    bottom = top + step * len(rows)
    parts = [*percent_axis_x(across, top, bottom)]
    described = []
    for at, (agent, shares) in enumerate(rows):
        y = top + step * at
        parts.append(label(across.start, y + 11, clip(agent, _NAME), "label name"))
        described.append(
            f"{agent}: "
            + ", ".join(f"{side} {percent(share.value)}" for side, share in shares.items() if share is not None)
        )
        for side, lane in (("dream", y + 20), ("real", y + 30)):
            if (share := shares[side]) is not None:
                parts += [whisker_x(across, share, lane, side), mark(side, across(share.value), lane)]
    return picture(_WIDTH, bottom + 22, f"Success side by side. {'; '.join(described)}.", parts)


@dataclass(frozen=True, slots=True)
class AgreementPlot:
    """One agent's two by two outcomes."""

    agent: str
    drawing: Markup


def agreement_plots(comparison: Mapping[str, Any]) -> list[AgreementPlot]:
    """Return for each agent how many tasks were solved in both environments, in one of them, and in neither."""
    plots = []
    for row in _agents(comparison):
        counts = {
            name: number(part(row, "agreement").get(name)) or 0
            for name in ("both", "real_only", "dream_only", "neither")
        }
        if total := sum(counts.values()):
            plots.append(AgreementPlot(text(row, "agent"), _matrix(counts, total)))
    return plots


def _matrix(counts: Mapping[str, float], total: float) -> Markup:
    """Return two by two fields; those on the diagonal, where both agree, are neutral."""
    left, top, width, height = 34, 30, 62, 44
    parts = [
        label(left + width, 10, "real environment", "label small", "middle"),
        label(left + width / 2, 24, "solved", "label small", "middle"),
        label(left + width * 1.5, 24, "not", "label small", "middle"),
        element(
            "text",
            "dream",
            transform=f"translate(9 {top + height}) rotate(-90)",
            class_="label small",
            text_anchor="middle",
        ),
        element(
            "text",
            "solved",
            transform=f"translate(26 {top + height / 2}) rotate(-90)",
            class_="label small",
            text_anchor="middle",
        ),
        element(
            "text",
            "not",
            transform=f"translate(26 {top + height * 1.5}) rotate(-90)",
            class_="label small",
            text_anchor="middle",
        ),
    ]
    places = {
        "both": (0, 0, "same"),
        "dream_only": (1, 0, "dream"),
        "real_only": (0, 1, "real"),
        "neither": (1, 1, "same"),
    }
    for name, (column, line, kind) in places.items():
        x, y = left + column * width, top + line * height
        share = counts[name] / total
        parts += [
            element("rect", x=x + 1, y=y + 1, width=width - 2, height=height - 2, rx=3, class_="field"),
            element(
                "rect",
                x=x + 1,
                y=y + 1,
                width=width - 2,
                height=height - 2,
                rx=3,
                class_=f"fill-{kind}",
                fill_opacity=round((0.5 if kind == "same" else 0.85) * math.sqrt(share), 3),
            ),
            label(x + width / 2, y + height / 2 + 1, count(counts[name]), "label count", "middle"),
            label(x + width / 2, y + height / 2 + 14, percent(share), "label small", "middle"),
        ]
    described = (
        f"{count(counts['both'])} solved in both, {count(counts['dream_only'])} in the dream only, "
        f"{count(counts['real_only'])} in the real environment only, {count(counts['neither'])} in neither."
    )
    return picture(left + 2 * width + 4, top + 2 * height + 4, described, parts)


def rank_plot(comparison: Mapping[str, Any]) -> Markup | None:
    """Return every agent's success in the dream over that in the real environment; None for fewer than two agents."""
    agents = []
    for row in _agents(comparison):
        dream, real = (figure(part(row, "success").get(side)) for side in ("dream", "real"))
        if dream is not None and real is not None:
            agents.append((text(row, "agent"), real, dream))
    if len(agents) < 2:
        return None
    dream_id, real_id = environment_ids(comparison)
    across, up, parts = square(0, 1, real_id, dream_id, percent_axes=True)
    points, taken = [], []
    for _, real, dream in agents:
        x, y = across(real.value), up(dream.value)
        points.append((x, y))
        parts += [whisker_x(across, real, y, "real"), whisker_y(up, dream, x, "dream")]
        for ends, scale in ((real, across), (dream, up)):
            if ends.low is not None and ends.high is not None:
                low, high = scale(ends.low), scale(ends.high)
                taken.append(Box(low, y - 1, high, y + 1) if scale is across else Box(x - 1, high, x + 1, low))
    parts += [element("circle", cx=x, cy=y, r=3.5, class_="point") for x, y in points]
    parts += _names(points, [clip(agent, _SHORT_NAME) for agent, _, _ in agents], across, up, taken)
    described = "; ".join(
        f"{agent}: real {percent(real.value)}, dream {percent(dream.value)}" for agent, real, dream in agents
    )
    return picture(
        _WIDTH, up.start + 36, f"Success in the dream over success in the real environment. {described}.", parts
    )


def calibration_plot(comparison: Mapping[str, Any]) -> Markup | None:
    """Return the curve from dream score to real score, with the episodes it was tested on; None where there is none."""
    calibration = part(comparison, "calibration")
    curve = _pairs(items(calibration, "curve"), 2)
    points = _pairs(items(calibration, "points"), 3)
    if not curve and not points:
        return None
    dream_id, real_id = environment_ids(comparison)
    across, up, parts = square(0, 1, f"score in {dream_id}", f"score in {real_id}")
    most = max((many for *_, many in points), default=1)
    parts += [
        element(
            "circle",
            cx=across(x),
            cy=up(y),
            r=round(2 + 5 * math.sqrt(max(many, 0) / most), 2) if most > 0 else 2,
            class_="tested",
        )
        for x, y, many in points
    ]
    if curve:
        parts.append(polyline([(across(x), up(y)) for x, y in curve], "curve"))
    described = (
        f"Calibration: {len(points)} groups of tested episodes, and a curve of {len(curve)} points: "
        + ", ".join(f"{decimal(x)} becomes {decimal(y)}" for x, y in curve[:12])
    )
    return picture(_WIDTH, up.start + 36, described, parts)


_DRIFT = (
    ("exact", "page exact", "line-1"),
    ("line_f1", "line F1", "line-2"),
    ("undiverged", "not yet diverged", "line-3"),
)


def drift_plot(comparison: Mapping[str, Any]) -> Markup | None:
    """Return how true the dream's pages are at each step, with intervals; None where there is nothing to draw."""
    rows = [
        row for row in items(comparison, "drift") if isinstance(row, Mapping) and number(row.get("step")) is not None
    ]
    series = {}
    for key, name, class_ in _DRIFT:
        values = [(float(row["step"]), _estimate(row.get(key))) for row in rows]
        found = [(step, estimate) for step, estimate in values if estimate is not None]
        if found:
            series[name] = (class_, found)
    if not series:
        return None
    steps = [step for _, found in series.values() for step, _ in found]
    across = Scale(min(steps), max(steps), 34, _WIDTH - 14)
    lowest = min(least(estimate) for _, found in series.values() for _, estimate in found)
    up = Scale(max(start for start in (0.0, 0.5, 0.8) if start <= max(lowest, 0)), 1, 186, 30)
    parts = [*percent_axis_y(up, across.start, across.end)]
    parts += [
        label(across(tick), up.start + 14, f"{tick:g}", "label small", "middle")
        for tick in whole_ticks(across.low, across.high)
    ]
    words = "step" if up.low == 0 else f"step (the upright axis starts at {up.low * 100:.0f})"
    parts.append(label((across.start + across.end) / 2, up.start + 28, words, "label small", "middle"))
    x = across.start
    for name, (class_, found) in series.items():
        band = [(across(step), up(estimate.high)) for step, estimate in found if estimate.high is not None]
        band += [(across(step), up(estimate.low)) for step, estimate in reversed(found) if estimate.low is not None]
        if len(band) > 2:
            parts.append(element("polygon", points=points_of(band), class_=f"band {class_}"))
        line = [(across(step), up(estimate.value)) for step, estimate in found]
        parts.append(polyline(line, f"series {class_}"))
        parts += [_glyph(class_, *point) for point in line]
        parts += [
            element("line", x1=x, y1=12, x2=x + 22, y2=12, class_=f"series {class_}"),
            _glyph(class_, x + 11, 12),
            label(x + 27, 16, name),
        ]
        x += 27 + text_width(name, _SIZE) + 18
    described = "; ".join(
        f"{name} "
        + ", ".join(f"{percent(estimate.value)} at step {step:g}" for step, estimate in (found[0], found[-1]))
        for name, (_, found) in series.items()
    )
    return picture(_WIDTH, up.start + 34, f"Drift. {described}.", parts)


def spread_plot(comparison: Mapping[str, Any], measure: str) -> Markup | None:
    """Return box plots of ``"returns"`` or ``"lengths"`` for each agent, or None where there are none."""
    rows = []
    for row in _agents(comparison):
        sides = {side: _quartiles(part(row, measure, side)) for side in ("dream", "real")}
        if any(sides.values()):
            rows.append(
                (text(row, "agent"), sides, {side: number(part(row, measure, side).get("mean")) for side in sides})
            )
    if not rows:
        return None
    values = [value for _, sides, _ in rows for quartiles in sides.values() if quartiles for value in quartiles]
    ticks = nice_ticks(min(0.0, *values), max(values))
    across = Scale(ticks[0], ticks[-1], 14, _WIDTH - 18)
    step, top = 50, 2
    bottom = top + step * len(rows)
    parts = []
    for tick in ticks:
        x = across(tick)
        parts += [
            element("line", x1=x, y1=top, x2=x, y2=bottom, class_="grid"),
            label(x, bottom + 14, f"{tick:g}", "label small", "middle"),
        ]
    described = []
    for at, (agent, sides, means) in enumerate(rows):
        y = top + step * at
        parts.append(label(across.start, y + 11, clip(agent, _NAME), "label name"))
        for side, lane in (("dream", y + 21), ("real", y + 33)):
            if quartiles := sides[side]:
                parts += _box(across, quartiles, means[side], lane, side)
                described.append(f"{agent}, {side}: median {quartiles[2]:g}, from {quartiles[0]:g} to {quartiles[4]:g}")
    return picture(_WIDTH, bottom + 20, f"Distribution of {measure}. {'; '.join(described)}.", parts)


def _agents(comparison: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    return (row for row in items(comparison, "agents") if isinstance(row, Mapping))


def _estimate(value: Any) -> Figure | None:
    """Return an estimate, which may stand as a bare number."""
    bare = number(value)
    return figure(value) if bare is None else Figure(bare)


def _pairs(values: Sequence[Any], length: int) -> list[tuple[float, ...]]:
    """Return the entries that are lists of so many numbers."""
    found = []
    for entry in values:
        numbers = [number(value) for value in entry] if isinstance(entry, list | tuple) else []
        kept = [value for value in numbers if value is not None]
        if len(kept) == len(numbers) == length:
            found.append(tuple(kept))
    return found


def _quartiles(spread: Mapping[str, Any]) -> tuple[float, ...]:
    found = _pairs([list(items(spread, "quartiles"))], 5)
    return found[0] if found else ()


def _names(
    points: Sequence[tuple[float, float]], names: Sequence[str], across: Scale, up: Scale, taken: Sequence[Box]
) -> Iterator[Markup]:
    frame = Box(across.start, up.end - 4, across.end + 10, up.start)
    placed = place(points, [text_width(name, _SIZE) + 2 for name in names], _SIZE + 2, 4, frame, taken)
    for (x, y), name, at in zip(points, names, placed, strict=True):
        box = at.box
        if at.far:
            near_x, near_y = min(max(x, box.left), box.right), min(max(y, box.top), box.bottom)
            yield element("line", x1=x, y1=y, x2=near_x, y2=near_y, class_="leader")
        yield label(box.left + 1, box.bottom - 3.5, name, "label halo")


def _box(across: Scale, quartiles: Sequence[float], mean: float | None, y: float, side: str) -> Iterator[Markup]:
    least, lower, median, upper, most = (across(value) for value in quartiles)
    yield element("line", x1=least, y1=y, x2=most, y2=y, class_=f"whisker {side}")
    yield element("rect", x=lower, y=y - 4.5, width=max(upper - lower, 1), height=9, rx=1.5, class_=f"box {side}")
    yield element("line", x1=median, y1=y - 4.5, x2=median, y2=y + 4.5, class_=f"median {side}")
    if mean is not None:
        yield mark(side, across(mean), y, 2.7, f"mean {side}")


def _glyph(class_: str, x: float, y: float) -> Markup:
    """Return the mark of a series, which tells it apart without colour."""
    if class_ == "line-1":
        return element("circle", cx=x, cy=y, r=2.5, class_=f"glyph {class_}")
    if class_ == "line-2":
        return element("rect", x=x - 2.3, y=y - 2.3, width=4.6, height=4.6, class_=f"glyph {class_}")
    corners = [(x, y - 3.2), (x + 3, y + 2.4), (x - 3, y + 2.4)]
    return element("polygon", points=points_of(corners), class_=f"glyph {class_}")
