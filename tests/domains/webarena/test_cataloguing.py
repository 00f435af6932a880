"""The cataloguer looks at all that the bundled sites show before it changes anything."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("starlette", reason="needs the bundled sites: pip install 'dreamgym_env[webarena]'")

from dreamgym_env.domains.webarena.cataloguing import CataloguerAgent, LinkedPage, linked_pages
from dreamgym_env.domains.webarena.domain import WebArena
from dreamgym_env.domains.webarena.sites.database import Database
from dreamgym_env.types import Task

DOMAIN = WebArena()


def page(url: str, *lines: str) -> str:
    return "\n".join(["Task:", "Look.", "Page: A page", f"URL: {url}", *lines])


def test_links_lead_to_everything_that_there_is():
    urls = [page.url for page in linked_pages()]
    assert len(set(urls)) == len(urls)
    database = Database()
    for table, key, address in (
        ("products WHERE enabled = 1", "slug", "http://shop.test/product/{}"),
        ("products", "id", "http://shop-admin.test/products/{}"),
        ("orders", "number", "http://shop-admin.test/orders/{}"),
        ("customers", "id", "http://shop-admin.test/customers/{}"),
        ("posts", "id", "http://forum.test/post/{}"),
        ("boards", "slug", "http://forum.test/b/{}"),
        ("people", "username", "http://code.test/people/{}"),
        ("places", "slug", "http://map.test/place/{}"),
        ("articles", "slug", "http://map.test/wiki/{}"),
    ):
        there = {address.format(row[0]) for row in database.rows(f"SELECT {key} FROM {table}")}
        assert there and there <= set(urls)
    database.close()


def test_all_tasks_together_look_at_every_page():
    pages = [LinkedPage(f"http://shop.test/{number}", "", "", 0) for number in range(23)]
    ids = [f"webarena/train/{number}" for number in range(5)]
    agent, seen = CataloguerAgent(pages, ids), set()
    for task_id in ids:
        agent.begin(Task(task_id, "webarena", "Look.", ""), np.random.default_rng(0))
        while (action := agent.act(page("http://shop.test/"), ())).startswith("goto"):
            seen.add(action[6:-2])
        assert action == "send_msg_to_user('Done.')"
    assert seen == {page.url for page in pages}


def test_a_link_is_clicked_where_it_stands():
    agent = CataloguerAgent([LinkedPage("http://shop.test/b", "http://shop.test/a", "More", 1)], ["webarena/train/0"])
    listing = page("http://shop.test/a", "[1] link: More", "[2] link: Other", "[3] link: More")
    agent.begin(Task("webarena/train/0", "webarena", "Look.", ""), np.random.default_rng(0))
    assert agent.act(listing, ()) == "click('3')"


def test_forms_are_filled_in_once_the_pages_are_seen():
    agent = CataloguerAgent([LinkedPage("http://shop.test/a", "", "", 0)], ["webarena/train/0"])
    form = page("http://shop.test/a", "[1] textbox: Name", '[2] combobox: State, options ["Ohio"]', "[3] button: Send")
    sent = []
    for seed in range(8):
        agent.begin(Task("webarena/train/0", "webarena", "Look.", ""), np.random.default_rng(seed))
        actions = [agent.act(page("http://shop.test/"), ())]
        while not actions[-1].startswith("send_msg"):
            actions.append(agent.act(form, ()))
        assert actions[0] == "goto('http://shop.test/a')" and "click('3')" in actions
        sent += actions
    assert "select_option('2', 'Ohio')" in sent and any(action.startswith("fill('1', ") for action in sent)


def test_a_form_that_is_gone_is_no_trouble():
    agent = CataloguerAgent([LinkedPage("http://shop.test/a", "", "", 0)], ["webarena/train/0"])
    agent.begin(Task("webarena/train/0", "webarena", "Look.", ""), np.random.default_rng(0))
    shown = [page("http://shop.test/"), page("http://shop.test/a?sent", "[1] button: Send"), page("http://shop.test/a")]
    actions = [agent.act(state, ()) for state in shown]
    assert actions == ["goto('http://shop.test/a')"] * 2 + ["send_msg_to_user('Done.')"]
