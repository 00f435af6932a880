"""Where an episode stands in the shop, read off its pages and clicks, and what it has been shown there.

The shop is a small map: a search opens results, a listed product opens from them, ``< Prev`` leads back the same way.
So the actions of an episode tell which page each of them leads to, whoever writes the page, and a page that was shown
once is known from then on.  A dream may answer with another page than the map says; then nobody knows where the
episode stands, until a search or the start page tells again.
"""

from __future__ import annotations

import itertools
from collections.abc import Hashable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from dreamgym_env.domains.webshop import observation
from dreamgym_env.types import Query, Turn

if TYPE_CHECKING:
    from dreamgym_env.domains.webshop.domain import WebShop

__all__ = ["Place", "Trail", "follow", "read_trail"]


@dataclass(frozen=True, slots=True)
class Place:
    """A page of the shop, and the way back from it."""

    kind: str
    """What :func:`observation.page_kind` says of the page."""
    keywords: str = ""
    """What was searched for last."""
    number: int = 1
    """Page of the results, from 1."""
    asin: str = ""
    """Lower-case code of the product whose pages are shown; empty on other pages."""
    sub_page: str = ""
    """Lower-case name of the product's sub-page."""

    @property
    def page(self) -> Hashable:
        """What decides the page's text: a product looks the same whichever search led to it."""
        return (self.asin, self.sub_page) if self.asin else (self.kind, self.keywords, self.number)


@dataclass(slots=True)
class Trail:
    """Where an episode stands, and its pages."""

    place: Place | None
    """None where it cannot be known."""
    _shown: dict[Hashable, str] = field(default_factory=dict)

    def shown(self, place: Place) -> str | None:
        """Return the page as the episode saw it last, or None if it never did."""
        return self._shown.get(place.page)

    def note(self, kind: str, state: str) -> None:
        """Note the page shown here, and its kind; one that cannot be the expected page makes the place unknown."""
        if self.place is not None and not _may_be(self.place, kind, state):
            self.place = None
        if self.place is not None:
            self._shown[self.place.page] = state


def read_trail(domain: WebShop, query: Query) -> Trail:
    """Follow the turns of an episode up to the current page."""
    turns = (*query.history, Turn(query.state, ""))
    trail = Trail(Place("index") if domain.page_kind(turns[0].state) == "index" else None)
    trail.note(domain.page_kind(turns[0].state), turns[0].state)
    for before, after in itertools.pairwise(turns):
        if domain.guard(query.task, (), before.state, before.action) is None:
            trail.place = follow(trail.place, before.action)
        trail.note(domain.page_kind(after.state), after.state)
    return trail


def follow(place: Place | None, action: str) -> Place | None:
    """Return where an action that the page offers leads, or None where that is unknown or the end."""
    verb, value = observation.parse_action(action) or ("", "")
    if verb == "search":
        return Place("results", keywords=value)
    if value == observation.BACK_TO_SEARCH.lower():
        return Place("index")
    if place is None or value == observation.BUY_NOW.lower():
        return None
    if value == observation.PREVIOUS_PAGE.lower():
        return _previous(place)
    if place.kind == "results":
        if value == observation.NEXT_PAGE.lower():
            return replace(place, number=place.number + 1)
        return replace(place, kind="item", asin=value)
    if value in observation.SUB_PAGE_VALUES:
        return replace(place, kind="subpage", sub_page=value)
    return place  # an option, which changes nothing that is shown


def _previous(place: Place) -> Place:
    if place.kind == "subpage":
        return replace(place, kind="item", sub_page="")
    if place.kind == "item":
        return replace(place, kind="results", asin="")
    return replace(place, number=place.number - 1)


def _may_be(place: Place, kind: str, state: str) -> bool:
    if kind != "results" or place.kind != "results":
        return kind == place.kind
    position = observation.results_position(state)
    return position is not None and position[0] == place.number
