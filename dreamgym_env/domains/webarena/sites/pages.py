"""What the sites' handlers are written with: a visit comes in, a page or a redirect goes out.

A handler is a plain function from a :class:`Visit` to an :class:`Answer`; nothing here knows the server.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from dreamgym_env.domains.webarena.sites.database import Database

__all__ = ["Answer", "Handler", "NotHereError", "Page", "Redirect", "Route", "Visit", "clean", "matching", "paginate"]


class NotHereError(Exception):
    """There is nothing under that address; the sentence is shown on a page of status 404."""


@dataclass(frozen=True, slots=True)
class Page:
    """A page to render."""

    template: str
    """Path below the folder of templates."""
    title: str
    values: Mapping[str, Any] = field(default_factory=dict)
    crumbs: Sequence[tuple[str, str]] = ()
    """Name and path of the pages above this one."""
    error: str = ""
    """Why what was sent was not done."""
    status: int = 200


@dataclass(frozen=True, slots=True)
class Redirect:
    """Where to go after a form was sent."""

    path: str
    notice: str = ""
    """A key of the site's notices, told on the next page."""


Answer = Page | Redirect


@dataclass(frozen=True, slots=True)
class Visit:
    """One request."""

    database: Database
    query: Mapping[str, str]
    """Parameters behind the question mark."""
    form: Mapping[str, str]
    """Fields of a form that was sent."""
    names: Mapping[str, str]
    """The parts of the path that its pattern names."""

    def asked(self, name: str, default: str = "") -> str:
        """Return a parameter's text, cleaned."""
        return clean(self.query.get(name, default))

    def line(self, name: str) -> str:
        """Return a field's text in one line, cleaned."""
        return clean(self.form.get(name, ""))

    def text(self, name: str) -> str:
        """Return a field's text with its line breaks, cleaned."""
        lines = self.form.get(name, "").replace("\r\n", "\n").replace("\r", "\n").split("\n")
        return "\n".join(clean(line) for line in lines).strip()

    def whole_number(self, name: str) -> int | None:
        """Return a field's whole number from 0 to 999,999, or None where it holds something else."""
        text = self.line(name)
        return int(text) if text.isascii() and text.isdigit() and len(text) <= 6 else None

    def cents(self, name: str) -> int | None:
        """Return a field's amount of money (``12``, ``12.5``, ``$12.50``) in cents, or None where it holds none."""
        whole, _, part = self.line(name).removeprefix("$").replace(",", "").partition(".")
        digits = whole + part
        if not whole or len(whole) > 6 or len(part) > 2 or not (digits.isascii() and digits.isdigit()):
            return None
        return int(whole) * 100 + int(part.ljust(2, "0"))


Handler = Callable[[Visit], Answer]


@dataclass(frozen=True, slots=True)
class Route:
    """A path pattern such as ``/product/{slug}``, and what answers it."""

    path: str
    handler: Handler
    method: str = "GET"


def clean(text: str) -> str:
    """Return a text without control characters, its white space reduced to single blanks."""
    kept = (letter for letter in text if letter.isspace() or unicodedata.category(letter) != "Cc")
    return " ".join("".join(kept).split())


def matching(words: str, *columns: str) -> tuple[str, list[str]]:
    """Return an SQL condition that every word stands in one of the columns, and its values.

    Args:
        words: what somebody typed; at most ten words of it count, and a hundred letters of each.
        columns: names of columns, of our own.
    """
    conditions, values = [], []
    for word in words.split()[:10]:
        escaped = word[:100].replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
        conditions.append("(" + " OR ".join(rf"{column} LIKE ? ESCAPE '\'" for column in columns) + ")")
        values.extend([f"%{escaped}%"] * len(columns))
    return " AND ".join(conditions) or "1", values


def paginate(visit: Visit, rows: Sequence[Any], size: int) -> dict[str, Any]:
    """Return the rows of the page that the visit asks for, with the numbers that a pager shows.

    A number that is none, or is too high, asks for the first or the last page.
    """
    pages = max(1, -(-len(rows) // size))
    text = visit.asked("page", "1")
    number = min(pages, max(1, int(text) if text.isascii() and text.isdigit() and len(text) < 6 else 1))
    others = {name: value for name, value in visit.query.items() if name not in ("page", "notice")}
    return {
        "rows": rows[(number - 1) * size : number * size],
        "total": len(rows),
        "page": number,
        "pages": pages,
        "others": others,
    }
