"""The shop's back office: products, their prices and their stock."""

from __future__ import annotations

import sqlite3

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

__all__ = ["PRODUCT_NOTICES", "PRODUCT_ROUTES"]

_PAGE = 15
_HOME = ("Dashboard", "/")
_SORTS = {"name": ("Name", "products.name"), "stock": ("Stock, lowest first", "stock, products.name")}


def products(visit: Visit) -> Answer:
    """List products, those of one department or with some words where that is asked for."""
    department, words, sort = visit.asked("department"), visit.asked("q"), visit.asked("sort", "name")
    condition, given = matching(words, "products.name", "sku")
    if department:
        condition, given = f"{condition} AND category = ?", [*given, department]
    order = _SORTS.get(sort, _SORTS["name"])[1]
    rows = visit.database.rows(
        "SELECT products.*, categories.name AS department FROM products JOIN categories ON categories.slug = category "
        f"WHERE {condition} ORDER BY {order}",
        *given,
    )
    values = {
        **paginate(visit, rows, _PAGE),
        "words": words,
        "department": department,
        "departments": visit.database.rows("SELECT slug, name FROM categories ORDER BY name"),
        "sort": sort,
        "sorts": [(key, name) for key, (name, _) in _SORTS.items()],
    }
    return Page("shop_admin/products.html", "Products", values, [_HOME])


def _product(visit: Visit) -> sqlite3.Row:
    found = visit.database.row("SELECT * FROM products WHERE CAST(id AS TEXT) = ?", visit.names["id"])
    if found is None:
        raise NotHereError("There is no such product.")
    return found


def _product_page(visit: Visit, error: str = "") -> Page:
    found = _product(visit)
    fields = {
        "name": found["name"],
        "price": f"{found['price'] / 100:.2f}",
        "stock": found["stock"],
        "description": found["description"],
        "enabled": found["enabled"],
    }
    if visit.form:
        fields = {name: visit.text(name) for name in ("name", "price", "stock", "description")}
        fields["enabled"] = "enabled" in visit.form
    sold = visit.database.value(
        "SELECT coalesce(sum(quantity), 0) FROM order_items JOIN orders ON number = order_number "
        "WHERE product = ? AND status <> 'Cancelled'",
        found["id"],
    )
    values = {"product": found, "fields": fields, "sold": sold}
    return Page("shop_admin/product.html", found["name"], values, [_HOME, ("Products", "/products")], error)


def change_product(visit: Visit) -> Answer:
    """Keep a product's name, price, stock and description, and whether it is sold."""
    found, name, price, stock = _product(visit), visit.line("name"), visit.cents("price"), visit.whole_number("stock")
    if not name:
        return _product_page(visit, "A product needs a name.")
    if not price:
        return _product_page(visit, "The price has to be an amount such as 12.50.")
    if stock is None:
        return _product_page(visit, "The stock has to be a whole number.")
    visit.database.rows(
        "UPDATE products SET name = ?, price = ?, stock = ?, description = ?, enabled = ? WHERE id = ?",
        *(name, price, stock, visit.text("description"), int("enabled" in visit.form), found["id"]),
    )
    return Redirect(f"/products/{found['id']}", "product")


PRODUCT_NOTICES = {"product": "The product is saved."}
PRODUCT_ROUTES = (
    Route("/products", products),
    Route("/products/{id}", _product_page),
    Route("/products/{id}", change_product, "POST"),
)
