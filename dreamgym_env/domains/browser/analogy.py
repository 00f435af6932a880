"""A page made after the pattern of another: texts put in place of others, and changes carried over.

What a form does on one page, it does on another of the kind: the lines that came, went or were reworded there come, go
or are reworded here, with this page's names and values in place of that one's.
"""

from __future__ import annotations

import difflib
import functools
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from dreamgym_env.domains.browser.page import element_of, written

__all__ = ["Substitution", "carried_over"]

_WORD = re.compile(r"[a-z]+")
_NUMBER = re.compile(r"(?<![\w.])\d+(?![\w]|\.\d)")


@dataclass(frozen=True, slots=True)
class Substitution:
    """Texts and what stands in their places."""

    pairs: Mapping[str, str]
    titled: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    """Title of a column -> a number and what stands in its place; in a text that has the title's first word."""

    @classmethod
    def of(cls, pairs: Iterable[tuple[str, str]], titled: Iterable[tuple[str, str, str]] = ()) -> Substitution:
        """Return the substitution of some texts; the first of several for a text holds."""
        found: dict[str, str] = {}
        for old, new in pairs:
            if old:
                found.setdefault(old, new)
        numbers = {title.lower().split()[0]: (old, new) for title, old, new in titled if title.split()}
        return cls({old: new for old, new in found.items() if old != new}, numbers)

    def text(self, text: str) -> str:
        """Return a text with all of it replaced, or the parts that are replaced as whole words."""
        if text in self.pairs:
            return self.pairs[text]
        new = _pattern(tuple(self.pairs)).sub(lambda found: self.pairs[found[0]], text) if self.pairs else text
        for word in self.titled.keys() & set(_WORD.findall(text.lower())) if self.titled else ():
            old, number = self.titled[word]
            new = re.sub(rf"(?<![\w.,]){re.escape(old)}(?![\w]|[.,]\d)", number, new, count=1)
        return new

    def line(self, line: str) -> str:
        """Return a line of a page with its texts replaced."""
        element = element_of(line)
        if not element.role:
            return self.text(line)
        if element.role == "row":
            return written(replace(element, name=" | ".join(map(self.text, element.name.split(" | ")))))
        return written(replace(element, name=self.text(element.name), value=self.text(element.value)))

    def lines(self, lines: Iterable[str]) -> tuple[str, ...]:
        """Return lines with their texts replaced."""
        return tuple(map(self.line, lines))


@functools.lru_cache(maxsize=2048)
def _pattern(texts: tuple[str, ...]) -> re.Pattern[str]:
    """Return a pattern of texts of some length as whole words, the longest first; short ones count only alone."""
    long = sorted((text for text in texts if len(text) > 2), key=len, reverse=True)
    return re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, long))})(?!\w)" if long else r"(?!)")


def carried_over(
    before: Sequence[str], after: Sequence[str], here: Sequence[str], substitution: Substitution
) -> tuple[str, ...]:
    """Return lines as a change that was seen elsewhere leaves them.

    Args:
        before: lines elsewhere, before the change.
        after: the same after it.
        here: the lines to change.
        substitution: texts elsewhere and here.
    """
    alike = substitution.lines(before)
    wanted = substitution.lines(after)
    places = _places(alike, here)
    lines: list[str] = []
    at = 0
    for kind, first, last, new_first, new_last in difflib.SequenceMatcher(None, alike, wanted, autojunk=False).get_opcodes():
        if kind == "equal":
            continue
        start = _start(places, first, len(here))
        end = start
        if last > first:
            end = max(start, _end(places, first, last))
        if start < at:
            continue
        lines += here[at:start]
        old_here = here[start:end]
        new = wanted[new_first:new_last]
        if len(old_here) == len(new) == last - first:
            new = tuple(_counted(*four) for four in zip(alike[first:last], new, old_here, strict=True))
        lines += new
        at = end
    return (*lines, *here[at:])


def _places(alike: Sequence[str], here: Sequence[str]) -> dict[int, int]:
    """Return which lines elsewhere are which lines here."""
    keys, mine = [_key(line) for line in alike], [_key(line) for line in here]
    matcher = difflib.SequenceMatcher(None, keys, mine, autojunk=False)
    return {
        block.a + offset: block.b + offset for block in matcher.get_matching_blocks() for offset in range(block.size)
    }


def _key(line: str) -> str:
    """Return what stays of a line where another value or number stands in it."""
    element = element_of(line)
    return f"{element.role}|{_NUMBER.sub('0', element.name)}" if element.role else line


def _start(places: Mapping[int, int], first: int, length: int) -> int:
    """Return where a change begins here: behind the nearest line before it that is also here."""
    if first in places:
        return places[first]
    near = next((at for at in range(first - 1, -1, -1) if at in places), None)
    return min(places[near] + 1, length) if near is not None else 0


def _end(places: Mapping[int, int], first: int, last: int) -> int:
    """Return where a change ends here: behind the last of the changed lines that is also here."""
    return max((places[at] + 1 for at in range(first, last) if at in places), default=0)


def _counted(before: str, after: str, here: str) -> str:
    """Return a line that only counts on, as it counts on here; else what it has become elsewhere."""
    old, new, mine = (_NUMBER.findall(text) for text in (before, after, here))
    if _NUMBER.sub("0", before) != _NUMBER.sub("0", after) or _NUMBER.sub("0", here) != _NUMBER.sub("0", before):
        return after
    steps = iter(int(b) - int(a) for a, b in zip(old, new, strict=True))
    return _NUMBER.sub(lambda found: str(int(found[0]) + next(steps, 0)), here) if mine else after
