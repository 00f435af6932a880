"""Promises of the wrappers that show texts as vectors: numbers stand for candidates, vectors are a policy's."""

from __future__ import annotations

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env
from houses import FEATURES, SealedHouse, number_of, single, vector
from toy_domain import ToyHouse

from dreamgym_env import RecordTransitions
from dreamgym_env.domains import load_domain
from dreamgym_env.errors import InvalidActionError, KeywordError
from dreamgym_env.integrations.candidate_features import CandidateFeatures, CandidateFeaturesVector
from dreamgym_env.memory import read_transitions
from dreamgym_env.policies.features import FeatureSettings, Featuriser, Situation, domain_features
from dreamgym_env.types import Turn


def same(one, other):
    return one.keys() == other.keys() and all(np.array_equal(one[key], other[key]) for key in one)


def lane(observations, at):
    return {key: rows[at] for key, rows in observations.items()}


def test_gymnasiums_own_checker_is_content():
    check_env(CandidateFeatures(single(), FEATURES), skip_render_check=True)
    env = CandidateFeatures(gym.make("DreamGymReal/WebShop-v0"))
    check_env(env, skip_render_check=True)
    env.close()


def test_a_number_stands_for_a_candidate_and_the_padding_counts_round():
    env = CandidateFeatures(single(), FEATURES)
    env.reset(seed=0)
    before = env.candidates
    assert [one.action for one in before][:3] == ["go kitchen", "go cellar", "look"]
    _, _, _, _, info = env.step(1)
    assert info["action"] == "go cellar"
    env.reset(seed=0)
    assert len(before) < FEATURES.most_candidates
    _, _, _, _, info = env.step(FEATURES.most_candidates - 1)
    assert info["action"] == before[(FEATURES.most_candidates - 1) % len(before)].action


def test_free_arguments_are_phrases_of_the_instruction():
    env = CandidateFeatures(single(), FEATURES)
    _, info = env.reset(options={"task_id": "toyhouse/train/0"})
    said = [one for one in env.candidates if one.phrase]
    assert said and all(one.template == "say <words>" and one.phrase in info["instruction"] for one in said[1:])


def test_fewer_candidates_are_padded_and_more_are_left_out():
    few = FeatureSettings(FEATURES.kinds, 16, most_candidates=3)
    padded, cut = CandidateFeatures(single(), FEATURES), CandidateFeatures(single(), few)
    (wide, _), (narrow, _) = padded.reset(seed=0), cut.reset(seed=0)
    count = len(padded.candidates)
    assert wide["mask"].tolist() == [1] * count + [0] * (FEATURES.most_candidates - count)
    assert not wide["candidates"][count:].any()
    assert narrow["mask"].tolist() == [1, 1, 1] and cut.action_space.n == 3
    assert np.array_equal(narrow["candidates"][0, :128], wide["candidates"][0, :128])  # the texts; figures may differ
    assert padded.action_masks().dtype == np.bool_ and np.array_equal(padded.action_masks(), wide["mask"])


def test_the_vectors_are_those_that_a_policy_sees():
    env = CandidateFeatures(single(), FEATURES)
    first, info = env.reset(seed=0)
    state = env.unwrapped.episode.state
    encode = Featuriser(ToyHouse(), FEATURES).encode
    expected = encode(Situation(info["instruction"], (), state, info["available_actions"]))
    assert np.array_equal(first["state"], expected.state)
    assert np.array_equal(first["candidates"][: len(expected.choices)], expected.candidates)
    second, _, _, _, after = env.step(0)
    now, history = env.unwrapped.episode.state, (Turn(state, after["action"]),)
    expected = encode(Situation(info["instruction"], history, now, after["available_actions"]))
    assert np.array_equal(second["state"], expected.state)
    assert np.array_equal(second["candidates"][: len(expected.choices)], expected.candidates)


def test_lane_i_of_a_vector_environment_is_a_single_one_with_seed_s_plus_i():
    envs = CandidateFeaturesVector(vector(3), FEATURES)
    observations, _ = envs.reset(seed=5)
    for at in range(3):
        env = CandidateFeatures(single(), FEATURES)
        assert same(env.reset(seed=5 + at)[0], lane(observations, at))
    moved, _, _, _, infos = envs.step(np.array([0, 1, 2]))
    for at in range(3):
        env = CandidateFeatures(single(), FEATURES)
        env.reset(seed=5 + at)
        alone, _, _, _, info = env.step(at)
        assert same(alone, lane(moved, at)) and info["action"] == infos["action"][at]


def play(envs, numbers):
    """Return, for each lane, what was seen in order: the last observation of an episode, then the next one's first."""
    observations, _ = envs.reset(seed=3)
    seen = [[lane(observations, at)] for at in range(envs.num_envs)]
    taken = [0] * envs.num_envs
    mode = envs.metadata["autoreset_mode"].value
    ended = np.zeros(envs.num_envs, dtype=bool)
    while min(taken) < len(numbers):
        actions = np.array([numbers[taken[at] % len(numbers)] for at in range(envs.num_envs)])
        fresh = ended.copy()
        observations, _, terminations, truncations, infos = envs.step(actions)
        ended = terminations | truncations
        for at in range(envs.num_envs):
            if mode == "SameStep" and ended[at]:
                seen[at].append(infos["final_obs"][at])
            seen[at].append(lane(observations, at))
            taken[at] += not fresh[at]
        if mode == "Disabled" and ended.any():
            observations, _ = envs.reset(options={"reset_mask": ended})
            for at in np.flatnonzero(ended):
                seen[at].append(lane(observations, at))
            ended[:] = False
        if mode == "SameStep":
            ended[:] = False
        assert envs.observation_space.contains(observations)
    return seen


@pytest.mark.parametrize("mode", ["NextStep", "Disabled"])
def test_every_autoreset_mode_shows_the_same_episodes(mode):
    numbers = [1, 0, 2, 5, 3, 9, 7, 0, 1, 2, 2, 2, 2, 2, 2, 2, 4]
    expected = play(CandidateFeaturesVector(vector(2, "SameStep"), FEATURES), numbers)
    found = play(CandidateFeaturesVector(vector(2, mode), FEATURES), numbers)
    for one, other in zip(expected, found, strict=True):
        shared = min(len(one), len(other))
        assert shared > len(numbers)
        assert all(same(*pair) for pair in zip(one[:shared], other[:shared], strict=True))


def test_an_episode_that_was_cut_short_still_shows_its_candidates_and_one_that_ended_none():
    env = CandidateFeatures(single(), FEATURES)
    env.reset(seed=0)
    for _ in range(6):
        observation, _, terminated, truncated, info = env.step(number_of(env.candidates, "look"))
    assert truncated and not terminated and info["available_actions"] == ()
    assert [one.action for one in env.candidates][:2] == ["go kitchen", "go cellar"] and observation["mask"].any()
    env.reset(seed=0)
    observation, _, terminated, _, _ = env.step(number_of(env.candidates, "leave"))
    assert terminated and not observation["mask"].any() and not env.candidates


def test_where_a_state_offers_nothing_every_number_is_an_empty_text():
    env = CandidateFeatures(single(SealedHouse()), FEATURES)
    observation, _ = env.reset(seed=0)
    assert not observation["mask"].any() and not env.action_masks().any()
    assert env.step(4)[4]["action"] == ""


@pytest.mark.parametrize("action", [-1, 12, 1.0, "look", None, True, np.array([1])])
def test_what_is_no_number_of_a_candidate_is_refused_and_changes_nothing(action):
    env = CandidateFeatures(single(), FEATURES)
    env.reset(seed=0)
    with pytest.raises(InvalidActionError, match="whole number from 0 to 11"):
        env.step(action)
    assert env.unwrapped.episode.step == 0


def test_a_vector_environment_wants_a_number_for_each_lane():
    envs = CandidateFeaturesVector(vector(3), FEATURES)
    envs.reset(seed=0)
    with pytest.raises(ValueError, match="3 actions"):
        envs.step(np.array([0, 1]))
    with pytest.raises(InvalidActionError):
        envs.step(np.array([0, 1, 99]))


def test_only_environments_of_this_library_can_be_shown_so():
    with pytest.raises(KeywordError, match="not CartPoleEnv"):
        CandidateFeatures(gym.make("CartPole-v1"))


def test_observations_share_no_arrays():
    envs = CandidateFeaturesVector(vector(2), FEATURES)
    first, _ = envs.reset(seed=0)
    kept = {key: rows.copy() for key, rows in first.items()}
    envs.step(np.array([0, 1]))
    assert same(first, kept)


def test_wrappers_that_leave_texts_as_they_are_may_stand_between(tmp_path):
    path = tmp_path / "steps.jsonl"
    env = CandidateFeatures(RecordTransitions(single(), path), FEATURES)
    env.reset(seed=0)
    env.step(1)
    env.close()
    assert [step.action for step in read_transitions(path)] == ["go cellar"]


@pytest.mark.parametrize("name", ["webshop", "alfworld", "miniwob", "webarena"])
def test_the_kinds_of_actions_are_those_of_the_shipped_experience(name):
    domain = load_domain(name)
    features = domain_features(domain, most_candidates=7)
    task = domain.task(domain.task_ids("train")[0])
    offered = domain.available_actions(task, (), task.initial_state)
    assert {domain.action_kind(action) for action in offered} & set(features.kinds)
    assert features.most_candidates == 7


def test_a_domain_without_experience_has_one_kind():
    assert domain_features(ToyHouse()).kinds == ()


def test_lanes_that_have_not_begun_show_nothing():
    envs = CandidateFeaturesVector(vector(2), FEATURES)
    assert not envs.action_masks().any() and envs.candidates == ((), ())
    observations, _ = envs.reset(options={"reset_mask": np.array([False, True])})
    assert not observations["state"][0].any() and observations["mask"][1].any()
