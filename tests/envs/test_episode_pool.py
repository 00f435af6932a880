"""Episodes of one environment, each stepped by whoever holds it, are answered together."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from gymnasium.error import AlreadyPendingCallError, ClosedEnvironmentError, ResetNeeded
from scripted import ScriptedWorldModel, house_model, simulator
from toy_domain import RealToyHouse, ToyHouse

from dreamgym_env.envs.episode_pool import EpisodePool, open_pool, shared_pool
from dreamgym_env.envs.text_env import TextEnv
from dreamgym_env.envs.text_vector_env import TextVectorEnv
from dreamgym_env.errors import InvalidActionError, KeywordError, ResetOptionError, UnknownTaskError, WorldModelError
from dreamgym_env.types import Prediction, Query

REAL_SHOP = "DreamGymReal/WebShop-v0"


class HeldUp(ScriptedWorldModel):
    """The house's model, which answers the first batch only when it is let go."""

    def __init__(self) -> None:
        super().__init__(house_model().answer)
        self.asked_first, self.go_on = threading.Event(), threading.Event()

    def predict(self, queries, memories, seeds):
        self.asked_first.set()
        assert self.go_on.wait(60)
        return super().predict(queries, memories, seeds)


def dream_pool(model, **settings) -> EpisodePool:
    backend = simulator(model, guard=False, replay=False, memo=False)
    return EpisodePool(TextVectorEnv(backend.domain, backend, 1), **settings)


def real_pool(**settings) -> EpisodePool:
    domain = ToyHouse()
    return EpisodePool(TextVectorEnv(domain, RealToyHouse(domain), 1), **settings)


@pytest.fixture
def pool():
    pool = real_pool()
    yield pool
    pool.close()


def test_an_episode_is_that_of_the_single_environment_with_the_same_seed(pool):
    domain = ToyHouse()
    env = TextEnv(domain, RealToyHouse(domain))
    for seed in range(4):
        state, info = env.reset(seed=seed)
        episode = pool.begin(seed=seed)
        assert (episode.observation, episode.info) == (state, info)
        for action in ("go kitchen", "look", "take key"):
            if episode.is_running:
                assert episode.step(action) == env.step(action)


def test_who_waits_while_a_batch_is_answered_is_answered_in_the_next_one():
    model = HeldUp()
    pool = dream_pool(model)
    episodes = [pool.begin(task_id="toyhouse/train/0") for _ in range(4)]
    first = pool.submit(episodes[0], "look")
    assert model.asked_first.wait(60)
    others = [pool.submit(episode, "go kitchen") for episode in episodes[1:]]
    model.go_on.set()
    assert first.result()[4]["answered_by"] == "model"
    assert all("kitchen" in answer.result()[0] for answer in others)
    assert [len(batch) for batch in model.batches] == [1, 3]
    pool.close()


def test_threads_and_coroutines_play_side_by_side():
    pool = dream_pool(house_model())

    def play(number: int) -> list[str]:
        episode = pool.begin(task_id=f"toyhouse/train/{number}")
        return [episode.step(action)[0] for action in ("look", "go kitchen", "go hall")]

    async def play_async(number: int) -> list[str]:
        episode = await pool.begin_async(task_id=f"toyhouse/train/{number}")
        return [(await episode.step_async(action))[0] for action in ("look", "go kitchen", "go hall")]

    async def play_all() -> list[list[str]]:
        return await asyncio.gather(*map(play_async, range(6)))

    with ThreadPoolExecutor(6) as threads:
        played = list(threads.map(play, range(6)))
    assert played == asyncio.run(play_all())
    pool.close()


def test_members_of_a_group_begin_alike_and_are_sampled_apart(pool):
    group = [pool.begin(seed=3, member=member) for member in range(3)]
    assert len({(one.episode.task.id, one.observation) for one in group}) == 1
    assert len({one.episode.seed for one in group}) == 3


def test_seeds_of_episodes_without_one_follow_from_the_pools():
    drawn = []
    for seed in (0, 0, 1):
        pool = real_pool(seed=seed)
        drawn.append([pool.begin().episode.name for _ in range(3)])
        pool.close()
    assert drawn[0] == drawn[1] != drawn[2]


def test_what_cannot_be_begun_is_the_trouble_of_who_asked(pool):
    with pytest.raises(UnknownTaskError, match="no task 'toyhouse/train/99'"):
        pool.begin(task_id="toyhouse/train/99")
    with pytest.raises(UnknownTaskError, match="no split 'attic'"):
        pool.begin(split="attic")
    for seed in (-1, "1", True):
        with pytest.raises(ResetOptionError, match="seed must be"):
            pool.begin(seed=seed)
    assert pool.begin(split="test").info["split"] == "test"


def test_a_world_model_that_cannot_answer_leaves_episodes_unchanged():
    down = [True]

    def answer(query: Query, memories, seed: int) -> Prediction:
        if down[0]:
            raise WorldModelError("The server stays away.")
        return house_model().answer(query, memories, seed)

    pool = dream_pool(ScriptedWorldModel(answer))
    episodes = [pool.begin(task_id="toyhouse/train/0") for _ in range(2)]
    waiting = [pool.submit(episode, "go kitchen") for episode in episodes]
    for one in waiting:
        with pytest.raises(WorldModelError, match="stays away"):
            one.result()
    assert all(episode.is_running and episode.episode.step == 0 for episode in episodes)
    down[0] = False
    assert "kitchen" in episodes[0].step("go kitchen")[0]
    pool.close()


def test_an_episode_takes_one_action_at_a_time_and_none_after_its_end(pool):
    episode = pool.begin(task_id="toyhouse/train/0")
    with pytest.raises(InvalidActionError):
        episode.step(7)
    episode.step("go kitchen")
    assert episode.step("take key")[1:4] == (1.0, True, False)
    with pytest.raises(ResetNeeded, match="has ended"):
        episode.step("look")
    model = HeldUp()
    dream = dream_pool(model)
    other, episode = dream.begin(), dream.begin()
    dream.submit(other, "look")
    assert model.asked_first.wait(60)
    first, second = dream.submit(episode, "look"), dream.submit(episode, "look")
    model.go_on.set()
    assert first.result()
    with pytest.raises(AlreadyPendingCallError, match="on its way"):
        second.result()
    dream.close()


def test_who_stopped_waiting_before_it_was_asked_has_not_acted():
    model = HeldUp()
    pool = dream_pool(model)
    busy, patient = pool.begin(), pool.begin()
    first = pool.submit(busy, "look")
    assert model.asked_first.wait(60)
    second = pool.submit(patient, "look")
    assert second.cancel()
    model.go_on.set()
    first.result()
    pool.close()
    assert patient.episode.step == 0


def test_a_closed_pool_says_so_and_closes_its_model_once():
    model = house_model()
    pool = dream_pool(model)
    episode = pool.begin()
    pool.close()
    pool.close()
    assert model.closed == 1 and pool.is_closed
    for call in (pool.begin, lambda: episode.step("look")):
        with pytest.raises(ClosedEnvironmentError, match="pool of episodes was closed"):
            call()


def test_a_pool_is_opened_by_an_id_and_shared_by_equal_settings():
    pool = shared_pool(REAL_SHOP, split="test", max_episode_steps=2)
    assert shared_pool(REAL_SHOP, max_episode_steps=2, split="test") is pool
    episode = pool.begin()
    assert episode.info["split"] == "test"
    episode.step("search[shoes]")
    assert episode.step("search[boots]")[2:4] == (False, True) and pool.real_transitions == 2
    pool.close()
    assert shared_pool(REAL_SHOP, split="test", max_episode_steps=2) is not pool
    with pytest.raises(KeywordError):
        open_pool(REAL_SHOP, nothing_such=1)
    with pytest.raises(UnknownTaskError):
        open_pool(REAL_SHOP, split="attic")
