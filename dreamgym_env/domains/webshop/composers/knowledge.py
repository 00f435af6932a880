"""What real experience has told about the shop's products, and which of it a question may use.

Everything is kept with the recordings that told it, so that an evaluation can do without what only its own task's
recordings have shown, and a training example without what only its own episode has.
"""

from __future__ import annotations

import functools
from collections import defaultdict
from collections.abc import Hashable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Generic, TypeVar

from dreamgym_env.domains.exclusion import EVERYTHING, Exclusion
from dreamgym_env.domains.webshop import observation
from dreamgym_env.domains.webshop.products import Product
from dreamgym_env.domains.webshop.search import SearchEngine
from dreamgym_env.types import Transition, Turn

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from dreamgym_env.domains.webshop.domain import WebShop

__all__ = ["Assortment", "Knowledge"]

T = TypeVar("T", bound=Hashable)
_FAMILIES_KEPT = 2  # a question excludes at most one: its own


@dataclass(slots=True)
class _Told(Generic[T]):
    """One thing about a product, in each wording that recordings have shown."""

    _recordings: dict[T, dict[str, str]] = field(default_factory=dict)
    """Wording -> episode -> original task, of as many episodes as tell what is left whatever is excluded."""

    def add(self, wording: T, step: Transition) -> None:
        """Note what a recording shows."""
        episodes = self._recordings.setdefault(wording, {})
        families = set(episodes.values())
        if len(episodes) < 2 or (step.family not in families and len(families) < _FAMILIES_KEPT):
            episodes.setdefault(step.episode, step.family)

    def get(self, exclusion: Exclusion) -> T | None:
        """Return the first wording that a usable recording shows, or None."""
        for wording, episodes in self._recordings.items():
            if any(exclusion.allows(family, name) for name, family in episodes.items()):
                return wording
        return None


@dataclass(slots=True)
class _Known:
    """What experience has told about a product."""

    listing: _Told[tuple[str, str]] = field(default_factory=_Told)
    """Title and price."""
    details: _Told[str] = field(default_factory=_Told)
    features: _Told[tuple[str, ...]] = field(default_factory=_Told)
    options: _Told[tuple[tuple[str, tuple[str, ...]], ...]] = field(default_factory=_Told)

    def product(self, asin: str, exclusion: Exclusion) -> Product | None:
        """Return the product as far as it may be known, or None if nobody has seen it listed."""
        listing = self.listing.get(exclusion)
        if listing is None:
            return None
        title, price = listing
        details, options = self.details.get(exclusion) or "", dict(self.options.get(exclusion) or ())
        features = self.features.get(exclusion) or ()
        return Product(asin, title, description=details, bullet_points=features, price_text=price, options=options)


class Assortment:
    """Products that may be known, and a search over them."""

    def __init__(self, products: Sequence[Product | None], engine: SearchEngine) -> None:
        """Join products, None where one may not be known, and a search that returns their places."""
        self.products = products
        self._engine = engine

    def __bool__(self) -> bool:
        """Return whether any product may be known."""
        return any(product is not None for product in self.products)

    @classmethod
    def of(cls, products: Sequence[Product]) -> Assortment:
        """Index products."""
        return cls(products, SearchEngine(products))

    def changed(self, products: Mapping[int, Product | None]) -> Assortment:
        """Return one with other products, or none, in some places."""
        changes = {place: product for place, product in products.items() if product != self.products[place]}
        if not changes:
            return self
        changed = [changes.get(place, product) for place, product in enumerate(self.products)]
        return Assortment(changed, self._engine.changed(changes))

    def has_term(self, term: str) -> bool:
        """Return whether an index term stands in what the search knows of some product."""
        return self._engine.has_term(term)

    def search(self, keywords: str) -> list[Product]:
        """Return what the shop's own ranking finds, best first."""
        found = (self.products[place] for place in self._engine.search(keywords))
        return [product for product in found if product is not None]


class Knowledge:
    """All that has been told, by product."""

    def __init__(self, domain: WebShop, experience: Iterator[Transition]) -> None:
        """Read real experience."""
        self._domain = domain
        self._known: dict[str, _Known] = {}
        self._told_by: defaultdict[str, set[str]] = defaultdict(set)
        """Name of a task or an episode -> codes of the products that its recordings told something about."""
        for step in experience:
            if step.valid:
                self._read(step)
        products = [self._known[asin].product(asin, EVERYTHING) for asin in sorted(self._known)]
        self._all = Assortment.of([product for product in products if product is not None])
        self._places = {product.asin: place for place, product in enumerate(self._all.products) if product}
        self.shelf = functools.lru_cache(maxsize=64)(self._shelf)
        """``shelf(exclusion)`` is what a question may know."""

    def product(self, asin: str, exclusion: Exclusion) -> Product | None:
        """Return what a question may know of a product; None if it may not know that there is such a product."""
        known = self._known.get(asin)
        return known.product(asin, exclusion) if known else None

    def _shelf(self, exclusion: Exclusion) -> Assortment:
        concerned = set().union(
            *(self._told_by[name] for name in (exclusion.family, exclusion.episode) if name in self._told_by)
        )
        listed = concerned & self._places.keys()
        return self._all.changed({self._places[asin]: self._known[asin].product(asin, exclusion) for asin in listed})

    def _read(self, step: Transition) -> None:
        kind, segments = self._domain.page_kind(step.next_state), observation.visible(step.next_state)
        if kind == "results":
            for asin, title, price in observation.listings(segments):
                self._about(asin, step).listing.add((title, price), step)
        elif kind in ("item", "subpage") and (asin := self._product_of(step)):
            if kind == "item":
                shown = observation.options_of(segments, self._domain.shop.option_names)
                self._about(asin, step).options.add(
                    tuple((name, tuple(values)) for name, values in shown.items()), step
                )
            elif observation.action_argument(step.action) == "description":
                self._about(asin, step).details.add(" ".join(segments[observation.SUB_PAGE_HEAD :]), step)
            elif observation.action_argument(step.action) == "features":
                self._about(asin, step).features.add(tuple(segments[observation.SUB_PAGE_HEAD :]), step)

    def _about(self, asin: str, step: Transition) -> _Known:
        self._told_by[step.family].add(asin)
        self._told_by[step.episode].add(asin)
        return self._known.setdefault(asin, _Known())

    def _product_of(self, step: Transition) -> str:
        """Return the code of the product whose page a step leads to: the last that was clicked in results, or none."""
        for turn in (Turn(step.state, step.action), *reversed(step.history)):
            if observation.action_kind(turn.action) == "item" and self._domain.page_kind(turn.state) == "results":
                return observation.action_argument(turn.action).upper()
        return ""
