"""Products in families of near-duplicates.

A family shares its product type, some brands, its core attributes and a price level; its members differ in one to three
attributes, in the options that they offer, and in price, so that these decide which one is right.
"""

from __future__ import annotations

import string
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from dreamgym_env.domains.draws import Draws
from dreamgym_env.domains.webshop.catalogue.departments import DEPARTMENTS
from dreamgym_env.domains.webshop.catalogue.texts import Copy, write_copy
from dreamgym_env.domains.webshop.catalogue.vocabulary import Attribute, Department, OptionScale, ProductType

__all__ = ["Product", "generate_products"]

PRICE_ENDINGS = (0.99, 0.99, 0.99, 0.95, 0.49, 0.89, 0.50, 0.00)
ASIN_LETTERS = string.ascii_uppercase + string.digits


@dataclass(frozen=True, slots=True)
class Family:
    """What near-duplicates have in common."""

    department: Department
    type: ProductType
    name: str
    """Unique name, ``"<query>/<number>"``."""
    brands: tuple[str, ...]
    heads: tuple[str, ...]
    touches: tuple[str, ...]
    core: tuple[Attribute, ...]
    extras: tuple[Attribute, ...]
    price: float


@dataclass(frozen=True, slots=True)
class Product:
    """A product: its record as shipped, and what the goal generator needs to know beyond it."""

    record: dict[str, Any]
    type: ProductType
    family: str
    attributes: tuple[Attribute, ...]

    @property
    def top_price(self) -> float:
        """The highest price that its page shows, in dollars."""
        return max(self.record["pricing"])


def generate_products(seed: int) -> list[Product]:
    """Generate the whole catalogue, in the order of the shipped file.

    Args:
        seed: any integer; the same seed gives the same catalogue.

    Returns:
        About 1,500 products with unique asins and titles.
    """
    asins: set[str] = set()
    titles: set[str] = set()
    products: list[Product] = []
    for family in _families(seed):
        draws = Draws(seed, "members", family.name)
        products += [_member(family, draws, asins, titles) for _ in range(draws.between(6, 12))]
    return Draws(seed, "order").shuffled(products)


def _families(seed: int) -> Iterator[Family]:
    for department in DEPARTMENTS:
        for product_type in department.types:
            for number in range(Draws(seed, "count", product_type.query).between(3, 4)):
                yield _family(department, product_type, number, seed)


def _family(department: Department, product_type: ProductType, number: int, seed: int) -> Family:
    name = f"{product_type.query}/{number}"
    draws = Draws(seed, "family", name)
    ranked = _compatible(draws.shuffled(department.attributes_of(product_type)), ())
    core_size = draws.between(2, 4)
    low, high = product_type.price
    return Family(
        department=department,
        type=product_type,
        name=name,
        brands=tuple(draws.sample(department.brands, draws.between(2, 4))),
        heads=tuple(draws.sample(product_type.heads, 2)),
        touches=tuple(draws.sample(product_type.touches, 4)),
        core=tuple(ranked[:core_size]),
        extras=tuple(department.attributes_of(product_type)),
        price=low + (high - low) * draws.uniform(),
    )


def _compatible(candidates: list[Attribute], taken: tuple[Attribute, ...]) -> list[Attribute]:
    """Keep the candidates, in order, that share no slot and no name with those taken or kept before."""
    kept: list[Attribute] = []
    for candidate in candidates:
        others = (*taken, *kept)
        clash = any(candidate.text == o.text or (candidate.slot and candidate.slot == o.slot) for o in others)
        if not clash:
            kept.append(candidate)
    return kept


def _member(family: Family, draws: Draws, asins: set[str], titles: set[str]) -> Product:
    core = draws.subset(family.core, len(family.core) - draws.between(0, min(2, len(family.core) - 1)))
    room = 6 - len(core)
    added = _compatible(draws.shuffled(family.extras), tuple(core))[: draws.between(1, min(3, room))]
    attributes = tuple(draws.shuffled([*core, *added]))
    options = _options(family.type.scales, draws)
    copy = _fresh_copy(family, attributes, options, draws, titles)
    pricing = _pricing(family.price, draws)
    drawn = pricing[0] if len(pricing) == 1 else round(pricing[0] + (pricing[1] - pricing[0]) * draws.uniform(), 2)
    record = {
        "asin": _fresh_asin(draws, asins),
        "Title": copy.title,
        "Description": copy.description,
        "BulletPoints": list(copy.bullets),
        "Reviews": [],
        "Rating": f"{draws.between(31, 49) / 10:.1f}" if draws.chance(0.3) else "N.A.",
        "Price": " to ".join(f"${price:.2f}" for price in pricing),
        "pricing": pricing,
        "options": options,
        "Attributes": [attribute.text for attribute in attributes],
        "category": family.department.name,
        "query": family.type.query,
        "product_category": " › ".join(family.type.path),
        "name": copy.title,
        "drawn_price": drawn,
    }
    return Product(record, family.type, family.name, attributes)


def _options(scales: tuple[OptionScale, ...], draws: Draws) -> dict[str, list[str]]:
    """Draw what a product offers: a part of each scale; now and then a scale, or all of them, is missing."""
    if draws.chance(0.06):
        return {}
    options = {}
    for scale in scales:
        if len(scales) > 1 and draws.chance(0.1):
            continue
        count = draws.between(scale.fewest, min(scale.most, len(scale.values)))
        if scale.ordered:
            start = draws.between(0, len(scale.values) - count)
            options[scale.name] = list(scale.values[start : start + count])
        else:
            options[scale.name] = draws.sample(scale.values, count)
    return options


def _pricing(level: float, draws: Draws) -> list[float]:
    """Draw a price around the family's level, or for one product in eight a range from cheapest to dearest option."""
    low = _ticket(level * (0.65 + 0.85 * draws.uniform()), draws)
    if not draws.chance(0.125):
        return [low]
    high = _ticket(low * (1.15 + 0.5 * draws.uniform()) + 1.0, draws)
    return [low, high]


def _ticket(price: float, draws: Draws) -> float:
    return round(max(2, int(price)) + draws.pick(PRICE_ENDINGS), 2)


def _fresh_copy(
    family: Family, attributes: tuple[Attribute, ...], options: dict[str, list[str]], draws: Draws, titles: set[str]
) -> Copy:
    while True:
        copy = write_copy(
            product_type=family.type,
            brand=draws.pick(family.brands),
            head=draws.pick(family.heads),
            touches=family.touches,
            attributes=attributes,
            options=options,
            draws=draws,
        )
        if copy.title.lower() not in titles:
            titles.add(copy.title.lower())
            return copy


def _fresh_asin(draws: Draws, asins: set[str]) -> str:
    while True:
        asin = "B0" + "".join(draws.pick(ASIN_LETTERS) for _ in range(8))
        if asin not in asins:
            asins.add(asin)
            return asin
