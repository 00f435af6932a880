"""Named queries on the live database, for evaluators: a task file names one and gives its arguments."""

from __future__ import annotations

from collections.abc import Mapping

from dreamgym_env.domains.webarena.sites.database import Database

__all__ = ["QUERIES", "run_query"]

QUERIES: Mapping[str, str] = {
    "last_order_lines": (
        "SELECT quantity || ' x ' || name FROM order_items JOIN products ON id = product "
        "WHERE order_number = (SELECT max(number) FROM orders) ORDER BY name"
    ),
    "last_order": (
        "SELECT customers.name || ', ' || shipping || ', ' || orders.street || ', ' || orders.postcode || ' ' || "
        "orders.town FROM orders JOIN customers ON id = customer WHERE number = (SELECT max(number) FROM orders)"
    ),
    "cart_lines": "SELECT quantity || ' x ' || name FROM cart JOIN products ON id = product ORDER BY name",
    "wishes": "SELECT name FROM wishes JOIN products ON id = product ORDER BY name",
    "review_of": (
        "SELECT rating || ': ' || title || ': ' || body FROM reviews JOIN products ON products.id = product "
        "WHERE products.name = ? AND author = ?"
    ),
    "review_status": "SELECT status FROM reviews WHERE CAST(id AS TEXT) = ?",
    "product": "SELECT name || ', ' || price || ', ' || stock || ', ' || enabled FROM products WHERE sku = ?",
    "product_description": "SELECT description FROM products WHERE sku = ?",
    "order_status": "SELECT status FROM orders WHERE CAST(number AS TEXT) = ?",
    "order_note": "SELECT note FROM orders WHERE CAST(number AS TEXT) = ?",
    "account": (
        "SELECT email || ', ' || phone || ', ' || street || ', ' || postcode || ' ' || town FROM customers "
        "WHERE name = ?"
    ),
    "newsletter": "SELECT newsletter FROM customers WHERE name = ?",
    "posts_by": "SELECT board || ': ' || title || ': ' || body FROM posts WHERE author = ? ORDER BY id",
    "comments_on": (
        "SELECT comments.body FROM comments JOIN posts ON posts.id = post WHERE title = ? AND comments.author = ?"
    ),
}
"""Name -> SQL with a ``?`` for each argument, a text."""


def run_query(database: Database, name: str, *arguments: str) -> list[str]:
    """Return the first value of each row of a named query, as texts."""
    return [str(row[0]) for row in database.rows(QUERIES[name], *arguments)]
