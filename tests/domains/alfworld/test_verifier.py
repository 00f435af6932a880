"""Success is judged by the task's goal, from the episode's own events, as the engine judges it."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from old_episodes import recorded_steps
from real_house import real_episodes

from dreamgym_env.domains.alfworld.verifier import GOAL_TYPES, ALFWorldVerifier, goal_of
from dreamgym_env.errors import ResetOptionError
from dreamgym_env.types import Task, Turn, Verdict, Verifier

START = "You are in the middle of a room. Looking quickly around you, you see a desk 2, a desk 1, and a fridge 1."
DONE = Verdict(True, True, 1.0)
GOES_ON = Verdict(False, False, 0.0)
TREATED = {"heat": "pick_heat", "cool": "pick_cool", "clean": "pick_clean"}


def verdicts(goal: dict[str, Any], *steps: tuple[str, str], facts: dict[str, Any] | None = None) -> list[Verdict]:
    """Return the verdict after each (action, answer) step."""
    task = Task("alfworld/test/0", "alfworld", "", START, goal=goal, facts=facts or {})
    verifier, history, state, said = ALFWorldVerifier(), [], START, []
    verifier.check(task)
    for action, answer in steps:
        said.append(verifier.verify(task, history, state, action, answer))
        history.append(Turn(state, action))
        state = answer
    return said


def go(place: str, holding: str = "nothing") -> tuple[str, str]:
    return f"go to {place}", f"You arrive at {place}. On the {place}, you see {holding}."


def take(thing: str, place: str) -> tuple[str, str]:
    return f"take {thing} from {place}", f"You pick up the {thing} from the {place}."


def move(thing: str, place: str) -> tuple[str, str]:
    return f"move {thing} to {place}", f"You move the {thing} to the {place}."


def treat(verb: str, thing: str, place: str) -> tuple[str, str]:
    return f"{verb} {thing} with {place}", f"You {verb} the {thing} using the {place}."


def test_it_is_a_verifier() -> None:
    assert isinstance(ALFWorldVerifier(), Verifier)


def test_placing_ends_the_episode() -> None:
    goal = {"type": "pick_and_place_simple", "object": "Pen", "receptacle": "Desk"}
    pen = (go("fridge 1", "a pen 1, and a pencil 1"), take("pen 1", "fridge 1"))
    assert verdicts(goal, *pen, go("desk 1"), move("pen 1", "desk 1")) == [GOES_ON] * 3 + [DONE]
    assert verdicts(goal, *pen, move("pen 1", "fridge 1"))[-1] == GOES_ON
    other = (go("fridge 1", "a pencil 1"), take("pencil 1", "fridge 1"), go("desk 1"), move("pencil 1", "desk 1"))
    assert DONE not in verdicts(goal, *other)
    refused = ("move pen 1 to desk 1", "Nothing happens.")
    assert verdicts(goal, *pen, go("desk 1"), refused)[-1] == GOES_ON


@pytest.mark.parametrize(("verb", "place"), [("heat", "microwave 1"), ("cool", "fridge 1"), ("clean", "sinkbasin 1")])
def test_treating_comes_before_placing(verb: str, place: str) -> None:
    goal = {"type": f"{TREATED[verb]}_then_place_in_recep", "object": "mug", "receptacle": "desk"}
    mug = (go("desk 2", "a mug 1, and a mug 2"), take("mug 1", "desk 2"))
    treated = treat(verb, "mug 1", place)
    assert verdicts(goal, *mug, treated, go("desk 1"), move("mug 1", "desk 1"))[-1] == DONE
    assert verdicts(goal, *mug, go("desk 1"), move("mug 1", "desk 1"))[-1] == GOES_ON
    assert verdicts(goal, *mug, treated, go("fridge 1"), move("mug 1", "fridge 1"))[-1] == GOES_ON
    again = (move("mug 1", "desk 2"), take("mug 2", "desk 2"), go("desk 1"), move("mug 2", "desk 1"))
    assert verdicts(goal, *mug, *again)[-1] == GOES_ON


def test_what_was_cooled_after_heating_is_not_hot() -> None:
    goal = {"type": "pick_heat_then_place_in_recep", "object": "Mug", "receptacle": "Desk"}
    mug = (go("desk 2", "a mug 1"), take("mug 1", "desk 2"), treat("heat", "mug 1", "microwave 1"))
    assert verdicts(goal, *mug, treat("cool", "mug 1", "fridge 1"), move("mug 1", "desk 2"))[-1] == GOES_ON


def test_two_objects_belong_in_one_receptacle() -> None:
    goal = {"type": "pick_two_obj_and_place", "object": "Pen", "receptacle": "Desk"}
    first = (go("fridge 1", "a pen 1, and a pen 2"), take("pen 1", "fridge 1"), go("desk 1"), move("pen 1", "desk 1"))
    second = (go("fridge 1", "a pen 2"), take("pen 2", "fridge 1"))
    one_desk = verdicts(goal, *first, *second, go("desk 1", "a pen 1"), move("pen 2", "desk 1"))
    assert one_desk == [GOES_ON] * 7 + [DONE]
    assert DONE not in verdicts(goal, *first, *second, go("desk 2"), move("pen 2", "desk 2"))


def test_an_object_is_looked_at_in_hand_where_the_lamp_is_on() -> None:
    goal = {"type": "look_at_obj_in_light", "object": "Book", "lamp": "DeskLamp"}
    at_lamp = go("desk 1", "a book 1, and a desklamp 1")
    on = ("use desklamp 1", "You turn on the desklamp 1.")
    assert verdicts(goal, at_lamp, take("book 1", "desk 1"), on) == [GOES_ON] * 2 + [DONE]
    assert verdicts(goal, at_lamp, on, take("book 1", "desk 1"))[-1] == DONE
    assert verdicts(goal, at_lamp, on, go("desk 2", "a book 2"), take("book 2", "desk 2"))[-1] == GOES_ON
    assert verdicts(goal, at_lamp, take("book 1", "desk 1"))[-1] == GOES_ON
    assert verdicts({**goal, "lamp": "FloorLamp"}, at_lamp, take("book 1", "desk 1"), on)[-1] == GOES_ON


def test_an_object_in_two_receptacles_counts_where_it_was_left() -> None:
    goal = {"type": "pick_heat_then_place_in_recep", "object": "Mug", "receptacle": "CoffeeMachine"}
    facts = {"contents": {"coffeemachine 1": ["mug 1"], "desk 1": ["mug 1"]}}
    steps = (go("desk 1", "a mug 1"), take("mug 1", "desk 1"), treat("heat", "mug 1", "microwave 1"))
    assert verdicts(goal, *steps, facts=facts) == [GOES_ON] * 2 + [DONE]
    assert DONE not in verdicts(goal, *steps)


@pytest.mark.parametrize(
    ("goal", "complaint"),
    [
        ({}, "'type' is ''"),
        ({"type": "dance"}, "'type' is 'dance'"),
        ({"type": 3}, "'type' is 3"),
        ({"type": "pick_and_place_simple", "object": "Pen"}, "needs 'receptacle'"),
        ({"type": "pick_and_place_simple", "receptacle": "Desk"}, "needs 'object'"),
        ({"type": "look_at_obj_in_light", "object": "Pen", "receptacle": "Desk"}, "needs 'lamp'"),
        ({"type": "look_at_obj_in_light", "object": "Pen", "lamp": "Candle"}, "not one of desklamp, floorlamp"),
        (
            {"type": "pick_and_place_simple", "object": "Pen", "receptacle": "Desk", "lamp": "DeskLamp"},
            "no member 'lamp'",
        ),
        ({"type": "pick_and_place_simple", "object": ["Pen"], "receptacle": "Desk"}, "not the name of a class"),
        ({"type": "pick_and_place_simple", "object": "Pen", "receptacle": "Moon"}, "no receptacle's class"),
        ({"type": "pick_and_place_simple", "object": "Pen", "receptacle": "Fridge"}, "takes no object of class 'pen'"),
        ({"type": "pick_and_place_simple", "object": "Sink", "receptacle": "Desk"}, "can be taken"),
        ({"type": "pick_heat_then_place_in_recep", "object": "Pen", "receptacle": "Desk"}, "cannot heat"),
    ],
)
def test_a_goal_that_cannot_be_judged_is_refused_with_a_sentence(goal: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ResetOptionError, match=complaint):
        ALFWorldVerifier().check(Task("alfworld/test/0", "alfworld", "", "", goal=goal))


def test_facts_that_cannot_be_read_are_refused_with_a_sentence() -> None:
    goal = {"type": "pick_and_place_simple", "object": "Pen", "receptacle": "Desk"}
    with pytest.raises(ResetOptionError, match="its fact 'doors'"):
        ALFWorldVerifier().check(Task("a", "alfworld", "", "", goal=goal, facts={"doors": "all"}))
    with pytest.raises(ResetOptionError, match="cannot be read"):
        ALFWorldVerifier().check(Task("a", "alfworld", "", "", goal=goal, facts={"doors": {1}}))


def test_the_engine_agrees_on_every_step(real_data: Path) -> None:
    verifier, outcomes = ALFWorldVerifier(), Counter[tuple[str, bool]]()
    for episode in real_episodes(real_data):
        verifier.check(episode.task)
        for moment, after in zip(episode.moments, episode.moments[1:], strict=False):
            action = after.history[-1].action
            verdict = verifier.verify(episode.task, moment.history, moment.state, action, after.state)
            assert verdict == (DONE if after.won else GOES_ON), (episode.task.id, action)
        outcomes[goal_of(episode.task).type, episode.moments[-1].won] += 1
    assert all(outcomes[kind, True] for kind in GOAL_TYPES)
    assert sum(count for (_, won), count in outcomes.items() if not won) >= 3


def test_recorded_agents_succeed_where_their_outcome_says_so(real_data: Path) -> None:
    """All failures are judged so, no success comes early; a few successes need facts that the files do not hold."""
    outcomes = Counter[tuple[bool, bool]]()
    for step in recorded_steps(real_data):
        verdict = ALFWorldVerifier().verify(step.task, step.history, step.state, step.action, step.answer)
        assert not verdict.success or (step.last and step.succeeded)
        if step.last:
            outcomes[step.succeeded, verdict.success] += 1
    assert outcomes[True, True] >= 0.98 * (outcomes[True, True] + outcomes[True, False])
    assert min(outcomes[True, True], outcomes[False, False]) > 100
