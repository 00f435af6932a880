"""The shop: cart, checkout, orders, account."""

from __future__ import annotations

import sqlite3
from typing import Any

from dreamgym_env.domains.webarena.sites.content.dates import TODAY
from dreamgym_env.domains.webarena.sites.content.shop import FREE_SHIPPING_FROM, SHIPPING
from dreamgym_env.domains.webarena.sites.pages import Answer, NotHereError, Page, Redirect, Route, Visit, paginate

__all__ = ["ORDER_NOTICES", "ORDER_ROUTES"]

_USER = 1
"""The id of the customer who is logged in."""
_ADDRESS = ("street", "town", "postcode")


def _lines(visit: Visit) -> list[sqlite3.Row]:
    return visit.database.rows(
        "SELECT products.*, cart.quantity, cart.quantity * price AS sum FROM cart JOIN products ON id = product "
        "ORDER BY name"
    )


def _cart_page(visit: Visit, error: str = "") -> Page:
    lines = _lines(visit)
    values = {"lines": lines, "goods": sum(line["sum"] for line in lines)}
    return Page("shop/cart.html", "Cart", values, [("Home", "/")], error)


def change_cart(visit: Visit) -> Answer:
    """Take one product out, or set all quantities."""
    for line in _lines(visit):
        removed = visit.line("remove") == line["slug"]
        if visit.form.get("remove") and not removed:
            continue
        quantity = 0 if removed else visit.whole_number(f"quantity-{line['id']}")
        if quantity is None:
            return _cart_page(visit, "A quantity has to be a whole number.")
        if quantity > line["stock"]:
            return _cart_page(visit, f"There are only {line['stock']} of {line['name']} in stock.")
        visit.database.rows("UPDATE cart SET quantity = ? WHERE product = ?", quantity, line["id"])
    visit.database.rows("DELETE FROM cart WHERE quantity = 0")
    return Redirect("/cart", "updated")


def _checkout_page(visit: Visit, error: str = "") -> Page:
    lines, user = _lines(visit), _user(visit)
    values: dict[str, Any] = {
        "lines": lines,
        "goods": sum(line["sum"] for line in lines),
        "shipping": visit.line("shipping") or "Standard",
        "ways": list(SHIPPING),
        "costs": SHIPPING,
        "free_from": FREE_SHIPPING_FROM,
        "address": {name: visit.form.get(name, user[name]) for name in _ADDRESS},
    }
    return Page("shop/checkout.html", "Checkout", values, [("Home", "/"), ("Cart", "/cart")], error)


def place_order(visit: Visit) -> Answer:
    """Make an order of what is in the cart."""
    lines, way = _lines(visit), visit.line("shipping")
    address = [visit.line(name) for name in _ADDRESS]
    if not lines:
        return _checkout_page(visit, "The cart is empty.")
    if way not in SHIPPING or not all(address):
        return _checkout_page(visit, "An order needs street, town and postcode.")
    short = next((line for line in lines if line["quantity"] > line["stock"]), None)
    if short is not None:
        return _checkout_page(visit, f"There are only {short['stock']} of {short['name']} in stock.")
    goods = sum(line["sum"] for line in lines)
    cost = 0 if way == "Standard" and goods >= FREE_SHIPPING_FROM else SHIPPING[way]
    number = visit.database.value("SELECT max(number) + 1 FROM orders")
    visit.database.rows(
        "INSERT INTO orders VALUES (?, ?, ?, 'Pending', ?, ?, ?, ?, ?, ?, '')",
        *(number, _USER, TODAY, *address, way, cost, goods + cost),
    )
    for line in lines:
        visit.database.rows(
            "INSERT INTO order_items VALUES (?, ?, ?, ?)", number, line["id"], line["quantity"], line["price"]
        )
        visit.database.rows("UPDATE products SET stock = stock - ? WHERE id = ?", line["quantity"], line["id"])
    visit.database.rows("DELETE FROM cart")
    return Redirect(f"/orders/{number}", "placed")


def orders(visit: Visit) -> Answer:
    """List the user's orders, the latest first."""
    rows = visit.database.rows("SELECT * FROM orders WHERE customer = ? ORDER BY number DESC", _USER)
    return Page("shop/orders.html", "My orders", paginate(visit, rows, 10), [("Home", "/")])


def _order(visit: Visit) -> sqlite3.Row:
    found = visit.database.row(
        "SELECT * FROM orders WHERE CAST(number AS TEXT) = ? AND customer = ?", visit.names["number"], _USER
    )
    if found is None:
        raise NotHereError("You have no such order.")
    return found


def order(visit: Visit) -> Answer:
    """Show an order."""
    found = _order(visit)
    items = visit.database.rows(
        "SELECT products.name, slug, enabled, quantity, order_items.price, quantity * order_items.price AS sum "
        "FROM order_items JOIN products ON id = product WHERE order_number = ? ORDER BY products.name",
        found["number"],
    )
    values = {"order": found, "items": items}
    return Page("shop/order.html", f"Order {found['number']}", values, [("Home", "/"), ("My orders", "/orders")])


def cancel_order(visit: Visit) -> Answer:
    """Cancel an order that is still pending."""
    found = _order(visit)
    if found["status"] != "Pending":
        raise NotHereError("Only a pending order can be cancelled.")
    visit.database.rows("UPDATE orders SET status = 'Cancelled' WHERE number = ?", found["number"])
    visit.database.rows(
        "UPDATE products SET stock = stock + (SELECT sum(quantity) FROM order_items WHERE order_number = ? AND "
        "product = id) WHERE id IN (SELECT product FROM order_items WHERE order_number = ?)",
        *(found["number"], found["number"]),
    )
    return Redirect(f"/orders/{found['number']}", "cancelled")


def _user(visit: Visit) -> sqlite3.Row:
    return visit.database.rows("SELECT * FROM customers WHERE id = ?", _USER)[0]


def _account_page(visit: Visit, error: str = "") -> Page:
    user = _user(visit)
    sent = {name: visit.line(name) for name in ("email", "phone", *_ADDRESS)}
    values = sent | {"newsletter": "newsletter" in visit.form} if visit.form else dict(user)
    return Page("shop/account.html", "My account", {"name": user["name"], "fields": values}, [("Home", "/")], error)


def change_account(visit: Visit) -> Answer:
    """Keep a new address, e-mail or phone number."""
    sent = [visit.line(name) for name in ("email", "phone", *_ADDRESS)]
    if not all(sent):
        return _account_page(visit, "No field may be empty.")
    if "@" not in sent[0]:
        return _account_page(visit, "This is no e-mail address.")
    visit.database.rows(
        "UPDATE customers SET email = ?, phone = ?, street = ?, town = ?, postcode = ?, newsletter = ? WHERE id = ?",
        *(*sent, int("newsletter" in visit.form), _USER),
    )
    return Redirect("/account", "saved")


ORDER_NOTICES = {
    "added": "The product is in your cart.",
    "updated": "The cart is updated.",
    "placed": "Thank you for your order.",
    "cancelled": "The order is cancelled.",
    "saved": "Your account is saved.",
}
ORDER_ROUTES = (
    Route("/cart", _cart_page),
    Route("/cart", change_cart, "POST"),
    Route("/checkout", _checkout_page),
    Route("/checkout", place_order, "POST"),
    Route("/orders", orders),
    Route("/orders/{number}", order),
    Route("/orders/{number}/cancel", cancel_order, "POST"),
    Route("/account", _account_page),
    Route("/account", change_account, "POST"),
)
