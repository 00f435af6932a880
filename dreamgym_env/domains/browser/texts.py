"""The text of a state: the task, where the browser is, what went wrong, and the page's lines.

::

    Task:
    Show me the cheapest kettle.
    Page: Kettles
    URL: __SHOP__/kettles
    Error: ValueError: Could not find element with bid "99"
    heading: Kettles
    [1] textbox: Search, value "kettle", focused
    [2] button: Go

``Error:`` is there where the last action failed, ``Tab n:`` lines where there are several tabs.
"""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from dreamgym_env.domains.segments import join_segments, split_segments

__all__ = [
    "TASK",
    "Listed",
    "PageText",
    "error_of",
    "join_lines",
    "numbered",
    "page_kind",
    "read_lines",
    "split_lines",
    "url_of",
    "with_error",
]

TASK = "Task:"
"""The line before the instruction."""
_PAGE, _URL, _ERROR = "Page: ", "URL: ", "Error: "
_LISTED = re.compile(r"(?:\[([1-9][0-9]{0,5})\] )?([a-z]+):(?: (.*))?")
_TREE = re.compile(r"\t*\[([1-9][0-9]{0,5})\] ([A-Za-z]+)")
_OPTIONS = re.compile(r'(?:^|, )options (\[".*"\])$')
_STATE = re.compile(r"(?:^|, )(checked|partly checked|pressed|selected|expanded|collapsed|disabled|required|focused)$")
_VALUE = re.compile(r'(?:^|, )value ("(?:[^"\\]|\\.)*")$')
_DIGITS = re.compile(r"\d+")


@dataclass(frozen=True, slots=True)
class PageText:
    """What a browser shows, before it is written down."""

    title: str
    url: str
    """With a placeholder in place of a site's host and port."""
    lines: tuple[str, ...]
    tabs: tuple[str, ...] = ()
    """Titles of all tabs where there are several; the active one is marked."""
    error: str = ""
    """Why the last action failed, in one line."""

    def write(self, instruction: str) -> str:
        """Return the state's text."""
        head = [TASK, instruction, f"{_PAGE}{self.title}", f"{_URL}{self.url}"]
        head += [f"Tab {number}: {title}" for number, title in enumerate(self.tabs)]
        head += [f"{_ERROR}{self.error}"] if self.error else []
        return "\n".join([*head, *self.lines])


@dataclass(frozen=True, slots=True)
class Listed:
    """A line of a state, read again."""

    number: str
    """Empty for what has none."""
    role: str
    name: str
    value: str = ""
    states: tuple[str, ...] = ()
    options: tuple[str, ...] = ()


def split_lines(state: str, instruction: str) -> tuple[str, ...]:
    """Split a state into lines, the instruction replaced by a placeholder."""
    return split_segments(state, instruction, "\n", TASK)


def join_lines(lines: Sequence[str], instruction: str) -> str:
    """Inverse of :func:`split_lines`, for this or another instruction."""
    return join_segments(lines, instruction, "\n")


@functools.lru_cache(maxsize=4096)
def read_lines(state: str) -> tuple[Listed, ...]:
    """Return the lines of a state, of a list of elements or of a tree, without those that are no elements."""
    lines = state.split("\n")
    return tuple(filter(None, map(_read_line, lines[_url_line(lines) + 1 :])))


@functools.lru_cache(maxsize=4096)
def numbered(state: str) -> Mapping[str, Listed]:
    """Return the numbered lines of a state by number."""
    found: dict[str, Listed] = {}
    for element in read_lines(state):
        if element.number:
            found.setdefault(element.number, element)
    return MappingProxyType(found)


def _read_line(line: str) -> Listed | None:
    if match := _LISTED.fullmatch(line):
        number, role, text = match.groups(default="")
        return _read_element(number, role, text)
    if match := _TREE.match(line):
        return Listed(match.group(1), match.group(2), line[match.end() :].strip())
    return None


def _read_element(number: str, role: str, text: str) -> Listed:
    options: tuple[str, ...] = ()
    value = ""
    states: list[str] = []
    try:
        if match := _OPTIONS.search(text):
            options, text = tuple(json.loads(match.group(1))), text[: match.start()]
        while match := _STATE.search(text):
            states.insert(0, match.group(1))
            text = text[: match.start()]
        if match := _VALUE.search(text):
            value, text = json.loads(match.group(1)), text[: match.start()]
    except ValueError:  # a name that only looks so
        pass
    return Listed(number, role, text, value, tuple(states), options)


def with_error(state: str, instruction: str, error: str) -> str:
    """Return the same page after an action that failed."""
    segments = [line for line in split_lines(state, instruction) if not line.startswith(_ERROR)]
    at = next((at for at, line in enumerate(segments) if line.startswith(_URL)), len(segments) - 1) + 1
    while at < len(segments) and segments[at].startswith("Tab "):
        at += 1
    return join_lines([*segments[:at], f"{_ERROR}{error}", *segments[at:]], instruction)


def error_of(state: str, instruction: str) -> str:
    """Return why the last action failed, or an empty text."""
    lines = split_lines(state, instruction)
    return next((line[len(_ERROR) :] for line in lines if line.startswith(_ERROR)), "")


def url_of(state: str) -> str:
    """Return a page's address, or an empty text for what has none."""
    lines = state.split("\n")
    at = _url_line(lines)
    return lines[at][len(_URL) :] if at >= 0 else ""


def page_kind(state: str) -> str:
    """Return the kind of a page: its address without query and numbers, or ``other`` for what has none."""
    path = re.split(r"[?#]", url_of(state))[0].strip("/")
    return _DIGITS.sub("N", path)[:60] or "other"


def _url_line(lines: Sequence[str]) -> int:
    """Return where the address stands, or -1: the last such line, for only an instruction can hold another."""
    return max((at for at, line in enumerate(lines) if line.startswith(_URL)), default=-1)
