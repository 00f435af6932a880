"""Tables of pages: their rows as records, and pages of a list built from records that other pages have shown.

What a search or a filter shows is what no single recording tells.  But each list that was recorded shows rows, and how
a list is filtered and sorted shows in them: with "Games" chosen, every row has a cell "Games"; sorted by "Price, low to
high", the cells of one column rise.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from dreamgym_env.domains.browser.page import Page, element_of

__all__ = ["Order", "Row", "Table", "cells_of", "find_table", "find_tables", "learn_order", "sort_key", "sorted_rows"]

_AMOUNT = re.compile(r"[^\d\s-]{0,2}(-?\d[\d,]*(?:\.\d+)?)(?: ?[a-z%]{0,4})?")


_DIGITS = re.compile(r"(\d{1,18})")

SortKey = tuple[int, float, tuple[tuple[int, str], ...]]


class Row(NamedTuple):
    """A row of a table, with the elements that stand in it."""

    line: str
    elements: tuple[str, ...]

    @property
    def cells(self) -> tuple[str, ...]:
        """The texts of its cells."""
        return cells_of(self.line)

    @property
    def name(self) -> str:
        """What it is about: the name of its first link, or its first cell."""
        links = (element_of(line).name for line in self.elements if element_of(line).role == "link")
        return next(links, self.cells[0])


@dataclass(frozen=True, slots=True)
class Table:
    """A table and where it stands among a page's lines."""

    start: int
    end: int
    head: str
    """Its first row's text."""
    rows: tuple[Row, ...]


class Order(NamedTuple):
    """By which column a list is sorted."""

    column: int
    falling: bool


def cells_of(line: str) -> tuple[str, ...]:
    """Return the cells of a row's line."""
    return tuple(element_of(line).name.split(" | "))


def find_table(page: Page) -> Table | None:
    """Return the longest table of a page, or None where it shows none."""
    return max(find_tables(page.lines), key=lambda table: len(table.rows), default=None)


def find_tables(lines: Sequence[str]) -> Iterator[Table]:
    """Yield the tables among some lines: a head, and rows with what stands in them."""
    at = 0
    while at < len(lines):
        if not lines[at].startswith("row: "):
            at += 1
            continue
        start, head = at, element_of(lines[at]).name
        rows: list[Row] = []
        at += 1
        while at < len(lines) and lines[at].startswith("row: "):
            line = lines[at]
            at += 1
            first = at
            while at < len(lines) and _in_row(lines[at], line):
                at += 1
            rows.append(Row(line, tuple(lines[first:at])))
        yield Table(start, at, head, tuple(rows))


def _in_row(line: str, row: str) -> bool:
    element = element_of(line)
    cells = cells_of(row)
    return bool(element.number) and (
        any(element.name in cell for cell in cells) if not element.value else element.value in cells
    )


def learn_order(tables: Sequence[Sequence[Row]]) -> Order | None:
    """Return the one order in which the rows of all tables stand, the first column that fits; None for none."""
    told = [rows for rows in tables if len(rows) > 2]
    width = min((len(row.cells) for rows in told for row in rows), default=0)
    for column in range(width):
        for falling in (False, True):
            keys = [[sort_key(row.cells[column]) for row in rows] for rows in told]
            if all(_sorted(one, falling) for one in keys) and any(len(set(one)) > 1 for one in keys):
                return Order(column, falling)
    return None


def _sorted(keys: Sequence[SortKey], falling: bool) -> bool:
    pairs = list(itertools.pairwise(keys))
    return all(first >= second for first, second in pairs) if falling else all(a <= b for a, b in pairs)


def sort_key(cell: str) -> SortKey:
    """Return what a cell is sorted by: an amount; above all texts, and texts by what numbers they hold."""
    found = _AMOUNT.fullmatch(cell)
    if found:
        return (1, float(found[1].replace(",", "")), ())
    parts = _DIGITS.split(cell)
    return (0, 0.0, tuple((int(part), "") if at % 2 else (0, part) for at, part in enumerate(parts)))


def sorted_rows(rows: Iterable[Row], order: Order) -> list[Row]:
    """Return rows in an order; those that are alike by the names of what they are about."""
    by_name = sorted(rows, key=lambda row: sort_key(row.name))
    return sorted(by_name, key=lambda row: sort_key((*row.cells, *[""] * 20)[order.column]), reverse=order.falling)
