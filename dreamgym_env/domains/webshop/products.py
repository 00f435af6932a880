"""What the shop sells: the product and its JSON Lines file.

A products file holds one JSON object a line, with the members that WebShop's own loader keeps (``asin``, ``Title``,
``Description``, ``BulletPoints``, ``options``, ``Attributes``, ``pricing``, ``drawn_price`` ...).  WebShop's original
files are read by :mod:`dreamgym_env.domains.webshop.original_files`.
"""

from __future__ import annotations

import gzip
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dreamgym_env.errors import DreamGymError

__all__ = ["CatalogueFormatError", "Product", "Review", "load_products", "price_tag", "read_json_lines"]


class CatalogueFormatError(DreamGymError, ValueError):
    """A products or goals file cannot be read; the message names the file and the line."""


@dataclass(frozen=True, slots=True)
class Review:
    """What a customer wrote."""

    title: str
    score: str
    """Stars, as the page shows them."""
    body: str = ""


@dataclass(frozen=True, slots=True)
class Product:
    """One article of the shop; everything but ``asin`` and ``title`` may be unknown."""

    asin: str
    """Ten capital letters and digits."""
    title: str
    description: str = ""
    bullet_points: tuple[str, ...] = ()
    rating: str = "N.A."
    price_text: str = "$100.0"
    """As pages show it: ``$12.5`` or ``$10.0 to $20.0``."""
    pricing: tuple[float, ...] = (100.0,)
    """One price, or the lowest and the highest, in dollars."""
    price: float = 100.0
    """What buying it costs; drawn from the range where ``pricing`` is one."""
    options: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Name (``"size"``, ``"color"`` ...) -> values, all lower-case, in the page's order."""
    attributes: tuple[str, ...] = ()
    """Short phrases that are true of it (``"machine wash"``); the shopper never sees this list."""
    category: str = ""
    query: str = ""
    """The kind of product as a shopper would type it (``"men's dress shirts"``)."""
    product_category: str = ""
    """Path in the shop's tree, levels joined by ``" › "``."""
    reviews: tuple[Review, ...] = ()

    @classmethod
    def from_dict(cls, row: Mapping[str, Any]) -> Product:
        """Read a row of a products file.

        Raises:
            ValueError: a member is missing or of the wrong kind; the message names it.
        """
        pricing = tuple(_number(price, "pricing") for price in _sequence(row, "pricing")) or (100.0,)
        price = row.get("drawn_price")
        return cls(
            asin=_required_text(row, "asin").upper(),
            title=_required_text(row, "Title"),
            description=_text(row, "Description"),
            bullet_points=_texts(row, "BulletPoints"),
            rating=str(row.get("Rating", "N.A.")),
            price_text=_text(row, "Price") or price_tag(pricing),
            pricing=pricing,
            price=sum(pricing[:2]) / len(pricing[:2]) if price is None else _number(price, "drawn_price"),
            options=_options(row.get("options") or {}),
            attributes=_texts(row, "Attributes"),
            category=_text(row, "category"),
            query=_text(row, "query"),
            product_category=_text(row, "product_category"),
            reviews=tuple(_review(review) for review in _sequence(row, "Reviews")),
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the row of a products file; inverse of :meth:`from_dict`."""
        return {
            "asin": self.asin,
            "Title": self.title,
            "Description": self.description,
            "BulletPoints": list(self.bullet_points),
            "Reviews": [{"title": r.title, "score": r.score, "body": r.body} for r in self.reviews],
            "Rating": self.rating,
            "Price": self.price_text,
            "pricing": list(self.pricing),
            "drawn_price": self.price,
            "options": {name: list(values) for name, values in self.options.items()},
            "Attributes": list(self.attributes),
            "category": self.category,
            "query": self.query,
            "product_category": self.product_category,
        }


def price_tag(pricing: Sequence[float]) -> str:
    """Return how pages show one price or a range of two."""
    return f"${pricing[0]}" if len(pricing) == 1 else f"${pricing[0]} to ${pricing[1]}"


def load_products(path: str | Path) -> tuple[Product, ...]:
    """Load a products file (JSON Lines, gzip if its name ends in ``.gz``).

    Raises:
        CatalogueFormatError: the file is missing, a line cannot be read, or an asin occurs twice.
    """
    products: dict[str, Product] = {}
    for number, row in read_json_lines(path):
        try:
            product = Product.from_dict(row)
        except ValueError as error:
            raise CatalogueFormatError(f"{path}, line {number}: this is no product: {error}.") from error
        if product.asin in products:
            raise CatalogueFormatError(f"{path}, line {number}: asin {product.asin} occurs a second time.")
        products[product.asin] = product
    if not products:
        raise CatalogueFormatError(f"{path} holds no products; it should have one JSON object a line.")
    return tuple(products.values())


def read_json_lines(path: str | Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield (line number from 1, object) of every line that is not blank.

    Raises:
        CatalogueFormatError: the file is missing or not gzip where its name says so, or a line is no JSON object.
    """
    try:
        data = Path(path).read_bytes()
        text = (gzip.decompress(data) if str(path).endswith(".gz") else data).decode("utf-8")
    except (OSError, EOFError, UnicodeDecodeError) as error:
        raise CatalogueFormatError(f"{path} cannot be read: {error}.") from error
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except ValueError as error:
            raise CatalogueFormatError(f"{path}, line {number}: this is no JSON: {error}.") from error
        if not isinstance(row, dict):
            raise CatalogueFormatError(f"{path}, line {number}: this is no JSON object.")
        yield number, row


def _required_text(row: Mapping[str, Any], name: str) -> str:
    if row.get(name) is None:
        raise ValueError(f"{name!r} is missing")
    return _text(row, name)


def _text(row: Mapping[str, Any], name: str) -> str:
    value = row.get(name)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise ValueError(f"{name!r} should be a text and is {value!r:.60}")
    return value


def _sequence(row: Mapping[str, Any], name: str) -> list[Any]:
    value = row.get(name)
    if value is None:
        return []
    if not isinstance(value, list):
        raise ValueError(f"{name!r} should be a list and is {value!r:.60}")
    return value


def _texts(row: Mapping[str, Any], name: str) -> tuple[str, ...]:
    values = _sequence(row, name)
    if not all(isinstance(value, str) for value in values):
        raise ValueError(f"{name!r} should hold texts only and is {values!r:.60}")
    return tuple(values)


def _number(value: object, name: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError(f"{name!r} should hold a number and has {value!r:.60}")
    return float(value)


def _options(value: object) -> dict[str, tuple[str, ...]]:
    if not isinstance(value, dict):
        raise ValueError(f"'options' should map names to lists and is {value!r:.60}")
    return {str(name).lower(): _texts(value, name) for name in value}


def _review(value: object) -> Review:
    if not isinstance(value, dict):
        raise ValueError(f"'Reviews' should hold objects and has {value!r:.60}")
    return Review(title=str(value.get("title", "")), score=str(value.get("score", "")), body=str(value.get("body", "")))
