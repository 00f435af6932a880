"""Two pages side by side: which segments they share, and which they do not."""

from __future__ import annotations

import difflib
import itertools
from collections.abc import Sequence
from dataclasses import dataclass

from dreamgym_env.envs.transcript import printable

__all__ = ["PageRow", "align", "excerpts", "shorten"]


@dataclass(frozen=True, slots=True)
class PageRow:
    """One line of two pages beside each other."""

    left: str
    right: str
    same: bool


def align(left: Sequence[str], right: Sequence[str]) -> list[PageRow]:
    """Pair the segments of two pages; one that the other page lacks stands beside an empty text."""
    rows: list[PageRow] = []
    for tag, i1, i2, j1, j2 in difflib.SequenceMatcher(None, left, right, autojunk=False).get_opcodes():
        if tag == "equal":
            rows.extend(PageRow(segment, segment, same=True) for segment in left[i1:i2])
        else:
            pairs = itertools.zip_longest(left[i1:i2], right[j1:j2], fillvalue="")
            rows.extend(PageRow(a, b, same=False) for a, b in pairs)
    return rows


def shorten(rows: Sequence[PageRow], same: int = 6, different: int = 6) -> list[PageRow]:
    """Keep what tells most; a row in place of each part left out says how much it was.

    Args:
        rows: all rows of two pages.
        same: rows kept of pages that agree throughout.
        different: rows kept that differ, each with its neighbours.
    """
    differing = [at for at, row in enumerate(rows) if not row.same][:different]
    shown = {near for at in differing for near in (at - 1, at, at + 1)} if differing else set(range(same))
    kept: list[PageRow] = []
    for is_shown, group in itertools.groupby(range(len(rows)), lambda at: at in shown):
        part = [rows[at] for at in group]
        kept.extend(part if is_shown or len(part) == 1 else [_left_out(part)])
    return kept


def excerpts(row: PageRow, width: int) -> tuple[str, str]:
    """Return both texts of a row on one line of at most ``width`` characters, where they differ in sight."""
    left, right = (" ".join(printable(text).split()) for text in (row.left, row.right))
    shared = 0 if left == right else _shared_length(left, right)
    start = max(0, shared - width // 3) if shared > width * 2 // 3 else 0
    return _cut(left, start, width), _cut(right, start, width)


def _shared_length(left: str, right: str) -> int:
    """Return how many characters two texts begin with alike."""
    return sum(1 for _ in itertools.takewhile(lambda pair: pair[0] == pair[1], zip(left, right, strict=False)))


def _left_out(part: Sequence[PageRow]) -> PageRow:
    differing = sum(not row.same for row in part)
    text = f"… {len(part)} more lines, " + (f"{differing} of them differ" if differing else "the same")
    return PageRow(text, text, same=not differing)


def _cut(text: str, start: int, width: int) -> str:
    if not text:
        return text
    end = start + width - bool(start)
    cut = f"{'…' if start else ''}{text[start:end]}"
    return f"{cut[: width - 1]}…" if end < len(text) else cut
