"""An episode's texts and actions tell where the agent is, what it holds, and what is where in what condition."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dreamgym_env.domains.alfworld.tracker import NOTHING_HAPPENS, World, track
from dreamgym_env.types import Turn

START = (
    "You are in the middle of a room. Looking quickly around you, you see a cabinet 2, a cabinet 1, a countertop 1, "
    "a fridge 1, a microwave 1, a sidetable 1, and a sinkbasin 1.\n\nYour task is to: heat some apple and eat it."
)
AT_COUNTER = "You arrive at countertop 1. On the countertop 1, you see a apple 1, a knife 1, and a pan 12."
GOT_APPLE = "You pick up the apple 1 from the countertop 1."
AT_FRIDGE = "You arrive at fridge 1. The fridge 1 is closed."
FRIDGE_OPEN = "You open the fridge 1. The fridge 1 is open. In it, you see nothing."


def world_after(*steps: tuple[str, str], start: str = START) -> World:
    """Return the world after (action, answer) steps from a start text."""
    states = [start, *(answer for _, answer in steps)]
    history = [Turn(state, action) for state, (action, _) in zip(states, steps, strict=False)]
    return track(history, states[-1])


def test_the_first_text_names_the_receptacles() -> None:
    world = world_after()
    assert world.receptacles[:2] == ("cabinet 2", "cabinet 1")
    assert len(world.receptacles) == 7
    assert (world.place, world.holding, world.here()) == ("", "", ())


def test_going_somewhere_shows_what_is_there() -> None:
    world = world_after(("go to countertop 1", AT_COUNTER))
    assert world.here() == ("countertop 1",)
    assert world.objects_in("countertop 1") == {"apple 1", "knife 1", "pan 12"}


@pytest.mark.parametrize("arrival", ["", "You arrive at loc 12. ", "You arrive at countertop 1. "])
def test_the_older_arrival_texts_are_understood(arrival: str) -> None:
    world = world_after(("go to countertop 1", arrival + AT_COUNTER.partition(". ")[2]))
    assert world.place == "countertop 1"
    assert "apple 1" in world.objects_in("countertop 1")


def test_doors_are_followed() -> None:
    shut = world_after(("go to fridge 1", AT_FRIDGE))
    assert "fridge 1" in shut.closed
    assert not shut.accessible("fridge 1")
    opened = world_after(("go to fridge 1", AT_FRIDGE), ("open fridge 1", FRIDGE_OPEN))
    assert "fridge 1" in opened.opened
    assert opened.accessible("fridge 1")
    again = world_after(
        ("go to fridge 1", AT_FRIDGE), ("open fridge 1", FRIDGE_OPEN), ("close fridge 1", "You close the fridge 1.")
    )
    assert "fridge 1" in again.closed
    assert not again.opened


@pytest.mark.parametrize(
    ("action", "answer"),
    [
        ("move apple 1 to fridge 1", "You move the apple 1 to the fridge 1."),
        ("put apple 1 in/on fridge 1", "You put the apple 1 in/on the fridge 1."),
    ],
)
def test_an_object_taken_is_gone_and_stays_where_it_is_put(action: str, answer: str) -> None:
    taken = (("go to countertop 1", AT_COUNTER), ("take apple 1 from countertop 1", GOT_APPLE))
    assert world_after(*taken).holding == "apple 1"
    assert world_after(*taken).holders("apple 1") == ()
    put = world_after(*taken, ("go to fridge 1", AT_FRIDGE), ("open fridge 1", FRIDGE_OPEN), (action, answer))
    assert put.holding == ""
    assert put.holders("apple 1") == ("fridge 1",)


def test_an_object_in_two_receptacles_is_left_in_the_other() -> None:
    world = world_after(
        ("go to sidetable 1", "You arrive at sidetable 1. On the sidetable 1, you see a apple 1."),
        ("go to countertop 1", AT_COUNTER),
        ("take apple 1 from countertop 1", GOT_APPLE),
    )
    assert world.holding == "apple 1"
    assert world.holders("apple 1") == ("sidetable 1",)


def test_conditions_are_followed_and_heat_drives_out_cold() -> None:
    taken = (("go to countertop 1", AT_COUNTER), ("take apple 1 from countertop 1", GOT_APPLE))
    cooled = (
        *taken,
        ("go to fridge 1", AT_FRIDGE),
        ("cool apple 1 with fridge 1", "You cool the apple 1 using the fridge 1."),
        ("clean apple 1 with sinkbasin 1", "You clean the apple 1 using the sinkbasin 1."),
    )
    assert world_after(*cooled).cool == world_after(*cooled).clean == {"apple 1"}
    heated = world_after(*cooled, ("heat apple 1 with microwave 1", "You heat the apple 1 using the microwave 1."))
    assert (heated.hot, heated.cool, heated.clean) == ({"apple 1"}, set(), {"apple 1"})


def test_slicing_and_switching_on_are_remembered() -> None:
    world = world_after(
        ("slice apple 1 with knife 1", "You sliced the apple 1 with the knife 1."),
        ("use desklamp 1", "You turn on the desklamp 1."),
    )
    assert (world.sliced, world.lit) == ({"apple 1"}, {"desklamp 1"})


@pytest.mark.parametrize(
    ("words", "hot", "cool", "clean", "sliced"),
    [
        ("hot", True, False, False, False),
        ("cold", False, True, False, False),
        ("clean", False, False, True, False),
        ("hot and clean sliced", True, False, True, True),
        ("cool and clean", False, True, True, False),
        ("sliced", False, False, False, True),
    ],
)
def test_examining_tells_an_objects_condition(words: str, hot: bool, cool: bool, clean: bool, sliced: bool) -> None:
    world = world_after(("examine apple 1", f"This is a {words} apple 1."))
    conditions = (world.hot, world.cool, world.clean, world.sliced)
    assert tuple("apple 1" in objects for objects in conditions) == (hot, cool, clean, sliced)


def test_an_inventory_tells_what_is_in_hand() -> None:
    assert world_after(("inventory", "You are carrying: a pan 12.")).holding == "pan 12"
    assert world_after(("inventory", "You are not carrying anything.")).holding == ""


def test_looking_tells_what_stands_together_and_beside() -> None:
    looked = "You are facing the cabinet 2, and cabinet 1. Next to it, you see a apple 3."
    world = world_after(("go to cabinet 1", "You arrive at cabinet 1. The cabinet 1 is closed."), ("look", looked))
    assert world.here() == ("cabinet 2", "cabinet 1")
    assert world.floor["cabinet 1"] == {"apple 3"}
    away = world.after("go to countertop 1", AT_COUNTER)
    assert away.here() == ("countertop 1",)
    assert away.after("go to cabinet 2", "The cabinet 2 is closed.").here() == ("cabinet 2", "cabinet 1")


def test_where_one_cannot_go_one_is() -> None:
    at_cabinet = ("go to cabinet 1", "You arrive at cabinet 1. The cabinet 1 is closed.")
    assert world_after(at_cabinet, ("go to cabinet 2", NOTHING_HAPPENS)).here() == ("cabinet 2", "cabinet 1")
    assert world_after(at_cabinet, ("go to cabinet 9", NOTHING_HAPPENS)).here() == ("cabinet 1",)


def test_acting_on_another_receptacle_shows_that_it_is_here() -> None:
    at_cabinet = ("go to cabinet 1", "You arrive at cabinet 1. The cabinet 1 is closed.")
    examined = world_after(at_cabinet, ("examine cabinet 2", "The cabinet 2 is closed."))
    opened = world_after(
        at_cabinet, ("open cabinet 2", "You open the cabinet 2. The cabinet 2 is open. In it, you see nothing.")
    )
    assert examined.here() == opened.here() == ("cabinet 2", "cabinet 1")


def test_an_answer_that_says_otherwise_has_no_effect() -> None:
    world = world_after(("go to countertop 1", AT_COUNTER), ("take apple 1 from countertop 1", NOTHING_HAPPENS))
    assert world.holding == ""
    assert "apple 1" in world.objects_in("countertop 1")
    assert world.after("take apple 1 from countertop 1", "You pick up the knife 1 from the countertop 1.").holding == ""
    assert world.after("dance", "You pick up the apple 1 from the countertop 1.").holding == ""


def test_an_episode_of_any_length_is_followed_and_remembered() -> None:
    history = [Turn(AT_COUNTER, "look")] * 1500
    assert track(history, AT_COUNTER) is track(tuple(history), AT_COUNTER)


PIECES = st.sampled_from(
    [START, AT_COUNTER, GOT_APPLE, AT_FRIDGE, FRIDGE_OPEN, NOTHING_HAPPENS, "You are facing the ", "a cup 1", ". ", ""]
)
TEXTS = st.one_of(st.text(max_size=80), st.lists(PIECES, max_size=4).map("".join))
MOVES = st.one_of(
    st.sampled_from(
        ["look", "inventory", "go to fridge 1", "take apple 1 from countertop 1", "examine fridge 1", "use lamp 1"]
    ),
    st.text(max_size=30),
)


@given(st.lists(st.tuples(MOVES, TEXTS), max_size=8), TEXTS)
def test_any_texts_are_followed(steps: list[tuple[str, str]], start: str) -> None:
    world = world_after(*steps, start=start)
    assert not world.opened & world.closed
    assert set(world.here()) <= set(world.receptacles)
