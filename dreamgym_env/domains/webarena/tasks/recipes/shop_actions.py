"""Templates of tasks in the shop: what to buy, write and change."""

from __future__ import annotations

from dreamgym_env.domains.draws import Draws
from dreamgym_env.domains.webarena.sites.content.names import USER_NAME
from dreamgym_env.domains.webarena.sites.content.region import STREETS, TOWNS
from dreamgym_env.domains.webarena.sites.content.shop import SHIPPING
from dreamgym_env.domains.webarena.sites.database import Database
from dreamgym_env.domains.webarena.tasks.oracle import Click, Fill, Select, Step
from dreamgym_env.domains.webarena.tasks.recipe import DONE, Draft, RecipeBook, shows, stored, target
from dreamgym_env.domains.webarena.tasks.recipes.phrases import REVIEWS
from dreamgym_env.domains.webarena.tasks.recipes.shop import find_product, open_order, pick_product

__all__ = ["BOOK"]

BOOK = RecipeBook("shop")
_CART = "SELECT products.*, quantity FROM cart JOIN products ON id = product ORDER BY name"


def _address(draws: Draws) -> dict[str, str]:
    town = draws.pick(TOWNS)
    return {"street": f"{draws.between(1, 98)} {draws.pick(STREETS)}", "postcode": town.postcode, "town": town.name}


def _fill_address(address: dict[str, str]) -> tuple[Step, ...]:
    return tuple(Fill("textbox", name.capitalize(), address[name]) for name in ("street", "town", "postcode"))


@BOOK.add("train", "Put {{quantity}} of the {{product}} into my cart.")
def add_to_cart(database: Database, draws: Draws) -> Draft | None:
    """Fill the cart."""
    product = pick_product(database, draws, "stock > 3 AND id NOT IN (SELECT product FROM cart)")
    quantity = str(draws.between(1, 3))
    steps = (
        *find_product(product["name"]),
        Fill("textbox", "Quantity", quantity),
        Click("button", "Add to cart"),
        DONE,
    )
    field = f'input[aria-label="Quantity of {product["name"]}"]'
    arguments = {"quantity": quantity, "product": product["name"]}
    return Draft(arguments, shows(target("__SHOP__/cart", field, exact=quantity)), steps)


@BOOK.add("test", "Change the quantity of the {{product}} in my cart to {{quantity}}.")
def change_quantity(database: Database, draws: Draws) -> Draft | None:
    """Change a line of the cart."""
    line = draws.pick(database.rows(_CART))
    quantity = str(draws.between(2, 3))
    if line["stock"] < int(quantity):
        return None
    name = f"Quantity of {line['name']}"
    steps = (
        Click("link", "Cart"),
        Fill("textbox", name, quantity),
        Click("button", "Update cart"),
        DONE,
    )
    goal = shows(target("__SHOP__/cart", f'input[aria-label="{name}"]', exact=quantity))
    return Draft({"product": line["name"], "quantity": quantity}, goal, steps)


@BOOK.add(
    "train",
    "Order what is in my cart with {{shipping}} shipping, and have it sent to {{street}} in {{postcode}} {{town}}.",
)
def order_cart(database: Database, draws: Draws) -> Draft | None:
    """Check out with another address."""
    address, shipping = _address(draws), draws.pick(list(SHIPPING))
    lines = "\n".join(f"{line['quantity']} x {line['name']}" for line in database.rows(_CART))
    steps = (
        Click("link", "Cart"),
        Click("link", "Go to checkout"),
        *_fill_address(address),
        Select("combobox", "Shipping", shipping),
        Click("button", "Place order"),
        DONE,
    )
    order = f"{USER_NAME}, {shipping}, {address['street']}, {address['postcode']} {address['town']}"
    goal = shows(stored("last_order", exact=order), stored("last_order_lines", exact=lines))
    return Draft({"shipping": shipping.lower(), **address}, goal, steps)


@BOOK.add(
    "test",
    "Take everything out of my cart and order {{quantity}} of the {{product}} instead, with {{shipping}} shipping to "
    "my usual address.",
)
def order_instead(database: Database, draws: Draws) -> Draft | None:
    """Empty the cart and order something else."""
    product = pick_product(database, draws, "stock > 3 AND id NOT IN (SELECT product FROM cart)")
    quantity, shipping = str(draws.between(1, 3)), draws.pick(list(SHIPPING))
    user = database.rows("SELECT * FROM customers WHERE id = 1")[0]
    steps = (
        Click("link", "Cart"),
        *(Click("button", f"Remove {line['name']}") for line in database.rows(_CART)),
        *find_product(product["name"]),
        Fill("textbox", "Quantity", quantity),
        Click("button", "Add to cart"),
        Click("link", "Go to checkout"),
        Select("combobox", "Shipping", shipping),
        Click("button", "Place order"),
        DONE,
    )
    goal = shows(
        stored("last_order", exact=f"{USER_NAME}, {shipping}, {user['street']}, {user['postcode']} {user['town']}"),
        stored("last_order_lines", exact=f"{quantity} x {product['name']}"),
    )
    arguments = {"quantity": quantity, "product": product["name"], "shipping": shipping.lower()}
    return Draft(arguments, goal, steps)


@BOOK.add("train", "Cancel my order {{number}}.")
def cancel_order(database: Database, draws: Draws) -> Draft | None:
    """Cancel an order that is pending."""
    rows = database.rows("SELECT number FROM orders WHERE customer = 1 AND status = 'Pending' ORDER BY number")
    number = draws.pick(rows)["number"]
    goal = shows(target(f"__SHOP__/orders/{number}", "#current-status", exact="Cancelled"))
    return Draft({"number": str(number)}, goal, (*open_order(database, number), Click("button", "Cancel order"), DONE))


@BOOK.add("train", "I have moved to {{street}} in {{postcode}} {{town}}. Put the new address into my account.")
def move(database: Database, draws: Draws) -> Draft | None:
    """Change the address of the account."""
    address = _address(draws)
    steps = (
        Click("link", "My account"),
        *_fill_address(address),
        Click("button", "Save account"),
        DONE,
    )
    goal = shows(*(target("__SHOP__/account", f"#{name}", exact=value) for name, value in address.items()))
    return Draft(address, goal, steps)


@BOOK.add("eval", "Change the {{field}} of my account to {{value}}.")
def change_contact(database: Database, draws: Draws) -> Draft | None:
    """Change e-mail or phone number."""
    number = draws.between(100, 999)
    field, label, identifier, value = draws.pick(
        (
            ("e-mail address", "E-mail", "#email", f"emma{number}@post.test"),
            ("phone number", "Phone", "#phone", f"0755 {number} 4{number}"),
        )
    )
    steps = (
        Click("link", "My account"),
        Fill("textbox", label, value),
        Click("button", "Save account"),
        DONE,
    )
    goal = shows(target("__SHOP__/account", identifier, exact=value))
    return Draft({"field": field, "value": value}, goal, steps)


@BOOK.add(
    "train", 'Write a review of the {{product}}: {{stars}} of 5 stars, the title "{{title}}", the text "{{text}}".'
)
def review(database: Database, draws: Draws) -> Draft | None:
    """Write a review."""
    product, (title, text), stars = pick_product(database, draws), draws.pick(REVIEWS), draws.between(1, 5)
    steps = (
        *find_product(product["name"]),
        Click("link", "Write a review"),
        Select("combobox", "Stars", "1 star" if stars == 1 else f"{stars} stars"),
        Fill("textbox", "Title", title),
        Fill("textbox", "Review", text),
        Click("button", "Send review"),
        DONE,
    )
    goal = shows(stored("review_of", product["name"], USER_NAME, exact=f"{stars}: {title}: {text}"))
    return Draft({"product": product["name"], "stars": str(stars), "title": title, "text": text}, goal, steps)


@BOOK.add("train", "Put the {{product}} on my wish list.")
def wish(database: Database, draws: Draws) -> Draft | None:
    """Add to the wish list."""
    product = pick_product(database, draws, "id NOT IN (SELECT product FROM wishes)")
    goal = shows(target("__SHOP__/wish-list", "#wishes a", product["name"]))
    steps = (*find_product(product["name"]), Click("button", "Add to wish list"), DONE)
    return Draft({"product": product["name"]}, goal, steps)


@BOOK.add("eval", "Take the {{product}} off my wish list.")
def remove_wish(database: Database, draws: Draws) -> Draft | None:
    """Remove from the wish list."""
    names = [
        row["name"] for row in database.rows("SELECT name FROM wishes JOIN products ON id = product ORDER BY name")
    ]
    name = draws.pick(names)
    goal = shows(stored("wishes", exact="\n".join(other for other in names if other != name)))
    return Draft({"product": name}, goal, (Click("link", "Wish list"), Click("button", f"Remove {name}"), DONE))


@BOOK.add("train", "Have the newsletter of the shop sent to me.")
def newsletter(database: Database, draws: Draws) -> Draft | None:
    """Tick a box."""
    steps = (
        Click("link", "My account"),
        Click("checkbox", "Send me the newsletter"),
        Click("button", "Save account"),
        DONE,
    )
    return Draft({}, shows(stored("newsletter", USER_NAME, exact="1")), steps)
