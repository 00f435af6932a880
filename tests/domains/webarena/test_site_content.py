"""What the bundled sites show is the same on every machine, and hangs together."""

from __future__ import annotations

import hashlib
from collections import Counter

import pytest

from dreamgym_env.domains.records import encode_records, read_records
from dreamgym_env.domains.webarena.sites.content.dates import TODAY
from dreamgym_env.domains.webarena.sites.content.region import journey
from dreamgym_env.domains.webarena.sites.content.shop import FREE_SHIPPING_FROM, SHIPPING
from dreamgym_env.domains.webarena.sites.database import Database, content_records
from dreamgym_env.domains.webarena.tasks.drawing import RECIPES, draw_records
from dreamgym_env.domains.webarena.tasks.shipped import SPLITS, TASKS_FILE

CONTENT_HASH = "c36b976d3af2c9b6f5f89b41c21a1d396033e889c2693468b982e0aa17e32ea6"


@pytest.fixture(scope="module")
def database() -> Database:
    return Database()


def test_the_content_is_the_one_that_tasks_and_experience_were_made_on():
    content = encode_records({"table": table, **row} for table, row in content_records())
    assert hashlib.sha256(content).hexdigest() == CONTENT_HASH


def test_the_shipped_tasks_are_those_that_are_drawn():
    assert list(draw_records()) == read_records(TASKS_FILE)


def test_what_is_shipped_is_small():
    assert TASKS_FILE.stat().st_size < 100_000


def test_there_are_enough_templates_and_none_is_in_two_splits():
    intents = [recipe.intent for recipe in RECIPES]
    assert len(intents) == len(set(intents)) >= 40
    counts = Counter(recipe.split for recipe in RECIPES)
    assert set(counts) == set(SPLITS) and min(counts.values()) >= 10
    for split in SPLITS:
        sites = {site for recipe in RECIPES if recipe.split == split for site in recipe.sites}
        assert sites == {"shop", "shop_admin", "forum", "code", "map"}
        assert any(len(recipe.sites) == 2 for recipe in RECIPES if recipe.split == split)
    records = read_records(TASKS_FILE)
    assert len({record["intent"] for record in records}) == len(records) >= 120
    assert not any("{{" in record["intent"] for record in records)


def test_totals_of_orders_add_up(database: Database):
    for order in database.rows("SELECT * FROM orders"):
        items = database.rows("SELECT quantity * price AS sum FROM order_items WHERE order_number = ?", order["number"])
        goods = sum(item["sum"] for item in items)
        free = order["shipping"] == "Standard" and goods >= FREE_SHIPPING_FROM
        assert items and order["shipping_cost"] == (0 if free else SHIPPING[order["shipping"]])
        assert order["total"] == goods + order["shipping_cost"]


def test_nobody_reviews_what_was_not_bought_before(database: Database):
    for review in database.rows("SELECT reviews.*, added FROM reviews JOIN products ON products.id = product"):
        bought = database.value(
            "SELECT min(placed) FROM orders JOIN order_items ON order_number = number JOIN customers ON customer = id "
            "WHERE name = ? AND product = ? AND status = 'Delivered'",
            *(review["author"], review["product"]),
        )
        assert review["added"] < bought < review["written"] < TODAY


def test_orders_are_in_the_order_of_their_dates(database: Database):
    placed = [row["placed"] for row in database.rows("SELECT placed FROM orders ORDER BY number")]
    assert placed == sorted(placed) and placed[-1] <= TODAY
    early = "SELECT count(*) FROM orders JOIN customers ON customer = id WHERE placed <= joined"
    assert database.value(early) == 0


@pytest.mark.parametrize(
    "wrong",
    [
        "comments JOIN posts ON posts.id = post WHERE comments.written < posts.written OR comments.written > '{today}'",
        "posts JOIN members ON handle = author WHERE posts.written <= joined",
        "notes JOIN issues USING (project, number) WHERE kind = 'issue' AND written < created",
        "notes JOIN merge_requests USING (project, number) WHERE kind = 'merge request' AND written < created",
        "notes WHERE written > '{today}'",
        "commits WHERE author NOT IN (SELECT username FROM memberships WHERE memberships.project = commits.project)",
        "issues WHERE assignee <> '' AND assignee NOT IN (SELECT username FROM memberships WHERE "
        "memberships.project = issues.project)",
        "issues JOIN projects ON path = project WHERE issues.created <= projects.created",
        "merge_requests WHERE author = reviewer",
        "issue_labels WHERE label NOT IN (SELECT name FROM labels WHERE labels.project = issue_labels.project)",
        "cart JOIN products ON id = product WHERE quantity > stock",
        "places WHERE kind <> 'town' AND (street = '' OR hours = '')",
    ],
)
def test_nothing_contradicts_anything(database: Database, wrong: str):
    assert database.value(f"SELECT count(*) FROM {wrong.format(today=TODAY)}") == 0


@pytest.mark.parametrize(
    ("table", "column"),
    [("products", "name"), ("places", "name"), ("posts", "title"), ("articles", "title"), ("customers", "name")],
)
def test_a_name_means_one_thing(database: Database, table: str, column: str):
    assert database.value(f"SELECT count(*) - count(DISTINCT {column}) FROM {table}") == 0


def test_a_journey_is_the_same_both_ways_and_slower_on_foot():
    ways = {way: journey((1, 2), (30, 40), way) for way in ("car", "bicycle", "foot")}
    assert ways["car"][1] < ways["bicycle"][1] < ways["foot"][1]
    assert all(journey((30, 40), (1, 2), way) == found for way, found in ways.items())
    assert journey((1, 2), (1, 2), "foot") == (0.1, 1)


class TestDatabase:
    def test_what_fails_in_a_transaction_is_undone(self, database: Database):
        with pytest.raises(RuntimeError), database.transaction():
            database.rows("DELETE FROM cart")
            raise RuntimeError
        assert database.value("SELECT count(*) FROM cart") == 2

    def test_states_are_apart(self, database: Database):
        other = Database()
        other.rows("DELETE FROM cart")
        assert database.value("SELECT count(*) FROM cart") == 2
        other.reset()
        assert other.value("SELECT count(*) FROM cart") == 2
        other.close()
