"""Scripted agents see what any agent sees; the oracles also read goal and facts, and say so where there are none."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from dreamgym_env.domains.alfworld.agents import AGENTS
from dreamgym_env.domains.alfworld.composer import HouseComposer
from dreamgym_env.domains.alfworld.domain import ALFWorld
from dreamgym_env.domains.alfworld.verifier import ALFWorldVerifier
from dreamgym_env.errors import ResetOptionError
from dreamgym_env.types import Query, Turn


@pytest.fixture(scope="module")
def domain() -> ALFWorld:
    return ALFWorld()


def solves(domain: ALFWorld, name: str, task_id: str) -> bool:
    """Let an agent play by what the house's facts answer."""
    task, composer = domain.task(task_id), HouseComposer(domain, lambda: iter(()))
    agent, history, state = AGENTS[name](domain), (), task.initial_state
    agent.begin(task, np.random.default_rng(0))
    for _ in range(50):
        action = agent.act(state, domain.available_actions(task, history, state))
        answer = composer.compose(Query(task, history, state, action), [])
        assert answer is not None
        turn, after = Turn(state, action), answer.transition.next_state
        if ALFWorldVerifier().verify(task, history, state, action, after).success:
            return True
        history, state = (*history, turn), after
    return False


def test_agents_are_of_graded_skill(domain: ALFWorld) -> None:
    task_ids = domain.task_ids("test")[:60]
    solved = {name: sum(solves(domain, name, task_id) for task_id in task_ids) for name in ("oracle", "lazy")}
    assert solved["oracle"] == len(task_ids)
    assert 0 < solved["lazy"] < len(task_ids) / 3


@pytest.mark.parametrize("name", ["oracle", "noisy-oracle"])
def test_an_oracle_says_that_it_needs_facts(domain: ALFWorld, name: str) -> None:
    with pytest.raises(ResetOptionError, match="walks by what a task's facts tell"):
        AGENTS[name](domain).begin(replace(domain.task("alfworld/test/0"), facts={}), np.random.default_rng(0))
