"""The shipped world model dreams WebShop from search to purchase, grounded in the shipped experience (README)."""

from __future__ import annotations

from collections.abc import Iterator

import gymnasium as gym
import pytest

import dreamgym_env  # noqa: F401 - registers the ids
from dreamgym_env.envs.text_vector_env import TextVectorEnv
from dreamgym_env.evaluation.agents import agent_factory
from dreamgym_env.evaluation.environments import make_lanes
from dreamgym_env.evaluation.rollout import plan_episodes, play
from dreamgym_env.evaluation.side_by_side import SideBySide, compare
from dreamgym_env.world_model.build import EMBEDDED_PATH, format_settings

LANES = 12
pytestmark = pytest.mark.timeout(900)  # the first to run indexes the shipped experience
MEGABYTE = 2**20


@pytest.fixture(scope="module")
def dream() -> Iterator[TextVectorEnv]:
    env = make_lanes("webshop", LANES, real=False, split="test", evaluation=True)
    yield env
    env.close()


@pytest.fixture(scope="module")
def result(dream: TextVectorEnv) -> SideBySide:
    real = make_lanes("webshop", LANES, real=True, split="test")
    agents = {"oracle": agent_factory(dream.domain, "oracle")}
    return compare(dream, real, agents, "oracle", dream.domain.task_ids("test")[:LANES], seed=0)


def test_the_weights_are_small_and_say_how_they_were_made():
    assert sum(path.stat().st_size for path in EMBEDDED_PATH.iterdir()) < 30 * MEGABYTE
    assert format_settings(str(EMBEDDED_PATH)) == {"format": "compact", "codec": "edits", "max_memories": 3}


def test_episodes_go_from_search_to_purchase(result: SideBySide):
    bought = [episode for episode in result.dream.episodes if episode.outcomes[-1].transition.terminated]
    assert len(bought) >= 0.8 * LANES
    assert result.dream.solved >= 0.5 * LANES
    assert result.dream.answered_by.keys() <= {"model", "guard", "memo"}


def test_the_dream_flatters_no_one(result: SideBySide):
    assert result.agreement.dream_only <= 1
    assert result.replayed.solved >= 0.75 * result.dream.solved


def test_failures_of_the_model_are_rare_and_earn_nothing(result: SideBySide):
    assert result.dream.failures <= 1
    for episode in result.dream.episodes:
        for outcome in episode.outcomes:
            assert not outcome.failure or outcome.transition.reward == 0


def test_an_evaluation_shows_nothing_recorded_of_the_test_task(result: SideBySide):
    tasks = {episode.task.id for episode in result.dream.episodes}
    memories = [m for e in result.dream.episodes for outcome in e.outcomes for m in outcome.memories]
    assert memories
    assert all(m.transition.task_id not in tasks or m.id.startswith("composed:") for m in memories)


def test_the_same_seed_dreams_the_same_episode():
    def dreamt() -> list[str]:
        env = gym.make("DreamGym/WebShop-v0", split="test", memo=False)
        observation, _ = env.reset(seed=3)
        pages = [observation]
        for action in ("search[water bottle]", "click[next >]", "click[back to search]", "search[desk]", "click[x]"):
            observation, _, terminated, truncated, _ = env.step(action)
            pages.append(observation)
            if terminated or truncated:
                break
        env.close()
        return pages

    assert dreamt() == dreamt()


def test_a_page_seen_twice_is_the_same_page(dream: TextVectorEnv):
    """Promise 2, with an agent that errs and turns back a lot; and no answer of the model is unreadable."""
    agents = {"noisy-oracle": agent_factory(dream.domain, "noisy-oracle")}
    task_ids = dream.domain.task_ids("test")[:LANES]
    rollout = play(dream, agents, plan_episodes(task_ids, "noisy-oracle", seed=0))
    revisits = 0
    for episode in rollout.episodes:
        for at, action in enumerate(episode.actions):
            kind, seen = dream.domain.action_kind(action), episode.states[: at + 1]
            if not episode.outcomes[at].transition.valid or kind not in ("prev", "back", "option"):
                continue
            revisits += 1
            expected = {"back": seen[:1], "option": seen[-1:]}.get(kind, seen[:-1])
            assert episode.states[at + 1] in expected, action
    assert revisits >= LANES
    assert rollout.failures == 0


def test_an_order_names_what_was_clicked(result: SideBySide):
    orders = [episode for episode in result.dream.episodes if episode.outcomes[-1].transition.terminated]
    for episode in orders:
        code = next(a for a in reversed(episode.actions) if a.startswith("click[b0")).removeprefix("click[")[:-1]
        page = episode.states[-1]
        assert page.startswith("Thank you for shopping")
        assert code.upper() in page
        assert episode.actions[-1] == "click[buy now]"
