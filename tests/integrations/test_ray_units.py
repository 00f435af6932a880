"""Promises of collecting that need no cluster: a unit is accepted once, a worker plays what a rollout plays."""

from __future__ import annotations

import subprocess
import sys

import clusters  # noqa: F401 - before ray
import gymnasium as gym
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("ray", reason='needs ray: pip install "dreamgym_env[ray]"')

from dreamgym_env.domains import load_domain
from dreamgym_env.errors import CollectionError, KeywordError, PolicyError, UnknownTaskError
from dreamgym_env.evaluation.agents import UnknownAgentError, agent_factory, open_agents
from dreamgym_env.evaluation.rollout import EpisodePlan, plan_episodes, play
from dreamgym_env.integrations.ray.ledger import Ledger
from dreamgym_env.integrations.ray.settings import check_settings, domain_of
from dreamgym_env.integrations.ray.worker import RolloutWorker, WorkerSetup
from dreamgym_env.policies.agents import PolicyCrew
from dreamgym_env.policies.features import FeatureSettings
from dreamgym_env.policies.policy import Policy

REAL_SHOP = "DreamGymReal/WebShop-v0"
FEATURES = FeatureSettings(("buy", "search"), dimension=16, most_candidates=20)


def plans_of(count, agent="random"):
    return plan_episodes(load_domain("webshop").task_ids("train")[:count], agent, 0)


@given(
    units=st.integers(0, 12),
    moves=st.lists(st.tuples(st.sampled_from(["issue", "end", "die", "late"]), st.integers(0, 9)), max_size=60),
)
def test_each_unit_is_accepted_once_whatever_happens(units, moves):
    ledger = Ledger(EpisodePlan(f"task/{number}", "a", 0) for number in range(units))
    held = {name: [] for name in "xyz"}
    gone, accepted = [], []
    for move, choice in moves:
        name = "xyz"[choice % 3]
        if move == "issue":
            held[name] += [number for number, _ in ledger.issue(name, choice)]
        elif move == "end" and held[name]:
            number = held[name].pop(choice % len(held[name]))
            accepted += [number] if ledger.accept(number) else []
        elif move == "die":
            ledger.lost(name)
            gone += held[name]
            held[name] = []
        elif move == "late" and gone:  # the answer of one who was believed dead
            number = gone.pop(choice % len(gone))
            accepted += [number] if ledger.accept(number) else []
    for name in held:
        ledger.lost(name)
    while not ledger.finished:
        accepted += [number for number, _ in ledger.issue("x", 5) if ledger.accept(number)]
    assert sorted(accepted) == list(range(units)) and ledger.accepted == units


def test_lost_units_come_before_new_ones():
    ledger = Ledger(EpisodePlan(f"task/{number}", "a", 0) for number in range(5))
    ledger.issue("x", 2)
    assert ledger.lost("x") == [0, 1]
    assert [number for number, _ in ledger.issue("y", 3)] == [0, 1, 2] and ledger.reissued == 2


def test_two_plans_of_one_task_and_seed_are_refused():
    ledger = Ledger([EpisodePlan("task/0", "a", 7), EpisodePlan("task/0", "b", 7)])
    with pytest.raises(ValueError, match="a seed of its own"):
        ledger.issue("x", 2)


def collect(worker, plans):
    ended, units = {}, list(enumerate(plans))
    while len(ended) < len(plans):
        ended.update(worker.work(units))
        units = []
    return ended


def test_a_worker_plays_what_a_rollout_plays():
    plans = plans_of(7)
    worker, setup = RolloutWorker(), WorkerSetup(REAL_SHOP, 3)
    worker.begin(setup, {}, renew=False)
    ended = collect(worker, plans)
    env = gym.make_vec(REAL_SHOP, num_envs=5)
    with open_agents(env.domain, ["random"]) as agents:
        expected = play(env, agents, plans).episodes
    assert [ended[number] for number in range(7)] == list(expected)
    worker.work([(7, plans[0])])
    worker.begin(setup, {}, renew=False)  # a round that was broken off leaves nothing behind
    assert worker.work([]) == []
    worker.close()
    env.close()


def policy(seed):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return Policy(load_domain("webshop"), FEATURES, hidden=8)


def learner(domain):
    return PolicyCrew(domain, Policy(domain, FEATURES, hidden=8), name="learner", temperature=1.0)


def test_agents_act_by_the_weights_of_the_round():
    plans, shop = plans_of(4, "learner"), load_domain("webshop")
    worker, setup = RolloutWorker(), WorkerSetup(REAL_SHOP, 4, agents={"learner": learner})
    env = gym.make_vec(REAL_SHOP, num_envs=4)
    for seed in (1, 2):
        worker.begin(setup, {"learner": policy(seed).scorer.state_dict()}, renew=seed == 2)
        expected = play(env, {"learner": PolicyCrew(shop, policy(seed), name="learner", temperature=1.0)}, plans)
        assert collect(worker, plans) == dict(enumerate(expected.episodes))
    with pytest.raises(PolicyError, match="do not fit the policy of 'learner'"):
        worker.begin(setup, {"learner": {"wrong": torch.zeros(1)}}, renew=False)
    worker.close()
    env.close()


def test_a_worker_says_what_is_wrong_with_a_unit():
    worker, setup = RolloutWorker(), WorkerSetup(REAL_SHOP, 2)
    worker.begin(setup, {"random": {}}, renew=False)
    with pytest.raises(CollectionError, match="'random' has no weights"):
        worker.work([(0, EpisodePlan("webshop/train/0", "random", 0))])
    worker.begin(setup, {}, renew=False)
    with pytest.raises(UnknownAgentError):
        worker.work([(0, EpisodePlan("webshop/train/0", "nobody", 0))])
    with pytest.raises(UnknownTaskError):
        worker.work([(0, EpisodePlan("webshop/train/x", "random", 0))])
    worker.close()
    with pytest.raises(CollectionError, match="CartPole-v1 is no text environment"):
        RolloutWorker().begin(WorkerSetup("CartPole-v1", 2), {}, renew=False)


@pytest.mark.parametrize(
    ("settings", "enrich", "said"),
    [
        ({"enrich": True}, False, "give enrich=True to the collector"),
        ({"num_envs": 3}, False, "envs_per_actor"),
        ({"world_model": object()}, False, "must be a string"),
        ({"buffer": object()}, False, "a folder or the URL"),
        ({"buffer": "runs/folder"}, True, "chroma run"),
        ({}, True, "chroma run"),
    ],
)
def test_settings_that_actors_cannot_use_are_refused(settings, enrich, said):
    with pytest.raises(KeywordError, match=said):
        check_settings(settings, enrich=enrich)


def test_the_domain_is_known_without_the_environment():
    domain = domain_of("DreamGym/WebShop-v0", {"world_model": "openai:m@http://127.0.0.1:9/v1", "k": 3})
    assert domain.name == "webshop" and agent_factory(domain, "random")
    with pytest.raises(CollectionError, match="CartPole-v1 is no text environment"):
        domain_of("CartPole-v1", {})


def test_without_the_library_the_error_says_what_to_install():
    code = (
        "import sys; sys.modules['ray'] = None\n"
        "from dreamgym_env.errors import MissingDependencyError\n"
        "try:\n    import dreamgym_env.integrations.ray\n"
        "except MissingDependencyError as error:\n    print(error)"
    )
    said = subprocess.check_output([sys.executable, "-c", code], text=True)
    assert 'pip install "dreamgym_env[ray]"' in said
