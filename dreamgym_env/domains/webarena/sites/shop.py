"""The shop: departments, search, products with reviews, wish list, and what leads to them."""

from __future__ import annotations

import sqlite3
from typing import Any

from dreamgym_env.domains.webarena.sites.content.dates import TODAY
from dreamgym_env.domains.webarena.sites.content.names import USER_NAME
from dreamgym_env.domains.webarena.sites.pages import (
    Answer,
    NotHereError,
    Page,
    Redirect,
    Route,
    Visit,
    matching,
    paginate,
)
from dreamgym_env.domains.webarena.sites.shop_orders import ORDER_NOTICES, ORDER_ROUTES

__all__ = ["NOTICES", "ROUTES"]

_PAGE = 12
_SORTS = {
    "name": ("Name", "name"),
    "price": ("Price, low to high", "price, name"),
    "price-down": ("Price, high to low", "price DESC, name"),
    "rating": ("Rating", "rating DESC, name"),
    "newest": ("Newest", "added DESC, name"),
}
_LISTING = """
    SELECT products.*, categories.name AS department,
        (SELECT round(avg(rating), 1) FROM reviews WHERE product = products.id AND status = 'Approved') AS rating,
        (SELECT count(*) FROM reviews WHERE product = products.id AND status = 'Approved') AS reviews
    FROM products JOIN categories ON categories.slug = products.category WHERE enabled = 1
"""


def home(visit: Visit) -> Answer:
    """Show the departments and what is new."""
    values = {
        "categories": visit.database.rows("SELECT * FROM categories ORDER BY position"),
        "rows": visit.database.rows(f"{_LISTING} ORDER BY added DESC, name LIMIT 6"),
    }
    return Page("shop/home.html", "Welcome", values)


def category(visit: Visit) -> Answer:
    """List the products of a department."""
    found = visit.database.row("SELECT * FROM categories WHERE slug = ?", visit.names["slug"])
    if found is None:
        raise NotHereError("There is no such department.")
    values = _listed(visit, "category = ?", [found["slug"]], "name")
    return Page("shop/listing.html", found["name"], values, [("Home", "/")])


def search(visit: Visit) -> Answer:
    """List the products in which every word of the search stands."""
    words = visit.asked("q")
    condition, given = matching(words, "products.name", "categories.name", "sku", "details")
    values = {**_listed(visit, condition if words else "0", given, "name"), "words": words}
    return Page("shop/listing.html", f"Search results for {words}" if words else "Search", values, [("Home", "/")])


def _listed(visit: Visit, condition: str, given: list[str], default: str) -> dict[str, Any]:
    sort = visit.asked("sort", default)
    order = _SORTS.get(sort, _SORTS[default])[1]
    rows = visit.database.rows(f"{_LISTING} AND ({condition}) ORDER BY {order}", *given)
    return {**paginate(visit, rows, _PAGE), "sort": sort, "sorts": [(key, name) for key, (name, _) in _SORTS.items()]}


def _product(visit: Visit) -> sqlite3.Row:
    found = visit.database.row(f"{_LISTING} AND products.slug = ?", visit.names["slug"])
    if found is None:
        raise NotHereError("There is no such product.")
    return found


def _product_page(visit: Visit, error: str = "") -> Page:
    found = _product(visit)
    reviews = visit.database.rows(
        "SELECT * FROM reviews WHERE product = ? AND status = 'Approved' ORDER BY written DESC, id DESC", found["id"]
    )
    values = {"product": found, "reviews": reviews, "quantity": visit.line("quantity") or "1"}
    return Page("shop/product.html", found["name"], values, _crumbs(found), error)


def _crumbs(found: sqlite3.Row) -> list[tuple[str, str]]:
    return [("Home", "/"), (found["department"], f"/category/{found['category']}")]


def add_to_cart(visit: Visit) -> Answer:
    """Put some of a product into the cart."""
    found, quantity = _product(visit), visit.whole_number("quantity")
    held = visit.database.value("SELECT quantity FROM cart WHERE product = ?", found["id"]) or 0
    if not quantity:
        return _product_page(visit, "The quantity has to be a whole number from 1.")
    if held + quantity > found["stock"]:
        return _product_page(visit, f"There are only {found['stock']} in stock.")
    visit.database.rows("INSERT OR REPLACE INTO cart VALUES (?, ?)", found["id"], held + quantity)
    return Redirect("/cart", "added")


def wish(visit: Visit) -> Answer:
    """Put a product on the wish list."""
    visit.database.rows("INSERT OR IGNORE INTO wishes VALUES (?)", _product(visit)["id"])
    return Redirect("/wish-list", "wished")


def wish_list(visit: Visit) -> Answer:
    """Show the wish list."""
    rows = visit.database.rows(f"{_LISTING} AND products.id IN (SELECT product FROM wishes) ORDER BY name")
    return Page("shop/wish_list.html", "Wish list", {"rows": rows}, [("Home", "/")])


def remove_wish(visit: Visit) -> Answer:
    """Take a product off the wish list."""
    visit.database.rows("DELETE FROM wishes WHERE product = ?", _product(visit)["id"])
    return Redirect("/wish-list", "unwished")


def _review_page(visit: Visit, error: str = "") -> Page:
    found = _product(visit)
    values = {
        "product": found,
        "rating": visit.line("rating"),
        "headline": visit.line("title"),
        "body": visit.text("body"),
    }
    crumbs = [*_crumbs(found), (found["name"], f"/product/{found['slug']}")]
    return Page("shop/review.html", "Write a review", values, crumbs, error)


def review(visit: Visit) -> Answer:
    """Keep a review until the shop approves it."""
    found, rating, title, body = _product(visit), visit.line("rating"), visit.line("title"), visit.text("body")
    if rating not in ("1", "2", "3", "4", "5"):
        return _review_page(visit, "Choose a number of stars.")
    if not title or not body:
        return _review_page(visit, "A review needs a title and a text.")
    visit.database.rows(
        "INSERT INTO reviews (product, author, rating, title, body, written, status) "
        "VALUES (?, ?, ?, ?, ?, ?, 'Pending')",
        *(found["id"], USER_NAME, int(rating), title, body, TODAY),
    )
    return Redirect(f"/product/{found['slug']}", "reviewed")


NOTICES = {
    **ORDER_NOTICES,
    "wished": "The product is on your wish list.",
    "unwished": "The product is no longer on your wish list.",
    "reviewed": "Thank you. Your review will be shown when it is approved.",
}
ROUTES = (
    Route("/", home),
    Route("/category/{slug}", category),
    Route("/search", search),
    Route("/product/{slug}", _product_page),
    Route("/product/{slug}/cart", add_to_cart, "POST"),
    Route("/product/{slug}/wish", wish, "POST"),
    Route("/product/{slug}/review", _review_page),
    Route("/product/{slug}/review", review, "POST"),
    Route("/wish-list", wish_list),
    Route("/wish-list/{slug}/remove", remove_wish, "POST"),
    *ORDER_ROUTES,
)
