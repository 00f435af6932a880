"""A state's text, taken apart: title, address, tabs, error, and lines without their numbers.

Numbers count a page's numbered lines, so that a line without its number says the same on every page that has it.  A
line that has one begins with ``[]`` here.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from dreamgym_env.domains.browser.elements import Element
from dreamgym_env.domains.browser.texts import TASK, Listed, PageText, read_lines

__all__ = ["BLANK", "Page", "bare_line", "element_of", "is_address", "read_page", "written"]

_NUMBERED = re.compile(r"\[(\d+)\] ")
_BARE = "[] "
_ACTIVE = " (active)"


@dataclass(frozen=True, slots=True)
class Page:
    """A page without the task."""

    title: str
    url: str
    lines: tuple[str, ...] = ()
    """Without numbers; ``[]`` stands before what has one."""
    tabs: tuple[str, ...] = ()
    """Titles of all tabs where there are several; the active one is marked."""
    error: str = ""

    def write(self, instruction: str) -> str:
        """Return the state's text for a task."""
        return PageText(self.title, self.url, tuple(numbered_lines(self.lines)), self.tabs, self.error).write(
            instruction
        )

    @property
    def content(self) -> Page:
        """The page alone, without tabs and error."""
        return replace(self, tabs=(), error="") if self.tabs or self.error else self

    @property
    def tab_titles(self) -> tuple[str, ...]:
        """Titles of the tabs, also where there is but one."""
        return tuple(title.removesuffix(_ACTIVE) for title in self.tabs) or (self.title,)

    @property
    def active_tab(self) -> int:
        """Number of the tab that is shown."""
        return next((at for at, title in enumerate(self.tabs) if title.endswith(_ACTIVE)), 0)

    def in_tabs(self, titles: Sequence[str], active: int) -> Page:
        """Return the page as the active one of some tabs."""
        marked = (f"{title}{_ACTIVE}" if at == active else title for at, title in enumerate(titles))
        return replace(self, tabs=tuple(marked) if len(titles) > 1 else ())

    def place_of(self, number: object) -> int | None:
        """Return where the element with a number stands among the lines, or None."""
        places = _numbered_places(self.lines)
        return (
            places[int(number) - 1]
            if isinstance(number, str) and number.isdecimal() and (0 < int(number) <= len(places))
            else None
        )


BLANK = Page("", "about:blank")
"""What a new tab shows."""


@functools.lru_cache(maxsize=8192)
def read_page(state: str, instruction: str) -> Page | None:
    """Return the page that a state shows.

    Returns:
        None where its text is no list of elements with running numbers, or its address is none.
    """
    head = f"{TASK}\n{instruction}\nPage: "
    if not state.startswith(head):
        return None
    title, *rest = state[len(head) :].split("\n")
    if not rest or not rest[0].startswith("URL: ") or not is_address(rest[0][len("URL: ") :]):
        return None
    at = 1
    tabs: list[str] = []
    while at < len(rest) and rest[at].startswith(lead := f"Tab {len(tabs)}: "):
        tabs.append(rest[at][len(lead) :])
        at += 1
    error = ""
    if at < len(rest) and rest[at].startswith("Error: "):
        error = rest[at][len("Error: ") :]
        at += 1
    page = Page(title, rest[0][len("URL: ") :], tuple(map(bare_line, rest[at:])), tuple(tabs), error)
    return page if page.write(instruction) == state else None


def is_address(url: str) -> bool:
    """Return whether an address can be taken apart, as a browser takes it apart before it goes there."""
    try:
        parts = urlsplit(url.strip())
        port = parts.port
    except ValueError:  # brackets that are not closed, a port that is no number
        return False
    return port != 0 and (bool(parts.netloc) or parts.scheme not in ("http", "https"))


def numbered_lines(lines: Iterable[str]) -> Iterable[str]:
    """Yield lines with running numbers."""
    number = 0
    for line in lines:
        if line.startswith(_BARE):
            number += 1
            yield f"[{number}] {line[len(_BARE) :]}"
        else:
            yield line


def bare_line(line: str) -> str:
    """Return a line without its number."""
    found = _NUMBERED.match(line)
    return f"{_BARE}{line[found.end() :]}" if found else line


@functools.lru_cache(maxsize=32_768)
def element_of(line: str) -> Listed:
    """Return what a line without its number says; an element without a role for what is none."""
    text = f"[1] {line[len(_BARE) :]}" if line.startswith(_BARE) else line
    return next(iter(read_lines(f"URL: \n{text}")), Listed("", "", line))


def written(element: Listed) -> str:
    """Return an element as a line without its number."""
    line = Element(element.role, element.name, element.value, element.states, element.options).line
    return f"{_BARE}{line}" if element.number else line


@functools.lru_cache(maxsize=8192)
def _numbered_places(lines: tuple[str, ...]) -> tuple[int, ...]:
    return tuple(at for at, line in enumerate(lines) if line.startswith(_BARE))
