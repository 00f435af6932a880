"""What an episode's state admits is what the engine admits, as far as the texts have shown it."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from old_episodes import recorded_steps
from real_house import PlayedEpisode, load_games, real_episodes

from dreamgym_env.domains.alfworld.affordances import CONDITIONABLE, FIXED, KNIVES, SLICEABLE, accepts
from dreamgym_env.domains.alfworld.candidates import available_actions, guard
from dreamgym_env.domains.alfworld.known import world_of_facts
from dreamgym_env.domains.alfworld.tracker import NOTHING_HAPPENS, NOTHING_KNOWN, World
from dreamgym_env.types import Turn

START = (
    "You are in the middle of a room. Looking quickly around you, you see a cabinet 2, a cabinet 1, a countertop 1, "
    "a fridge 1, a microwave 1, and a sinkbasin 1.\n\nYour task is to: put a hot potato in fridge."
)
AT_COUNTER = (
    "You arrive at countertop 1. On the countertop 1, you see a desklamp 1, a knife 1, a potato 1, and a sink 1."
)
NOWHERE = ("look", "inventory", "help")


def offered(*steps: tuple[str, str]) -> set[str]:
    """Return what is admissible after (action, answer) steps, without the ways to go."""
    states = [START, *(answer for _, answer in steps)]
    history = [Turn(state, action) for state, (action, _) in zip(states, steps, strict=False)]
    actions = available_actions(history, states[-1])
    assert len(set(actions)) == len(actions)
    return {action for action in actions if not action.startswith("go to ") and action not in NOWHERE}


def taking(thing: str) -> tuple[tuple[str, str], tuple[str, str]]:
    """Return the steps that take a thing from the countertop."""
    return (
        ("go to countertop 1", AT_COUNTER),
        (f"take {thing} from countertop 1", f"You pick up the {thing} from the countertop 1."),
    )


def test_at_the_start_one_can_look_and_go() -> None:
    assert available_actions([], START)[:3] == NOWHERE
    assert "go to cabinet 2" in available_actions([], START)
    assert offered() == set()


def test_with_empty_hands_one_takes_what_can_be_taken() -> None:
    assert offered(("go to countertop 1", AT_COUNTER)) == {
        "examine countertop 1",
        "take knife 1 from countertop 1",
        "take potato 1 from countertop 1",
        "use desklamp 1",
    }
    turns = [Turn(START, "go to countertop 1")]
    assert "go to countertop 1" not in available_actions(turns, AT_COUNTER)


def test_what_is_in_hand_is_put_treated_or_used() -> None:
    assert offered(*taking("potato 1")) == {
        "examine countertop 1",
        "examine potato 1",
        "move potato 1 to countertop 1",
        "use desklamp 1",
    }
    at_sink = ("go to sinkbasin 1", "You arrive at sinkbasin 1. On the sinkbasin 1, you see nothing.")
    assert offered(*taking("potato 1"), at_sink) >= {"clean potato 1 with sinkbasin 1", "move potato 1 to sinkbasin 1"}
    assert "slice potato 1 with knife 1" in offered(*taking("knife 1"))


def test_heating_needs_no_open_door_but_putting_does() -> None:
    closed = offered(
        *taking("potato 1"), ("go to microwave 1", "You arrive at microwave 1. The microwave 1 is closed.")
    )
    assert closed >= {"heat potato 1 with microwave 1", "open microwave 1"}
    assert "move potato 1 to microwave 1" not in closed


def test_a_closed_receptacle_keeps_what_it_holds() -> None:
    steps = (
        ("go to fridge 1", "You arrive at fridge 1. The fridge 1 is closed."),
        ("open fridge 1", "You open the fridge 1. The fridge 1 is open. In it, you see a apple 1."),
    )
    assert offered(*steps) == {"examine fridge 1", "close fridge 1", "take apple 1 from fridge 1"}
    assert offered(*steps, ("close fridge 1", "You close the fridge 1.")) == {"examine fridge 1", "open fridge 1"}


def test_all_that_stands_together_is_within_reach() -> None:
    at_cabinet = ("go to cabinet 1", "You arrive at cabinet 1. The cabinet 1 is closed.")
    assert offered(at_cabinet) == {"examine cabinet 1", "open cabinet 1"}
    looked = ("look", "You are facing the cabinet 2, and cabinet 1. Next to it, you see nothing.")
    assert offered(at_cabinet, looked) >= {"examine cabinet 2", "open cabinet 2"}


@pytest.mark.parametrize(
    "action", ["", "dance", "go to countertop 1", "take apple 1 from countertop 1", "look " * 30_000]
)
def test_what_is_not_admissible_changes_nothing(action: str) -> None:
    assert guard([Turn(START, "go to countertop 1")], AT_COUNTER, action) == NOTHING_HAPPENS


@pytest.mark.parametrize("action", [" LOOK ", "take potato 1 from countertop 1", "go to fridge 1"])
def test_what_is_admissible_is_let_through(action: str) -> None:
    assert guard([Turn(START, "go to countertop 1")], AT_COUNTER, action) is None


@given(st.text(max_size=200), st.text(max_size=200), st.text(max_size=60))
def test_any_text_has_an_answer(before: str, state: str, action: str) -> None:
    assert guard([Turn(before, action)], state, action) in (None, NOTHING_HAPPENS)
    assert set(NOWHERE) <= set(available_actions([Turn(before, action)], state))


def compare(episodes: tuple[PlayedEpisode, ...], *, facts: bool) -> Counter[str]:
    """Count the engine's admissible commands that are offered, those that are missed, and what is offered besides."""
    counts: Counter[str] = Counter()
    for episode in episodes:
        start: World = world_of_facts(episode.task.facts) if facts else NOTHING_KNOWN
        for moment in episode.moments:
            if moment.won:
                continue
            ours = set(available_actions(moment.history, moment.state, start))
            counts["both"] += len(ours & moment.admissible)
            counts["missed"] += len(moment.admissible - ours)
            counts["besides"] += len(ours - moment.admissible)
    return counts


def test_candidates_are_the_engines_but_for_what_nobody_has_seen(real_data: Path) -> None:
    counts = compare(real_episodes(real_data), facts=False)
    assert counts["both"] > 2000
    assert counts["both"] >= 0.98 * (counts["both"] + counts["missed"])
    assert counts["both"] >= 0.98 * (counts["both"] + counts["besides"])


def test_with_the_facts_candidates_are_exactly_the_engines(real_data: Path) -> None:
    counts = compare(real_episodes(real_data), facts=True)
    assert counts["both"] > 2000
    assert counts["missed"] == counts["besides"] == 0


def test_the_engine_answers_what_the_guard_answers(real_data: Path) -> None:
    answers = 0
    for episode in real_episodes(real_data):
        start = world_of_facts(episode.task.facts)
        for moment, after in zip(episode.moments, episode.moments[1:], strict=False):
            action = after.history[-1].action
            refused = guard(moment.history, moment.state, action, start) == NOTHING_HAPPENS
            assert refused == (after.state == NOTHING_HAPPENS)
            answers += refused
    assert answers >= 3


def test_the_guard_refuses_what_recorded_agents_were_refused(real_data: Path) -> None:
    """Nothing that happened is refused, and 95 % of what was refused is; the rest goes to where one stands unawares."""
    counts = Counter(
        (guard(step.history, step.state, step.action) is not None, step.answer == NOTHING_HAPPENS)
        for step in recorded_steps(real_data)
    )
    assert counts[True, False] == 0
    assert counts[True, True] >= 0.95 * (counts[True, True] + counts[False, True])
    assert sum(counts.values()) > 5000


def test_the_affordances_are_those_of_the_real_houses(real_data: Path) -> None:
    for game in load_games(real_data)[::10]:
        start = game["pddl_problem"].partition("(:init")[2].partition("(:goal")[0]
        classes = dict(re.findall(r"\(objectType (\S+) (\w+)Type\)", start))
        receptacles = {kind.lower() for kind in re.findall(r"\(receptacleType \S+ (\w+)Type\)", start)}
        can = {
            predicate: {classes[name].lower() for name in re.findall(rf"\({predicate} (\S+)\)", start)}
            for predicate in ("pickupable", "heatable", "coolable", "cleanable", "sliceable")
        }
        present = {kind.lower() for kind in classes.values()}
        assert can["pickupable"] - {"footstool"} == present - FIXED - {"footstool"}
        assert can["heatable"] == present & CONDITIONABLE["heat"]
        assert can["coolable"] == present & CONDITIONABLE["cool"]
        assert can["cleanable"] == present & CONDITIONABLE["clean"]
        assert can["sliceable"] == present & SLICEABLE
        assert not KNIVES & FIXED
        held = {(a.lower(), b.lower()) for a, b in re.findall(r"\(canContain (\w+)Type (\w+)Type\)", start)}
        assert held == {(a, b) for a in receptacles for b in can["pickupable"] if accepts(a, b)}
