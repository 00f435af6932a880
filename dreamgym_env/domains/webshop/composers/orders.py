"""Order pages composed from what an episode has clicked: the product's code and the chosen options.

No recorded order can stand for another: the page names what was bought.  How the order is scored stays open on it, as
that is for the verifier, or for the world model, to say; a world model is told what speaks for and against the order.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from dreamgym_env.domains.webshop import observation
from dreamgym_env.domains.webshop.composers.evidence import evidence
from dreamgym_env.domains.webshop.composers.memory import composed_memory
from dreamgym_env.domains.webshop.pages import done_page
from dreamgym_env.domains.webshop.verifier import order_of
from dreamgym_env.types import Memory, Query

if TYPE_CHECKING:
    from dreamgym_env.domains.webshop.domain import WebShop

__all__ = ["OrderComposer"]


class OrderComposer:
    """Writes down what ``Buy Now`` orders; needs no experience, so nothing is ever left out."""

    def __init__(self, domain: WebShop) -> None:
        """Create a composer of one shop's order pages."""
        self._domain = domain

    def compose(
        self, query: Query, memories: Sequence[Memory], *, exclude_episode: bool = False, exclude_task: bool = False
    ) -> Memory | None:
        """Return the order page of a product whose code the episode has clicked, or None."""
        if observation.action_kind(query.action) != "buy" or self._domain.page_kind(query.state) != "item":
            return None
        order = order_of(query.history, query.state, self._domain.shop.option_names)
        if not order.asin:
            return None
        page = done_page(order.asin, order.options, score=None).text()
        instruction = query.task.instruction
        states = [*(turn.state for turn in query.history), query.state]
        pages = [self._domain.segment(state, instruction) for state in states]
        shown = observation.options_of(observation.visible(query.state), self._domain.shop.option_names)
        origin = f"composed from this episode: {evidence(instruction, order, shown, pages)}"
        return composed_memory(query, "click[buy now]", page, origin, terminated=True)
