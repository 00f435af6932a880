"""The shop itself: sessions go in, sessions and observations come out.

The engine holds the catalogue and nothing of any session, so that any number of environments, of any number of threads,
share one.  A session is a small immutable value that the caller keeps.

Protocol (that of WebShop's text environment): an action is ``search[keywords]`` or ``click[value]``, written exactly
so; its argument is lower-cased.  A search with an argument works from every page; a click works on what the page
offers, except on the search button.  Whatever else changes nothing and earns nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, get_args

from dreamgym_env.domains.webshop import observation, pages
from dreamgym_env.domains.webshop.goals import Goal
from dreamgym_env.domains.webshop.products import Product
from dreamgym_env.domains.webshop.reward import RewardDetails, graded_reward
from dreamgym_env.domains.webshop.search import SearchEngine

__all__ = ["ObservationMode", "Session", "StepResult", "WebShopEngine"]

ObservationMode = Literal["text", "text_rich"]
PageKind = Literal["index", "results", "item", "subpage", "done"]


@dataclass(frozen=True, slots=True)
class Session:
    """Where a shopper stands."""

    goal: Goal
    page: PageKind = "index"
    keywords: str = ""
    """What was searched for last; empty before the first search."""
    page_number: int = 1
    """Page of the results, from 1."""
    asin: str = ""
    """The product whose pages are shown; empty on other pages."""
    chosen: Mapping[str, str] = field(default_factory=dict)
    """Option name -> clicked value, in the order of the first clicks."""
    sub_page: str = ""
    """One of :data:`observation.SUB_PAGES`, or empty."""
    opened: frozenset[str] = frozenset()
    """Asins opened since the last visit to the index page."""
    purchase: RewardDetails | None = None
    """The score, once bought."""

    @property
    def done(self) -> bool:
        """Whether something was bought."""
        return self.page == "done"


@dataclass(frozen=True, slots=True)
class StepResult:
    """What the shop answers."""

    observation: str
    reward: float
    """The graded score when buying, else 0."""
    done: bool
    clickables: tuple[str, ...]
    """What ``click[…]`` accepts now, in the page's order (on the index page also ``search``, which it does not)."""
    has_search_bar: bool
    valid: bool
    """Whether the page offered the action."""


class WebShopEngine:
    """The shop over a catalogue. Immutable; see the module's docstring."""

    def __init__(
        self,
        products: Sequence[Product],
        search: SearchEngine | None = None,
        observation_mode: ObservationMode = "text",
    ) -> None:
        """Open the shop.

        Args:
            products: the catalogue.
            search: an index of the same products, or None to build one.
            observation_mode: ``"text"`` or ``"text_rich"``.

        Raises:
            ValueError: no such observation mode.
        """
        if observation_mode not in get_args(ObservationMode):
            raise ValueError(
                f"No observation mode {observation_mode!r}; there are: {', '.join(get_args(ObservationMode))}."
            )
        self.products = tuple(products)
        self.search = search or SearchEngine(self.products)
        self.observation_mode = observation_mode
        self._by_asin = {product.asin: product for product in self.products}

    def product(self, asin: str) -> Product:
        """Return a product; raises KeyError."""
        return self._by_asin[asin]

    def start(self, goal: Goal) -> Session:
        """Begin a session on the index page."""
        return Session(goal)

    def view(self, session: Session, *, valid: bool = True) -> StepResult:
        """Return what a session shows now; :meth:`step` answers the same."""
        page = self._page(session)
        return StepResult(
            observation=page.text() if self.observation_mode == "text" else page.text_rich(),
            reward=0.0,
            done=session.done,
            clickables=page.clickables(),
            has_search_bar=session.page == "index",
            valid=valid,
        )

    def step(self, session: Session, action: str) -> tuple[Session, StepResult]:
        """Carry out one action; the given session stays as it is. After a purchase nothing changes any more."""
        following = None if session.done else self._follow(session, action)
        if following is None:
            return session, self.view(session, valid=False)
        result = self.view(following)
        if following.purchase is not None:
            result = replace(result, reward=following.purchase.total)
        return following, result

    def _follow(self, session: Session, action: str) -> Session | None:
        """Return the session after an action, or None if the page does not offer it."""
        verb, argument = observation.parse_action(action) or ("", "")
        if verb == "search":
            return Session(session.goal, "results", keywords=argument, opened=session.opened)
        if verb != "click" or argument == "search":
            return None
        page = self._page(session)
        return self._click(session, page, argument) if argument in page.clickables() else None

    def _click(self, session: Session, page: pages.Page, value: str) -> Session:
        if value == observation.BUY_NOW.lower():
            details = graded_reward(self._by_asin[session.asin], session.goal, session.chosen)
            return replace(session, page="done", purchase=details)
        if value == observation.BACK_TO_SEARCH.lower():
            return Session(session.goal)
        if value == observation.NEXT_PAGE.lower() and session.page == "results":
            return replace(session, page_number=session.page_number + 1)
        if value == observation.PREVIOUS_PAGE.lower():
            return self._previous(session)
        sub_page = next((name for name in observation.SUB_PAGES if name.lower() == value), "")
        if sub_page:
            return replace(session, page="subpage", sub_page=sub_page)
        option = page.option_name(value)
        if option is not None:
            return replace(session, chosen={**session.chosen, option: value})
        asin = value.upper()
        return replace(session, page="item", asin=asin, opened=session.opened | {asin})

    def _previous(self, session: Session) -> Session:
        """Sub-page to item, options kept; item to the results page that it came from; results to the page before."""
        if session.page == "subpage":
            return replace(session, page="item", sub_page="")
        if session.page == "item":
            return replace(session, page="results", asin="", chosen={})
        return replace(session, page_number=session.page_number - 1)

    def _page(self, session: Session) -> pages.Page:
        instruction = session.goal.instruction_text
        if session.page == "index":
            return pages.index_page(instruction)
        if session.page == "results":
            found = self.search.search(session.keywords)
            first = (session.page_number - 1) * observation.RESULTS_PER_PAGE
            listed = [self.products[place] for place in found[first : first + observation.RESULTS_PER_PAGE]]
            return pages.results_page(instruction, listed, session.page_number, len(found), session.opened)
        if session.page == "done":
            return pages.done_page(session.asin, session.chosen, session.purchase.total if session.purchase else 0.0)
        product = self._by_asin[session.asin]
        if session.page == "item":
            return pages.item_page(instruction, product, session.chosen)
        return pages.sub_page(instruction, product, session.sub_page)
