"""Promises of the integration of RLlib, kept with the real library."""

from __future__ import annotations

import clusters
import gymnasium as gym
import numpy as np
import pytest

pytest.importorskip("ray", reason='needs ray: pip install "dreamgym_env[ray]"')
pytest.importorskip("tree", reason='needs dm-tree: pip install "dreamgym_env[ray]"')

import torch
from ray.rllib.algorithms.ppo import PPOConfig
from ray.rllib.core.columns import Columns

from dreamgym_env.domains import load_domain
from dreamgym_env.errors import PolicyError
from dreamgym_env.integrations.ray.rllib import CandidateRLModule, register_rllib_env, save_policy
from dreamgym_env.policies.policy import Policy

REAL = "DreamGymReal/WebShop-v0"


@pytest.fixture(scope="module", autouse=True)
def cluster():
    with clusters.local_cluster():
        yield


def test_ppo_trains_and_what_it_learns_is_a_policy(tmp_path):
    env = register_rllib_env(REAL, most_candidates=20, hidden=16, max_episode_steps=5)
    config = (
        env.configure(PPOConfig())
        .env_runners(num_env_runners=0, num_envs_per_env_runner=4)
        .training(train_batch_size=64, minibatch_size=32, num_epochs=1)
        .debugging(seed=0)
    )
    algorithm = config.build_algo()
    before = {name: weights.clone() for name, weights in algorithm.get_module().scorer.state_dict().items()}
    result = algorithm.train()
    assert result["env_runners"]["num_env_steps_sampled"] >= 64
    assert np.isfinite(result["learners"]["default_policy"]["total_loss"])
    assert algorithm.env_runner.env.unwrapped.num_envs == 4  # one batched environment
    policy = save_policy(algorithm, env, tmp_path)
    algorithm.stop()
    assert any(not torch.equal(before[name], weights) for name, weights in policy.scorer.state_dict().items())
    again = Policy.load(tmp_path, load_domain("webshop"))
    assert all(torch.equal(weights, again.scorer.state_dict()[n]) for n, weights in policy.scorer.state_dict().items())
    with pytest.raises(PolicyError, match="does not score candidates"):
        save_policy(_Algorithm(), env, tmp_path)

    continued = register_rllib_env(REAL, most_candidates=12, policy=tmp_path)
    assert continued.hidden == 16 and continued.features.most_candidates == 12
    single = continued({"max_episode_steps": 3})
    observation, _ = single.reset(seed=0)
    module = CandidateRLModule(
        observation_space=single.observation_space,
        action_space=single.action_space,
        model_config={"hidden": 16, "policy": str(tmp_path)},
    )
    batch = {Columns.OBS: {key: torch.from_numpy(value[None]) for key, value in observation.items()}}
    probabilities = module.forward_inference(batch)[Columns.ACTION_DIST_INPUTS].softmax(-1)[0]
    offered = observation["mask"].astype(bool)
    assert not probabilities[~offered].any() and probabilities[offered].all()
    with torch.inference_mode():
        logits, values = again.scorer(
            *(torch.from_numpy(observation[key][None]) for key in ("state", "candidates")),
            torch.from_numpy(offered[None]),
        )
    assert torch.allclose(probabilities, logits.softmax(-1)[0]) and torch.allclose(module.compute_values(batch), values)
    batch[Columns.OBS]["mask"][:] = 0  # a state that offers nothing, as after the last step
    assert torch.isfinite(module.forward_train(batch)[Columns.ACTION_DIST_INPUTS]).all()
    single.close()


class _Algorithm:
    def get_module(self):
        return torch.nn.Linear(1, 1)


def test_an_unknown_id_is_refused():
    with pytest.raises(gym.error.Error):
        register_rllib_env("DreamGym/Nothing-v0")
