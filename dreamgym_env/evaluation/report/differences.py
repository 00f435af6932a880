"""What two pages share and where they differ, line by line, and in changed lines word by word."""

from __future__ import annotations

import difflib
import itertools
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

__all__ = ["Block", "Changed", "Line", "Piece", "Same", "compare_pages", "lines_of", "shared_lines"]

_BREAK = re.compile(r"\n| ?\[SEP\] ?")
"""Ends a line of a page: WebShop's pages are one line whose parts stand between ``[SEP]``."""
_WORD = re.compile(r"\d+(?:[.,]\d+)*|\w+|\s+|[^\w\s]")
_AUTOJUNK = 800
"""Lines from which on difflib may take a short cut."""
_MOST_WORDS = 300
"""Words up to which a changed line is compared word by word; longer ones by what they begin and end with."""
_CONTEXT = 2
_LEAST_FOLD = 4


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a changed line."""

    text: str
    marked: bool
    """Whether the other page's line lacks it."""


Line = tuple[Piece, ...]
"""A changed line; empty where the other page has one more line here."""


@dataclass(frozen=True, slots=True)
class Same:
    """Lines that both pages have."""

    before: str
    """Shown; the lines are joined by line feeds."""
    folded: str
    """Not shown at first; empty where there are few lines."""
    after: str
    """Shown."""

    @property
    def folded_lines(self) -> int:
        """How many lines are not shown at first."""
        return self.folded.count("\n") + 1 if self.folded else 0


@dataclass(frozen=True, slots=True)
class Changed:
    """Lines that differ, in pairs (dream, real); one that the other page lacks has no partner (None)."""

    rows: tuple[tuple[Line | None, Line | None], ...]


Block = Same | Changed


def lines_of(page: str) -> list[str]:
    """Split a page into lines."""
    page = page.rstrip("\n")
    return _BREAK.split(page) if "[SEP]" in page else page.split("\n")


def compare_pages(left: str, right: str) -> list[Block]:
    """Return what two pages share and where they differ, from top to bottom."""
    a, b = lines_of(left), lines_of(right)
    opcodes = _opcodes(a, b)
    blocks: list[Block] = []
    for at, (tag, i1, i2, j1, j2) in enumerate(opcodes):
        if tag == "equal":
            blocks.append(_fold(a[i1:i2], top=at == 0, bottom=at == len(opcodes) - 1))
        else:
            blocks.append(Changed(tuple(_pair(x, y) for x, y in itertools.zip_longest(a[i1:i2], b[j1:j2]))))
    return blocks


def shared_lines(page: str, other: str) -> tuple[int, int]:
    """Return how many lines of a page another has, too, and how many it has in all; empty ones do not count."""
    lines, others = ([line.strip() for line in lines_of(text)] for text in (page, other))
    lines = [line for line in lines if line]
    known = set(others)
    return sum(line in known for line in lines), len(lines)


def _opcodes(a: Sequence[str], b: Sequence[str]) -> list[tuple[str, int, int, int, int]]:
    """Return difflib's opcodes; what both begin and end with is set apart first, for it is most of a page."""
    start = _common(zip(a, b, strict=False))
    end = _common(zip(reversed(a[start:]), reversed(b[start:]), strict=False))
    a_end, b_end = len(a) - end, len(b) - end
    inner = difflib.SequenceMatcher(None, a[start:a_end], b[start:b_end], autojunk=max(a_end, b_end) > _AUTOJUNK)
    found = [("equal", 0, start, 0, start)] if start else []
    found += [(tag, i1 + start, i2 + start, j1 + start, j2 + start) for tag, i1, i2, j1, j2 in inner.get_opcodes()]
    return found + ([("equal", a_end, len(a), b_end, len(b))] if end else [])


def _common(pairs: Iterator[tuple[str, str]]) -> int:
    return sum(1 for _ in itertools.takewhile(lambda pair: pair[0] == pair[1], pairs))


def _fold(lines: Sequence[str], *, top: bool, bottom: bool) -> Same:
    """Fold the middle of a run; next to a difference some lines stay."""
    before, after = 0 if top else _CONTEXT, 0 if bottom else _CONTEXT
    if len(lines) - before - after < _LEAST_FOLD:
        return Same("\n".join(lines), "", "")
    end = len(lines) - after
    return Same("\n".join(lines[:before]), "\n".join(lines[before:end]), "\n".join(lines[end:]))


def _pair(left: str | None, right: str | None) -> tuple[Line | None, Line | None]:
    if left is None or right is None:
        return (None if left is None else (Piece(left, False),)), (None if right is None else (Piece(right, False),))
    a, b = _WORD.findall(left), _WORD.findall(right)
    if max(len(a), len(b)) <= _MOST_WORDS:
        matcher = difflib.SequenceMatcher(None, a, b, autojunk=False)
        if matcher.ratio() < 0.3:
            return (Piece(left, False),), (Piece(right, False),)
        opcodes: Sequence[tuple[str, int, int, int, int]] = matcher.get_opcodes()
    else:
        start = _common(zip(a, b, strict=False))
        end = _common(zip(reversed(a[start:]), reversed(b[start:]), strict=False))
        opcodes = [
            ("equal", 0, start, 0, start),
            ("replace", start, len(a) - end, start, len(b) - end),
            ("equal", len(a) - end, len(a), len(b) - end, len(b)),
        ]
    return (
        tuple(Piece("".join(a[i1:i2]), tag != "equal") for tag, i1, i2, _, _ in opcodes if i1 < i2),
        tuple(Piece("".join(b[j1:j2]), tag != "equal") for tag, _, _, j1, j2 in opcodes if j1 < j2),
    )
