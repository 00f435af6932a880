"""The map of the shop: where actions lead, and what an episode has shown there."""

from __future__ import annotations

import pytest

from dreamgym_env.domains.webshop.domain import WebShop
from dreamgym_env.domains.webshop.trail import Place, follow, read_trail
from dreamgym_env.types import Query, Turn

RESULTS = Place("results", keywords="tea", number=2)
ITEM = Place("item", keywords="tea", number=2, asin="b000000001")
DESCRIPTION = Place("subpage", keywords="tea", number=2, asin="b000000001", sub_page="description")


@pytest.fixture(scope="module")
def domain() -> WebShop:
    return WebShop()


@pytest.mark.parametrize(
    ("place", "action", "expected"),
    [
        (None, "search[tea]", Place("results", keywords="tea")),
        (None, "click[back to search]", Place("index")),
        (None, "click[< prev]", None),
        (RESULTS, "click[next >]", Place("results", keywords="tea", number=3)),
        (RESULTS, "click[< prev]", Place("results", keywords="tea", number=1)),
        (RESULTS, "click[B000000001]", ITEM),
        (ITEM, "click[description]", DESCRIPTION),
        (ITEM, "click[b000000002]", ITEM),  # an option that looks like a code
        (ITEM, "click[< prev]", RESULTS),
        (ITEM, "click[buy now]", None),
        (DESCRIPTION, "click[< prev]", ITEM),
    ],
)
def test_each_action_leads_where_the_shop_leads(place: Place | None, action: str, expected: Place | None) -> None:
    assert follow(place, action) == expected


def test_a_dream_that_shows_another_page_than_expected_loses_the_way_until_a_search(domain: WebShop) -> None:
    task = domain.task("webshop/test/0")
    head = f"Instruction: [SEP] {task.instruction} [SEP] Back to Search"
    results = f"{head} [SEP] Page 1 (Total results: 1) [SEP] Next > [SEP] B000000001 [SEP] Tea [SEP] $1.0"
    history = (Turn(task.initial_state, "search[tea]"), Turn(results, "click[b000000001]"))
    lost = read_trail(domain, Query(task, history, results, "click[next >]"))  # a product's page was expected
    assert lost.place is None
    assert lost.shown(Place("results", keywords="tea")) == results
    found = read_trail(domain, Query(task, (*history, Turn(results, "search[tea]")), results, "click[next >]"))
    assert found.place == Place("results", keywords="tea")


def test_an_action_that_the_page_does_not_offer_leads_nowhere(domain: WebShop) -> None:
    task = domain.task("webshop/test/0")
    history = (Turn(task.initial_state, "click[back to search]"), Turn(task.initial_state, "look around"))
    assert read_trail(domain, Query(task, history, task.initial_state, "search[tea]")).place == Place("index")
