"""Templates of tasks over two sites."""

from __future__ import annotations

from dreamgym_env.domains.draws import Draws
from dreamgym_env.domains.webarena.sites.content.region import TOWNS
from dreamgym_env.domains.webarena.sites.database import Database
from dreamgym_env.domains.webarena.sites.directory import SITES
from dreamgym_env.domains.webarena.tasks.oracle import Answer, Click, Fill, Step
from dreamgym_env.domains.webarena.tasks.recipe import DONE, Draft, RecipeBook, money, says, search, shows, target
from dreamgym_env.domains.webarena.tasks.recipes import code, forum, shop, shop_admin
from dreamgym_env.domains.webarena.tasks.recipes.region import directions, pick_place, travel

__all__ = ["BOOK"]

BOOK = RecipeBook()


def _go(site: str) -> tuple[Step, ...]:
    """Return steps that lead from any page to the first page of another site."""
    return (Click("link", "All sites"), Click("link", SITES[site].title, nth=0))


@BOOK.add(
    "train",
    'Publish a post in the board Deals of the forum with the title "{{product}}" and, as its text, what that product '
    "costs in the shop, written like 12.50.",
    "shop",
    "forum",
)
def post_price(database: Database, draws: Draws) -> Draft | None:
    """Read a price in the shop and post it in the forum."""
    product = shop.pick_product(database, draws)
    price = money(product["price"])
    goal = shows(forum.own_posts(database, f"deals: {product['name']}: {price}"))
    steps = (
        *shop.find_product(product["name"]),
        *_go("forum"),
        *forum.write_post("Deals", product["name"], price),
        DONE,
    )
    return Draft({"product": product["name"]}, goal, steps)


@BOOK.add(
    "train",
    "How many kilometres is it by car from {{start}} to the town where our customer {{name}} lives?",
    "shop_admin",
    "map",
)
def way_to_customer(database: Database, draws: Draws) -> Draft | None:
    """Read a town in the back office and ask the map for the way."""
    customer = draws.pick(database.rows("SELECT * FROM customers WHERE id > 1 ORDER BY id"))
    start = pick_place(database, draws, "kind = 'station'")
    kilometres = str(travel(start, pick_place(database, draws, f"name = '{customer['town']}'"), "car")[0])
    steps = (
        *shop_admin.find_customer(customer["name"]),
        *_go("map"),
        *directions(start["name"], customer["town"], "car"),
        Answer(f"{kilometres} km"),
    )
    return Draft({"start": start["name"], "name": customer["name"]}, says(kilometres), steps)


@BOOK.add(
    "test",
    "Open an issue in {{project}} on the code host. Its title is that of the newest post in the board {{board}} of the "
    'forum, and its description "{{text}}"',
    "forum",
    "code",
)
def issue_from_post(database: Database, draws: Draws) -> Draft | None:
    """Read a title in the forum and open an issue with it."""
    board = draws.pick(database.rows("SELECT * FROM boards ORDER BY slug"))
    title = database.value("SELECT title FROM posts WHERE board = ? ORDER BY written DESC, id DESC", board["slug"])
    path, text = code.pick_project(database, draws, code.OWN), "See the forum."
    number = database.value("SELECT max(number) + 1 FROM issues WHERE project = ?", path)
    url = f"__CODE__/{path}/issues/{number}"
    steps = (Click("link", board["name"]), *_go("code"), *code.write_issue(path, title, text), DONE)
    goal = shows(target(url, "h1", exact=f"#{number} {title}"), target(url, "main", text))
    return Draft({"project": path, "board": board["name"], "text": text}, goal, steps)


@BOOK.add(
    "test",
    "Look up in my order {{number}} which product I have bought, and tell me how many of it are in stock according to "
    "the back office.",
    "shop",
    "shop_admin",
)
def stock_of_ordered(database: Database, draws: Draws) -> Draft | None:
    """Read a product's name in an order and its stock in the back office."""
    row = draws.pick(
        database.rows(
            "SELECT number, products.* FROM orders JOIN order_items ON order_number = number JOIN products ON "
            "products.id = product WHERE customer = 1 GROUP BY number HAVING count(*) = 1 ORDER BY number"
        )
    )
    steps = (
        *shop.open_order(database, row["number"]),
        *_go("shop_admin"),
        *shop_admin.open_product(row["name"]),
        Answer(f"{row['stock']} of the {row['name']}."),
    )
    return Draft({"number": str(row["number"])}, says(str(row["stock"])), steps)


@BOOK.add(
    "train",
    "Nothing is left of the {{product}}. Set its stock to {{stock}} in the back office, then put one into my cart in "
    "the shop.",
    "shop_admin",
    "shop",
)
def restock_and_buy(database: Database, draws: Draws) -> Draft | None:
    """Change the back office so that the shop sells."""
    product, stock = shop.pick_product(database, draws, "stock = 0"), str(draws.between(4, 40))
    steps = (
        *shop_admin.open_product(product["name"]),
        Fill("textbox", "Stock", stock),
        Click("button", "Save product"),
        *_go("shop"),
        *shop.find_product(product["name"]),
        Click("button", "Add to cart"),
        DONE,
    )
    goal = shows(
        target(f"__SHOP_ADMIN__/products/{product['id']}", "#stock", exact=stock),
        target("__SHOP__/cart", f'input[aria-label="Quantity of {product["name"]}"]', exact="1"),
    )
    return Draft({"product": product["name"], "stock": stock}, goal, steps)


@BOOK.add(
    "eval",
    'Publish a post in the board Travel of the forum with the title "Tip: {{place}}" and, as its text, the street of '
    "that place as the map shows it, with the number of the house.",
    "map",
    "forum",
)
def post_address(database: Database, draws: Draws) -> Draft | None:
    """Read an address on the map and post it in the forum."""
    place = pick_place(database, draws, "kind IN ('museum', 'cafe', 'theatre')")
    title = f"Tip: {place['name']}"
    steps = (
        *search("Search places", place["name"], place["name"]),
        *_go("forum"),
        *forum.write_post("Travel", title, place["street"]),
        DONE,
    )
    goal = shows(forum.own_posts(database, f"travel: {title}: {place['street']}"))
    return Draft({"place": place["name"]}, goal, steps)


@BOOK.add(
    "test",
    'Comment on the post "{{title}}" in the forum with the distance by bicycle from Castlebridge to {{town}}, written '
    "like 12.3 km.",
    "map",
    "forum",
)
def comment_distance(database: Database, draws: Draws) -> Draft | None:
    """Read a distance on the map and comment with it."""
    town = draws.pick([town.name for town in TOWNS if town.name != "Castlebridge"])
    post = draws.pick(
        database.rows("SELECT * FROM posts WHERE board = 'cycling' AND author <> ? ORDER BY id", forum.USER)
    )
    start, end = (pick_place(database, draws, f"name = '{name}'") for name in ("Castlebridge", town))
    text = f"{travel(start, end, 'bicycle')[0]} km"
    steps = (
        *directions("Castlebridge", town, "bicycle"),
        *_go("forum"),
        *forum.open_post(post["title"]),
        Fill("textbox", "Your comment", text),
        Click("button", "Add comment"),
        DONE,
    )
    return Draft(
        {"title": post["title"], "town": town}, shows(target(f"__FORUM__/post/{post['id']}", "#comments", text)), steps
    )


@BOOK.add(
    "train",
    "On the code host, comment on the newest open issue of {{project}} with the name of the mayor of {{town}}; the "
    "encyclopedia on the map knows it.",
    "map",
    "code",
)
def comment_mayor(database: Database, draws: Draws) -> Draft | None:
    """Read a name in the encyclopedia and comment with it."""
    town = draws.pick(TOWNS).name
    facts = database.value("SELECT facts FROM articles WHERE title = ?", town)
    mayor = next(line for line in facts.split("\n") if line.startswith("Mayor: ")).removeprefix("Mayor: ")
    path = code.pick_project(database, draws)
    issue = database.rows("SELECT * FROM issues WHERE project = ? AND state = 'Open' ORDER BY number DESC", path)[0]
    steps = (
        Click("link", town),
        Click("link", f"Article about {town}"),
        *_go("code"),
        *code.open_project(path, "Issues", f"#{issue['number']} {issue['title']}"),
        Fill("textbox", "Your comment", mayor),
        Click("button", "Add comment"),
        DONE,
    )
    goal = shows(target(f"__CODE__/{path}/issues/{issue['number']}", "#notes", mayor))
    return Draft({"project": path, "town": town}, goal, steps)
