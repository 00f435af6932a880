"""Rows of the shop: products, customers, orders whose totals add up, reviews by customers who had the product."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

from dreamgym_env.domains.draws import Draws
from dreamgym_env.domains.webarena.sites.content.catalogue import (
    BRANDS,
    CATEGORIES,
    COMMON_BLAME,
    COMMON_PRAISE,
    SERIES,
    TITLES,
    Category,
    Kind,
)
from dreamgym_env.domains.webarena.sites.content.dates import day_before_today, days_after
from dreamgym_env.domains.webarena.sites.content.names import USER_NAME, draw_names
from dreamgym_env.domains.webarena.sites.content.region import STREETS, TOWNS, slug_of

__all__ = ["FREE_SHIPPING_FROM", "SHIPPING", "shop_records"]

Record = Mapping[str, Any]

SHIPPING: Mapping[str, int] = {"Standard": 490, "Express": 1290}
"""Way of shipping -> cents."""
FREE_SHIPPING_FROM = 7500
"""Cents from which standard shipping costs nothing."""

_PRODUCTS_PER_KIND = 4
_CUSTOMERS = 48
_ORDERS = 400
_USER_ORDERS = 13
_USER_PENDING = (383, 390, 397)
"""Which of the orders, from the oldest, are the user's latest, still pending."""
_FIRST_DAY = 285
"""Days before today on which the first order was placed."""
_FIRST_NUMBER = 1001
_REMARKS = (
    "Designed in Castlebridge.",
    "Made in small series.",
    "Spare parts are kept for ten years.",
    "Packed without plastic.",
)
_COLOURS = ("black", "white", "forest green", "slate blue", "sand", "brick red", "olive")


def shop_records() -> Iterator[tuple[str, Record]]:
    """Yield the table and the row of everything in the shop."""
    for position, category in enumerate(CATEGORIES):
        yield "categories", {"slug": slug_of(category.name), "name": category.name, "position": position}
    products = list(_products())
    customers = list(_customers())
    yield from (("products", {name: value for name, value in row.items() if name != "source"}) for row in products)
    yield from (("customers", customer) for customer in customers)
    orders = list(_orders(products, customers))
    for order, items in orders:
        yield "orders", order
        yield from (("order_items", item) for item in items)
    yield from (("reviews", review) for review in _reviews(products, customers, orders))
    for product in Draws("bundled sites", "cart").sample([row for row in products if row["stock"] > 3], 2):
        yield "cart", {"product": product["id"], "quantity": 1}
    for product in Draws("bundled sites", "wish list").sample(products, 3):
        yield "wishes", {"product": product["id"]}


def _products() -> Iterator[dict[str, Any]]:
    number = 0
    for category in CATEGORIES:
        for kind in category.kinds:
            draws = Draws("bundled sites", "products", kind.name)
            brands, series = draws.sample(BRANDS, _PRODUCTS_PER_KIND), draws.sample(SERIES, _PRODUCTS_PER_KIND)
            for brand, line in zip(brands, series, strict=True):
                number += 1
                yield _product(number, f"{brand} {line} {kind.name}", brand, category, kind, draws)


def _product(number: int, name: str, brand: str, category: Category, kind: Kind, draws: Draws) -> dict[str, Any]:
    material, colour, value = draws.pick(kind.materials), draws.pick(_COLOURS), draws.pick(kind.values)
    warranty = draws.pick(("1 year", "2 years", "5 years"))
    description = (
        f"A {kind.name.lower()} made for {kind.use}. {brand} makes it of {material} and finishes it in {colour}. "
        f"{draws.pick(_REMARKS)}"
    )
    details = (
        f"Material: {material}\nColour: {colour}\n{kind.detail}: {value}\n"
        f"Weight: {draws.between(2, 48) / 10:.1f} kg\nWarranty: {warranty}"
    )
    return {
        "id": number,
        "slug": slug_of(name),
        "sku": f"{slug_of(category.name)[:2].upper()}{slug_of(kind.name)[:2].upper()}-{1000 + 7 * number}",
        "name": name,
        "brand": brand,
        "category": slug_of(category.name),
        "price": draws.between(kind.low, kind.high) * 100 + draws.pick((0, 25, 50, 75, 90, 95)),
        "stock": draws.pick((0, 3, 4, 7, 8, 12, 15, 21, 26, 34, 40, 55, 72, 88)),
        "enabled": 1,
        "description": description,
        "details": details,
        "added": day_before_today(_FIRST_DAY + draws.between(20, 400)),
        "source": category,
    }


def _customers() -> Iterator[dict[str, Any]]:
    for number, name in enumerate((USER_NAME, *draw_names("shop", _CUSTOMERS)), start=1):
        draws = Draws("bundled sites", "customers", number)
        town = draws.pick(TOWNS) if number > 1 else TOWNS[2]
        yield {
            "id": number,
            "name": name,
            "email": f"{name.lower().replace(' ', '.')}@mail.test",
            "phone": f"07{draws.between(10, 99)} {draws.between(100, 999)} {draws.between(1000, 9999)}",
            "street": f"{draws.between(1, 98)} {draws.pick(STREETS)}",
            "town": town.name,
            "postcode": town.postcode,
            "joined": day_before_today(_FIRST_DAY + draws.between(1, 500)),
            "newsletter": int(draws.chance(0.4)) if number > 1 else 0,
        }


def _orders(
    products: list[dict[str, Any]], customers: list[dict[str, Any]]
) -> Iterator[tuple[dict[str, Any], list[dict[str, Any]]]]:
    draws = Draws("bundled sites", "orders")
    shares = [draws.uniform() for _ in range(_ORDERS)]
    days = sorted((int(share * math.sqrt(share) * _FIRST_DAY) for share in shares), reverse=True)  # the shop grows
    own = {*draws.sample(range(_USER_PENDING[0] - 20), _USER_ORDERS), *_USER_PENDING}
    popular = draws.sample(products, len(products) // 8)
    for position, day in enumerate(days):
        number = _FIRST_NUMBER + position
        customer = customers[0] if position in own else draws.pick(customers[1:])
        bought = draws.sample(popular if draws.chance(0.5) else products, draws.pick((1, 1, 1, 2, 2, 3, 4)))
        items = [
            {
                "order_number": number,
                "product": product["id"],
                "quantity": draws.pick((1, 1, 1, 1, 2, 3)),
                "price": product["price"],
            }
            for product in bought
        ]
        goods = sum(item["quantity"] * item["price"] for item in items)
        shipping = "Express" if draws.chance(0.2) else "Standard"
        cost = 0 if shipping == "Standard" and goods >= FREE_SHIPPING_FROM else SHIPPING[shipping]
        yield (
            {
                "number": number,
                "customer": customer["id"],
                "placed": day_before_today(day),
                "status": "Pending" if position in _USER_PENDING else _status(day, draws),
                "street": customer["street"],
                "town": customer["town"],
                "postcode": customer["postcode"],
                "shipping": shipping,
                "shipping_cost": cost,
                "total": goods + cost,
                "note": "",
            },
            items,
        )


def _status(days_ago: int, draws: Draws) -> str:
    """Return what has become of an order: old ones are delivered or cancelled, those of this week are on their way."""
    if days_ago > 12:
        return "Delivered" if draws.chance(0.88) else "Cancelled"
    if days_ago > 6:
        return draws.pick(("Delivered", "Shipped", "Shipped", "Cancelled"))
    return draws.pick(("Pending", "Pending", "Processing", "Shipped"))


def _reviews(
    products: list[dict[str, Any]],
    customers: list[dict[str, Any]],
    orders: list[tuple[dict[str, Any], list[dict[str, Any]]]],
) -> Iterator[dict[str, Any]]:
    written: set[tuple[int, int]] = set()
    number = 0
    for order, items in orders:
        if order["status"] != "Delivered" or order["customer"] == customers[0]["id"]:
            continue
        for item in items:
            pair = (order["customer"], item["product"])
            draws = Draws("bundled sites", "reviews", *pair)
            if pair in written or not draws.chance(0.62):
                continue
            written.add(pair)
            number += 1
            yield _review(number, customers[pair[0] - 1], products[pair[1] - 1], order["placed"], draws)


def _review(
    number: int, customer: dict[str, Any], product: dict[str, Any], placed: str, draws: Draws
) -> dict[str, Any]:
    category: Category = product["source"]
    rating = draws.pick((1, 2, 3, 4, 4, 4, 5, 5, 5, 5))
    praise = draws.sample((*category.praise, *category.praise, *COMMON_PRAISE), 2)
    blame = draws.sample((*category.blame, *category.blame, *COMMON_BLAME), 2)
    said = {5: praise, 4: [praise[0], blame[0]], 3: [blame[0], praise[0]], 2: blame, 1: blame}[rating]
    first, second = (said[0], said[-1]) if said[0] != said[-1] else (said[0], "that is all I have to say")
    joint = {5: ", and ", 4: ", but ", 3: ", though ", 2: ", and ", 1: ", and "}[rating]
    days = draws.between(8, 40)
    return {
        "id": number,
        "product": product["id"],
        "author": customer["name"],
        "rating": rating,
        "title": draws.pick(TITLES[rating]),
        "body": f"{first[0].upper()}{first[1:]}{joint}{second}.",
        "written": min(day_before_today(1), days_after(placed, days)),
        "status": "Pending" if days_after(placed, days) > day_before_today(9) else "Approved",
    }
