"""Rows of lists read off the pages of what they are about, where no list that was seen has the row.

What a list says of a thing, its page mostly says too, in a place of its own: a price in the line that tells the price,
the author in a link.  Which place that is shows in the rows of things whose pages are known.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from dreamgym_env.domains.browser.analogy import Substitution
from dreamgym_env.domains.browser.page import Page, element_of
from dreamgym_env.domains.browser.tables import Row

__all__ = ["row_of_page"]

_FIGURES = re.compile(r"\d[\d.,-]*")
_EDGES = ".,;:()"


class _Place(NamedTuple):
    """Where a page tells a cell."""

    line: str
    """The line without figures; for a whole name, its role and its place among the lines."""
    word: int
    """Which of the line's words, or -1 for its whole name."""


def row_of_page(name: str, page: Page, known: Sequence[tuple[Row, Page]]) -> Row | None:
    """Return the row of a thing as its page tells it, or None where nothing is known of such rows.

    Args:
        name: of the thing.
        page: its page.
        known: rows of a list, with the pages of what they are about.
    """
    width = Counter(len(row.cells) for row, _ in known).most_common(1)[0][0] if known else 0
    alike = [(row, its) for row, its in known if len(row.cells) == width]
    if not alike:
        return None
    cells = [name, *(_cell(column, page, alike) for column in range(1, width))]
    sample, _ = alike[0]
    return Row(f"row: {' | '.join(cells)}", Substitution.of([(sample.name, name)]).lines(sample.elements))


def _cell(column: int, page: Page, known: Sequence[tuple[Row, Page]]) -> str:
    """Return what a page tells for a column; where it tells nothing, what rows say whose pages tell nothing either."""
    places: Counter[_Place] = Counter()
    for row, its in known:
        places.update(_told(its).get(row.cells[column], ()))
    told = {place: text for text, found in _told(page).items() for place in found}
    silent = Counter(row.cells[column] for row, _ in known)
    for place, count in places.most_common(3):
        if count * 4 < len(known):
            break
        if place in told:
            return told[place]
        silent = (
            Counter(row.cells[column] for row, its in known if place not in _told(its).get(row.cells[column], ()))
            or silent
        )
    return silent.most_common(1)[0][0]


def _told(page: Page) -> dict[str, list[_Place]]:
    """Return all that a page tells, with the places."""
    told: dict[str, list[_Place]] = {}
    for at, line in enumerate(page.lines):
        element = element_of(line)
        told.setdefault(element.name, []).append(_Place(f"{element.role} {at}", -1))
        shape = _FIGURES.sub("0", line)
        for number, word in enumerate(line.split(" ")):
            told.setdefault(word.strip(_EDGES), []).append(_Place(shape, number))
    return told
