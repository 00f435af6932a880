"""Tasks of the user's own: what their goals need, and that a dream can do without (README: ``reset(options=)``)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import gymnasium as gym
import numpy as np
import pytest

import dreamgym_env  # noqa: F401 - registers the ids
from dreamgym_env.domains.webshop.domain import WebShop
from dreamgym_env.domains.webshop.pages import index_page
from dreamgym_env.errors import DreamGymError, ResetOptionError
from dreamgym_env.evaluation.agents import agent_factory
from dreamgym_env.types import Prediction, Task

INSTRUCTION = "buy anything red"
NO_GOAL = Task("mine/1", "webshop", INSTRUCTION, index_page(INSTRUCTION).text())


class Generous:
    """A world model to which every purchase is a success."""

    deterministic = True

    def predict(self, queries: Any, memories: Any, seeds: Any) -> list[Prediction]:
        return [
            Prediction("Sold.", "Thank you for shopping with us!", 1.0, True)
            if query.action == "click[buy now]"
            else Prediction("A page.", self.page(query.task.instruction), 0.0, False)
            for query in queries
        ]

    def page(self, instruction: str) -> str:
        parts = ("Instruction:", instruction, "Back to Search", "< Prev", "A red shoe", "Price: $5.00", "Rating: N.A.")
        return " [SEP] ".join([*parts, "Description", "Features", "Reviews", "Buy Now"])

    def close(self) -> None: ...


@pytest.fixture
def make() -> Iterator[Any]:
    made = []

    def _make(kind: str, **settings: Any) -> Any:
        if kind.startswith("dream"):
            settings = {"world_model": Generous(), "seed_experience": False, **settings}
        env_id = "DreamGym/WebShop-v0" if kind.startswith("dream") else "DreamGymReal/WebShop-v0"
        vector = kind.endswith("vector")
        made.append(gym.make_vec(env_id, 2, **settings) if vector else gym.make(env_id, **settings))
        return made[-1]

    yield _make
    for env in made:
        env.close()


every_face = pytest.mark.parametrize("kind", ["dream", "real", "dream vector", "real vector"])
GOAL = WebShop().task("webshop/test/17").goal
BAD_GOALS: dict[str, tuple[Any, str]] = {
    "none": ({}, "has no goal, and WebShop grades an order by it"),
    "no product": ({**GOAL, "asin": ""}, "'asin' should be a text"),
    "no kind of product": ({"asin": "B0"}, "'name' is missing"),
    "a number as name": ({**GOAL, "name": 3}, "'name' should be a text and is 3"),
    "attributes that are a text": ({**GOAL, "attributes": "red"}, "'attributes' should hold texts"),
    "options of numbers": ({**GOAL, "goal_options": {"size": 9}}, "'goal_options' should map names to texts"),
    "a price in words": ({**GOAL, "price_upper": "cheap"}, "'price_upper' should be a number"),
    "no finite price": ({**GOAL, "price_upper": float("nan")}, "'price_upper' should be a number"),
}


@every_face
@pytest.mark.parametrize(("goal", "reason"), BAD_GOALS.values(), ids=list(BAD_GOALS))
def test_a_goal_that_nobody_can_check_is_refused_at_reset(make: Any, kind: str, goal: Any, reason: str):
    env = make(kind)
    env.reset(seed=0)
    with pytest.raises(ResetOptionError, match=reason) as caught:
        env.reset(options={"task": replace(NO_GOAL, goal=goal)})
    for advice in ("'mine/1'", "'asin' and 'name'", "success='model'"):
        assert advice in str(caught.value)
    assert isinstance(caught.value, ValueError) and isinstance(caught.value, DreamGymError)


@pytest.mark.parametrize("kind", ["dream", "dream vector"])
def test_without_a_goal_the_model_may_judge(make: Any, kind: str):
    """With success="model" its word counts, and nothing asks for the goal, from reset to purchase."""
    env = make(kind, success="model", enrich=True)
    vector = kind.endswith("vector")
    _, info = env.reset(seed=0, options={"task": NO_GOAL})
    assert np.all(info["instruction"] == INSTRUCTION)
    for action in ("search[red]", "click[description]", "click[buy now]"):
        _, reward, terminated, _, info = env.step([action] * 2 if vector else action)
    assert np.all(reward == 1.0) and np.all(terminated) and np.all(info["stop_reason"] == "success")


@every_face
def test_a_goal_of_one_s_own_is_played(make: Any, kind: str):
    task = WebShop().task("webshop/test/17")
    env = make(kind)
    observation, info = env.reset(seed=0, options={"task": replace(task, id="mine/2")})
    assert np.all(info["task_id"] == "mine/2")
    if kind == "real":
        agent = agent_factory(env.unwrapped.domain, "oracle")()
        agent.begin(task, np.random.default_rng(0))
        for _ in range(15):
            observation, reward, terminated, _, info = env.step(agent.act(observation, info["available_actions"]))
            if terminated:
                break
        assert reward == 1.0
