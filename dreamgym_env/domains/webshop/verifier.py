"""Decides by program whether an order succeeds: WebShop's graded reward on what the episode's pages and clicks show."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from dreamgym_env.domains.webshop.goals import goal_of
from dreamgym_env.domains.webshop.observation import action_kind, options_of, page_kind, parse_action, visible
from dreamgym_env.domains.webshop.pages import scored_page
from dreamgym_env.domains.webshop.products import Product
from dreamgym_env.domains.webshop.reward import graded_reward
from dreamgym_env.domains.webshop.shop import Shop
from dreamgym_env.types import Task, Turn, Verdict

__all__ = ["Order", "WebShopVerifier", "order_of"]


@dataclass(frozen=True, slots=True)
class Order:
    """What an episode is about to buy."""

    asin: str
    """Upper-case code that was clicked; empty if the product page was reached in another way."""
    title: str
    price_text: str
    options: Mapping[str, str]
    """Chosen options: lower-case name -> lower-case value."""


class WebShopVerifier:
    """Grades the order of an episode, dreamt or real.

    The hidden attributes of a product that the catalogue knows are the catalogue's; of any other product only what
    its page shows counts.
    """

    def __init__(self, shop: Shop) -> None:
        """Create the verifier of one shop's tasks."""
        self._shop = shop

    def check(self, task: Task) -> None:
        """Raise ResetOptionError unless the task has a goal that an order can be graded by."""
        goal_of(task)

    def verify(self, task: Task, history: Sequence[Turn], state: str, action: str, next_state: str) -> Verdict:
        """Judge the step: only buying on a product page ends an episode."""
        parsed = parse_action(action)
        if parsed != ("click", "buy now") or page_kind(state) != "item":
            return Verdict(False, False, 0.0)
        order = order_of(history, state, self._shop.option_names)
        product = self._shop.product_of.get(order.asin) or _as_shown(order)
        score = graded_reward(product, goal_of(task), order.options).total
        return Verdict(score >= 1.0, True, min(score, 1.0), scored_page(next_state, score))


def order_of(history: Sequence[Turn], state: str, option_names: frozenset[str]) -> Order:
    """Read an order off the product page and the clicks since it was opened."""
    segments = visible(state)
    price_at = next((at for at, part in enumerate(segments) if part.startswith("Price: ")), 0)
    asin = ""
    chosen: dict[str, str] = {}
    for turn in history:
        parsed = parse_action(turn.action)
        if parsed is None or parsed[0] != "click":
            continue
        kind = page_kind(turn.state)
        if kind == "results" and action_kind(turn.action) == "item":
            asin, chosen = parsed[1].upper(), {}
        elif kind == "item":
            shown = options_of(visible(turn.state), option_names)
            named = [name for name, values in shown.items() if parsed[1] in values]
            chosen.update(dict.fromkeys(named[-1:], parsed[1]))  # the shop sets the last option that lists the value
    return Order(asin, segments[price_at - 1], segments[price_at].removeprefix("Price: "), chosen)


def _as_shown(order: Order) -> Product:
    """Return what a page tells of a product that no catalogue knows; a range of prices counts at its middle."""
    prices = []
    for text in order.price_text.split(" to "):
        try:
            prices.append(float(text.strip().removeprefix("$").replace(",", "")))
        except ValueError:
            continue
    price = sum(prices) / len(prices) if prices else float("inf")
    return Product(order.asin, order.title, price_text=order.price_text, pricing=tuple(prices), price=price)
