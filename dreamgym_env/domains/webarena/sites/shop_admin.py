"""The shop's back office: orders, customers, reviews and reports; products are in ``shop_admin_products``."""

from __future__ import annotations

import sqlite3
from typing import Any

from dreamgym_env.domains.webarena.sites.content.dates import TODAY
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
from dreamgym_env.domains.webarena.sites.shop_admin_products import PRODUCT_NOTICES, PRODUCT_ROUTES

__all__ = ["NOTICES", "ROUTES", "STATUSES"]

STATUSES = ("Pending", "Processing", "Shipped", "Delivered", "Cancelled")
_PAGE = 15
_HOME = ("Dashboard", "/")
_ORDERS = "SELECT orders.*, customers.name FROM orders JOIN customers ON customers.id = customer"
_REVIEWS = "SELECT reviews.*, products.name, products.slug FROM reviews JOIN products ON products.id = product"


def dashboard(visit: Visit) -> Answer:
    """Show what waits to be done."""
    values = {
        "pending_orders": visit.database.value("SELECT count(*) FROM orders WHERE status = 'Pending'"),
        "pending_reviews": visit.database.value("SELECT count(*) FROM reviews WHERE status = 'Pending'"),
        "sold_out": visit.database.value("SELECT count(*) FROM products WHERE stock = 0"),
        "rows": visit.database.rows(f"{_ORDERS} ORDER BY number DESC LIMIT 5"),
    }
    return Page("shop_admin/dashboard.html", "Dashboard", values)


def orders(visit: Visit) -> Answer:
    """List orders, the latest first, of one status or one customer where that is asked for."""
    status, words = visit.asked("status"), visit.asked("q")
    condition, given = matching(words, "customers.name", "orders.number")
    if status:
        condition, given = f"{condition} AND status = ?", [*given, status]
    rows = visit.database.rows(f"{_ORDERS} WHERE {condition} ORDER BY number DESC", *given)
    values = {**paginate(visit, rows, _PAGE), "status": status, "statuses": STATUSES, "words": words}
    return Page("shop_admin/orders.html", "Orders", values, [_HOME])


def _order(visit: Visit) -> sqlite3.Row:
    found = visit.database.row(
        "SELECT orders.*, name, email FROM orders JOIN customers ON customers.id = customer "
        "WHERE CAST(number AS TEXT) = ?",
        visit.names["number"],
    )
    if found is None:
        raise NotHereError("There is no such order.")
    return found


def order(visit: Visit) -> Answer:
    """Show an order."""
    found = _order(visit)
    items = visit.database.rows(
        "SELECT products.id, name, sku, quantity, order_items.price, quantity * order_items.price AS sum "
        "FROM order_items JOIN products ON id = product WHERE order_number = ? ORDER BY name",
        found["number"],
    )
    values = {"order": found, "items": items, "statuses": STATUSES}
    return Page("shop_admin/order.html", f"Order {found['number']}", values, [_HOME, ("Orders", "/orders")])


def change_order(visit: Visit) -> Answer:
    """Keep an order's status and the note on it."""
    found, status = _order(visit), visit.line("status")
    if status not in STATUSES:
        raise NotHereError("There is no such status.")
    visit.database.rows(
        "UPDATE orders SET status = ?, note = ? WHERE number = ?", status, visit.text("note"), found["number"]
    )
    return Redirect(f"/orders/{found['number']}", "order")


def customers(visit: Visit) -> Answer:
    """List customers by name, those in whose row every word stands."""
    words = visit.asked("q")
    condition, given = matching(words, "name", "email", "phone", "town")
    rows = visit.database.rows(
        "SELECT customers.*, (SELECT count(*) FROM orders WHERE customer = customers.id) AS orders FROM customers "
        f"WHERE {condition} ORDER BY name",
        *given,
    )
    values = {**paginate(visit, rows, _PAGE), "words": words}
    return Page("shop_admin/customers.html", "Customers", values, [_HOME])


def customer(visit: Visit) -> Answer:
    """Show a customer with all orders."""
    found = visit.database.row("SELECT * FROM customers WHERE CAST(id AS TEXT) = ?", visit.names["id"])
    if found is None:
        raise NotHereError("There is no such customer.")
    rows = visit.database.rows("SELECT * FROM orders WHERE customer = ? ORDER BY number DESC", found["id"])
    crumbs = [_HOME, ("Customers", "/customers")]
    return Page("shop_admin/customer.html", found["name"], {"customer": found, "rows": rows}, crumbs)


def reviews(visit: Visit) -> Answer:
    """List reviews, the latest first, of one status or with some words where that is asked for."""
    status, words = visit.asked("status"), visit.asked("q")
    condition, given = matching(words, "title", "body", "author", "products.name")
    if status:
        condition, given = f"{condition} AND status = ?", [*given, status]
    rows = visit.database.rows(f"{_REVIEWS} WHERE {condition} ORDER BY written DESC, reviews.id DESC", *given)
    values = {**paginate(visit, rows, _PAGE), "status": status, "words": words}
    return Page("shop_admin/reviews.html", "Reviews", values, [_HOME])


def _review(visit: Visit) -> sqlite3.Row:
    found = visit.database.row(f"{_REVIEWS} WHERE CAST(reviews.id AS TEXT) = ?", visit.names["id"])
    if found is None:
        raise NotHereError("There is no such review.")
    return found


def review(visit: Visit) -> Answer:
    """Show a review."""
    found = _review(visit)
    crumbs = [_HOME, ("Reviews", "/reviews")]
    return Page("shop_admin/review.html", f"Review {found['id']}: {found['title']}", {"review": found}, crumbs)


def approve_review(visit: Visit) -> Answer:
    """Let the shop show a review."""
    found = _review(visit)
    visit.database.rows("UPDATE reviews SET status = 'Approved' WHERE id = ?", found["id"])
    return Redirect(f"/reviews/{found['id']}", "approved")


def delete_review(visit: Visit) -> Answer:
    """Take a review away."""
    visit.database.rows("DELETE FROM reviews WHERE id = ?", _review(visit)["id"])
    return Redirect("/reviews", "deleted")


def reports(visit: Visit) -> Answer:
    """List the reports."""
    return Page("shop_admin/reports.html", "Reports", {}, [_HOME])


def sales(visit: Visit) -> Answer:
    """Show orders, items and revenue by month; cancelled orders count apart."""
    rows = visit.database.rows(
        "SELECT substr(placed, 1, 7) AS month, sum(status <> 'Cancelled') AS orders, "
        "sum(CASE WHEN status <> 'Cancelled' THEN items ELSE 0 END) AS items, "
        "sum(CASE WHEN status <> 'Cancelled' THEN total ELSE 0 END) AS revenue, "
        "sum(status = 'Cancelled') AS cancelled FROM (SELECT orders.*, (SELECT sum(quantity) FROM order_items "
        "WHERE order_number = number) AS items FROM orders) GROUP BY 1 ORDER BY 1 DESC"
    )
    return Page("shop_admin/sales.html", "Sales by month", {"rows": rows}, [_HOME, ("Reports", "/reports")])


def bestsellers(visit: Visit) -> Answer:
    """Show the ten products that sold most in a month; cancelled orders do not count."""
    months = [
        row["month"]
        for row in visit.database.rows("SELECT DISTINCT substr(placed, 1, 7) AS month FROM orders ORDER BY 1 DESC")
    ]
    month = visit.asked("month", TODAY[:7])
    rows = visit.database.rows(
        "SELECT name, sku, category, sum(quantity) AS sold, sum(quantity * order_items.price) AS revenue "
        "FROM order_items JOIN orders ON number = order_number JOIN products ON id = product "
        "WHERE status <> 'Cancelled' AND substr(placed, 1, 7) = ? GROUP BY id ORDER BY sold DESC, name LIMIT 10",
        month,
    )
    values: dict[str, Any] = {"rows": rows, "months": months, "month": month}
    return Page("shop_admin/bestsellers.html", "Bestsellers", values, [_HOME, ("Reports", "/reports")])


NOTICES = {
    **PRODUCT_NOTICES,
    "order": "The order is saved.",
    "approved": "The review is approved.",
    "deleted": "The review is deleted.",
}
ROUTES = (
    Route("/", dashboard),
    Route("/orders", orders),
    Route("/orders/{number}", order),
    Route("/orders/{number}", change_order, "POST"),
    Route("/customers", customers),
    Route("/customers/{id}", customer),
    Route("/reviews", reviews),
    Route("/reviews/{id}", review),
    Route("/reviews/{id}/approve", approve_review, "POST"),
    Route("/reviews/{id}/delete", delete_review, "POST"),
    Route("/reports", reports),
    Route("/reports/sales", sales),
    Route("/reports/bestsellers", bestsellers),
    *PRODUCT_ROUTES,
)
