"""Templates of tasks in the shop: what to find out, and what to look up."""

from __future__ import annotations

import sqlite3

from dreamgym_env.domains.draws import Draws
from dreamgym_env.domains.webarena.sites.content.catalogue import CATEGORIES, COMMON_BLAME, COMMON_PRAISE
from dreamgym_env.domains.webarena.sites.database import Database
from dreamgym_env.domains.webarena.tasks.oracle import Answer, Click, Select, Step
from dreamgym_env.domains.webarena.tasks.recipe import DONE, Draft, RecipeBook, dates, ends_at, money, says, search

__all__ = ["BOOK", "find_product", "pick_product"]

BOOK = RecipeBook("shop")


def pick_product(database: Database, draws: Draws, condition: str = "stock > 3") -> sqlite3.Row:
    """Return one of the products that meet a condition."""
    return draws.pick(database.rows(f"SELECT * FROM products WHERE {condition} ORDER BY id"))


def find_product(name: str) -> tuple[Step, ...]:
    """Return steps that lead to a product's page."""
    return search("Search products", name, name)


def _orders(database: Database, condition: str = "1") -> list[sqlite3.Row]:
    return database.rows(f"SELECT * FROM orders WHERE customer = 1 AND {condition} ORDER BY number")


def open_order(database: Database, number: int) -> tuple[Step, ...]:
    """Return steps that lead to one of the user's orders."""
    later = len(_orders(database, f"number > {number}"))
    more = tuple(Click("link", "Next page") for _ in range(later // 10))
    return (Click("link", "My orders"), *more, Click("link", f"Order {number}"))


@BOOK.add("train", "How much does the {{product}} cost in the shop?")
def price(database: Database, draws: Draws) -> Draft | None:
    """Read a price."""
    product = pick_product(database, draws)
    steps = (*find_product(product["name"]), Answer(f"It costs ${money(product['price'])}."))
    return Draft({"product": product["name"]}, says(money(product["price"])), steps)


@BOOK.add("test", "What is the {{attribute}} of the {{product}}, according to its page in the shop?")
def attribute(database: Database, draws: Draws) -> Draft | None:
    """Read one of a product's details."""
    product = pick_product(database, draws)
    name, _, value = draws.pick(product["details"].split("\n")).partition(": ")
    arguments = {"attribute": name.lower(), "product": product["name"]}
    return Draft(arguments, says(value), (*find_product(product["name"]), Answer(f"{name}: {value}")))


@BOOK.add("train", "How many reviews of the {{product}} give it {{stars}}?")
def count_stars(database: Database, draws: Draws) -> Draft | None:
    """Count the reviews of one number of stars."""
    product = pick_product(database, draws, "id IN (SELECT product FROM reviews GROUP BY product HAVING count(*) >= 4)")
    ratings = [
        row["rating"]
        for row in database.rows(
            "SELECT rating FROM reviews WHERE product = ? AND status = 'Approved' ORDER BY id", product["id"]
        )
    ]
    if len(ratings) < 3:
        return None
    rating = draws.pick(ratings)
    arguments = {"product": product["name"], "stars": "1 star" if rating == 1 else f"{rating} stars"}
    count = str(ratings.count(rating))
    return Draft(arguments, says(count), (*find_product(product["name"]), Answer(f"{count} of them.")))


@BOOK.add("test", "Who says in a review of the {{product}} that {{remark}}? Give all names.")
def reviewers(database: Database, draws: Draws) -> Draft | None:
    """Find the authors of reviews by what they say."""
    remarks = [*COMMON_PRAISE, *COMMON_BLAME, *(text for c in CATEGORIES for text in (*c.praise, *c.blame))]
    remark = draws.pick(remarks)
    rows = database.rows(
        "SELECT products.name, group_concat(author, '\n') AS authors, count(*) AS many FROM reviews "
        "JOIN products ON products.id = product WHERE status = 'Approved' AND instr(lower(body), ?) "
        "GROUP BY products.id HAVING many <= 3 ORDER BY many DESC, products.id",
        remark.lower(),
    )
    if not rows:
        return None
    found = draws.pick(rows[:6])
    authors = found["authors"].split("\n")
    arguments = {"product": found["name"], "remark": remark}
    return Draft(arguments, says(*authors), (*find_product(found["name"]), Answer(", ".join(authors))))


@BOOK.add("train", "Show me the {{extreme}} product of the {{department}} department.")
def extreme_product(database: Database, draws: Draws) -> Draft | None:
    """Open the product at one end of a department's prices."""
    department = draws.pick(database.rows("SELECT * FROM categories ORDER BY position"))
    extreme, sort = draws.pick((("cheapest", "Price, low to high"), ("most expensive", "Price, high to low")))
    order = "price" if extreme == "cheapest" else "price DESC"
    first, second = database.rows(
        f"SELECT * FROM products WHERE category = ? ORDER BY {order}, name LIMIT 2", department["slug"]
    )
    if first["price"] == second["price"]:
        return None
    steps = (
        Click("link", department["name"]),
        Select("combobox", "Sort by", sort),
        Click("button", "Sort"),
        Click("link", first["name"]),
        DONE,
    )
    arguments = {"extreme": extreme, "department": department["name"]}
    return Draft(arguments, ends_at(f"__SHOP__/product/{first['slug']}"), steps)


@BOOK.add("eval", 'Search the shop for "{{words}}" and show me the results, {{order}}.')
def sorted_results(database: Database, draws: Draws) -> Draft | None:
    """Open a list of results in some order."""
    words = draws.pick([kind.name.lower() for category in CATEGORIES for kind in category.kinds])
    order, sort, option = draws.pick(
        (
            ("the cheapest first", "price", "Price, low to high"),
            ("the most expensive first", "price-down", "Price, high to low"),
            ("the best rated first", "rating", "Rating"),
            ("the newest first", "newest", "Newest"),
        )
    )
    steps = (
        *search("Search products", words),
        Select("combobox", "Sort by", option),
        Click("button", "Sort"),
        DONE,
    )
    url = f"__SHOP__/search?q={words.replace(' ', '+')}&sort={sort}"
    return Draft({"words": words, "order": order}, ends_at(url), steps)


@BOOK.add("test", "How much did my orders of {{month}} cost me in all? Leave out cancelled ones.")
def spent_in_month(database: Database, draws: Draws) -> Draft | None:
    """Add up the totals of a month's orders."""
    months = sorted({row["placed"][:7] for row in _orders(database, "status <> 'Cancelled'")})
    month = draws.pick(months)
    total = sum(row["total"] for row in _orders(database, f"status <> 'Cancelled' AND placed LIKE '{month}%'"))
    pages = (len(_orders(database, f"placed > '{month}-31'"))) // 10
    steps = (Click("link", "My orders"), *(Click("link", "Next page") for _ in range(pages)))
    return Draft({"month": _month(month)}, says(money(total)), (*steps, Answer(f"${money(total)}")))


def _month(month: str) -> str:
    names = (
        "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
        "December",
    )  # fmt: skip
    return f"{names[int(month[5:]) - 1]} {month[:4]}"


@BOOK.add("train", "What is the {{detail}} of my order {{number}}?")
def order_detail(database: Database, draws: Draws) -> Draft | None:
    """Read something about an order."""
    order = draws.pick(_orders(database))
    detail, value = draws.pick(
        (
            ("status", order["status"]),
            ("total", money(order["total"])),
            ("shipping cost", money(order["shipping_cost"])),
            ("date", dates(order["placed"])),
        )
    )
    said = order["placed"] if detail == "date" else value
    steps = (*open_order(database, order["number"]), Answer(f"The {detail} is {said}."))
    return Draft({"detail": detail, "number": str(order["number"])}, says(value), steps)


@BOOK.add("eval", "When did I last order the {{product}}?")
def last_ordered(database: Database, draws: Draws) -> Draft | None:
    """Find the latest order with a product in it."""
    row = draws.pick(
        database.rows(
            "SELECT name, max(number) AS number FROM order_items JOIN orders ON number = order_number "
            "JOIN products ON id = product WHERE customer = 1 GROUP BY id ORDER BY id"
        )
    )
    placed = database.value("SELECT placed FROM orders WHERE number = ?", row["number"])
    steps = (*open_order(database, row["number"]), Answer(f"On {placed}."))
    return Draft({"product": row["name"]}, says(dates(placed)), steps)


@BOOK.add("train", "Which brand makes the {{product_kind}} with item number {{sku}}?")
def brand_of(database: Database, draws: Draws) -> Draft | None:
    """Search by item number."""
    product = pick_product(database, draws)
    kind = next(kind.name for c in CATEGORIES for kind in c.kinds if product["name"].endswith(kind.name))
    steps = (*search("Search products", product["sku"], product["name"]), Answer(product["brand"]))
    return Draft({"product_kind": kind.lower(), "sku": product["sku"]}, says(product["brand"]), steps)
