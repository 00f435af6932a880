"""Promises of candidates: free arguments become phrases of the instruction, and what was done is found among them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dreamgym_env.domains import load_domain
from dreamgym_env.policies.candidates import find_candidate, list_candidates, phrases, words

INSTRUCTION = 'I need a red trail running shoe, in size 9, and type "hello there", price lower than 60.00 dollars.'


def test_phrases_are_what_an_instruction_gives_to_type():
    found = phrases(INSTRUCTION)
    assert found[0] == "hello there"
    assert "red trail running shoe" in found
    assert any("red trail running shoe 9" in phrase for phrase in found)


def test_free_arguments_are_filled_in_and_addresses_are_left_out():
    offered = ("search[<keywords>]", "click[buy now]", "fill('7', '<text>')", "goto('<url>')")
    candidates = list_candidates(INSTRUCTION, offered, 100)
    actions = [candidate.action for candidate in candidates]
    assert "search[red trail running shoe]" in actions and "fill('7', 'hello there')" in actions
    assert "click[buy now]" in actions
    assert not any("<" in action or action.startswith("goto") for action in actions)
    assert len(list_candidates(INSTRUCTION, offered, 3)) == 3


@pytest.mark.parametrize(
    ("name", "offered", "action", "found"),
    [
        ("webshop", ("search[<keywords>]",), "search[red running shoe]", "search[red trail running shoe]"),
        ("webshop", ("click[buy now]", "click[< prev]"), "click[Buy Now]", "click[buy now]"),
        ("webshop", ("search[<keywords>]",), "search[cheese]", None),
        ("webshop", ("search[<keywords>]",), "dance", None),
        (
            "miniwob",
            ("fill('7', '<text>')", "fill('8', '<text>')"),
            "fill('8', 'hello there')",
            "fill('8', 'hello there')",
        ),
    ],
)
def test_what_was_done_is_found_or_nothing_is(name, offered, action, found):
    candidates = list_candidates(INSTRUCTION, offered, 100)
    at = find_candidate(action, candidates, load_domain(name).parse_action)
    assert (None if at is None else candidates[at].action) == found


@given(st.text(max_size=200), st.lists(st.text(max_size=40), max_size=8))
def test_any_text_gives_candidates(instruction, offered):
    candidates = list_candidates(instruction, [*offered, "fill('1', '<text>')", "search[<keywords>]"], 50)
    assert {candidate.action for candidate in candidates} >= {action for action in offered if "<" not in action}
    assert all(phrases(instruction))
    words(instruction)


@given(st.text(min_size=1, max_size=60))
def test_a_filled_field_is_an_action_whatever_the_phrase(quoted):
    parse = load_domain("miniwob").parse_action
    for candidate in list_candidates(f'Enter "{quoted}" here.', ("fill('1', '<text>')",), 50):
        assert parse(candidate.action) is not None
