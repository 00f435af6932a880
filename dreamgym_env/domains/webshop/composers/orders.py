"""Order pages composed from what an episode has clicked: the product's code and the chosen options.

No recorded order can stand for another: the page names what was bought.  How the order is scored stays open on it, as
that is for the verifier, or for the world model, to say; a world model is told what speaks for and against the order.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from dreamgym_env.domains.composed import composed_memory
from dreamgym_env.domains.exclusion import Exclusion
from dreamgym_env.domains.webshop import observation
from dreamgym_env.domains.webshop.composers.evidence import evidence, instruction_terms, terms
from dreamgym_env.domains.webshop.composers.knowledge import Assortment, Knowledge
from dreamgym_env.domains.webshop.pages import done_page
from dreamgym_env.domains.webshop.verifier import order_of
from dreamgym_env.types import Memory, Query

if TYPE_CHECKING:
    from dreamgym_env.domains.webshop.domain import WebShop

__all__ = ["OrderComposer"]


class OrderComposer:
    """Writes down what ``Buy Now`` orders, and what is known for and against it."""

    def __init__(self, domain: WebShop, knowledge: Callable[[], Knowledge]) -> None:
        """Create a composer of one shop's order pages."""
        self._domain = domain
        self._knowledge = knowledge

    def compose(
        self, query: Query, memories: Sequence[Memory], *, exclude_episode: bool = False, exclude_task: bool = False
    ) -> Memory | None:
        """Return the order page of a product whose code the episode has clicked, or None.

        Args:
            query: the question.
            memories: not needed; what was clicked decides.
            exclude_episode: judge without what only the asking episode's own recordings have told of the product.
            exclude_task: judge without what only the asking task's own recordings have told of it.
        """
        if observation.action_kind(query.action) != "buy" or self._domain.page_kind(query.state) != "item":
            return None
        order = order_of(query.history, query.state, self._domain.shop.option_names)
        if not order.asin:
            return None
        page = done_page(order.asin, order.options, score=None).text()
        knowledge = self._knowledge()
        exclusion = Exclusion.of(query, exclude_episode=exclude_episode, exclude_task=exclude_task)
        told = evidence(
            query.task.instruction,
            order,
            observation.options_of(observation.visible(query.state), self._domain.shop.option_names),
            self._wanted(query, knowledge.shelf(exclusion)),
            knowledge.product(order.asin, exclusion),
        )
        return composed_memory(query, "click[buy now]", page, f"composed from this episode: {told}", terminated=True)

    def _wanted(self, query: Query, shelf: Assortment) -> set[str]:
        """Return the terms of the instruction that are about products ("my sister needs ..." is not).

        They stand on a page of this episode or in what may be known of some product.
        """
        states = [*(turn.state for turn in query.history), query.state]
        pages = (self._domain.segment(state, query.task.instruction) for state in states)
        seen = {term for page in pages for segment in page for term in terms(segment)}
        return {term for term in instruction_terms(query.task.instruction) if term in seen or shelf.has_term(term)}
