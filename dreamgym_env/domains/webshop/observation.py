"""Reading WebShop's observation texts: kinds of page, what can be clicked, how an action is written.

The texts are those of WebShop's ``text`` mode: the visible strings of a page joined by ``" [SEP] "``.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence

__all__ = [
    "BACK_TO_SEARCH",
    "BUY_NOW",
    "NEXT_PAGE",
    "PREVIOUS_PAGE",
    "RESULTS_PER_PAGE",
    "SEARCH_TEMPLATE",
    "SEPARATOR",
    "SUB_PAGES",
    "SUB_PAGE_HEAD",
    "SUB_PAGE_VALUES",
    "action_argument",
    "action_kind",
    "clickables",
    "listings",
    "option_values",
    "options_of",
    "page_kind",
    "parse_action",
    "results_position",
    "results_title",
    "visible",
]

SEPARATOR = " [SEP] "
SEARCH_TEMPLATE = "search[<keywords>]"
BACK_TO_SEARCH = "Back to Search"
NEXT_PAGE = "Next >"
PREVIOUS_PAGE = "< Prev"
BUY_NOW = "Buy Now"
SUB_PAGES = ("Description", "Features", "Reviews")
SUB_PAGE_VALUES = tuple(name.lower() for name in SUB_PAGES)
"""What a click on a sub-page's button says."""
SUB_PAGE_HEAD = 4
"""How many texts stand above a sub-page's own: the instruction, with its label, and the two buttons."""
RESULTS_PER_PAGE = 10

_ACTION = re.compile(r"(.+)\[(.+)\]")
_ASIN = re.compile(r"(?=.*\d)[A-Z0-9]{10}\Z")  # a digit: "strawberry" is a flavour
_RESULTS = re.compile(r"Page (\d+) \(Total results: (\d+)\)\Z")


@functools.lru_cache(maxsize=16_384)
def parse_action(action: str) -> tuple[str, str] | None:
    """Return (verb, lower-cased argument) of ``search[...]`` or ``click[...]``, or None for any other text."""
    match = _ACTION.match(action)
    return (match[1], match[2].lower()) if match and match[1] in ("search", "click") else None


def action_argument(action: str) -> str:
    """Return what stands in the brackets, lower-cased; the whole text where there are none."""
    parsed = parse_action(action)
    return parsed[1] if parsed else action


@functools.lru_cache(maxsize=8192)
def visible(state: str) -> tuple[str, ...]:
    """Return the visible strings of a page, the instruction's among them."""
    return tuple(state.split(SEPARATOR))


@functools.lru_cache(maxsize=8192)
def page_kind(state: str) -> str:
    """Return ``index``, ``results``, ``item``, ``subpage``, ``done`` or ``unknown``."""
    parts = visible(state)
    if parts[0] == "WebShop":
        return "index"
    if parts[0].startswith("Thank you for shopping"):
        return "done"
    if parts[-1] == BUY_NOW:
        return "item"
    if any(_RESULTS.match(part) for part in parts[:6]):
        return "results"
    if BACK_TO_SEARCH in parts and PREVIOUS_PAGE in parts:
        return "subpage"
    return "unknown"


def results_title(number: int, total: int) -> str:
    """Return what stands above a page of results."""
    return f"Page {number} (Total results: {total})"


@functools.lru_cache(maxsize=8192)
def results_position(state: str) -> tuple[int, int] | None:
    """Return (page number, from 1; total results) of a page of results, or None for any other."""
    titles = (found for part in visible(state) if (found := _RESULTS.match(part)))
    return next(((int(title[1]), int(title[2])) for title in titles), None)


def listings(segments: Sequence[str]) -> list[tuple[str, str, str]]:
    """Return (asin, title, price) of every product that a results page shows, in order; a title may be missing."""
    found = []
    for at, part in enumerate(segments):
        if not _ASIN.match(part):
            continue
        following = segments[at + 1 : at + 3]
        if len(following) == 2 and following[1].startswith("$"):
            found.append((part, following[0], following[1]))
        elif following and following[0].startswith("$"):
            found.append((part, "", following[0]))
    return found


def action_kind(action: str) -> str:
    """Return the kind of an action: ``search``, ``item``, a button's name, ``option`` or ``invalid``."""
    parsed = parse_action(action)
    if parsed is None:
        return "invalid"
    verb, argument = parsed
    if verb == "search":
        return "search"
    return _KIND_OF_BUTTON.get(argument) or ("item" if _ASIN.match(argument.upper()) else "option")


_KIND_OF_BUTTON = {
    BACK_TO_SEARCH.lower(): "back",
    PREVIOUS_PAGE.lower(): "prev",
    NEXT_PAGE.lower(): "next",
    **dict.fromkeys(SUB_PAGE_VALUES, "subpage"),
    BUY_NOW.lower(): "buy",
}


def clickables(segments: Sequence[str], kind: str, option_names: frozenset[str]) -> tuple[str, ...]:
    """Return the lower-cased values that can be clicked on a page, in WebShop's order.

    In ``text`` mode an option's name looks like its values; names are told apart by ``option_names``.

    Args:
        segments: the page's visible strings (instruction and all).
        kind: what :func:`page_kind` says of it.
        option_names: lower-cased names under which products list their options ("size", "color", ...).
    """
    if kind == "index":
        return ("search",)
    back = (BACK_TO_SEARCH, PREVIOUS_PAGE)
    if kind in ("done", "unknown"):
        return tuple(part.lower() for part in segments if part in back)
    if kind == "results":
        buttons = [part.lower() for part in segments[:8] if part in (*back, NEXT_PAGE)]
        return (*buttons, *(asin.lower() for asin, _, _ in listings(segments)))
    if kind == "subpage":
        return tuple(button.lower() for button in back)
    buttons = [button.lower() for button in (*back, *SUB_PAGES, BUY_NOW)]
    return (*buttons, *option_values(segments, option_names))


def option_values(segments: Sequence[str], option_names: frozenset[str]) -> tuple[str, ...]:
    """Return the lower-cased option values of an item page, in order, each once."""
    return tuple(dict.fromkeys(value for values in options_of(segments, option_names).values() for value in values))


def options_of(segments: Sequence[str], option_names: frozenset[str]) -> dict[str, list[str]]:
    """Return an item page's options: lower-cased name -> lower-cased values, as the page lists them."""
    price_at = next((at for at, part in enumerate(segments) if part.startswith("Price: ")), len(segments))
    start = segments.index(PREVIOUS_PAGE) + 1 if PREVIOUS_PAGE in segments else price_at
    options: dict[str, list[str]] = {}
    current: list[str] | None = None
    for part in segments[start : max(start, price_at - 1)]:  # the last one before the price is the title
        text = part.lower()
        if text in option_names:
            current = options.setdefault(text, [])
        elif current is not None:
            current.append(text)
    return options
