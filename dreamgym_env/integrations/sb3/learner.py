"""PPO, MaskablePPO and DQN as learners of ``dreamgym train`` (:mod:`dreamgym_env.learning`)."""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import torch
from sb3_contrib import MaskablePPO
from stable_baselines3 import DQN, PPO
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.logger import Logger
from stable_baselines3.common.vec_env import VecMonitor

from dreamgym_env.curriculum import TaskResult
from dreamgym_env.envs.text_vector_env import TextVectorEnv
from dreamgym_env.errors import TrainingError
from dreamgym_env.integrations.sb3.policies import CandidatePolicy, CandidateQPolicy, MaskableCandidatePolicy
from dreamgym_env.integrations.sb3.vec_env import TextVecEnv
from dreamgym_env.learning.checking import numbers_only, refuse_infinite
from dreamgym_env.learning.learner import Watch
from dreamgym_env.learning.states import load_state, save_state
from dreamgym_env.policies.policy import Policy
from dreamgym_env.training.randomness import own_randomness

__all__ = ["DEFAULTS", "SB3Learner", "make"]

_PPO = MappingProxyType(
    {
        "learning_rate": 3e-4,
        "n_steps": 64,
        "batch_size": 256,
        "n_epochs": 4,
        "gamma": 0.99,
        "gae_lambda": 0.95,
        "clip_range": 0.2,
        "ent_coef": 0.01,
        "vf_coef": 0.5,
        "max_grad_norm": 0.5,
        "target_kl": None,
    }
)
DEFAULTS: Mapping[str, Mapping[str, Any]] = MappingProxyType(
    {
        "maskable-ppo": _PPO,
        "ppo": _PPO,
        "dqn": MappingProxyType(
            {
                "learning_rate": 3e-4,
                "buffer_size": 20_000,
                "learning_starts": 1_000,
                "batch_size": 128,
                "gamma": 0.99,
                "train_freq": 4,
                "gradient_steps": 4,
                "target_update_interval": 1_000,
                "exploration_fraction": 0.3,
                "exploration_initial_eps": 0.3,
                "exploration_final_eps": 0.02,
                "max_grad_norm": 10.0,
            }
        ),
    }
)
"""Algorithm -> its hyper-parameters, by the names of Stable-Baselines3."""

_SHARES = frozenset(("gamma", "gae_lambda", "exploration_fraction", "exploration_initial_eps", "exploration_final_eps"))
"""Hyper-parameters of at most 1."""
_LEAST: Mapping[str, int] = MappingProxyType({"learning_starts": 0, "batch_size": 2, "gradient_steps": -1})
"""Of whole numbers that do not begin with 1: advantages of a batch are normalised, and -1 is one a step taken."""

_CLASSES: Mapping[str, tuple[Any, Any]] = MappingProxyType(
    {
        "maskable-ppo": (MaskablePPO, MaskableCandidatePolicy),
        "ppo": (PPO, CandidatePolicy),
        "dqn": (DQN, CandidateQPolicy),
    }
)


class SB3Learner:
    """An algorithm of Stable-Baselines3 that improves a policy."""

    def __init__(
        self,
        algorithm: str,
        envs: TextVectorEnv,
        policy: Policy,
        hyperparameters: Mapping[str, Any],
        total_steps: int,
        most_steps: int | None,
    ) -> None:
        """Create one; arguments and errors are those of :func:`~dreamgym_env.learning.learner.make_learner`."""
        self._algorithm, self._policy = algorithm, policy.copy()
        self._lanes = envs.num_envs
        self._text = TextVecEnv(envs, policy.settings)
        self._envs = VecMonitor(self._text)
        _check(algorithm, hyperparameters)
        length = "train_freq" if algorithm == "dqn" else "n_steps"
        chosen = {**hyperparameters, length: _fitting(hyperparameters[length], self._lanes, most_steps)}
        self.update_steps: int = chosen[length] * self._lanes
        if algorithm == "maskable-ppo" and self.update_steps % chosen["batch_size"] == 1 < self.update_steps:
            chosen["batch_size"] += 1  # sb3-contrib normalises the advantage of a last batch of one, which gives NaN
        algorithm_class, policy_class = _CLASSES[algorithm]
        try:
            with own_randomness(0), warnings.catch_warnings():  # weights are drawn, and then replaced
                warnings.filterwarnings("ignore", "You have specified a mini-batch size")  # the last may be smaller
                self._model = algorithm_class(
                    policy_class, self._envs, policy_kwargs={"hidden": policy.hidden}, device="cpu", **chosen
                )
        except (TypeError, ValueError, AssertionError) as error:
            raise TrainingError(f"{algorithm} does not take these hyper-parameters: {error}") from error
        if algorithm == "dqn" and chosen["learning_starts"] >= total_steps:
            raise TrainingError(
                f"dqn begins to learn after {chosen['learning_starts']:,} steps (learning_starts), and {total_steps:,} "
                "are all that it would have: give more steps, or a smaller learning_starts."
            )
        self._model.set_logger(Logger(folder=None, output_formats=[]))
        self._take_weights(policy.scorer.state_dict())
        if algorithm == "dqn":
            self._explore_over(total_steps)

    @property
    def steps(self) -> int:
        """Steps that the policy has learnt from so far."""
        return int(self._model.num_timesteps)

    @property
    def policy(self) -> Policy:
        """A copy of what was learnt so far; of DQN the greedy policy."""
        self._policy.scorer.load_state_dict(self._model.policy.scorer.state_dict())
        return self._policy.copy()

    def learn(
        self, steps: int, *, seed: int, options: Mapping[str, Any], watch: Watch, most: int | None = None
    ) -> None:
        """Learn from just these steps; see :class:`~dreamgym_env.learning.learner.Learner`."""
        self._envs.seed(seed)
        self._envs.set_options(dict(options))
        self._model.set_env(self._envs, force_reset=True)
        telling = _Telling(watch, self._lanes)
        with own_randomness(seed), numbers_only():
            np.random.seed(seed % 2**32)  # replay and exploration of SB3 draw from it; it gets its state back
            self._model.action_space.seed(seed % 2**32)
            self._model.learn(steps, callback=telling, log_interval=None, reset_num_timesteps=False)
        refuse_infinite(self._model.policy.parameters(), self._model.logger.name_to_value, self.steps)

    def save(self, folder: Path) -> None:
        """Write weights, optimiser and the number of steps; the replay buffer of DQN is not kept, but filled anew."""
        about = {"algorithm": self._algorithm, "steps": self.steps, "updates": int(self._model._n_updates)}
        save_state(folder, self._model.policy, self._model.policy.optimizer, about)

    def load(self, folder: Path) -> None:
        """Go on from what :meth:`save` wrote. Raises TrainingError."""
        about = load_state(folder, self._model.policy, self._model.policy.optimizer)
        self._model.num_timesteps, self._model._n_updates = about["steps"], about["updates"]
        if self._algorithm == "dqn":
            self._model.learning_starts += self.steps

    def _take_weights(self, weights: Mapping[str, torch.Tensor]) -> None:
        self._model.policy.scorer.load_state_dict(weights)
        if isinstance(self._model.policy, CandidateQPolicy):
            self._model.policy.q_net_target.scorer.load_state_dict(weights)

    def _explore_over(self, total_steps: int) -> None:
        """Let exploration fall over the whole run, not over each call of ``learn``."""
        model = self._model
        fall = max(1.0, model.exploration_fraction * total_steps)

        def schedule(_: float) -> float:
            left = max(0.0, 1 - model.num_timesteps / fall)
            return float(
                model.exploration_final_eps + left * (model.exploration_initial_eps - model.exploration_final_eps)
            )

        model.exploration_schedule = schedule


make = SB3Learner


class _Telling(BaseCallback):
    """Tells a watch what Stable-Baselines3 does."""

    def __init__(self, watch: Watch, lanes: int) -> None:
        super().__init__()
        self._watch, self._lanes = watch, lanes

    def _on_rollout_start(self) -> None:
        self._tell_update()

    def _on_step(self) -> bool:
        for info in self.locals["infos"]:
            if "episode" in info:
                result = TaskResult.from_info(info, info["episode"]["r"])
                self._watch.finished(result, int(info["episode"]["l"]))
        return self._watch.stepped(self._lanes)

    def _on_training_end(self) -> None:
        self._tell_update()

    def _tell_update(self) -> None:
        figures = {
            name.removeprefix("train/"): float(value)
            for name, value in self.logger.name_to_value.items()
            if name.startswith("train/")
        }
        self.logger.name_to_value.clear()
        if figures:
            refuse_infinite(self.model.policy.parameters(), figures, self.num_timesteps)
            self._watch.updated(figures)


def _check(algorithm: str, hyperparameters: Mapping[str, Any]) -> None:
    """Refuse what Stable-Baselines3 would stumble over late. Raises TrainingError."""
    for name, value in hyperparameters.items():
        default = DEFAULTS[algorithm][name]
        if value is None and default is None:
            continue
        if isinstance(default, int):
            least = _LEAST.get(name, 1)
            if isinstance(value, bool) or not isinstance(value, int) or value < least:
                raise TrainingError(f"{algorithm}'s {name} must be a whole number of at least {least}, not {value!r}.")
            continue
        most = 1.0 if name in _SHARES else math.inf
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= most or value == math.inf:
            span = "from 0 to 1" if name in _SHARES else "of at least 0"
            raise TrainingError(f"{algorithm}'s {name} must be a number {span}, not {value!r}.")


def _fitting(length: int, lanes: int, most_steps: int | None) -> int:
    """Return how many steps each lane takes between updates, so that whole updates nearly use up ``most_steps``.

    Raises:
        TrainingError: not even one step a lane is allowed.
    """
    if most_steps is None:
        return length
    if most_steps < lanes:
        raise TrainingError(f"{most_steps} steps are fewer than the {lanes} lanes: give more steps, or fewer lanes.")
    updates = math.ceil(most_steps / (length * lanes))
    return most_steps // (updates * lanes)
