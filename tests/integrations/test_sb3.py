"""Promises of the integration of Stable-Baselines3, kept with the real library."""

from __future__ import annotations

import random
import warnings

import gymnasium as gym
import numpy as np
import pytest

pytest.importorskip("stable_baselines3", reason='needs stable-baselines3: pip install "dreamgym_env[sb3]"')
pytest.importorskip("sb3_contrib", reason='needs sb3-contrib: pip install "dreamgym_env[sb3]"')

import torch
from houses import FEATURES, number_of, single, vector
from sb3_contrib import MaskablePPO
from sb3_contrib.common.maskable.utils import get_action_masks, is_masking_supported
from scripted import house_model, simulator
from stable_baselines3 import A2C, DQN, PPO
from stable_baselines3.common.env_checker import check_env
from stable_baselines3.common.evaluation import evaluate_policy
from stable_baselines3.common.utils import obs_as_tensor
from stable_baselines3.common.vec_env import VecMonitor
from toy_domain import RealToyHouse, ToyHouse

from dreamgym_env.domains import load_domain
from dreamgym_env.envs.text_vector_env import TextVectorEnv
from dreamgym_env.errors import KeywordError, PolicyError, ResetOptionError
from dreamgym_env.evaluation.agents import agent_factory
from dreamgym_env.evaluation.rollout import plan_episodes
from dreamgym_env.evaluation.rollout import play as play_plans
from dreamgym_env.integrations.candidate_features import CandidateFeatures
from dreamgym_env.integrations.sb3 import (
    CandidatePolicy,
    CandidateQPolicy,
    MaskableCandidatePolicy,
    TextVecEnv,
    load_policy,
    make_sb3_vec_env,
    save_policy,
)
from dreamgym_env.policies.features import FeatureSettings, Situation
from dreamgym_env.policies.policy import Policy
from dreamgym_env.shadow.vector import ShadowRealVector
from dreamgym_env.types import Task

REAL_SHOP = "DreamGymReal/WebShop-v0"
PPO_SETTINGS = {"n_steps": 32, "batch_size": 128, "gamma": 0.95}
ALGORITHMS = {
    "ppo": (PPO, CandidatePolicy, PPO_SETTINGS),
    "a2c": (A2C, CandidatePolicy, {"gamma": 0.95}),
    "maskable-ppo": (MaskablePPO, MaskableCandidatePolicy, PPO_SETTINGS),
    "dqn": (
        DQN,
        CandidateQPolicy,
        {"buffer_size": 4000, "learning_starts": 200, "train_freq": 4, "gradient_steps": 4, "gamma": 0.95}
        | {"exploration_fraction": 0.5, "target_update_interval": 200},
    ),
}


def houses(num_envs=4, **settings):
    """The real house as SB3 sees it, with the monitor of make_sb3_vec_env."""
    envs = TextVecEnv(vector(num_envs, **settings), FEATURES)
    return VecMonitor(envs, info_keywords=("task_score", "won"))


def train(name, steps, envs=None, seed=0, **more):
    algorithm, policy_class, settings = ALGORITHMS[name]
    model = algorithm(
        policy_class, envs or houses(8), learning_rate=3e-3, seed=seed, policy_kwargs={"hidden": 32}, **settings, **more
    )
    return model.learn(steps)


def same(one, other):
    return one.keys() == other.keys() and all(np.array_equal(one[key], other[key]) for key in one)


def test_sb3s_own_checker_is_content():
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        warnings.filterwarnings("ignore", message=".*unconventional shape")  # one row for each candidate
        check_env(CandidateFeatures(single(), FEATURES))
        env = CandidateFeatures(gym.make(REAL_SHOP))
        check_env(env)
    env.close()


def test_all_lanes_are_one_environment_that_asks_the_world_model_once_a_step():
    model = house_model()
    backend = simulator(model, guard=False, replay=False, memo=False)
    envs = TextVecEnv(TextVectorEnv(backend.domain, backend, 5, autoreset_mode="SameStep"), FEATURES)
    envs.seed(0)
    envs.reset()
    for step in range(4):
        envs.step(np.arange(5) + step)
        assert len(model.batches) == step + 1 and len(model.batches[-1]) == 5
    envs.close()
    assert model.closed == 1


def test_a_lane_that_ends_begins_anew_and_its_last_observation_is_kept():
    envs = houses(2)
    envs.set_options({"task_id": "toyhouse/train/0"})  # the key lies in the kitchen
    first = envs.reset()
    envs.step(np.array([number_of(envs.get_attr("candidates")[0], "go kitchen")] * 2))
    candidates = envs.get_attr("candidates")
    take, look = number_of(candidates[0], "take key"), number_of(candidates[1], "look")
    observations, rewards, dones, infos = envs.step(np.array([take, look]))
    assert dones.tolist() == [True, False] and rewards.tolist() == [1.0, 0.0] and rewards.dtype == np.float32
    ended, going_on = infos
    assert ended["action"] == "take key" and ended["won"] and ended["is_success"] and ended["task_score"] == 1.0
    assert not ended["TimeLimit.truncated"] and not ended["terminal_observation"]["mask"].any()
    assert ended["episode"] | {"t": 0} == {"r": 1.0, "l": 2, "t": 0, "task_score": 1.0, "won": True}
    assert {key: rows[0].tolist() for key, rows in observations.items()} == {
        key: rows[0].tolist() for key, rows in first.items()
    }  # the options hold on
    assert "terminal_observation" not in going_on and "is_success" not in going_on and going_on["action"] == "look"
    reset_info = envs.unwrapped.reset_infos[0]
    assert reset_info["task_id"] == "toyhouse/train/0" and "reasoning" not in reset_info and "action" not in reset_info


def test_the_limit_truncates_and_leaves_what_could_be_chosen():
    envs = houses(2, max_episode_steps=2)
    envs.seed(0)
    envs.reset()
    for _ in range(2):
        look = [number_of(one, "look") for one in envs.get_attr("candidates")]
        _, _, dones, infos = envs.step(np.array(look))
    assert dones.all()
    for info in infos:
        assert info["TimeLimit.truncated"] and info["stop_reason"] == "step_limit" and not info["is_success"]
        assert info["terminal_observation"]["mask"].sum() == 8
    _, _, _, infos = envs.step(np.array([0, 0]))
    assert [info["TimeLimit.truncated"] for info in infos] == [False, False]


def episodes(envs, steps=12):
    rng = np.random.default_rng(1)
    seen = [envs.reset()]
    for _ in range(steps):
        observations, rewards, dones, infos = envs.step(rng.integers(FEATURES.most_candidates, size=envs.num_envs))
        seen.append({**observations, "rewards": rewards, "dones": dones})
        seen.append({"tasks": np.array([info["task_id"] for info in infos])})
    return seen


def test_the_same_seed_gives_the_same_episodes_and_another_seed_others():
    runs = []
    for seed in (0, 0, 1):
        envs = houses(3)
        assert envs.seed(seed) == [seed, seed + 1, seed + 2]
        runs.append(episodes(envs))
    assert all(same(*pair) for pair in zip(runs[0], runs[1], strict=True))
    assert not all(same(*pair) for pair in zip(runs[0], runs[2], strict=True))


def test_training_follows_from_its_seed():
    weights = [train("maskable-ppo", 512, seed=seed).policy.state_dict() for seed in (0, 0, 1)]
    assert all(torch.equal(weights[0][name], weights[1][name]) for name in weights[0])
    assert not all(torch.equal(weights[0][name], weights[2][name]) for name in weights[0])


def test_masks_are_there_as_maskable_ppo_asks_for_them():
    envs = houses(3)
    observations = envs.reset()
    assert is_masking_supported(envs)
    assert np.array_equal(get_action_masks(envs), observations["mask"].astype(bool))
    assert np.array_equal(envs.action_masks(), get_action_masks(envs))


def test_lanes_have_attributes_and_methods():
    envs = houses(3)
    envs.reset()
    assert envs.get_attr("render_mode") == [None] * 3
    assert len(envs.env_method("action_masks", indices=[0, 2])) == 2
    envs.set_attr("colour", "red", indices=1)
    assert envs.get_attr("colour", indices=1) == ["red"] and not envs.has_attr("colour")
    assert [domain.name for domain in envs.get_attr("domain", indices=[0, 1])] == ["toyhouse"] * 2
    assert envs.env_is_wrapped(gym.Wrapper) == [False] * 3
    envs.step(np.zeros(3, dtype=int))
    assert envs.get_attr("real_transitions") == [3] * 3
    with pytest.raises(AttributeError, match="has 'nothing_such'"):
        envs.get_attr("nothing_such")
    with pytest.raises(AttributeError, match="one call for all lanes"):
        envs.env_method("close")


def test_a_shadow_may_run_along():
    dream = simulator(house_model())
    shadowed = ShadowRealVector(TextVectorEnv(dream.domain, dream, 2, autoreset_mode="SameStep"), vector(2))
    envs = TextVecEnv(shadowed, FEATURES)
    envs.set_options({"task_id": "toyhouse/train/0"})
    envs.reset()
    _, _, dones, infos = envs.step(np.array([number_of(envs.candidates[0], name) for name in ("leave", "look")]))
    assert dones.tolist() == [True, False] and all(info["shadow"]["state_same"] for info in infos)
    assert envs.get_attr("real_transitions", indices=0) == [2]
    envs.close()


def test_options_are_shared_or_one_for_each_lane():
    envs = houses(2)
    envs.set_options({"split": "test"})
    envs.reset()
    assert [info["split"] for info in envs.unwrapped.reset_infos] == ["test"] * 2
    wanted = ["toyhouse/eval/1", "toyhouse/test/2"]
    envs.set_options([{"task_id": task_id} for task_id in wanted])
    envs.reset()
    assert [info["task_id"] for info in envs.unwrapped.reset_infos] == wanted
    envs.set_options([{"task_id": wanted[0]}, {"split": "test"}])
    with pytest.raises(ResetOptionError, match="same names"):
        envs.reset()


class EvalTasks:
    """A source of tasks that can be told to give others."""

    number = 0

    def draw(self, rng: np.random.Generator) -> Task:
        return ToyHouse().task(f"toyhouse/eval/{self.number}")


def test_a_source_of_tasks_is_asked_itself_and_not_a_copy():
    source = EvalTasks()
    envs = VecMonitor(houses(2))
    envs.set_options({"tasks": source})
    envs.reset()
    source.number = 2
    envs.step(np.array([number_of(candidates, "leave") for candidates in envs.get_attr("candidates")]))
    assert [info["task_id"] for info in envs.unwrapped.reset_infos] == ["toyhouse/eval/2"] * 2
    envs.set_options()
    envs.reset()
    assert all(info["split"] == "train" for info in envs.unwrapped.reset_infos)


def test_other_ways_of_beginning_anew_are_refused():
    with pytest.raises(KeywordError, match="SameStep"):
        TextVecEnv(vector(2, "NextStep"), FEATURES)
    with pytest.raises(KeywordError, match="autoreset_mode cannot be chosen"):
        make_sb3_vec_env(REAL_SHOP, 2, autoreset_mode="Disabled")


@pytest.mark.parametrize("name", ["ppo", "maskable-ppo"])
def test_padding_has_no_probability_and_no_gradient_breaks(name):
    model = train(name, 256)
    observations = model.get_env().reset()
    observations["mask"][0] = 0  # a state that offers nothing, as after the last step
    tensors = obs_as_tensor(observations, model.device)
    distribution = model.policy.get_distribution(tensors)
    padding = observations["mask"][1:] == 0
    assert not distribution.distribution.probs[1:][torch.from_numpy(padding)].any()
    values, log_probabilities, entropies = model.policy.evaluate_actions(tensors, torch.zeros(8, dtype=torch.long))
    (values.sum() + log_probabilities.sum() + entropies.sum()).backward()
    assert all(torch.isfinite(weights.grad).all() for weights in model.policy.parameters() if weights.grad is not None)
    assert torch.equal(values, model.policy.predict_values(tensors))


def test_masks_of_ones_own_come_on_top():
    model = train("maskable-ppo", 256)
    observations = model.get_env().reset()
    only = np.zeros_like(observations["mask"], dtype=bool)
    only[:, 2] = True
    actions, _ = model.predict(observations, action_masks=only)
    assert (actions == 2).all()


def test_dqn_values_the_padding_as_the_candidate_that_it_stands_for():
    model = train("dqn", 400)
    observations = model.get_env().reset()
    values = model.q_net(obs_as_tensor(observations, model.device))
    for row, mask in zip(values, observations["mask"], strict=True):
        count = int(mask.sum())
        assert torch.equal(row, row[torch.arange(len(mask)) % count])


@pytest.mark.parametrize("name", ALGORITHMS)
def test_every_algorithm_learns(name):
    untrained = train(name, 1)
    trained = train(name, 4000)
    before, after = (evaluate_policy(model, houses(8), 60, deterministic=False)[0] for model in (untrained, trained))
    assert before < 0.4 and after > 0.6


def test_a_model_of_sb3_is_saved_and_loaded_as_any_other(tmp_path):
    model = train("ppo", 256)
    model.save(tmp_path / "model.zip")
    again = PPO.load(tmp_path / "model.zip", env=houses(8))
    observations = model.get_env().reset()
    assert np.array_equal(
        model.predict(observations, deterministic=True)[0], again.predict(observations, deterministic=True)[0]
    )


@pytest.mark.parametrize("name", ["ppo", "maskable-ppo", "dqn"])
def test_a_policy_class_is_saved_and_loaded_alone(name, tmp_path):
    model = train(name, 1)
    model.policy.save(tmp_path / "policy.pth")
    again = type(model.policy).load(tmp_path / "policy.pth")
    assert again.hidden == 32
    assert all(torch.equal(weights, again.state_dict()[key]) for key, weights in model.policy.state_dict().items())


@pytest.mark.parametrize("name", ALGORITHMS)
def test_what_was_learnt_becomes_a_policy_and_comes_back(name, tmp_path):
    model = train(name, 256)
    save_policy(model, tmp_path / "policy", notes={"by": "a test"})
    policy = Policy.load(tmp_path / "policy", ToyHouse())
    envs = model.get_env()
    envs.set_options({"task_id": "toyhouse/train/0"})
    observations = envs.reset()
    info = envs.unwrapped.reset_infos[0]
    task = ToyHouse().task("toyhouse/train/0")
    ((choices, logits),) = policy.scores(
        [Situation(info["instruction"], (), task.initial_state, info["available_actions"])]
    )
    tensors = obs_as_tensor({key: rows[:1] for key, rows in observations.items()}, model.device)
    if name == "dqn":
        values = model.q_net(tensors)[0, : len(choices)]
        assert torch.allclose(logits - logits.mean(), values - values.mean(), atol=1e-5)
    else:
        expected = model.policy.get_distribution(tensors).distribution.probs[0, : len(choices)]
        assert torch.allclose(logits.softmax(-1), expected, atol=1e-5)
    fresh = train(name, 1, seed=9)
    load_policy(fresh, tmp_path / "policy")
    assert np.array_equal(
        fresh.predict(observations, deterministic=True)[0], model.predict(observations, deterministic=True)[0]
    )


def test_a_trained_policy_is_an_agent(tmp_path):
    save_policy(train("dqn", 1500), tmp_path)
    domain = ToyHouse()
    env = TextVectorEnv(domain, RealToyHouse(domain), 2)
    plans = plan_episodes(domain.task_ids("test"), "trained", 0)
    played = play_plans(env, {"trained": agent_factory(domain, f"policy({tmp_path})")}, plans)
    assert len(played.episodes) == 4 and all(episode.steps for episode in played.episodes)


def test_a_policy_that_does_not_fit_is_refused(tmp_path):
    model = train("ppo", 1)
    Policy(ToyHouse(), FEATURES, hidden=16).save(tmp_path / "narrow")
    with pytest.raises(PolicyError, match=r"policy_kwargs=\{'hidden': 16\}"):
        load_policy(model, tmp_path / "narrow")
    Policy(ToyHouse(), FeatureSettings(("go",), 16), hidden=32).save(tmp_path / "kinds")
    with pytest.raises(PolicyError, match="make the environment with policy="):
        load_policy(model, tmp_path / "kinds")
    Policy(ToyHouse(), FeatureSettings(FEATURES.kinds, 16, most_candidates=99), hidden=32).save(tmp_path / "wide")
    load_policy(model, tmp_path / "wide")  # how many candidates are looked at changes no weight


def test_what_is_no_policy_over_candidates_is_refused(tmp_path):
    with pytest.raises(PolicyError, match="does not score candidates"):
        save_policy(PPO("MultiInputPolicy", houses(2), n_steps=4, batch_size=4), tmp_path)
    model = train("ppo", 1)
    model.env = None
    with pytest.raises(PolicyError, match="name it with env="):
        save_policy(model, tmp_path)
    save_policy(model, tmp_path, env=houses(1))


def test_webshop_by_its_id_and_the_monitor_writes_a_file(tmp_path):
    envs = make_sb3_vec_env(REAL_SHOP, 2, seed=0, most_candidates=20, monitor_dir=tmp_path, max_episode_steps=2)
    assert isinstance(envs.unwrapped, TextVecEnv) and envs.action_space.n == 20
    MaskablePPO(MaskableCandidatePolicy, envs, n_steps=4, batch_size=8).learn(8)
    envs.close()
    written = (tmp_path / "monitor.csv").read_text().splitlines()
    assert REAL_SHOP in written[0] and written[1] == "r,l,t,task_score,won" and len(written) > 2


def test_webshop_goes_on_from_a_policy_with_any_number_of_candidates(tmp_path):
    shop = load_domain("webshop")
    settings = FeatureSettings(("buy", "search"), dimension=32, most_candidates=128)
    Policy(shop, settings, hidden=24).save(tmp_path)
    envs = make_sb3_vec_env(REAL_SHOP, 2, most_candidates=16, policy=tmp_path)
    assert envs.unwrapped.features == FeatureSettings(("buy", "search"), 32, 16)
    model = PPO(CandidatePolicy, envs, n_steps=4, batch_size=8, policy_kwargs={"hidden": 24})
    load_policy(model, tmp_path)
    assert Policy.load(tmp_path, shop).scorer.state_dict().keys() == model.policy.scorer.state_dict().keys()
    envs.close()


def test_making_and_saving_leave_global_randomness_alone(tmp_path):
    model = train("ppo", 1)
    before = random.getstate(), np.random.get_state()[1].tolist(), torch.get_rng_state().tolist()
    make_sb3_vec_env(REAL_SHOP, 2).close()
    save_policy(model, tmp_path)
    load_policy(model, tmp_path)
    assert (random.getstate(), np.random.get_state()[1].tolist(), torch.get_rng_state().tolist()) == before
