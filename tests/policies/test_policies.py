"""Promises of policies: a folder holds all of one, and cloning follows from its seed and touches nothing else."""

from __future__ import annotations

import json
import random
from dataclasses import replace

import numpy as np
import pytest
import torch

from dreamgym_env.domains import load_domain
from dreamgym_env.errors import ExperienceFormatError, PolicyError
from dreamgym_env.evaluation.agents import agent_factory
from dreamgym_env.evaluation.environments import make_lanes
from dreamgym_env.evaluation.rollout import plan_episodes, play
from dreamgym_env.memory import read_transitions, write_transitions
from dreamgym_env.policies.cloning import CloningOptions, clone
from dreamgym_env.policies.features import FeatureSettings, Featuriser, Situation
from dreamgym_env.policies.policy import CONFIG_FILE, WEIGHTS_FILE, Policy
from dreamgym_env.training.record import parse_agent_shares, record_experience
from dreamgym_env.types import Turn

SMALL = CloningOptions(epochs=5, hidden=32, learning_rate=1e-2)


@pytest.fixture(scope="module")
def shop():
    return load_domain("webshop")


@pytest.fixture(scope="module")
def experience(tmp_path_factory):
    path = tmp_path_factory.mktemp("experience") / "oracle.jsonl.gz"
    agents = parse_agent_shares("oracle,noisy-oracle(0.1)")
    record_experience("webshop", path, agents=agents, episodes=60, seed=1, progress=False)
    return path


@pytest.fixture(scope="module")
def cloned(shop, experience, tmp_path_factory):
    folder = tmp_path_factory.mktemp("policy")
    return folder, clone(shop, experience, folder, SMALL, progress=False)


def first_situation(domain):
    task = domain.task(domain.task_ids("test")[0])
    return Situation(task.instruction, (), task.initial_state, domain.available_actions(task, (), task.initial_state))


def test_cloning_learns_more_than_chance_and_says_what_it_left_out(cloned):
    _, report = cloned
    assert report.accuracy > 2 * report.chance
    assert report.examples > 0 <= report.left_out
    assert json.loads(json.dumps(report.to_json()))["domain"] == "webshop"


def test_the_same_seed_clones_the_same_policy_and_another_seed_another(shop, experience, cloned, tmp_path):
    folder, _ = cloned
    weights = (folder / WEIGHTS_FILE).read_bytes()
    clone(shop, experience, tmp_path / "same", SMALL, progress=False)
    clone(shop, experience, tmp_path / "other", replace(SMALL, seed=1), progress=False)
    assert (tmp_path / "same" / WEIGHTS_FILE).read_bytes() == weights
    assert (tmp_path / "other" / WEIGHTS_FILE).read_bytes() != weights


def test_cloning_and_loading_leave_global_randomness_alone(shop, experience, tmp_path):
    before = random.getstate(), np.random.get_state()[1].tolist(), torch.get_rng_state().tolist()
    clone(shop, experience, tmp_path, replace(SMALL, epochs=1), progress=False)
    Policy.load(tmp_path, shop)
    assert (random.getstate(), np.random.get_state()[1].tolist(), torch.get_rng_state().tolist()) == before


def test_a_policy_comes_back_as_it_was_saved(shop, cloned, tmp_path):
    policy = Policy.load(cloned[0], shop)
    policy.save(tmp_path, notes={"by": "a test"})
    again = Policy.load(tmp_path, shop)
    ((choices, logits),) = policy.scores([first_situation(shop)])
    ((choices_again, logits_again),) = again.scores([first_situation(shop)])
    assert choices == choices_again and torch.equal(logits, logits_again)
    assert not list(tmp_path.glob("*.p*kl*"))


def test_a_policy_of_another_domain_is_refused(cloned):
    with pytest.raises(PolicyError, match="holds a policy for 'webshop', and not for 'alfworld'"):
        Policy.load(cloned[0], load_domain("alfworld"))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"version": 99}, "is of version 99"),
        ({"format": "other"}, "does not say"),
        ({"sizes": {"state": 3, "candidate": 4}}, "was trained on vectors of the sizes"),
        ({"hidden": 17}, "do not fit"),
        ({"hidden": "wide"}, "lacks a proper value of 'hidden'"),
        ({"features": {"kinds": ["buy"], "colour": 1}}, "describes no features"),
    ],
)
def test_a_folder_that_does_not_fit_is_refused_in_a_sentence(shop, cloned, tmp_path, change, said):
    policy = Policy.load(cloned[0], shop)
    policy.save(tmp_path)
    config = json.loads((tmp_path / CONFIG_FILE).read_text())
    (tmp_path / CONFIG_FILE).write_text(json.dumps({**config, **change}))
    with pytest.raises(PolicyError, match=said):
        Policy.load(tmp_path, shop)


def test_no_folder_broken_weights_and_no_weights_are_refused(shop, cloned, tmp_path):
    with pytest.raises(PolicyError, match="no folder of a policy"):
        Policy.load(tmp_path / "nowhere", shop)
    Policy.load(cloned[0], shop).save(tmp_path)
    (tmp_path / WEIGHTS_FILE).write_bytes(b"\x00" * 40)
    with pytest.raises(PolicyError, match="do not fit"):
        Policy.load(tmp_path, shop)
    (tmp_path / WEIGHTS_FILE).unlink()
    with pytest.raises(PolicyError, match="do not fit"):
        Policy.load(tmp_path, shop)


def test_too_few_successes_are_refused(shop, experience, tmp_path):
    few = [step for step in read_transitions(experience) if not step.terminated]
    write_transitions(tmp_path / "few.jsonl", few)
    with pytest.raises(PolicyError, match="too few to learn from"):
        clone(shop, tmp_path / "few.jsonl", tmp_path / "policy", SMALL, progress=False)
    with pytest.raises(ExperienceFormatError, match="not of 'alfworld'"):
        clone(load_domain("alfworld"), experience, tmp_path / "policy", SMALL, progress=False)


@pytest.mark.parametrize("name", ["webshop", "alfworld", "miniwob", "webarena"])
def test_vectors_have_the_sizes_that_the_settings_say(name):
    domain = load_domain(name)
    settings = FeatureSettings(("click", "go", "search"), dimension=16)
    encoded = Featuriser(domain, settings).encode(first_situation(domain))
    assert encoded.state.shape == (settings.state_size,)
    assert encoded.candidates.shape == (len(encoded.choices), settings.candidate_size)
    assert encoded.choices
    assert np.isfinite(encoded.state).all() and np.isfinite(encoded.candidates).all()


def test_a_state_that_offers_nothing_is_a_state_without_candidates(shop):
    policy = Policy(shop, FeatureSettings(("search",)), hidden=8)
    nothing = Situation("Buy a hat.", (), "Nowhere.", ())
    (_, none), (choices, some) = policy.scores([nothing, first_situation(shop)])
    assert len(none) == 0 and len(some) == len(choices) > 0


def test_what_was_taken_before_changes_what_a_policy_sees(shop):
    settings = FeatureSettings(("search",))
    situation = first_situation(shop)
    action = Featuriser(shop, settings).encode(situation).choices[0].action
    after = replace(situation, history=(Turn(situation.state, action),))
    fresh, again = Featuriser(shop, settings).encode(situation), Featuriser(shop, settings).encode(after)
    assert not np.array_equal(fresh.candidates[0], again.candidates[0])


def test_a_policy_is_an_agent_and_its_path_alone_names_it(shop, cloned):
    env = make_lanes("webshop", 4, real=True, split="test")
    plans = plan_episodes(shop.task_ids("test")[:8], "cloned", 0)
    played = [
        play(env, {"cloned": agent_factory(shop, name)}, plans).episodes
        for name in (f"policy({cloned[0]})", str(cloned[0]))
    ]
    alone = make_lanes("webshop", 1, real=True, split="test")
    played.append(play(alone, {"cloned": agent_factory(shop, str(cloned[0]))}, plans).episodes)
    assert len({tuple(episode.actions for episode in episodes) for episodes in played}) == 1
    env.close()
    alone.close()
