"""The action grammar of the web domains is BrowserGym's: what it understands, and in which words it refuses."""

from __future__ import annotations

import importlib.util
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dreamgym_env.domains.browser.grammar import ACTIONS, PAGE_ACTIONS, ActionError, ParsedAction, kind, parse, read

TEXTS = st.text(st.characters(codec="utf-8"), max_size=40)
NUMBERS = st.integers(1, 999).map(str)


@st.composite
def actions(draw: st.DrawFn) -> ParsedAction:
    name = draw(st.sampled_from(["click", "fill", "select_option", "press", "scroll", "goto", "send_msg_to_user"]))
    arguments = {
        "click": st.tuples(NUMBERS),
        "fill": st.tuples(NUMBERS, TEXTS),
        "select_option": st.tuples(NUMBERS, TEXTS | st.lists(TEXTS, min_size=1, max_size=3)),
        "press": st.tuples(NUMBERS, TEXTS),
        "scroll": st.tuples(st.integers(-999, 999), st.integers(-999, 999)),
        "goto": st.tuples(TEXTS),
        "send_msg_to_user": st.tuples(TEXTS),
    }[name]
    return ParsedAction(name, draw(arguments))


@given(actions())
def test_a_canonical_text_is_read_as_what_it_was(action: ParsedAction):
    assert read(action.text) == action
    assert read(f"I will do this: {action.text}.") == action, "as BrowserGym, which skips what is around"


@given(st.text(max_size=80) | st.text("click(fil)'\"12,=[]{} \\\n", max_size=60))
def test_any_text_is_read_or_refused_and_what_is_read_is_canonical(text: str):
    action = parse(text)
    assert action is None or parse(action.text) == action
    assert (kind(text) == "invalid") == (action is None)


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("click('3')", "click('3')"),
        ('click ( "3" )', "click('3')"),
        ("click(bid='3', button='left')", "click('3')"),
        ("click('3', 'right')", "click('3', 'right')"),
        ("click('3', modifiers=['Shift'])", "click('3', 'left', ['Shift'])"),
        ("noop(1000)", "noop()"),
        ("scroll(0, 200.0)", "scroll(0, 200)"),
        ("fill('1', \"it's\")", "fill('1', \"it's\")"),
        ("fill('1', 'x', True)", "fill('1', 'x', True)"),
        ("select_option('1', ('a', 'b'))", "select_option('1', ['a', 'b'])"),
    ],
)
def test_spellings_of_one_action_have_one_text(text: str, canonical: str):
    action = parse(text)
    assert action is not None and action.text == canonical


REFUSED = {
    "": "ValueError: Received an empty action.",
    "dance": "ValueError: Received an empty action.",
    "click('3'": "ValueError: Received an empty action.",
    "click('3') click('4')": "ValueError: Received a multi-action, only single-actions are allowed.",
    "jump('3')": "NameError: Invalid action type 'jump'.",
    "upload_file('3', '/etc/passwd')": "NameError: Invalid action type 'upload_file'.",
    "click(int('3'))": "NameError: Invalid action type 'int'.",
    "click()": "TypeError: click() missing 1 required positional argument: 'bid'",
    "fill('3')": "TypeError: fill() missing 1 required positional argument: 'value'",
    "go_back('3')": "TypeError: go_back() takes 0 positional arguments but 1 was given",
    "click('3', speed=2)": "TypeError: click() got an unexpected keyword argument 'speed'",
}


@pytest.mark.parametrize("text", REFUSED)
def test_what_is_no_action_is_refused_in_browsergyms_words(text: str):
    with pytest.raises(ActionError) as caught:
        read(text)
    assert str(caught.value) == REFUSED[text]


@pytest.mark.skipif(importlib.util.find_spec("browsergym") is None, reason="needs browsergym: dreamgym_env[miniwob]")
@pytest.mark.parametrize(
    "text", [*REFUSED, "click('3')", "well, click('3') it is", "scroll(0,200)", "fill('1', '''a''')"]
)
def test_browsergym_says_the_same(text: str):
    """Its own action set, its own code and the interpreter's words, with a page that nothing is done to."""
    pytest.importorskip("playwright")
    from unittest.mock import MagicMock

    from browsergym.core.action.base import execute_python_code
    from browsergym.core.action.highlevel import HighLevelActionSet

    # all but what reads files
    own = HighLevelActionSet(["chat", "infeas", "bid", "nav", "tab"], multiaction=False)
    own.action_set.pop("upload_file")
    try:
        code = own.to_python_code(text)
        execute_python_code(code, MagicMock(), MagicMock(), MagicMock())
        said = ""
    except Exception as error:
        said = f"{type(error).__name__}: {error}"
    assert said == REFUSED.get(text, "")


@pytest.mark.parametrize("text", ["scroll(1e400, 0)", "noop(-1e400)", "fill('1', [1e400])", f"scroll(1{'0' * 400}, 0)"])
def test_a_number_that_is_too_large_is_none(text: str):
    """The browser's driver breaks down on infinity, and with it every episode in that browser."""
    assert parse(text) is None and parse("scroll(1e300, 0)") is not None


def test_actions_that_leave_the_page_can_be_left_out():
    assert set(PAGE_ACTIONS) < set(ACTIONS) and "goto" not in PAGE_ACTIONS
    with pytest.raises(ActionError, match="Invalid action type 'goto'"):
        read("goto('http://example.org')", PAGE_ACTIONS)


@pytest.mark.parametrize(
    "text", ["f(" * 2000, "(" * 4000, "click(" + "[" * 2000, "click('" + "\\'" * 2000, "a" * 4096 + "("]
)
def test_hostile_texts_are_refused_at_once(text: str):
    started = time.perf_counter()
    assert parse(text) is None
    assert time.perf_counter() - started < 1
