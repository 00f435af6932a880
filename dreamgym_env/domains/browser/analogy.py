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
_LONGEST_LABEL = 40
_VALUED = frozenset({"textbox", "searchbox", "combobox", "checkbox", "radio"})
_NOTHING = frozenset({"none", "nobody", "nothing", "empty"})
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
        for word in dict.fromkeys(_WORD.findall(text.lower())) if self.titled else ():
            if word not in self.titled:
                continue
            old, number = self.titled[word]
            new = re.sub(rf"(?<![\w.,]){re.escape(old)}(?![\w]|[.,]\d)", number, new, count=1)
        return new

    def line(self, line: str) -> str:
        """Return a line of a page with its texts replaced."""
        element = element_of(line)
        if not element.role:
            return self.text(line)
        if element.role == "row":
            new = replace(element, name=" | ".join(map(self.text, element.name.split(" | "))))
        else:
            new = replace(element, name=self.text(element.name), value=self.text(element.value))
        return line if new == element else written(new)

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
    alike, wanted = substitution.lines(before), substitution.lines(after)
    places = _places(alike, here)
    keys, wanted_keys = [_key(line) for line in alike], [_key(line) for line in wanted]
    lines: list[str] = []
    counts: dict[str, str] = {}
    at = 0
    matcher = difflib.SequenceMatcher(None, keys, wanted_keys, autojunk=False)
    for kind, first, last, new_first, new_last in matcher.get_opcodes():
        if kind == "equal":
            for old, new in zip(range(first, last), range(new_first, new_last), strict=True):
                place = places.get(old, -1)
                if alike[old] != wanted[new] and place >= at:
                    counts |= _counts(alike[old], wanted[new], here[place])
                    lines += [*here[at:place], _reworded(alike[old], wanted[new], here[place])]
                    at = place + 1
            continue
        start = max(at, _start(places, first, len(here)))
        end = max(start, _end(places, first, last))
        come = wanted[new_first:new_last]
        lines += [*here[at:start], *(_counted(line, counts) for line in come)]
        at = end
    return tuple(line for line in (*lines, *here[at:]) if line != "text:")


def _places(alike: Sequence[str], here: Sequence[str]) -> dict[int, int]:
    """Return which lines elsewhere are which lines here."""
    keys, mine = [_key(line) for line in alike], [_key(line) for line in here]
    matcher = difflib.SequenceMatcher(None, keys, mine, autojunk=False)
    places: dict[int, int] = {}
    last_a = last_b = 0
    for block in matcher.get_matching_blocks():
        if block.a - last_a == block.b - last_b:  # as many other lines between what is alike
            for offset in range(block.a - last_a):
                if element_of(alike[last_a + offset]).role == element_of(here[last_b + offset]).role:
                    places[last_a + offset] = last_b + offset
        places.update({block.a + offset: block.b + offset for offset in range(block.size)})
        last_a, last_b = block.a + block.size, block.b + block.size
    return places


def _key(line: str) -> str:
    """Return what stays of a line where another value or number stands in it."""
    element = element_of(line)
    if not element.role:
        return line
    name, colon, _ = element.name.partition(": ")
    return f"{element.role}|{_NUMBER.sub('0', name if colon and len(name) < _LONGEST_LABEL else element.name)}"


def _start(places: Mapping[int, int], first: int, length: int) -> int:
    """Return where a change begins here: behind the nearest line before it that is also here."""
    if first in places:
        return places[first]
    near = next((at for at in range(first - 1, -1, -1) if at in places), None)
    return min(places[near] + 1, length) if near is not None else 0


def _end(places: Mapping[int, int], first: int, last: int) -> int:
    """Return where a change ends here: behind the last of the changed lines that is also here."""
    return max((places[at] + 1 for at in range(first, last) if at in places), default=0)


def _reworded(before: str, after: str, here: str) -> str:
    """Return a line as it is reworded elsewhere: it counts on, a list grows or shrinks, or it says the same."""
    if element_of(here).role in _VALUED or "\n" in after:
        return after
    old, new, mine = (_NUMBER.findall(text) for text in (before, after, here))
    if mine and _NUMBER.sub("0", before) == _NUMBER.sub("0", after) == _NUMBER.sub("0", here):
        steps = iter(int(b) - int(a) for a, b in zip(old, new, strict=True))
        return _NUMBER.sub(lambda found: _moved(found[0], next(steps, 0)), here)
    label, colon, _ = after.rpartition(": ")
    if colon and before.startswith(f"{label}: ") and here.startswith(f"{label}: "):
        was, becomes, held = (text[len(label) + 2 :].split(", ") for text in (before, after, here))
        come, gone = set(becomes) - set(was), set(was) - set(becomes)
        if label.endswith("s") and held != was:  # a list, as its label says
            left = (set(held) - gone | come) - _NOTHING
            return f"{label}: {', '.join(sorted(left)) or next(iter(gone & _NOTHING or come & _NOTHING), '')}"
    three = [text.split(" ") for text in (before, after, here)]
    if len({len(words) for words in three}) == 1:
        return " ".join(its if new == word else new for word, new, its in zip(*three, strict=True))
    return after


def _counted(line: str, counts: Mapping[str, str]) -> str:
    """Return a line with the numbers that are counted up to here."""
    return _NUMBER.sub(lambda one: counts.get(one[0], one[0]), line)


def _moved(number: str, by: int) -> str:
    return str(int(number) + by).zfill(len(number)) if by else number


def _counts(before: str, after: str, here: str) -> dict[str, str]:
    """Return the numbers that a line has counted up to elsewhere, and those that it counts up to here."""
    old, new, mine = (_NUMBER.findall(text) for text in (before, after, here))
    if not len(old) == len(new) == len(mine):
        return {}
    return {b: _moved(c, int(b) - int(a)) for a, b, c in zip(old, new, mine, strict=True) if int(b) - int(a) == 1}
