"""What an action changes on the page itself: a field's value, a tick, the focus; nothing is sent or opened."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

from dreamgym_env.domains.browser.elements import clean_text
from dreamgym_env.domains.browser.grammar import ParsedAction
from dreamgym_env.domains.browser.page import Page, element_of, is_address, written
from dreamgym_env.domains.browser.texts import Listed

__all__ = ["TEXT_FIELDS", "focused", "local_change", "refused_address", "replaced_line", "unfocused", "with_cell"]

TEXT_FIELDS = frozenset({"textbox", "searchbox"})
"""Roles of fields that take any text."""
_FORMATS = {
    "date": re.compile(r"\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])"),
    "time": re.compile(r"([01]\d|2[0-3]):[0-5]\d(:[0-5]\d)?"),
}
"""Role of a field that takes one form of text only -> that form."""
_MALFORMED = "Error: Locator.fill: Error: Malformed value"
_IN_ROWS = TEXT_FIELDS | {"link", "button", "combobox", "checkbox"}
_QUIET = frozenset({"noop", "scroll", "hover", "send_msg_to_user", "report_infeasible"})
_ADDRESS = re.compile(r"\s*(https?://|about:blank\Z)", re.IGNORECASE)


def local_change(page: Page, action: ParsedAction) -> Page | None:
    """Return the page after an action that changes at most the page itself, or None for one that may lead elsewhere.

    Args:
        page: the page before.
        action: an action that the page offers.
    """
    page = replace(page, error="") if page.error else page
    if action.name in _QUIET:
        return page
    at = page.place_of(action.arguments[0]) if action.elements else None
    if at is None:
        return None
    element = element_of(page.lines[at])
    if "disabled" in element.states:
        return None
    change = _CHANGES.get(action.name)
    return change(page, at, element, action) if change else None


def refused_address(action: ParsedAction) -> str:
    """Return the error of a ``goto`` to what is no address, or an empty text."""
    url = action.arguments[0] if action.name == "goto" else None
    if not isinstance(url, str) or url.startswith("__"):
        return ""
    if not _ADDRESS.match(url):
        return clean_text(f"ValueError: Only http and https addresses can be visited, not {url[:100]!r}")
    return "" if is_address(url) else "Error: Page.goto: Protocol error (Page.navigate): Cannot navigate to invalid URL"


def replaced_line(page: Page, at: int, line: str) -> Page:
    """Return a page with another line in a place."""
    return replace(page, lines=(*page.lines[:at], line, *page.lines[at + 1 :]))


def _fill(page: Page, at: int, element: Listed, action: ParsedAction) -> Page | None:
    text = action.arguments[1] if action.name == "fill" else ""
    if not isinstance(text, str):
        return None
    if element.role in _FORMATS:
        if text and not _FORMATS[element.role].fullmatch(text):
            return replace(page, error=_MALFORMED)
        return replaced_line(page, at, written(replace(element, value=text)))
    if element.role not in TEXT_FIELDS:
        return None
    value = clean_text(_in_utf16(text))
    page = focused(with_cell(page, at, element.value, value), at)
    return replaced_line(page, at, written(replace(element_of(page.lines[at]), value=value)))


def _in_utf16(text: str) -> str:
    """Return a text as a browser holds it: half a pair of code units becomes a replacement character."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def with_cell(page: Page, at: int, old: str, new: str) -> Page:
    """Return the page with a field's value also in the row of the table that it stands in, if it stands in one."""
    above = next((place for place in range(at - 1, -1, -1) if element_of(page.lines[place]).role not in _IN_ROWS), at)
    row = element_of(page.lines[above])
    cells = row.name.split(" | ")
    if row.role != "row" or (cells.count(old) != 1 if old else len(cells) != 1):
        return page
    cells = [new if cell == old else cell for cell in cells] if old else [*cells, new]  # an empty cell is not shown
    return replaced_line(page, above, written(replace(row, name=" | ".join(filter(None, cells)))))


def _select(page: Page, at: int, element: Listed, action: ParsedAction) -> Page | None:
    option = action.arguments[1]
    if element.role == "listbox":
        return _selected(page, at + 1, option)
    if element.role != "combobox" or option not in element.options:
        return None
    return replaced_line(page, at, written(replace(element, value=option)))


def _selected(page: Page, first: int, option: object) -> Page | None:
    """Return the page with one of the options selected that stand from a place on; None where it is none of them."""
    lines, at, found = list(page.lines), first, False
    while at < len(lines) and (element := element_of(lines[at])).role == "option":
        found |= element.name == option
        others = tuple(state for state in element.states if state != "selected")
        lines[at] = written(replace(element, states=("selected", *others) if element.name == option else others))
        at += 1
    return replace(page, lines=tuple(lines)) if found else None


def _click(page: Page, at: int, element: Listed, action: ParsedAction) -> Page | None:
    if len(action.arguments) > 1:
        return None
    if element.role in TEXT_FIELDS or element.role == "combobox":
        return focused(page, at)
    if element.role not in ("checkbox", "radio"):
        return None
    page = focused(page, at)
    checked = "checked" in element.states
    if element.role == "checkbox":
        return replaced_line(page, at, _ticked(page.lines[at], not checked))
    for near in _radio_group(page, at):
        page = replaced_line(page, near, _ticked(page.lines[near], near == at))
    return page


def _focus(page: Page, at: int, element: Listed, action: ParsedAction) -> Page:
    return focused(page, at)


def focused(page: Page, at: int) -> Page:
    """Return the page with the focus on an element; only text fields show it."""
    page = unfocused(page)
    element = element_of(page.lines[at])
    if element.role not in TEXT_FIELDS:
        return page
    return replaced_line(page, at, written(replace(element, states=(*element.states, "focused"))))


def unfocused(page: Page) -> Page:
    """Return the page without a text field that has the focus."""
    at = next((at for at, line in enumerate(page.lines) if _has_focus(line)), None)
    if at is None:
        return page
    element = element_of(page.lines[at])
    return replaced_line(page, at, written(replace(element, states=element.states[:-1])))


def _has_focus(line: str) -> bool:
    return line.endswith("focused") and element_of(line).states[-1:] == ("focused",)


def _ticked(line: str, ticked: bool) -> str:
    element = element_of(line)
    others = tuple(state for state in element.states if state != "checked")
    return written(replace(element, states=("checked", *others) if ticked else others))


def _radio_group(page: Page, at: int) -> list[int]:
    """Return the places of the radio buttons around one, without another element between them."""
    group = [at]
    for step in (-1, 1):
        near = at + step
        while 0 <= near < len(page.lines) and element_of(page.lines[near]).role in ("radio", "text"):
            if element_of(page.lines[near]).role == "radio":
                group.append(near)
            near += step
    return group


_CHANGES: dict[str, Callable[[Page, int, Listed, ParsedAction], Page | None]] = {
    "fill": _fill,
    "clear": _fill,
    "select_option": _select,
    "click": _click,
    "focus": _focus,
}
