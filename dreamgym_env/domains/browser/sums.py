"""Tables whose cells follow from others: products and totals; and rows that another page repeats."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from decimal import Decimal

from dreamgym_env.domains.browser.analogy import Substitution
from dreamgym_env.domains.browser.page import Page, element_of, written
from dreamgym_env.domains.browser.tables import Row, Table, find_tables

__all__ = ["Sums", "labelled_amounts", "repeated_rows"]

_AMOUNT = re.compile(r"(?P<sign>[$€£]?)(?P<number>\d[\d,]*(?:\.\d{2})?)(?![\w,]|\.\d)")
_MOST_FOOT = 4

Product = tuple[int, int, int]
"""Columns of two factors and of their product."""


class Sums:
    """What recorded tables have in common: which cell is the product of two others, and which line tells the total."""

    def __init__(self, pages: Iterable[Page]) -> None:
        """Learn from pages."""
        tables: dict[str, list[tuple[Page, Table]]] = {}
        for page in pages:
            for table in find_tables(page.lines):
                if table.rows:
                    tables.setdefault(table.head, []).append((page, table))
        self._products = {head: found for head, told in tables.items() if (found := _product(told)) is not None}
        self._totals = {
            (head, label): column
            for head, told in tables.items()
            for page, table in told
            for column in range(min(len(row.cells) for row in table.rows))
            for label, amount, before in _foot(page.lines, table)
            if amount == _sum(table, column) + before
        }

    def worked_out(self, lines: Sequence[str]) -> tuple[str, ...]:
        """Return lines with the products and totals of their tables worked out."""
        for table in find_tables(lines):
            product = self._products.get(table.head)
            if product is not None:
                lines = _multiplied(lines, table, product)
        for table in find_tables(lines):
            lines = self._summed(lines, table)
        return tuple(lines)

    def _summed(self, lines: Sequence[str], table: Table) -> Sequence[str]:
        new = list(lines)
        for place in range(table.end, min(table.end + _MOST_FOOT, len(new))):
            before = Decimal(0)
            for found in _amounts(new[place]):
                column = self._totals.get((table.head, _label(new[place][: found.start()])))
                if column is not None and all(column < len(row.cells) for row in table.rows):
                    value = _money(_sum(table, column) + before, found[0])
                    new[place] = new[place][: found.start()] + value + new[place][found.end() :]
                    break
                before += _number(found)
        return new


def repeated_rows(
    before: Page, after: Page, here: Page, cell: Callable[[str, str], str | None]
) -> tuple[str, ...] | None:
    """Return the lines of a page whose table repeats the things of the page before it, for other things.

    Args:
        before: a recorded page with a table.
        after: the page that followed, with another table of the same things.
        here: a page like ``before``, about other things.
        cell: returns what is known of a thing under a column's title.

    Returns:
        None where the pages have no such tables.
    """
    mine = max(find_tables(here.lines), key=lambda table: len(table.rows), default=None)
    for table in find_tables(after.lines):
        names = {row.name for row in table.rows}
        for its in find_tables(before.lines):
            shown = {row.name: row for row in its.rows}
            if mine is None or not names or mine.head != its.head or names != set(shown):
                continue
            sample = table.rows[0]
            rows = [_row(sample, shown[sample.name], row, table.head, cell) for row in mine.rows]
            body = [line for row in rows for line in (row.line, *row.elements)]
            return (*after.lines[: table.start + 1], *body, *after.lines[table.end :])
    return None


def _row(sample: Row, its: Row, mine: Row, head: str, cell: Callable[[str, str], str | None]) -> Row:
    texts = Substitution.of([(its.name, mine.name), *zip(its.cells, mine.cells, strict=False)])
    titles = head.split(" | ")
    cells = [texts.text(text) for text in sample.cells]
    if len(titles) == len(cells):
        cells = [cell(mine.name, title) or text for title, text in zip(titles, cells, strict=True)]
    line = written(replace(element_of(sample.line), name=" | ".join(cells)))
    return Row(line, texts.lines(sample.elements))


def _multiplied(lines: Sequence[str], table: Table, product: Product) -> Sequence[str]:
    """Return lines with the products of a table worked out, if all its factors are amounts."""
    new, at = list(lines), table.start
    one, other, result = product
    for row in table.rows:
        at = new.index(row.line, at + 1)
        cells = list(row.cells)
        if result >= len(cells):
            return lines
        first, second, told = (_amount(cells[column]) for column in (one, other, result))
        if first is None or second is None or told is None:
            return lines
        if told != first * second:
            cells[result] = _money(first * second, cells[result])
            new[at] = written(replace(element_of(row.line), name=" | ".join(cells)))
    return new


def _product(told: Sequence[tuple[Page, Table]]) -> Product | None:
    rows = [row.cells for _, table in told for row in table.rows]
    width = min(map(len, rows))
    for result in range(width - 1, 1, -1):
        for one in range(result):
            for other in range(one + 1, result):
                if all(_is_product(cells, (one, other, result)) for cells in rows):
                    return one, other, result
    return None


def _is_product(cells: Sequence[str], product: Product) -> bool:
    one, other, result = (_amount(cells[column]) for column in product)
    return one is not None and other is not None and result is not None and one * other == result


def _amount(cell: str) -> Decimal | None:
    found = _AMOUNT.fullmatch(cell)
    return Decimal(found["number"].replace(",", "")) if found else None


def _money(value: Decimal, like: str) -> str:
    sign = like[:1] if like[:1] in "$€£" else ""
    return f"{sign}{value:,.2f}" if "." in like else f"{sign}{value:,f}"


def _foot(lines: Sequence[str], table: Table) -> Iterator[tuple[str, Decimal, Decimal]]:
    """Yield the amounts below a table: the words before it, the amount, and the sum of those before it in its line."""
    for line in lines[table.end : table.end + _MOST_FOOT]:
        before = Decimal(0)
        for found in _amounts(line):
            yield _label(line[: found.start()]), _number(found), before
            before += _number(found)


def _amounts(line: str) -> list[re.Match[str]]:
    return [found for found in _AMOUNT.finditer(line) if found["sign"]] if line.startswith("text: ") else []


def labelled_amounts(lines: Sequence[str]) -> dict[str, str]:
    """Return the amounts of money in a page's texts by the words before them, the first of each."""
    found: dict[str, str] = {}
    for line in lines:
        for amount in _amounts(line):
            found.setdefault(_label(line[: amount.start()]), amount[0])
    return found


def _number(found: re.Match[str]) -> Decimal:
    return Decimal(found["number"].replace(",", ""))


def _label(text: str) -> str:
    """Return the last words of a text."""
    return " ".join(_AMOUNT.sub(" ", text).split()[-2:])


def _sum(table: Table, column: int) -> Decimal:
    return sum((_amount(row.cells[column]) or Decimal(0) for row in table.rows), Decimal(0))
