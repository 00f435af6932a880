"""What an agent types is read tolerantly, written in one way, and never breaks anything."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dreamgym_env.domains.alfworld.grammar import KINDS, ParsedAction, kind, parse, thing_class

NAMES = st.builds("{} {}".format, st.sampled_from(["apple", "cabinet", "tvstand"]), st.integers(1, 9999))
WITH_TWO = ("take", "move", "heat", "clean", "cool", "slice")
ACTIONS = st.one_of(
    st.builds(ParsedAction, st.sampled_from(["look", "inventory", "help"])),
    st.builds(lambda verb, place: ParsedAction(verb, place=place), st.sampled_from(["go", "open", "close"]), NAMES),
    st.builds(ParsedAction, st.sampled_from(["examine", "use"]), NAMES),
    st.builds(ParsedAction, st.sampled_from(WITH_TWO), NAMES, NAMES),
)


@pytest.mark.parametrize(
    ("typed", "canonical"),
    [
        ("look", "look"),
        (" INVENTORY\n", "inventory"),
        ("help", "help"),
        ("Go  To Cabinet 13", "go to cabinet 13"),
        ("open fridge 1", "open fridge 1"),
        ("close\tfridge 1", "close fridge 1"),
        ("take apple 2 from dining table 1", None),
        ("take apple 2 from diningtable 1", "take apple 2 from diningtable 1"),
        ("move apple 2 to fridge 1", "move apple 2 to fridge 1"),
        ("put apple 2 in/on fridge 1", "move apple 2 to fridge 1"),
        ("examine cabinet 1", "examine cabinet 1"),
        ("use desklamp 1", "use desklamp 1"),
        ("heat apple 1 with microwave 1", "heat apple 1 with microwave 1"),
        ("clean apple 1 with sinkbasin 1", "clean apple 1 with sinkbasin 1"),
        ("cool apple 1 with fridge 1", "cool apple 1 with fridge 1"),
        ("slice apple 1 with knife 1", "slice apple 1 with knife 1"),
    ],
)
def test_an_action_is_written_in_one_way(typed: str, canonical: str | None) -> None:
    parsed = parse(typed)
    assert (parsed.text if parsed else None) == canonical


@given(ACTIONS)
def test_an_action_is_read_from_its_own_text(action: ParsedAction) -> None:
    assert parse(action.text) == action
    assert parse(f"  {action.text.upper().replace(' ', '   ')} ") == action
    assert kind(action.text) == action.verb in KINDS


@pytest.mark.parametrize(
    "garbage",
    [
        "",
        "go",
        "go to",
        "go to cabinet",
        "go to cabinet 0",
        "go to cabinet 01",
        "go to cabinet 1 and look",
        "take apple 1",
        "put apple 1 on fridge 1 2",
        "look around",
        "loo\u212a",
        "ｌｏｏｋ",
        "go to cabinet ١",
        "go to cabinet\u00a01",
        "look\x00",
        "go to " + "cabinet" * 20_000 + " 1",
        " " * 100_000 + "look",
        "go to cabinet " + "1" * 100_000,
    ],
)
def test_garbage_is_no_action(garbage: str) -> None:
    assert parse(garbage) is None
    assert kind(garbage) == "invalid"


@given(st.text())
def test_any_text_is_an_action_or_none(text: str) -> None:
    parsed = parse(text)
    assert parsed is None or parse(parsed.text) == parsed


def test_a_thing_belongs_to_a_class() -> None:
    assert thing_class("cabinet 13") == "cabinet"
    assert thing_class("") == ""
