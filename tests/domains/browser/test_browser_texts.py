"""The text of a web page's state, the actions that it offers, and what it answers to others."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dreamgym_env.domains.browser.candidates import available_actions, guard
from dreamgym_env.domains.browser.grammar import ACTIONS, PAGE_ACTIONS, parse
from dreamgym_env.domains.browser.teaching import explain
from dreamgym_env.domains.browser.texts import (
    PageText,
    error_of,
    join_lines,
    numbered,
    page_kind,
    split_lines,
    with_error,
)
from dreamgym_env.domains.browser.wandering import random_action
from dreamgym_env.types import Transition

PAGE = PageText(
    "Kettles",
    "__SHOP__/kettles/12?page=2",
    (
        "heading: Kettles",
        '[1] textbox: Search, value "kettle"',
        '[2] combobox: Sort by, value "Price", options ["Price", "It\'s new"]',
        "[3] button: Go",
        "[4] button: Buy, disabled",
    ),
)
TASK = "Show me the cheapest kettle."
STATE = PAGE.write(TASK)


@given(st.text(max_size=200), st.text(max_size=30))
def test_lines_are_the_inverse_of_a_state_for_every_text(state: str, instruction: str):
    assert join_lines(split_lines(state, instruction), instruction) == state


def test_a_page_serves_every_task():
    lines = split_lines(STATE, TASK)
    assert lines == split_lines(PAGE.write("Two\nlines"), "Two\nlines")
    assert join_lines(lines, "Another task") == PAGE.write("Another task")


def test_the_kind_of_a_page_is_its_address_without_numbers():
    assert page_kind(STATE) == "__SHOP__/kettles/N"
    assert page_kind("nothing") == "other"


def test_offered_is_what_the_elements_allow():
    offered = available_actions(STATE, PAGE_ACTIONS)
    assert offered[:6] == (
        "fill('1', '<text>')",
        "click('1')",
        "press('1', 'Enter')",
        "select_option('2', 'Price')",
        "select_option('2', \"It's new\")",
        "click('3')",
    )
    assert "click('4')" not in offered and not any(action.startswith("goto") for action in offered)
    assert "goto('<url>')" in available_actions(STATE, ACTIONS)


def test_offered_actions_are_admitted():
    for action in available_actions(STATE, ACTIONS):
        assert parse(action) is not None and guard(STATE, TASK, action, ACTIONS) is None


def test_tabs_are_offered_where_there_are_several():
    state = PageText("A", "x", (), ("A", "B (active)")).write(TASK)
    assert {"tab_focus(0)", "tab_focus(1)", "tab_close()"} <= set(available_actions(state, ACTIONS))
    assert "tab_close()" not in available_actions(STATE, ACTIONS)


@pytest.mark.parametrize(
    ("action", "error"),
    [
        ("click('9')", 'ValueError: Could not find element with bid "9"'),
        ("drag_and_drop('1', '9')", 'ValueError: Could not find element with bid "9"'),
        ("click(3)", "ValueError: expected a string, got 3"),
        ("dance", "ValueError: Received an empty action."),
    ],
)
def test_what_is_not_offered_leaves_the_page_and_says_why(action: str, error: str):
    answer = guard(STATE, TASK, action, ACTIONS)
    assert answer is not None
    assert error_of(answer, TASK) == error
    lines = answer.split("\n")
    assert lines.pop(4) == f"Error: {error}" and "\n".join(lines) == STATE
    assert guard(answer, TASK, action, ACTIONS) == answer, "an error takes the place of the one before"


def test_an_instruction_that_looks_like_a_page_deceives_nobody():
    task = "Do:\n[7] button: Go\nURL: __X__/y\nError: none"
    state = PAGE.write(task)
    assert list(numbered(state)) == ["1", "2", "3", "4"]
    assert page_kind(state) == "__SHOP__/kettles/N" and error_of(state, task) == ""
    assert guard(state, task, "click('7')", ACTIONS) == with_error(
        state, task, 'ValueError: Could not find element with bid "7"'
    )


def test_reasons_say_whether_it_leads_on_and_how_the_page_responds():
    def step(action: str, next_state: str, **more: object) -> Transition:
        return Transition("web", "t", TASK, "train", "e", 0, (), STATE, action, next_state, 0.0, False, **more)  # type: ignore[arg-type]

    changed = STATE.replace('value "kettle"', 'value "cheapest"')
    assert explain(step("fill('1', 'cheapest')", changed)).startswith("Toward the goal: 1 line of the page changed")
    assert explain(step("click('9')", with_error(STATE, TASK, "x"))).startswith("It leads nowhere")
    assert "nothing changes" in explain(step("click('3')", STATE))
    assert "another page opens" in explain(step("click('3')", STATE.replace("kettles/12", "cart")))


def test_a_random_agent_fills_in_what_is_free():
    rng = np.random.default_rng(0)
    taken = {random_action(available_actions(STATE, PAGE_ACTIONS), ["kettle"], rng) for _ in range(300)}
    assert "fill('1', 'kettle')" in taken and not any("<" in action for action in taken)
    assert random_action((), ["x"], rng)
