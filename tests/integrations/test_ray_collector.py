"""Promises of collecting on a cluster: whoever dies, each plan gives one episode, and a buffer grows by each once."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import gymnasium as gym
import pytest
from chroma_server import serving
from clusters import local_cluster

pytest.importorskip("ray", reason='needs ray: pip install "dreamgym_env[ray]"')

import ray

from dreamgym_env.domains import load_domain
from dreamgym_env.errors import CollectionError, KeywordError, WorldModelError
from dreamgym_env.evaluation.agents import agent_factory, open_agents
from dreamgym_env.evaluation.rollout import plan_episodes, play
from dreamgym_env.integrations.ray import CollectedEpisode, RayCollector
from dreamgym_env.memory import ReplayBuffer, read_transitions
from dreamgym_env.testing.openai_server import Call, LoopbackServer, Reply, completion_reply
from dreamgym_env.types import Source

DREAM, REAL = "DreamGym/WebShop-v0", "DreamGymReal/WebShop-v0"
TASKS = load_domain("webshop").task_ids("train")
EXAMPLES = Path(__file__).parents[2] / "examples"
QUARTER = {"num_cpus": 0.25}


@pytest.fixture(scope="module", autouse=True)
def cluster():
    ray.cloudpickle.register_pickle_by_value(sys.modules[__name__])  # actors cannot import a test
    with local_cluster():
        yield


def answer(call: Call) -> Reply:
    """What a model says that follows from its prompt alone, the memories in it included."""
    name = hashlib.blake2b(call.text.encode(), digest_size=5).hexdigest().upper()
    page = f"Back to Search [SEP] Page 1 (Total results: 1) [SEP] Next > [SEP] {name} [SEP] Thing {name} [SEP] $1.00"
    said = {"reasoning": "So.", "next_state": page, "reward": 0, "terminated": False}
    return completion_reply(call, json.dumps(said), delay=int(name[:1], 16) / 400)


@pytest.fixture(scope="module")
def model():
    with LoopbackServer(answer) as server:
        yield server.url


class Hesitant:
    """Makes random agents; the first of them ever to play a certain task stops in the midst of it."""

    def __init__(self, domain, task_id, marker):
        self._make, self._task_id, self._marker = agent_factory(domain, "random"), task_id, marker

    def __call__(self):
        agent = self._make()
        begin, act = agent.begin, agent.act

        def note(task, rng):
            agent.task = task
            begin(task, rng)

        def hesitate(state, offered):
            if agent.task.id == self._task_id and not self._marker.exists():
                self._marker.write_text(str(os.getpid()))
                time.sleep(120)
            return act(state, offered)

        agent.begin, agent.act = note, hesitate
        return agent


def process_of(marker):
    while not marker.exists() or not marker.read_text():
        time.sleep(0.05)
    return int(marker.read_text())


def rows(buffer, source):
    return {(step.episode, step.step): step for step in buffer.experience() if step.source is source}


def played_alone(plans, settings):
    """The transitions of each plan as this process plays them."""
    env = gym.make_vec(DREAM, num_envs=5, **settings)
    with open_agents(env.domain, ["random"]) as agents:
        episodes = play(env, agents, plans).episodes
    env.close()
    return {number: tuple(outcome.transition for outcome in one.outcomes) for number, one in enumerate(episodes)}


def test_an_actor_dies_and_nothing_is_lost_or_doubled(tmp_path, model):
    """The promise of the issue: 4 actors, one model server, one Chroma server, and a death in the middle."""
    plans = plan_episodes(TASKS[:24], "hesitant", 0)
    marker, shop = tmp_path / "hesitating", load_domain("webshop")
    shop_itself = gym.make_vec(REAL, num_envs=4)
    with open_agents(shop, ["random"]) as agents:
        recorded = play(shop_itself, agents, plan_episodes(TASKS[100:104], "random", 1)).episodes
    recorded = [outcome.transition for episode in recorded for outcome in episode.outcomes]
    with serving(tmp_path / "chroma") as (store, _):
        with ReplayBuffer(shop, store, seed_experience=False) as buffer:
            buffer.add(recorded)
        settings = {
            "world_model": f"openai:m@{model}",
            "buffer": store,
            "seed_experience": False,
            "max_episode_steps": 6,
        }
        agents = {"hesitant": lambda domain: Hesitant(domain, plans[0].task_id, marker)}
        collector = RayCollector(
            DREAM, num_actors=4, envs_per_actor=3, settings=settings, agents=agents, actor_options=QUARTER, enrich=True
        )
        accepted: list[CollectedEpisode] = []
        for collected in collector.collect(plans, path=tmp_path / "dreams.jsonl"):
            if not accepted:  # one actor waits, and holds what it was given; another one has ended an episode
                os.kill(process_of(marker), signal.SIGKILL)
            accepted.append(collected)

        assert sorted(collected.number for collected in accepted) == list(range(24))
        assert collector.stats.deaths == 1 and 1 <= collector.stats.reissued <= 3 and collector.stats.dropped == 0
        assert collector.stats.episodes == 24 and len(collector.actors) == 4

        episodes = {collected.number: collected for collected in accepted}
        written = read_transitions(tmp_path / "dreams.jsonl")
        assert written == [step for collected in accepted for step in collected.transitions]

        with ReplayBuffer(shop, store, seed_experience=False, read_only=True) as buffer:
            assert rows(buffer, Source.REAL) == {(step.episode, step.step): step for step in recorded}
            found, count = rows(buffer, Source.DREAM), buffer.count(Source.DREAM)
        with ReplayBuffer(shop, seed_experience=False) as expected:  # what one process would have kept
            expected.add(recorded)
            expected.add([step for number in range(24) for step in episodes[number].dreams])
            assert found == rows(expected, Source.DREAM)
        assert len(found) == count == collector.stats.enriched > 24

        # the next round is grounded in what was dreamt, in all actors alike
        plans = [replace(plan, agent="random") for plan in plans[:6]]
        alone = played_alone(plans, settings)
        again = {collected.number: collected for collected in collector.collect(plans)}
        assert {number: collected.transitions for number, collected in again.items()} == alone
        assert any(alone[number] != episodes[number].transitions for number in range(6))
        with ReplayBuffer(shop, store, seed_experience=False) as buffer:
            assert buffer.count(Source.DREAM) == collector.stats.enriched > count
            assert buffer.add(recorded + [step for number in range(24) for step in episodes[number].dreams]) == 0
        collector.close()


def test_the_same_plan_gives_the_same_episode_whoever_plays_it(model):
    plans = plan_episodes(TASKS[:10], "random", 3)
    settings = {"world_model": f"openai:m@{model}", "seed_experience": False, "max_episode_steps": 5}
    with RayCollector(DREAM, num_actors=2, envs_per_actor=2, settings=settings, actor_options=QUARTER) as collector:
        round_under_way = collector.collect(iter(plans))
        first = next(round_under_way)
        with pytest.raises(CollectionError, match="A round is under way"):
            next(collector.collect(plans))
        with pytest.raises(CollectionError, match="Weights change between rounds"):
            collector.set_weights({"random": {}})
        found = {collected.number: collected.transitions for collected in (first, *round_under_way)}
    assert found == played_alone(plans, settings)


def test_rounds_that_cannot_go_on_say_why():
    """All in one collector: to start one takes its time."""
    plans = plan_episodes(TASKS[:8], "random", 0)
    settings = {"world_model": "openai:m@http://127.0.0.1:9/v1", "seed_experience": False}
    with RayCollector(
        DREAM, num_actors=1, envs_per_actor=2, settings=settings, actor_options=QUARTER, max_restarts=1
    ) as collector:
        with pytest.raises(WorldModelError, match="No server for model m could be reached"):
            list(collector.collect(plans))
        twice = [replace(plans[0], agent="other"), plans[0]]
        with pytest.raises(ValueError, match="a seed of its own"):
            list(collector.collect(twice))
        for lives in (1, 0):
            ray.kill(collector.actors[0])
            if lives:
                with pytest.raises(WorldModelError):
                    list(collector.collect(plans))
        with pytest.raises(CollectionError, match="All actors of DreamGym/WebShop-v0 died"):
            list(collector.collect(plans))
        assert collector.stats.deaths == 2 and collector.actors == ()
        with pytest.raises(CollectionError, match="no actor left"):
            list(collector.collect(plans))


def test_a_cluster_without_room_says_so():
    greedy = {"num_cpus": 64}
    with (
        RayCollector(REAL, num_actors=1, actor_options=greedy, start_seconds=1.0) as collector,
        pytest.raises(CollectionError, match="No actor was ready within 1 seconds"),
    ):
        list(collector.collect(plan_episodes(TASKS[:1], "random", 0)))


def test_the_example_collects(tmp_path):
    address = ray.get_runtime_context().gcs_address
    options = ["--address", address, "--env-id", REAL, "--episodes", "5", "--actors", "1", "--envs", "3"]
    command = [sys.executable, EXAMPLES / "ray_rollouts.py", *options, "--out", str(tmp_path)]
    said = subprocess.check_output(command, text=True)
    assert "of 5 episodes solved by random" in said and "episodes=5" in said
    assert len({step.episode for step in read_transitions(tmp_path / "round-0.jsonl.gz")}) == 5


def test_an_actor_does_not_enrich():
    with pytest.raises(KeywordError, match="give enrich=True to the collector"):
        RayCollector(DREAM, settings={"enrich": True})
