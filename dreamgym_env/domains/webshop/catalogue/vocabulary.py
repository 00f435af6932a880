"""What a department of the shop is made of: attributes, option scales and product types.

Everything here is data that the generators read; the words themselves stand in ``departments/``, one module each.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

__all__ = ["Attribute", "Department", "OptionScale", "ProductType", "has", "is_", "suits"]

AttributeKind = Literal["is", "has", "suits"]


@dataclass(frozen=True, slots=True)
class Attribute:
    """A hidden property of a product that goals ask for and that texts mostly, but not always, mention."""

    text: str
    """As it stands in a product's ``Attributes``, for example ``"non slip"``."""
    kind: AttributeKind
    """How it joins a noun: *is* ("non slip shoes"), *has* ("with a rubber sole"), *suits* ("for wide feet")."""
    phrase: str
    """As it stands in a sentence, with its article where it needs one; contains :attr:`text`."""
    reasons: tuple[str, ...]
    """Clauses that a seller would write to support the claim."""
    slot: str = ""
    """Attributes of one slot exclude each other (``"slim fit"`` and ``"loose fit"``); empty for none."""


def is_(text: str, *reasons: str, slot: str = "") -> Attribute:
    """An attribute that stands before the noun: *non slip* shoes."""
    return Attribute(text, "is", text, reasons, slot)


def has(phrase: str, *reasons: str, slot: str = "") -> Attribute:
    """An attribute that follows "with"; an article in ``phrase`` is not part of the attribute's text."""
    words = phrase.split()
    text = " ".join(words[1:] if words[0] in {"a", "an"} else words)
    return Attribute(text, "has", phrase, reasons, slot)


def suits(phrase: str, *reasons: str, slot: str = "") -> Attribute:
    """An attribute that follows "for": shoes for *wide feet*; "the" is not part of the attribute's text."""
    return Attribute(phrase.removeprefix("the "), "suits", phrase, reasons, slot)


@dataclass(frozen=True, slots=True)
class OptionScale:
    """The values of an option, from which each product offers some."""

    name: str
    """Name of the option as the page shows it, for example ``"color"``."""
    values: tuple[str, ...]
    fewest: int = 3
    most: int = 6
    ordered: bool = False
    """Whether a product offers a run of neighbours (sizes) instead of any subset (colours)."""


@dataclass(frozen=True, slots=True)
class ProductType:
    """A kind of product, found by one query."""

    query: str
    """What a shopper types, for example ``"throw blankets"``; lower case."""
    article: str
    """What stands before :attr:`singular`: ``"a"``, ``"some"`` or ``"a pair of"``."""
    singular: str
    """One of it, for example ``"throw blanket"``."""
    path: tuple[str, ...]
    """Levels of the category tree, widest first. Types that share two levels count as the same type in the reward."""
    heads: tuple[str, ...]
    """Head nouns of titles."""
    attributes: tuple[str, ...]
    """Texts of the department's attributes that fit it."""
    scales: tuple[OptionScale, ...]
    price: tuple[float, float]
    """Cheapest and dearest usual price, in dollars."""
    touches: tuple[str, ...]
    """Decorative parts of titles that promise nothing a goal asks for."""
    facts: tuple[str, ...]
    """Bullet points that hold for every product of the type."""
    blurbs: tuple[str, ...]
    """Sentences that open a description."""


@dataclass(frozen=True, slots=True)
class Department:
    """A part of the shop with its own brands and attributes."""

    name: str
    """Short name, for example ``"fashion"``; the ``category`` of its products."""
    brands: tuple[str, ...]
    attributes: tuple[Attribute, ...]
    types: tuple[ProductType, ...]

    def attributes_of(self, product_type: ProductType) -> tuple[Attribute, ...]:
        """Return the attributes that fit a type, in the type's order.

        Raises:
            KeyError: the type names an attribute that the department does not define.
        """
        by_text = {attribute.text: attribute for attribute in self.attributes}
        return tuple(by_text[text] for text in product_type.attributes)
