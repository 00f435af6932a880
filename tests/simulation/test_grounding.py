"""A recorded step is asked as the episode asked it: with its task's goal and hidden facts, where they are known."""

from __future__ import annotations

from dataclasses import replace

from dreamgym_env.domains import load_domain
from dreamgym_env.memory import read_transitions
from dreamgym_env.simulation.grounding import recorded_question
from dreamgym_env.types import Turn


def test_a_recorded_question_has_the_goal_and_the_facts_of_its_task():
    house = load_domain("alfworld")
    step = read_transitions(house.seed_experience())[3]
    query = recorded_question(house, step)
    assert query.task == house.task(step.task_id)
    assert query.task.facts
    assert query.task.goal
    assert (query.history, query.state, query.action, query.episode) == (
        step.history,
        step.state,
        step.action,
        step.episode,
    )


def test_a_step_of_another_task_of_that_id_or_of_none_tells_its_own_task():
    house = load_domain("alfworld")
    step = read_transitions(house.seed_experience())[3]
    for strange in (
        replace(step, instruction="dance."),
        replace(step, task_id="alfworld/train/999999"),
        replace(step, history=(Turn("Another house.", "look"), *step.history[1:])),
    ):
        assert recorded_question(house, strange) == strange.question()
