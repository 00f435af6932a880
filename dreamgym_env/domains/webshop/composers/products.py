"""Product pages composed from a listing, for products that no experience has opened.

What the listing says of a product is certain: its code, title and price.  Options that nobody has seen are left out:
an agent that cannot choose them fails in the dream where it might succeed in the shop, never the other way round.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from dreamgym_env.domains.composed import composed_memory, recorded_answers
from dreamgym_env.domains.webshop import observation
from dreamgym_env.domains.webshop.pages import item_page
from dreamgym_env.domains.webshop.products import Product
from dreamgym_env.types import Memory, Query

if TYPE_CHECKING:
    from dreamgym_env.domains.webshop.domain import WebShop

__all__ = ["ProductComposer"]


class ProductComposer:
    """Opens a product that the current page lists; needs no experience, so nothing is ever left out."""

    def __init__(self, domain: WebShop) -> None:
        """Create a composer of one shop's product pages."""
        self._domain = domain

    def compose(
        self, query: Query, memories: Sequence[Memory], *, exclude_episode: bool = False, exclude_task: bool = False
    ) -> Memory | None:
        """Return the page of a listed product that no memory shows, or None."""
        if observation.action_kind(query.action) != "item":
            return None
        asin = observation.action_argument(query.action).upper()
        listings = observation.listings(observation.visible(query.state))
        listing = next((found for found in listings if found[0] == asin), None)
        if listing is None or next(recorded_answers(self._domain, query, memories, any_page=True), None) is not None:
            return None
        _, title, price = listing
        page = item_page(query.task.instruction, Product(asin, title, price_text=price), {}).text()
        return composed_memory(query, f"click[{asin.lower()}]", page, "composed from its listing; options not known")
