"""From a model of Stable-Baselines3 to the folder of a policy, and back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.vec_env import VecEnv

from dreamgym_env.errors import PolicyError
from dreamgym_env.integrations.sb3.policies import CandidatePolicy, CandidateQPolicy, MaskableCandidatePolicy
from dreamgym_env.integrations.sb3.vec_env import TextVecEnv
from dreamgym_env.policies.policy import Policy
from dreamgym_env.types import Domain

__all__ = ["load_policy", "save_policy"]


def save_policy(
    model: BaseAlgorithm, folder: str | Path, *, env: VecEnv | None = None, notes: Mapping[str, Any] | None = None
) -> Policy:
    """Write what a model has learnt as a policy: ``policy(FOLDER)`` plays it, ``load_policy`` continues it.

    Args:
        model: with one of this integration's policy classes.  Of DQN the greedy policy is kept.
        folder: for the policy; one that is there is replaced.
        env: what it was trained in, by :func:`~.vec_env.make_sb3_vec_env`; None for the model's own.
        notes: JSON values that are kept beside it; the number of steps is anyway.

    Raises:
        PolicyError: the model has another policy class, or no such environment.
    """
    envs = _envs_of(model, env)
    policy = _new_policy(model, envs)
    trained = model.policy.scorer.state_dict()
    policy.scorer.load_state_dict({name: weights.cpu() for name, weights in trained.items()})
    policy.scorer.eval()
    about = {"algorithm": type(model).__name__, "environment": envs.spec and envs.spec.id, "steps": model.num_timesteps}
    policy.save(folder, notes={"trained": about, **(notes or {})})
    return policy


def load_policy(model: BaseAlgorithm, folder: str | Path, *, env: VecEnv | None = None) -> None:
    """Let a model go on from a policy, such as one of ``dreamgym clone``.

    Its value head comes along as it is; cloning does not train one.

    Args:
        model: with one of this integration's policy classes, as wide as the policy (``policy_kwargs={"hidden": ...}``),
            in environments that were made with ``policy=folder``.
        folder: of the policy.
        env: as in :func:`save_policy`.

    Raises:
        PolicyError: the folder cannot be read, or its policy does not fit the model.
    """
    envs = _envs_of(model, env)
    ours = _new_policy(model, envs)
    theirs = Policy.load(folder, ours.domain)
    settings = replace(theirs.settings, most_candidates=envs.features.most_candidates)  # of no weight
    if settings != envs.features or theirs.hidden != ours.hidden:
        raise PolicyError(
            f"{folder} holds a policy of width {theirs.hidden} on {settings}, and this model has width "
            f"{ours.hidden} on {envs.features}: make the environment with policy={str(folder)!r}, and the model with "
            f"policy_kwargs={{'hidden': {theirs.hidden}}}."
        )
    weights = theirs.scorer.state_dict()
    model.policy.scorer.load_state_dict(weights)
    if isinstance(model.policy, CandidateQPolicy):
        model.policy.q_net_target.scorer.load_state_dict(weights)


def _envs_of(model: BaseAlgorithm, env: VecEnv | None) -> TextVecEnv:
    env = env or model.get_env()
    found = env.unwrapped if isinstance(env, VecEnv) else env
    if not isinstance(found, TextVecEnv):
        raise PolicyError(
            "The model has no environment of make_sb3_vec_env, which says what its vectors mean: name it with env=."
        )
    return found


def _new_policy(model: BaseAlgorithm, envs: TextVecEnv) -> Policy:
    """Return a policy of a model's size, whose weights mean nothing yet."""
    if not isinstance(model.policy, CandidatePolicy | MaskableCandidatePolicy | CandidateQPolicy):
        raise PolicyError(
            f"A {type(model.policy).__name__} does not score candidates: train with CandidatePolicy, "
            "MaskableCandidatePolicy or CandidateQPolicy."
        )
    domain: Domain = envs.get_attr("domain")[0]
    with torch.random.fork_rng(devices=[]):
        return Policy(domain, envs.features, model.policy.hidden)
