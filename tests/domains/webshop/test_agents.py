"""The scripted shoppers: the game can be won by who knows the goal, hardly by chance, and none gets stuck."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dreamgym_env.domains.webshop.agents import AGENTS, NoisyOracleAgent, OracleAgent, Shopper
from dreamgym_env.domains.webshop.domain import WebShop
from dreamgym_env.domains.webshop.engine import StepResult, WebShopEngine
from dreamgym_env.domains.webshop.goals import Goal
from dreamgym_env.domains.webshop.products import Product
from dreamgym_env.domains.webshop.search import SearchEngine
from dreamgym_env.types import Task


@pytest.fixture(scope="module")
def domain() -> WebShop:
    return WebShop()


def engine_of(domain: WebShop) -> WebShopEngine:
    return WebShopEngine(domain.shop.products, domain.shop.search)


def shop(engine: WebShopEngine, agent: Shopper, task: Task, seed: int) -> tuple[StepResult, list[str]]:
    """Play an episode; return its last step and its actions."""
    agent.begin(task, np.random.default_rng(seed))
    session = engine.start(Goal.from_dict(task.goal))
    result = engine.view(session)
    actions: list[str] = []
    while not result.done and len(actions) < 15:
        actions.append(agent.act(result.observation, offers(result)))
        session, result = engine.step(session, actions[-1])
    return result, actions


def offers(result: StepResult) -> tuple[str, ...]:
    return tuple("search[<keywords>]" if value == "search" else f"click[{value}]" for value in result.clickables)


def success(domain: WebShop, name: str, task_ids: Sequence[str]) -> float:
    agent = AGENTS[name](domain)
    tasks = [domain.task(task_id) for task_id in task_ids]
    wins = [shop(engine_of(domain), agent, task, seed)[0].reward >= 1 for seed, task in enumerate(tasks)]
    return sum(wins) / len(wins)


@pytest.mark.parametrize("split", ["train", "eval", "test"])
def test_the_oracle_solves_nearly_every_task(domain: WebShop, split: str) -> None:
    assert success(domain, "oracle", domain.task_ids(split)[:300]) >= 0.99


def test_chance_solves_hardly_any_task_and_laziness_few(domain: WebShop) -> None:
    assert success(domain, "random", domain.task_ids("train")[:300]) < 0.05
    assert success(domain, "lazy", domain.task_ids("train")[:300]) < 0.2


def test_a_noisy_oracle_fails_at_times_and_recovers_at_others(domain: WebShop) -> None:
    assert 0.3 < success(domain, "noisy-oracle", domain.task_ids("train")[:300]) < 0.95


def test_without_noise_a_noisy_oracle_is_the_oracle(domain: WebShop) -> None:
    tasks = [domain.task(task_id) for task_id in domain.task_ids("train")[:30]]
    assert all(shop(engine_of(domain), NoisyOracleAgent(0.0), task, 1)[0].reward == 1 for task in tasks)
    with pytest.raises(ValueError, match="must lie in"):
        NoisyOracleAgent(1.5)


@pytest.mark.parametrize("name", AGENTS)
def test_the_same_seed_gives_the_same_episode(domain: WebShop, name: str) -> None:
    task = domain.task(domain.task_ids("train")[5])
    agent = AGENTS[name](domain)
    first = shop(engine_of(domain), agent, task, 3)
    assert shop(engine_of(domain), agent, task, 3) == first
    assert shop(engine_of(domain), AGENTS[name](domain), task, 3) == first


def test_an_oracle_buys_something_where_the_target_is_missing(domain: WebShop) -> None:
    task = domain.task(domain.task_ids("train")[0])
    others = [product for product in domain.shop.products if product.asin != task.goal["asin"]]
    engine = WebShopEngine(others, SearchEngine(others))
    for seed in range(20):
        result, _ = shop(engine, OracleAgent(), task, seed)
        assert result.done


def test_cataloguers_of_all_tasks_look_at_every_product(domain: WebShop) -> None:
    engine, opened, read = engine_of(domain), set(), 0
    for task_id in domain.task_ids("train")[::25]:
        agent = AGENTS["cataloguer"](domain)
        result, actions = shop(engine, agent, domain.task(task_id), seed=0)
        assert result.done, "it buys, so that orders that fail are known too"
        opened.add(next(action for action in actions if len(action) == len("click[b000000000]")))
        read += {"click[description]", "click[features]"} <= set(actions)
    assert len(opened) == read == 60


def test_an_option_that_looks_like_a_product_code_is_chosen_and_the_product_bought() -> None:
    product = Product("B000000001", "Crisps", options={"flavor": ("strawberry", "iphone13xs")})
    goal = Goal("B000000001", "crisps", "Crisps", goal_options={"flavor": "iphone13xs"})
    task = Task("webshop/0", "webshop", "crisps", "", goal=goal.to_dict())
    for seed in range(5):
        assert shop(WebShopEngine([product]), OracleAgent(), task, seed)[0].reward == 1


TASK = Task("webshop/0", "webshop", "a [red] cup", "", goal=Goal("B000000001", "a [red] cup", "Red Cup").to_dict())
states = st.text(max_size=40) | st.sampled_from(
    ["A [SEP] Page 1 (Total results: 3) [SEP] B000000002 [SEP] Cup [SEP] $1", "x [SEP] Buy Now", "WebShop [SEP] Search"]
)
offered = st.lists(
    st.text(max_size=20) | st.sampled_from(["click[b000000001]", "click[buy now]", "click[< prev]", "click[next >]"]),
    max_size=6,
)


@pytest.mark.parametrize("name", AGENTS)
@given(pages=st.lists(st.tuples(states, offered), min_size=1, max_size=20))
def test_any_state_gets_an_action(domain: WebShop, name: str, pages: list[tuple[str, list[str]]]) -> None:
    agent = AGENTS[name](domain)
    agent.begin(TASK, np.random.default_rng(0))
    for state, actions in pages:
        assert agent.act(state, actions)
