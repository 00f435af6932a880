"""A task's hidden facts, where they may be used, are read as the world that an episode starts from."""

from __future__ import annotations

import pytest

from dreamgym_env.domains.alfworld.candidates import available_actions
from dreamgym_env.domains.alfworld.known import world_of_facts
from dreamgym_env.domains.alfworld.tracker import track

START = "You are in the middle of a room. Looking quickly around you, you see a cabinet 2, a cabinet 1, and a desk 1."


def test_hidden_facts_may_start_a_world() -> None:
    facts = {
        "contents": {"cabinet 1": ["mug 1"], "cabinet 2": [], "desk 1": ["mug 1"]},
        "doors": ["cabinet 1", "cabinet 2"],
        "open": ["cabinet 2"],
        "together": [["cabinet 1", "cabinet 2"]],
        "cool": ["mug 1"],
        "classes": {"desk 1": "dresser"},
        "a fact that nobody reads": 1,
    }
    world = track([], START, world_of_facts(facts))
    assert world.holders("mug 1") == ("cabinet 1", "desk 1")
    assert (world.opened, world.closed, world.cool) == ({"cabinet 2"}, {"cabinet 1"}, {"mug 1"})
    assert world.after("go to cabinet 1", "The cabinet 1 is closed.").here() == ("cabinet 1", "cabinet 2")
    assert (world.class_of("desk 1"), world.class_of("cabinet 1")) == ("dresser", "cabinet")
    assert world_of_facts(facts) is world_of_facts(dict(facts))
    assert not world_of_facts({}).receptacles


@pytest.mark.parametrize(
    "facts",
    [
        {"contents": ["cabinet 1"]},
        {"contents": {"cabinet": []}},
        {"contents": {"cabinet 1": "mug 1"}},
        {"doors": "cabinet 1"},
        {"together": "cabinet 1"},
        {"together": [["cabinet 1", 2]]},
        {"hot": ["Mug"]},
        {"start": "desk 1"},
        {"fixed": {"desk 1": 1}},
        {"classes": {"bathtubbasin 1": 1}},
    ],
)
def test_facts_of_another_form_are_refused(facts: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="its fact"):
        world_of_facts(facts)


def test_a_house_may_start_the_agent_at_a_receptacle_and_fix_an_object() -> None:
    facts = {
        "contents": {"desk 1": ["footstool 1", "pen 1"], "bed 1": []},
        "start": ["desk 1"],
        "fixed": ["footstool 1"],
    }
    looked = "You are facing the desk 1. Next to it, you see nothing."
    actions = available_actions([], looked, world_of_facts(facts))
    assert "go to bed 1" in actions
    assert "go to desk 1" not in actions
    assert [action for action in actions if action.startswith("take")] == ["take pen 1 from desk 1"]
