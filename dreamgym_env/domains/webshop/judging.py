"""What the shop's rules, its catalogue and the episode say against a page.

The trail of an episode tells which page an action leads to, and what it looked like when it was shown before; the
catalogue tells what products there are, at what price and with which options.  Which products a search finds is for the
shop's engine to say; a page of results is not expected to be the same, but to have to do with the search: of the
products that it lists, half should be among those that the engine finds.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from dreamgym_env.domains.objections import CONSISTENCY, HALLUCINATION, INFORMATIVENESS, JudgeRules, Objection
from dreamgym_env.domains.segments import PLACEHOLDER
from dreamgym_env.domains.webshop import observation
from dreamgym_env.domains.webshop.observation import RESULTS_PER_PAGE, SUB_PAGE_HEAD
from dreamgym_env.domains.webshop.pages import done_page, index_page, item_page, scored_page, sub_page
from dreamgym_env.domains.webshop.products import Product
from dreamgym_env.domains.webshop.search import MAX_RESULTS
from dreamgym_env.domains.webshop.trail import Place, Trail, follow, read_trail
from dreamgym_env.domains.webshop.verifier import order_of

if TYPE_CHECKING:
    from dreamgym_env.domains.webshop.domain import WebShop
    from dreamgym_env.types import Task, Transition

__all__ = ["ShopRules", "judge_rules"]

_LEADS_TO = {
    "search": "results",
    "next": "results",
    "item": "item",
    "option": "item",
    "subpage": "subpage",
    "back": "index",
    "buy": "done",
}
"""Kind of action -> kind of the page that it leads to; ``< Prev`` depends on where one is."""
_MOST_OF_A_PAGE = 0.7
_LEADS_BACK_TO = {"subpage": ("item",), "item": ("results",), "results": ("results",)}


def judge_rules(domain: WebShop) -> JudgeRules:
    """Return the rules of a shop."""
    return ShopRules(domain)


class ShopRules:
    """Judges steps whose action the page offers."""

    def __init__(self, domain: WebShop) -> None:
        """Judge by the catalogue of a domain's shop."""
        self._domain = domain
        self._shop = domain.shop

    def __call__(self, step: Transition, task: Task) -> Iterator[Objection]:
        """Yield what speaks against a step."""
        kind = observation.action_kind(step.action)
        page_kind = observation.page_kind(step.next_state)
        before = observation.page_kind(step.state)
        expected = _LEADS_BACK_TO.get(before, ()) if kind == "prev" else (_LEADS_TO.get(kind, page_kind),)
        if page_kind not in expected:
            yield Objection(CONSISTENCY, 0, f"The action leads to no page of the kind {page_kind}.")
            if page_kind == "unknown" or self._breaks_off(step):
                yield Objection(INFORMATIVENESS, 0, "The page breaks off, or is none of the shop's.")
            return
        if page_kind != "done" and PLACEHOLDER not in self._domain.segment(step.next_state, step.instruction):
            yield Objection(CONSISTENCY, 0, "The page does not show this task's instruction.")
        if kind == "option":
            yield from _against_change(step.state, step.next_state)
        elif kind == "back":
            yield from _against_change(index_page(step.instruction).text(), step.next_state)
        elif kind == "buy":
            yield from self._against_order(step)
        else:
            yield from self._against_opened(step, page_kind)

    def _breaks_off(self, step: Transition) -> bool:
        """Return whether the page is but the beginning of the product's page that the action opens."""
        place = follow(read_trail(self._domain, step.question()).place, step.action)
        product = self._shop.product_of.get(place.asin.upper()) if place is not None and not place.sub_page else None
        if product is None:
            return False
        return item_page(step.instruction, product, {}).text().startswith(step.next_state)

    def _against_opened(self, step: Transition, page_kind: str) -> Iterator[Objection]:
        """Yield what speaks against a page that a search, a product, a sub-page or a button has opened."""
        trail = read_trail(self._domain, step.question())
        place = follow(trail.place, step.action)
        shown = trail.shown(place) if place is not None else None
        if shown is not None:
            yield from _against_change(shown, step.next_state)
        if page_kind == "results":
            yield from self._against_listings(step)
            if shown is None:
                yield from self._against_results(step, trail, place)
        elif place is not None and shown is None:
            yield from self._against_product(step, place)

    def _against_listings(self, step: Transition) -> Iterator[Objection]:
        """Yield what the catalogue and earlier pages say against the listed products."""
        seen = {
            asin: listing
            for state in (*(turn.state for turn in step.history), step.state)
            if observation.page_kind(state) == "results"
            for asin, *listing in observation.listings(observation.visible(state))
        }
        for asin, *listing in observation.listings(observation.visible(step.next_state)):
            product = self._shop.product_of.get(asin)
            if seen.get(asin, listing) != listing:
                yield Objection(CONSISTENCY, 0, f"{asin} was listed with another title or price before.")
                yield Objection(HALLUCINATION, 0, f"{asin} was listed with another title or price before.")
            elif product is None:
                yield Objection(HALLUCINATION, 0, f"There is no product {asin}.")
            elif listing != [product.title.strip(), product.price_text.strip()]:
                yield Objection(HALLUCINATION, 0, f"{asin} has another title or price.")

    def _against_results(self, step: Transition, trail: Trail, place: Place | None) -> Iterator[Objection]:
        """Yield what speaks against a page of results that was not shown before: numbers, repetition, relevance."""
        number, total = observation.results_position(step.next_state) or (0, 0)
        listed = [asin for asin, *_ in observation.listings(observation.visible(step.next_state))]
        before = observation.results_position(step.state)
        if place is not None and number != place.number:
            yield Objection(CONSISTENCY, 0, f"The page of results is number {number}, not {place.number}.")
        is_search = observation.action_kind(step.action) == "search"
        if before is not None and not is_search and before[1] != total:
            yield Objection(CONSISTENCY, 0, "The same search finds another number of products than before.")
        if total > MAX_RESULTS:
            yield Objection(HALLUCINATION, 1, f"A search finds {MAX_RESULTS} products at most.")
        due = max(0, min(RESULTS_PER_PAGE, total - (number - 1) * RESULTS_PER_PAGE))
        if len(listed) != due:
            yield Objection(CONSISTENCY, 1, f"The page lists {len(listed)} products where {due} are due.")
        if len(listed) < due:
            yield Objection(INFORMATIVENESS, 0 if 2 * len(listed) <= due else 1, "Listed products are missing.")
        earlier = {
            asin
            for page in range(1, number)
            if place is not None and (shown := trail.shown(Place("results", place.keywords, page))) is not None
            for asin, *_ in observation.listings(observation.visible(shown))
        }
        if len(set(listed)) < len(listed) or earlier & set(listed):
            yield Objection(CONSISTENCY, 1, "A product is listed a second time.")
        if place is not None and listed:
            yield from self._against_relevance(place.keywords, listed)

    def _against_relevance(self, keywords: str, listed: Sequence[str]) -> Iterator[Objection]:
        found = {self._shop.products[at].asin for at in self._shop.search.search(keywords)}
        fitting = sum(asin in found for asin in listed)
        if not fitting:
            yield Objection(CONSISTENCY, 0, "None of the listed products is one that the search finds.")
        elif 2 * fitting < len(listed):
            yield Objection(CONSISTENCY, 1, "Most of the listed products are none that the search finds.")

    def _against_product(self, step: Transition, place: Place) -> Iterator[Objection]:
        """Yield what the listing and the catalogue say against the page of a product, or one of its sub-pages."""
        asin = place.asin.upper()
        listings = observation.listings(observation.visible(step.state)) if place.kind == "item" else []
        listing = next((found for found in listings if found[0] == asin), None)
        product = self._shop.product_of.get(asin)
        if place.kind == "subpage":
            if product is not None:
                yield from _against_sub_page(step, product, place.sub_page)
            return
        title, price = _title_and_price(step.next_state)
        if listing is not None and title != listing[1]:
            yield Objection(CONSISTENCY, 0, "The page has another title than the product that was clicked.")
        if listing is not None and price != listing[2]:
            yield Objection(CONSISTENCY, 0, "The page has another price than its listing.")
            yield Objection(HALLUCINATION, 0, "The page has another price than its listing.")
        if product is not None:
            yield from self._against_options(step, product)

    def _against_options(self, step: Transition, product: Product) -> Iterator[Objection]:
        """Yield what the catalogue says against the options of a product's page, and against its other texts."""
        right = item_page(step.instruction, product, {}).text()
        if step.next_state == right:
            return
        own, shown = (
            {(name, value) for name, values in self._options(page).items() for value in values}
            for page in (right, step.next_state)
        )
        if shown - own:
            yield Objection(HALLUCINATION, 0, "The page offers options that the product does not have.")
        if own - shown:
            yield Objection(INFORMATIVENESS, 1, "The page leaves out options of the product.")
        if shown == own:
            yield Objection(HALLUCINATION, 1, "A detail of the product's page is not the product's.")

    def _options(self, page: str) -> dict[str, list[str]]:
        return observation.options_of(observation.visible(page), self._shop.option_names)

    def _against_order(self, step: Transition) -> Iterator[Objection]:
        """Yield what speaks against an order page."""
        order = order_of(step.history, step.state, self._shop.option_names)
        if not order.asin:
            return
        right = done_page(order.asin, order.options, step.score).text()
        if step.next_state == right:
            return
        scored = scored_page(step.next_state, step.score)
        if scored == right:
            yield Objection(HALLUCINATION, 1, "The score on the order page is not that of the step.")
        elif f"{observation.SEPARATOR}{order.asin}{observation.SEPARATOR}" not in step.next_state:
            yield Objection(CONSISTENCY, 0, f"The order page does not name {order.asin}, which was ordered.")
        elif not scored:
            yield Objection(INFORMATIVENESS, 1, "The order page is not complete.")
        else:
            yield Objection(CONSISTENCY, 0, "The order page names other options than were chosen.")


def _against_change(expected: str, page: str) -> Iterator[Objection]:
    """Yield what speaks against a page that should be one that is known, word for word."""
    if page == expected:
        return
    wanted, shown = set(observation.visible(expected)), set(observation.visible(page))
    if not shown <= wanted:
        yield Objection(CONSISTENCY, 0, "A page that was shown before has changed.")
        yield Objection(HALLUCINATION, 1, "A page that was shown before has texts that it did not have.")
    else:
        yield Objection(CONSISTENCY, 1, "A page that was shown before lacks something, or is in another order.")
    if wanted - shown:
        much = len(wanted & shown) < _MOST_OF_A_PAGE * len(wanted)
        yield Objection(INFORMATIVENESS, 0 if much else 1, "Texts of the page are missing.")


def _against_sub_page(step: Transition, product: Product, name: str) -> Iterator[Objection]:
    right = sub_page(step.instruction, product, name.capitalize()).text()
    if step.next_state == right:
        return
    own, shown = (set(observation.visible(page)[SUB_PAGE_HEAD:]) for page in (right, step.next_state))
    if shown - own:
        grave = not shown & own
        yield Objection(HALLUCINATION, 0, "The page has texts that are not of this product.")
        yield Objection(CONSISTENCY, 0 if grave else 1, "The page has texts that are not of this product.")
    if own - shown:
        yield Objection(INFORMATIVENESS, 1 if shown & own else 0, "Texts of the page are missing.")


def _title_and_price(page: str) -> tuple[str, str]:
    """Return the title and the price on a product's page; empty where they are missing."""
    parts = observation.visible(page)
    at = next((at for at, part in enumerate(parts) if part.startswith("Price: ")), 0)
    return (parts[at - 1], parts[at].removeprefix("Price: ")) if at else ("", "")
