"""Promises of the algorithms: they learn, keep to their budget, and go on from what they saved."""

from __future__ import annotations

import pytest
import torch
from houses import FEATURES, vector

from dreamgym_env.errors import TrainingError
from dreamgym_env.learning.grpo import group_advantages
from dreamgym_env.learning.learner import ALGORITHMS, DivergedError, find_algorithm, make_learner
from dreamgym_env.policies.policy import Policy
from dreamgym_env.training.randomness import own_randomness

pytest.importorskip("sb3_contrib", reason='needs sb3-contrib: pip install "dreamgym_env[sb3]"')

SMALL = {
    "maskable-ppo": {"n_steps": 8, "learning_rate": 3e-3},
    "ppo": {"n_steps": 8, "learning_rate": 3e-3},
    "dqn": {"learning_starts": 32, "buffer_size": 1000, "target_update_interval": 100, "learning_rate": 3e-3},
    "grpo": {"group_size": 4, "learning_rate": 3e-3},
}


class Notes:
    """A watch that keeps what it is told."""

    def __init__(self, most=10**9):
        self.steps, self.episodes, self.updates, self.most = 0, [], [], most

    def stepped(self, steps):
        self.steps += steps
        return self.steps < self.most

    def finished(self, result, length):
        self.episodes.append(result)

    def updated(self, figures):
        self.updates.append(dict(figures))


def lanes(algorithm):
    return vector(8, find_algorithm(algorithm).autoreset_mode, max_episode_steps=12)


def new_policy(envs):
    with own_randomness(0):
        return Policy(envs.domain, FEATURES, hidden=32)


def learner_of(algorithm, most_steps=None, **hyperparameters):
    envs = lanes(algorithm)
    given = {**SMALL[algorithm], **hyperparameters}
    return make_learner(algorithm, envs, new_policy(envs), given, total_steps=4000, most_steps=most_steps), envs


def weights(learner):
    return {name: value.clone() for name, value in learner.policy.scorer.state_dict().items()}


def same(one, other):
    return all(torch.equal(one[name], other[name]) for name in one)


@pytest.mark.parametrize("algorithm", ["maskable-ppo", "ppo", "grpo"])
def test_success_rises(algorithm):
    learner, envs = learner_of(algorithm)
    notes = Notes()
    learner.learn(learner.update_steps * (2048 // learner.update_steps), seed=0, options={}, watch=notes)
    won = [episode.won for episode in notes.episodes]
    assert sum(won[-60:]) > sum(won[:60])
    assert any("policy" in name and "loss" in name for update in notes.updates for name in update)
    assert notes.steps == learner.steps == envs.real_transitions


@pytest.mark.parametrize("algorithm", sorted(ALGORITHMS))
def test_a_budget_is_never_passed_and_nearly_used_up(algorithm):
    learner, envs = learner_of(algorithm, most_steps=500)
    total = 500 - 500 % learner.update_steps
    learner.learn(total, seed=0, options={}, watch=Notes())
    assert learner.steps == envs.real_transitions == total > 440


@pytest.mark.parametrize("algorithm", ["maskable-ppo", "ppo", "grpo"])
def test_what_was_saved_and_loaded_learns_on_as_if_it_had_never_stopped(algorithm, tmp_path):
    whole, _ = learner_of(algorithm)
    first, _ = learner_of(algorithm)
    for learner in (whole, first):
        learner.learn(128, seed=1, options={}, watch=Notes())
    first.save(tmp_path)
    second, _ = learner_of(algorithm)
    second.load(tmp_path)
    assert second.steps == 128
    for learner in (whole, second):
        learner.learn(128, seed=2, options={}, watch=Notes())
    assert same(weights(whole), weights(second))


def test_dqn_goes_on_from_its_weights(tmp_path):
    first, _ = learner_of("dqn")
    first.learn(128, seed=1, options={}, watch=Notes())
    first.save(tmp_path)
    second, _ = learner_of("dqn")
    second.load(tmp_path)
    assert second.steps == 128 and same(weights(first), weights(second))
    second.learn(128, seed=2, options={}, watch=Notes())
    assert second.steps == 256


@pytest.mark.parametrize("algorithm", sorted(ALGORITHMS))
def test_a_watch_can_end_it(algorithm):
    learner, _ = learner_of(algorithm)
    notes = Notes(most=40)
    learner.learn(512, seed=0, options={}, watch=notes)
    assert 40 <= notes.steps <= 48 and learner.steps == notes.steps


@pytest.mark.parametrize("algorithm", ["maskable-ppo", "ppo", "grpo"])
def test_weights_that_are_no_numbers_are_an_error(algorithm):
    learner, _ = learner_of(algorithm, learning_rate=1e30)
    with pytest.raises(DivergedError, match="smaller learning_rate"):
        learner.learn(2048, seed=0, options={}, watch=Notes())


def test_a_batch_of_groups_is_played_to_its_end_where_the_budget_allows_it():
    learner, envs = learner_of("grpo")
    notes = Notes()
    learner.learn(8, seed=0, options={}, watch=notes, most=10_000)
    assert len(notes.episodes) == 8 and len(notes.updates) == 1
    assert learner.steps == envs.real_transitions == notes.steps > 8


def test_groups_that_the_end_of_the_budget_cuts_short_teach_nothing():
    taken = learner_of("grpo", group_size=8)[0]
    taken.learn(8, seed=1, options={}, watch=Notes(), most=10_000)  # one group: a batch
    for missing in (0, 1):
        learner, _ = learner_of("grpo", group_size=8)
        before, notes = weights(learner), Notes()
        learner.learn(taken.steps - missing, seed=1, options={}, watch=notes)
        assert notes.episodes and len(notes.updates) == 1 - missing
        assert same(before, weights(learner)) == bool(missing)


@pytest.mark.parametrize("algorithm", sorted(ALGORITHMS))
def test_no_update_passes_the_most_steps(algorithm):
    learner, envs = learner_of(algorithm)
    step = learner.update_steps
    learner.learn(step, seed=0, options={}, watch=Notes(), most=step)
    assert learner.steps == envs.real_transitions == step


def test_a_last_batch_of_one_step_does_no_harm():
    learner, _ = learner_of("maskable-ppo", batch_size=9)  # 64 steps an update
    learner.learn(64, seed=0, options={}, watch=Notes())
    assert all(bool(torch.isfinite(value).all()) for value in weights(learner).values())


def test_nothing_global_is_touched():
    before = torch.random.get_rng_state()
    learner, _ = learner_of("maskable-ppo")
    learner.learn(64, seed=0, options={}, watch=Notes())
    assert torch.equal(before, torch.random.get_rng_state())


@pytest.mark.parametrize(
    ("algorithm", "given", "said"),
    [
        ("sarsa", {}, "There is no algorithm 'sarsa'"),
        ("grpo", {"gamma": 0.9}, "has no hyper-parameter 'gamma'"),
        ("grpo", {"group_size": 3}, "must be a multiple of it"),
        ("grpo", {"n_epochs": 0.5}, "whole number"),
        ("ppo", {"n_steps": 0}, "n_steps must be a whole number of at least 1, not 0"),
        ("ppo", {"batch_size": "many"}, "batch_size must be a whole number"),
        ("maskable-ppo", {"batch_size": 1}, "batch_size must be a whole number of at least 2, not 1"),
        ("maskable-ppo", {"n_epochs": 0}, "n_epochs must be a whole number of at least 1, not 0"),
        ("maskable-ppo", {"n_epochs": 1.5}, "n_epochs must be a whole number"),
        ("maskable-ppo", {"ent_coef": "abc"}, "ent_coef must be a number of at least 0, not 'abc'"),
        ("maskable-ppo", {"learning_rate": float("nan")}, "learning_rate must be a number"),
        ("dqn", {"gamma": 2}, "gamma must be a number from 0 to 1, not 2"),
        ("dqn", {"train_freq": 0}, "train_freq must be a whole number of at least 1"),
    ],
)
def test_what_an_algorithm_does_not_take_is_said(algorithm, given, said):
    envs = vector(8)
    with pytest.raises(TrainingError, match=said):
        make_learner(algorithm, envs, new_policy(envs), given, total_steps=100)


def test_a_budget_below_one_step_a_lane_is_refused():
    with pytest.raises(TrainingError, match="fewer lanes"):
        learner_of("ppo", most_steps=7)


def test_dqn_that_would_never_learn_is_refused():
    with pytest.raises(TrainingError, match=r"begins to learn after 4,000 steps \(learning_starts\)"):
        learner_of("dqn", learning_starts=4000)


def test_a_broken_checkpoint_is_an_error(tmp_path):
    learner, _ = learner_of("ppo")
    with pytest.raises(TrainingError, match="cannot be read"):
        learner.load(tmp_path)
    learner.save(tmp_path)
    other, _ = learner_of("dqn")
    with pytest.raises(TrainingError, match="does not fit"):
        other.load(tmp_path)


def test_advantages_of_a_group():
    assert group_advantages([1.0, 0.0, 0.0, 1.0]) == pytest.approx([1.0, -1.0, -1.0, 1.0], abs=1e-5)
    assert group_advantages([1.0, 0.0, 0.0, 0.0]) == pytest.approx([3**0.5, *[-(3**-0.5)] * 3], abs=1e-5)
    assert group_advantages([1.0, 1.0]) == [0.0, 0.0]
    assert group_advantages([]) == []
