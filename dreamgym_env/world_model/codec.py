r"""State codecs: how a world model writes the next state.

``full`` writes every segment, one a line.  ``edits`` writes a short program that builds the page from pages which the
model has been shown, because decoded tokens are what a step costs:

===============  ======================================================================
``C``            the whole current page
``P2``           a whole earlier page of this episode, numbered as the prompt numbers them
``M1``           the whole next page of memory 1
``C 3-9``        segments 3 to 9 of the current page (from 1, inclusive)
``M1 4``         segment 4 of memory 1's page
``M1 ~5``        the last 5 segments of memory 1's page
``+ Price: {C 9}``  a new segment; ``{C 9}`` is replaced by that segment's text
===============  ======================================================================

One operation a line.  In new text ``\n``, ``\r``, ``\\`` and ``\{`` stand for a line break, a carriage return, a
backslash and a brace.  Both codecs are lossless for any segments; a reference that points nowhere is a
:class:`CodecError`, never a crash.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Protocol

__all__ = ["CODECS", "CodecError", "EditsCodec", "FullCodec", "Pages", "StateCodec"]

Pages = Mapping[str, Sequence[str]]
"""What a model may refer to: page name (``C``, ``P1``, ``M1``, ...) -> its segments."""

_OPERATION = re.compile(r"([CPM]\d{0,3})(?: (?:~(?P<tail>\d{1,5})|(?P<first>\d{1,5})(?:-(?P<last>\d{1,5}))?))?\s*\Z")
_SPLICE = re.compile(r"\\(.)|\{([CPM]\d{0,3}) (\d{1,5})\}|(\{)")
_MIN_SPLICE = 3  # characters: shorter texts are cheaper to write than to refer to
_MAX_SEGMENTS = 20_000
_MAX_CHARACTERS = 2_000_000


class CodecError(ValueError):
    """A text is not a state in this codec; the message says which line and why."""


class StateCodec(Protocol):
    """Writes and reads the segments of a state."""

    name: str
    contract: str
    """How to write a state, in prose, for an instruction-tuned model."""

    def encode(self, segments: Sequence[str], pages: Pages) -> str:
        """Return the text that stands for ``segments``."""
        ...

    def decode(self, text: str, pages: Pages) -> tuple[str, ...]:
        """Return the segments that ``text`` stands for. Raises CodecError."""
        ...


class FullCodec:
    """Every segment, one a line."""

    name = "full"
    contract = (
        "Write every segment of the next page on a line of its own. Write {instruction} where the page repeats the "
        "task's instruction. Inside a segment write \\n for a line break and \\\\ for a backslash."
    )

    def encode(self, segments: Sequence[str], pages: Pages) -> str:
        """Return the segments, one a line."""
        return "\n".join(_escape(segment) for segment in segments)

    def decode(self, text: str, pages: Pages) -> tuple[str, ...]:
        """Return the lines, unescaped."""
        lines = text.split("\n")
        _check_length(len(lines))
        return tuple(_unescape(line) for line in lines)


class EditsCodec:
    """A program of references and new segments."""

    name = "edits"
    contract = (
        "Write the next page as operations, one a line, so that text you were shown is referred to and not repeated. "
        "`C` keeps the whole current page; `P2` the whole page P2; `M1` the whole next page of memory M1; "
        "`C 3-9` segments 3 to 9 of the current page; `M1 4` segment 4 of M1; `M1 ~5` its last 5 segments; "
        "`+ text` is a new segment, in which {C 9} stands for the text of that segment and \\n, \\\\, \\{ for a "
        "line break, a backslash, a brace."
    )

    def encode(self, segments: Sequence[str], pages: Pages) -> str:
        """Return the shortest program that greedy longest matches give; earlier names win ties."""
        for name, page in pages.items():
            if tuple(page) == tuple(segments):
                return name
        index = _Index(pages)
        lines: list[str] = []
        at = 0
        while at < len(segments):
            match = index.longest(segments, at)
            if match is None:
                lines.append(f"+ {self._splice(segments[at], index)}")
                at += 1
            else:
                name, start, length = match
                lines.append(_reference(name, start, length, len(pages[name])))
                at += length
        return "\n".join(lines)

    def decode(self, text: str, pages: Pages) -> tuple[str, ...]:
        """Run the program."""
        segments: list[str] = []
        known = characters = 0
        for number, line in enumerate(text.split("\n"), start=1) if text else ():
            if line.startswith("+ "):
                segments.append(_expand(line[2:], pages, number))
            else:
                segments.extend(_resolve(line, pages, number))
            _check_length(len(segments))
            characters += sum(map(len, segments[known:]))
            known = len(segments)
            if characters > _MAX_CHARACTERS:
                raise CodecError(f"Line {number}: the page has over {_MAX_CHARACTERS:,} characters.")
        return tuple(segments)

    def _splice(self, text: str, index: _Index) -> str:
        """Write new text, its longest parts that are some page's whole segment replaced by references."""
        best, reference = "", ""
        for candidate, place in index.texts.items():
            if len(candidate) > max(len(best), _MIN_SPLICE - 1) and candidate in text:
                best, reference = candidate, place
        if not best:
            return _escape(text)
        before, _, after = text.partition(best)
        return f"{self._splice(before, index)}{{{reference}}}{self._splice(after, index)}"


class _Index:
    """Where segments stand in the pages."""

    def __init__(self, pages: Pages) -> None:
        self.pages = pages
        self.places: dict[str, list[tuple[str, int]]] = {}
        self.texts: dict[str, str] = {}
        for name, page in pages.items():
            for at, segment in enumerate(page):
                self.places.setdefault(segment, []).append((name, at))
                self.texts.setdefault(segment, f"{name} {at + 1}")

    def longest(self, segments: Sequence[str], at: int) -> tuple[str, int, int] | None:
        """Return (page, start, length) of the longest run of ``segments[at:]`` that stands in a page, or None."""
        best: tuple[str, int, int] | None = None
        for name, start in self.places.get(segments[at], ()):
            page = self.pages[name]
            length = 1
            while (
                at + length < len(segments)
                and start + length < len(page)
                and page[start + length] == segments[at + length]
            ):
                length += 1
            if best is None or length > best[2]:
                best = (name, start, length)
        return best


def _reference(name: str, start: int, length: int, total: int) -> str:
    if length == total:
        return name
    if start > 0 and start + length == total:
        return f"{name} ~{length}"
    return f"{name} {start + 1}" if length == 1 else f"{name} {start + 1}-{start + length}"


def _resolve(line: str, pages: Pages, number: int) -> Sequence[str]:
    match = _OPERATION.match(line)
    if match is None:
        raise CodecError(f"Line {number}, {line[:80]!r}, is no operation.")
    page = pages.get(match[1])
    if page is None:
        raise CodecError(f"Line {number} refers to {match[1]}; there are {', '.join(pages) or 'no pages'}.")
    if match["tail"]:
        first, last = len(page) - int(match["tail"]) + 1, len(page)
    elif match["first"]:
        first, last = int(match["first"]), int(match["last"] or match["first"])
    else:
        return page
    if not 1 <= first <= last <= len(page):
        raise CodecError(f"Line {number}, {line!r}, is outside {match[1]}, which has {len(page)} segments.")
    return page[first - 1 : last]


def _expand(text: str, pages: Pages, number: int) -> str:
    def replace(match: re.Match[str]) -> str:
        escaped, name, at, brace = match.groups()
        if escaped is not None:
            return {"n": "\n", "r": "\r"}.get(escaped, escaped)
        if brace is not None:
            return brace
        page = pages.get(name)
        if page is None or not 1 <= int(at) <= len(page):
            raise CodecError(f"Line {number} refers to {{{name} {at}}}, which is not there.")
        return page[int(at) - 1]

    return _SPLICE.sub(replace, text)


def _escape(text: str) -> str:
    for plain, written in (("\\", "\\\\"), ("\n", "\\n"), ("\r", "\\r"), ("{", "\\{")):
        text = text.replace(plain, written)
    return text.replace("\\{instruction}", "{instruction}")


def _unescape(text: str) -> str:
    return re.sub(r"\\(.)", lambda match: {"n": "\n", "r": "\r"}.get(match[1], match[1]), text)


def _check_length(count: int) -> None:
    if count > _MAX_SEGMENTS:
        raise CodecError(f"The page has over {_MAX_SEGMENTS:,} segments.")


CODECS: dict[str, StateCodec] = {"full": FullCodec(), "edits": EditsCodec()}
"""Codecs by name."""
