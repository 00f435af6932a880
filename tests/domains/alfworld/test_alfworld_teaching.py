"""What a recorded step teaches: a reason that fits it, and no more of its text than can be known."""

from __future__ import annotations

from dataclasses import replace

import pytest
from toy_domain import record

from dreamgym_env.domains.alfworld.domain import ALFWorld
from dreamgym_env.domains.alfworld.teaching import explain, teach
from dreamgym_env.domains.composed import composed_memory
from dreamgym_env.memory import read_transitions
from dreamgym_env.types import Transition


@pytest.fixture(scope="module")
def recorded() -> list[Transition]:
    return list(read_transitions(ALFWorld().seed_experience()))


@pytest.mark.parametrize("reasoning", ["", "A teacher said so."])
def test_a_trace_that_somebody_wrote_is_kept(reasoning: str):
    step = replace(record("toyhouse/train/0", ["look"])[0], reasoning=reasoning)
    assert teach(step, []) == replace(step, reasoning=reasoning or explain(step))


def test_what_was_made_up_for_the_house_is_learnt_with_a_reason_of_its_own(recorded: list[Transition]):
    step = next(step for step in recorded if step.action.startswith("go to") and "On the" in step.next_state)
    place = step.action.removeprefix("go to ")
    made_up = composed_memory(
        step.question(), step.action, f"You arrive at {place}. The {place} is closed.", "made up for this house"
    )
    told = teach(replace(step, reasoning="It shows what it holds."), [made_up])
    assert told.next_state == made_up.transition.next_state
    assert "closed" in told.reasoning


def test_reasons_say_what_comes_of_a_step(recorded: list[Transition]):
    for step in recorded:
        reason = explain(step)
        assert reason.startswith("Success: ") == (step.terminated and step.reward > 0), (step.action, reason)
        assert ("nothing happens" in reason) == (not step.valid), (step.action, reason)
        assert len(reason) < 120


@pytest.mark.parametrize(
    ("instruction", "action", "answer", "reason"),
    [
        ("put a mug on the desk.", "take mug 1 from shelf 1", "You pick up the mug 1 from the shelf 1.", "Toward"),
        ("set an alarm clock on a desk.", "take alarmclock 2 from bed 1", "You pick up the alarmclock 2", "Toward"),
        ("put a mug on the desk.", "take pen 1 from shelf 1", "You pick up the pen 1 from the shelf 1.", "A detour"),
        ("put a mug on the desk.", "move mug 1 to shelf 1", "You move the mug 1 to the shelf 1.", "A detour"),
        (
            "put a mug on the desk.",
            "go to shelf 1",
            "You arrive at shelf 1. On the shelf 1, you see a mug 1.",
            "Toward",
        ),
        ("put a mug on the desk.", "go to bed 1", "You arrive at bed 1. On the bed 1, you see a pen 1.", "On the way"),
        ("put a mug on the desk.", "look", "You are facing the bed 1. Next to it, you see nothing.", "Neutral"),
    ],
)
def test_reasons_say_whether_a_step_leads_on(instruction: str, action: str, answer: str, reason: str):
    step = replace(
        record("toyhouse/train/0", ["look"])[0],
        instruction=instruction, action=action, next_state=answer, reward=0.0, terminated=False, valid=True,
    )  # fmt: skip
    assert explain(step).startswith(reason)
