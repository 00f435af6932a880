"""Templates of tasks in the shop's back office."""

from __future__ import annotations

import sqlite3

from dreamgym_env.domains.draws import Draws
from dreamgym_env.domains.webarena.sites.content.region import TOWNS
from dreamgym_env.domains.webarena.sites.database import Database
from dreamgym_env.domains.webarena.sites.shop_admin import STATUSES
from dreamgym_env.domains.webarena.tasks.oracle import Answer, Click, Fill, Select, Step
from dreamgym_env.domains.webarena.tasks.recipe import (
    DONE,
    Draft,
    RecipeBook,
    dates,
    ends_at,
    money,
    says,
    shows,
    stored,
    target,
)
from dreamgym_env.domains.webarena.tasks.recipes.phrases import DESCRIPTIONS, ORDER_NOTES
from dreamgym_env.domains.webarena.tasks.recipes.shop import pick_product

__all__ = ["BOOK", "find_customer", "open_product"]

BOOK = RecipeBook("shop_admin")


def _filtered(link: str, label: str, words: str) -> tuple[Step, ...]:
    return (Click("link", link), Fill("textbox", label, words), Click("button", "Filter"))


def open_product(name: str) -> tuple[Step, ...]:
    """Return steps that lead to a product's form."""
    return (*_filtered("Products", "Name or item number", name), Click("link", name))


def open_order(number: int) -> tuple[Step, ...]:
    """Return steps that lead to an order."""
    steps = _filtered("Orders", "Order number or customer", str(number))
    return (*steps, Click("link", f"Order {number}"))


def find_customer(name: str) -> tuple[Step, ...]:
    """Return steps that lead to a customer's page."""
    return (*_filtered("Customers", "Name, e-mail, phone or town", name), Click("link", name))


def _months(database: Database) -> list[str]:
    return [row[0] for row in database.rows("SELECT DISTINCT substr(placed, 1, 7) FROM orders ORDER BY 1")]


def _customer(database: Database, draws: Draws) -> sqlite3.Row:
    return draws.pick(database.rows("SELECT * FROM customers WHERE id > 1 ORDER BY id"))


@BOOK.add("train", "Which {{number}} products sold most often in {{month}}? See the report on bestsellers.")
def bestsellers(database: Database, draws: Draws) -> Draft | None:
    """Read the first lines of a report."""
    month, count = draws.pick(_months(database)), draws.between(2, 4)
    rows = database.rows(
        "SELECT name, sum(quantity) AS sold FROM order_items JOIN orders ON number = order_number JOIN products ON "
        "id = product WHERE status <> 'Cancelled' AND substr(placed, 1, 7) = ? GROUP BY id ORDER BY sold DESC, name",
        month,
    )
    if len(rows) <= count or rows[count - 1]["sold"] == rows[count]["sold"]:
        return None
    names = [row["name"] for row in rows[:count]]
    steps = (
        Click("link", "Reports"),
        Click("link", "Bestsellers"),
        Select("combobox", "Month", month),
        Click("button", "Show"),
        Answer(", ".join(names)),
    )
    return Draft({"number": str(count), "month": month}, says(*names), steps)


@BOOK.add("train", "According to the sales report, {{figure}} in {{month}}?")
def sales_figure(database: Database, draws: Draws) -> Draft | None:
    """Read a figure of a report."""
    month = draws.pick(_months(database))
    orders = database.rows("SELECT * FROM orders WHERE substr(placed, 1, 7) = ?", month)
    kept = [order for order in orders if order["status"] != "Cancelled"]
    figure, value = draws.pick(
        (
            ("how many orders were cancelled", str(len(orders) - len(kept))),
            ("what was the revenue", money(sum(order["total"] for order in kept))),
            ("how many orders were not cancelled", str(len(kept))),
        )
    )
    steps = (Click("link", "Reports"), Click("link", "Sales by month"), Answer(value))
    return Draft({"figure": figure, "month": month}, says(value), steps)


@BOOK.add("train", "Look up the {{detail}} of our customer {{name}}.")
def customer_detail(database: Database, draws: Draws) -> Draft | None:
    """Read something about a customer."""
    customer = _customer(database, draws)
    detail, column = draws.pick((("e-mail address", "email"), ("phone number", "phone"), ("street", "street")))
    steps = (*find_customer(customer["name"]), Answer(customer[column]))
    return Draft({"detail": detail, "name": customer["name"]}, says(customer[column]), steps)


@BOOK.add("eval", "How many of our customers live in {{town}}?")
def customers_in_town(database: Database, draws: Draws) -> Draft | None:
    """Count customers."""
    town = draws.pick(TOWNS).name
    count = str(database.value("SELECT count(*) FROM customers WHERE town = ?", town))
    steps = (*_filtered("Customers", "Name, e-mail, phone or town", town), Answer(f"{count} customers."))
    return Draft({"town": town}, says(count), steps)


@BOOK.add("test", "How many orders has {{name}} placed with us, and when was the last of them?")
def orders_of_customer(database: Database, draws: Draws) -> Draft | None:
    """Count a customer's orders and date the last."""
    customer = _customer(database, draws)
    found = database.row("SELECT count(*), max(placed) FROM orders WHERE customer = ?", customer["id"])
    if found is None or found[0] < 2:
        return None
    count, last = str(found[0]), found[1]
    steps = (*find_customer(customer["name"]), Answer(f"{count} orders, the last of them on {last}."))
    return Draft({"name": customer["name"]}, says(count, dates(last)), steps)


@BOOK.add("train", "Who placed order {{number}}, and what was its total?")
def order_facts(database: Database, draws: Draws) -> Draft | None:
    """Read an order."""
    order = draws.pick(
        database.rows("SELECT orders.*, name FROM orders JOIN customers ON id = customer WHERE id > 1 ORDER BY number")
    )
    total = money(order["total"])
    steps = (*open_order(order["number"]), Answer(f"{order['name']}, ${total}"))
    return Draft({"number": str(order["number"])}, says(order["name"], total), steps)


@BOOK.add("test", "Which products of the {{department}} department are sold out? Give their names.")
def sold_out(database: Database, draws: Draws) -> Draft | None:
    """List products without stock."""
    department = draws.pick(database.rows("SELECT * FROM categories ORDER BY position"))
    rows = database.rows("SELECT name FROM products WHERE category = ? AND stock = 0 ORDER BY name", department["slug"])
    if not 1 <= len(rows) <= 4:
        return None
    names = [row["name"] for row in rows]
    steps = (
        Click("link", "Products"),
        Select("combobox", "Department", department["name"]),
        Select("combobox", "Sort by", "Stock, lowest first"),
        Click("button", "Filter"),
        Answer(", ".join(names)),
    )
    return Draft({"department": department["name"]}, says(*names), steps)


@BOOK.add("test", 'How many reviews in our back office contain the word "{{word}}"?')
def reviews_with_word(database: Database, draws: Draws) -> Draft | None:
    """Count what a filter finds."""
    word = draws.pick(("scratch", "flickers", "dimmer", "washes", "battery", "storm", "rules", "plastic", "bracket"))
    count = str(database.value("SELECT count(*) FROM reviews WHERE instr(lower(body), ?)", word))
    steps = (*_filtered("Reviews", "Words, author or product", word), Answer(count))
    return Draft({"word": word}, says(count), steps)


@BOOK.add("train", "Show me the list of all orders that are {{status}}.")
def orders_of_status(database: Database, draws: Draws) -> Draft | None:
    """Open a filtered list."""
    status = draws.pick(STATUSES)
    steps = (
        Click("link", "Orders"),
        Select("combobox", "Status", status),
        Click("button", "Filter"),
        DONE,
    )
    return Draft({"status": status.lower()}, ends_at(f"__SHOP_ADMIN__/orders?status={status}"), steps)


@BOOK.add("train", "Set the price of the {{product}} to {{price}} dollars.")
def change_price(database: Database, draws: Draws) -> Draft | None:
    """Change a price."""
    product, price = (
        pick_product(database, draws, "1"),
        f"{draws.between(8, 210)}.{draws.pick(('20', '40', '80', '99'))}",
    )
    steps = (
        *open_product(product["name"]),
        Fill("textbox", "Price in dollars", price),
        Click("button", "Save product"),
        DONE,
    )
    goal = shows(target(f"__SHOP_ADMIN__/products/{product['id']}", "#price", exact=price))
    return Draft({"product": product["name"], "price": price}, goal, steps)


@BOOK.add("test", "{{quantity}} more of the {{product}} have arrived. Add them to what is in stock.")
def restock(database: Database, draws: Draws) -> Draft | None:
    """Add to the stock."""
    product, quantity = pick_product(database, draws), draws.between(6, 60)
    stock = str(product["stock"] + quantity)
    steps = (
        *open_product(product["name"]),
        Fill("textbox", "Stock", stock),
        Click("button", "Save product"),
        DONE,
    )
    goal = shows(target(f"__SHOP_ADMIN__/products/{product['id']}", "#stock", exact=stock))
    return Draft({"quantity": str(quantity), "product": product["name"]}, goal, steps)


@BOOK.add("train", "Take the {{product}} off sale. Change nothing else about it.")
def disable(database: Database, draws: Draws) -> Draft | None:
    """Untick a box."""
    product = pick_product(database, draws, "1")
    steps = (
        *open_product(product["name"]),
        Click("checkbox", "Sold in the shop"),
        Click("button", "Save product"),
        DONE,
    )
    after = f"{product['name']}, {product['price']}, {product['stock']}, 0"
    return Draft({"product": product["name"]}, shows(stored("product", product["sku"], exact=after)), steps)


@BOOK.add("train", 'Replace the description of the {{product}} by "{{text}}"')
def describe(database: Database, draws: Draws) -> Draft | None:
    """Write a description."""
    product, text = pick_product(database, draws, "1"), draws.pick(DESCRIPTIONS)
    steps = (
        *open_product(product["name"]),
        Fill("textbox", "Description", text),
        Click("button", "Save product"),
        DONE,
    )
    goal = shows(target(f"__SHOP_ADMIN__/products/{product['id']}", "#description", exact=text))
    return Draft({"product": product["name"], "text": text}, goal, steps)


@BOOK.add("train", "Set order {{number}} to {{status}}.")
def change_status(database: Database, draws: Draws) -> Draft | None:
    """Change an order's status."""
    order = draws.pick(database.rows("SELECT * FROM orders WHERE customer > 1 ORDER BY number DESC LIMIT 60"))
    status = draws.pick([status for status in STATUSES if status != order["status"]])
    steps = (
        *open_order(order["number"]),
        Select("combobox", "Status", status),
        Click("button", "Save order"),
        DONE,
    )
    goal = shows(target(f"__SHOP_ADMIN__/orders/{order['number']}", "#current-status", exact=status))
    return Draft({"number": str(order["number"]), "status": status.lower()}, goal, steps)


@BOOK.add("eval", 'Leave the note "{{note}}" for the warehouse on the latest order of {{name}}.')
def order_note(database: Database, draws: Draws) -> Draft | None:
    """Write a note on a customer's last order."""
    customer, note = _customer(database, draws), draws.pick(ORDER_NOTES)
    number = database.value("SELECT max(number) FROM orders WHERE customer = ?", customer["id"])
    if number is None:
        return None
    steps = (
        *_filtered("Orders", "Order number or customer", customer["name"]),
        Click("link", f"Order {number}"),
        Fill("textbox", "Note for the warehouse", note),
        Click("button", "Save order"),
        DONE,
    )
    goal = shows(target(f"__SHOP_ADMIN__/orders/{number}", "#note", exact=note))
    return Draft({"note": note, "name": customer["name"]}, goal, steps)


def _review(database: Database, draws: Draws, condition: str) -> sqlite3.Row:
    return draws.pick(
        database.rows(
            "SELECT reviews.*, name FROM reviews JOIN products ON products.id = product "
            f"WHERE reviews.{condition} GROUP BY author, reviews.title HAVING count(*) = 1 ORDER BY reviews.id"
        )
    )


@BOOK.add("eval", "Approve the review that {{author}} has written of the {{product}}.")
def approve(database: Database, draws: Draws) -> Draft | None:
    """Approve a review."""
    found = _review(database, draws, "status = 'Pending'")
    steps = (
        *_filtered("Reviews", "Words, author or product", f"{found['author']} {found['name']}"),
        Click("link", f"Review {found['id']}: {found['title']}"),
        Click("button", "Approve review"),
        DONE,
    )
    goal = shows(target(f"__SHOP_ADMIN__/reviews/{found['id']}", "#current-status", exact="Approved"))
    return Draft({"author": found["author"], "product": found["name"]}, goal, steps)


@BOOK.add("train", 'Delete the review "{{title}}" that {{author}} has written of the {{product}}.')
def delete_review(database: Database, draws: Draws) -> Draft | None:
    """Delete a review."""
    found = _review(database, draws, "id > 0")
    steps = (
        *_filtered("Reviews", "Words, author or product", f"{found['author']} {found['title']}"),
        Click("link", f"Review {found['id']}: {found['title']}"),
        Click("button", "Delete review"),
        DONE,
    )
    arguments = {"title": found["title"], "author": found["author"], "product": found["name"]}
    return Draft(arguments, shows(stored("review_status", str(found["id"]), exact="")), steps)
