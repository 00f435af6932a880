"""What tables are made of: cells, columns under the ids of environments, and figures as people read them."""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from dreamgym_env.evaluation.report.reading import Figure, figure, items, number, part, text
from dreamgym_env.evaluation.report.wording import NONE, count, decimal, interval, percent, points

__all__ = [
    "Cell",
    "Column",
    "Group",
    "Heads",
    "Sheet",
    "Side",
    "agent_cell",
    "chance_told",
    "environment_ids",
    "error_cell",
    "gap_cell",
    "kind_cell",
    "p_value",
    "ratio_cell",
    "score_cell",
    "share_cell",
    "signed_score_cell",
    "spread_cells",
]


class Side(enum.StrEnum):
    """Which environment a column's numbers come from."""

    DREAM = "dream"
    REAL = "real"
    BOTH = "both"
    NONE = "none"
    """The column holds names."""


@dataclass(frozen=True, slots=True)
class Column:
    """Heads a column."""

    head: str
    side: Side = Side.NONE
    source: str = ""
    """Id of the environment; ``"dream and real"`` for both, and empty where ``side`` is ``NONE``."""

    @property
    def numeric(self) -> bool:
        """Whether it holds numbers, which stand on the right."""
        return self.side is not Side.NONE


@dataclass(frozen=True, slots=True)
class Cell:
    """One value."""

    value: str
    spread: str = ""
    """Its 95 % interval, or what else stands small beside it."""
    side: Side = Side.NONE
    """Which environment it names."""


@dataclass(frozen=True, slots=True)
class Group:
    """Neighbouring columns under one environment, or a column of names."""

    head: str
    side: Side
    span: int = 1


@dataclass(frozen=True, slots=True)
class Sheet:
    """A table."""

    title: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    notes: tuple[str, ...] = ()
    """What the words in the heads mean."""

    @property
    def has_sources(self) -> bool:
        """Whether environments stand above the heads."""
        return any(column.source for column in self.columns)

    @property
    def groups(self) -> list[Group]:
        """Neighbouring columns of the same environment."""
        groups: list[Group] = []
        for column in self.columns:
            last = groups[-1] if groups else None
            if last and column.side is last.side is not Side.NONE:
                groups[-1] = replace(last, span=last.span + 1)
            else:
                groups.append(Group(column.head, column.side))
        return groups


def environment_ids(comparison: Mapping[str, Any]) -> tuple[str, str]:
    """Return the ids of the dream and of the real environment."""
    return (
        text(part(comparison, "dream"), "id") or "the dream",
        text(part(comparison, "real"), "id") or "the real environment",
    )


@dataclass(frozen=True, slots=True)
class Heads:
    """Makes columns under the ids of a comparison's two environments."""

    dream_id: str
    real_id: str

    @classmethod
    def of(cls, comparison: Mapping[str, Any]) -> Heads:
        """Return those of a comparison."""
        return cls(*environment_ids(comparison))

    def dream(self, head: str) -> Column:
        """Return a column of the dream."""
        return Column(head, Side.DREAM, self.dream_id)

    def real(self, head: str) -> Column:
        """Return a column of the real environment."""
        return Column(head, Side.REAL, self.real_id)

    def both(self, head: str) -> Column:
        """Return a column of what both tell together."""
        return Column(head, Side.BOTH, "dream and real")


def agent_cell(row: Mapping[str, Any], *, episodes: bool = False) -> Cell:
    """Return the name of an agent, with how many episodes it has played on request."""
    many = number(row.get("episodes"))
    return Cell(text(row, "agent") or NONE, f"{count(many)} episodes" if episodes and many is not None else "")


def _estimate(write: Callable[[float], str], spread: Callable[[Figure], str], value: Any) -> Cell:
    estimate = figure(value)
    return Cell(NONE) if estimate is None else Cell(write(estimate.value), spread(estimate))


def share_cell(value: Any) -> Cell:
    """Return a share in percent, with its interval."""
    return _estimate(percent, lambda estimate: interval(estimate, scale=100, places=1), value)


def gap_cell(value: Any) -> Cell:
    """Return a difference of shares in points, with its interval."""
    return _estimate(points, lambda estimate: interval(estimate, scale=100, places=1, plus=True), value)


def ratio_cell(value: Any) -> Cell:
    """Return a ratio with its interval."""
    return _estimate(decimal, interval, value)


def score_cell(value: Any) -> Cell:
    """Return a mean score with its interval."""
    return _estimate(lambda mean: decimal(mean, 3), lambda estimate: interval(estimate, places=3), value)


def signed_score_cell(value: Any) -> Cell:
    """Return a difference of mean scores with its interval."""
    return _estimate(lambda mean: decimal(mean, 3), lambda estimate: interval(estimate, places=3, plus=True), value)


def error_cell(errors: Mapping[str, Any], name: str) -> Cell:
    """Return an error of scores with its interval."""
    ends = [number(end) for end in items(part(errors, "intervals"), name)]
    spread = interval(Figure(0.0, *ends), places=4) if len(ends) == 2 else ""
    return Cell(decimal(number(errors.get(name)), 4), spread)


def kind_cell(first: Mapping[str, Any], kind: str) -> Cell:
    """Return how many episodes first differ in a kind, and at which step."""
    step = number(part(first, "median_steps").get(kind))
    return Cell(count(number(part(first, "kinds").get(kind, 0))), "" if step is None else f"step {step:g}")


def p_value(value: float | None) -> str:
    """Return a p value as text."""
    return NONE if value is None else "< 0.001" if value < 0.001 else decimal(value, 3)


def chance_told(distance: Mapping[str, Any]) -> str:
    """Return the distance that chance alone would give, as text."""
    chance = number(distance.get("chance"))
    return "" if chance is None else f"chance {decimal(chance, 3)}"


def spread_cells(spread: Mapping[str, Any]) -> tuple[Cell, Cell]:
    """Return the mean and the quartiles of a distribution."""
    quartiles = [number(value) for value in items(spread, "quartiles")]
    return (
        Cell(decimal(number(spread.get("mean")))),
        Cell(" · ".join(f"{value:g}" if value is not None else NONE for value in quartiles) or NONE),
    )
