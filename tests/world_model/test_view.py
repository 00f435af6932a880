"""Views: the pages that an answer may refer to, by names that mean the same page to prompt, parser and training."""

from __future__ import annotations

from dataclasses import replace

import pytest
from toy_domain import ToyHouse, record

from dreamgym_env.types import Memory, Query, Source, Turn
from dreamgym_env.world_model.codec import CODECS
from dreamgym_env.world_model.view import View, Viewer

HOUSE = ToyHouse()
TASK = "toyhouse/train/0"


def view(viewer: Viewer, actions: list[str], memories: list[Memory] | None = None) -> View:
    """The question that the last action asks."""
    step = record(TASK, actions)[-1]
    return viewer.view(Query(HOUSE.task(TASK), step.history, step.state, step.action), memories or [])


def rooms(seen: View) -> dict[str, str]:
    return {name: page[0].removeprefix("Room: ") for name, page in seen.pages.items()}


@pytest.mark.parametrize("newest_first", [True, False])
@pytest.mark.parametrize("returns_to", range(5))
def test_however_many_pages_were_seen_the_current_one_is_there(newest_first: bool, returns_to: int):
    viewer = Viewer(HOUSE, newest_first=newest_first, max_earlier=3)
    states = [f"Room: {number}" for number in range(5)]
    turns = tuple(Turn(state, "walk") for state in states)
    seen = viewer.view(Query(HOUSE.task(TASK), turns, states[returns_to], "look"), [])
    named = [page.segments for page in seen.earlier]
    assert len(named) == 3
    assert (seen.current in named) is not newest_first
    latest = [HOUSE.segment(states[number], "") for number in (4, 3) if number != returns_to]
    assert all(page in named for page in latest)


def test_the_latest_page_is_first_where_prompts_are_short():
    viewer = Viewer(HOUSE, newest_first=True)
    assert rooms(view(viewer, ["look"])) == {"C": "hall"}
    seen = view(viewer, ["go kitchen", "go hall", "go cellar", "look"])
    assert rooms(seen) == {"C": "cellar", "P1": "hall", "P2": "kitchen"}, "each page once, never the current one"


def test_a_page_keeps_its_number_where_prompts_grow():
    viewer = Viewer(HOUSE, newest_first=False)
    assert rooms(view(viewer, ["look"])) == {"C": "hall", "P1": "hall"}
    assert rooms(view(viewer, ["go kitchen", "look"])) == {"C": "kitchen", "P1": "hall", "P2": "kitchen"}
    seen = view(viewer, ["go kitchen", "go hall", "look"])
    assert rooms(seen) == {"C": "hall", "P1": "hall", "P2": "kitchen"}
    seen = view(viewer, ["go kitchen", "go hall", "go cellar", "look"])
    assert rooms(seen) == {"C": "cellar", "P1": "hall", "P2": "kitchen", "P3": "cellar"}


@pytest.mark.parametrize(("newest_first", "kept"), [(True, {"P1": "hall"}), (False, {"P3": "cellar"})])
def test_only_so_many_pages_are_named_the_latest_ones(newest_first: bool, kept: dict[str, str]):
    viewer = Viewer(HOUSE, newest_first=newest_first, max_earlier=1)
    seen = view(viewer, ["go kitchen", "go hall", "go cellar", "look"])
    assert rooms(seen) == {"C": "cellar", **kept}


def test_pages_hold_no_instruction():
    seen = view(Viewer(HOUSE, newest_first=True), ["go kitchen", "look"])
    assert all("{instruction}" in page and "Find the key" not in str(page) for page in seen.pages.values())


def test_memories_say_how_they_relate_to_the_question_the_closest_first():
    same = record("toyhouse/train/4", ["go kitchen"])[0]
    same_page = record("toyhouse/train/4", ["GO cellar"])[0]
    same_action = record("toyhouse/train/4", ["fly", "Go  Kitchen"])[1]
    neither = record("toyhouse/train/4", ["go cellar", "look"])[1]
    memories = [Memory(str(n), step, 0.5) for n, step in enumerate((neither, same_page, same_action, same))]
    related = view(Viewer(HOUSE, newest_first=True), ["go kitchen"], memories).memories
    assert [(memory.same_action, memory.same_page) for memory in related] == [
        (True, True), (True, False), (False, True), (False, False),
    ]  # fmt: skip
    assert [memory.name for memory in related] == ["M1", "M2", "M3", "M4"]
    rooms = [memory.outcome[0].removeprefix("Room: ") for memory in related]
    assert rooms == ["kitchen", "kitchen", "cellar", "cellar"]


def test_what_was_composed_for_the_question_serves_before_the_current_page():
    step = record(TASK, ["look"])[0]
    composed = Memory("composed", replace(step, source=Source.COMPOSED), 1.0)
    recorded = Memory("recorded", record("toyhouse/train/4", ["look"])[0], 1.0)
    viewer = Viewer(HOUSE, newest_first=True)
    seen = view(viewer, ["look"], [composed, recorded])
    assert seen.pages["M1"] == seen.pages["C"] == seen.pages["M2"]
    assert list(seen.pages) == ["M1", "C", "M2"]
    assert CODECS["edits"].encode(seen.current, seen.pages) == "M1"
