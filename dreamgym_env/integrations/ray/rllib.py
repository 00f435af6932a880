"""Dreams and real environments in RLlib (Ray's library of algorithms), with a network that scores candidates.

::

    from ray.rllib.algorithms.ppo import PPOConfig
    from dreamgym_env.integrations.ray.rllib import register_rllib_env, save_policy

    env = register_rllib_env("DreamGym/WebShop-v0", most_candidates=20)
    config = env.configure(PPOConfig()).env_runners(num_env_runners=8, num_envs_per_env_runner=16)
    algorithm = config.build_algo()
    algorithm.train()
    save_policy(algorithm, env, "runs/ppo")  # dreamgym compare webshop --agent "policy(runs/ppo)"

Observations are those of :mod:`~dreamgym_env.integrations.candidate_features`: a dictionary with a mask, and
``Discrete(K)`` actions.  The environments of one runner are one vector environment, which asks the world model once a
step.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import gymnasium as gym
import torch
from safetensors.torch import load_file
from torch import nn

from dreamgym_env.errors import MissingDependencyError, PolicyError
from dreamgym_env.integrations.candidate_features import CandidateFeatures, CandidateFeaturesVector
from dreamgym_env.integrations.ray.settings import domain_of
from dreamgym_env.policies.features import FeatureSettings, domain_features
from dreamgym_env.policies.policy import WEIGHTS_FILE, Policy
from dreamgym_env.policies.scorer import CandidateScorer
from dreamgym_env.types import Domain

try:
    from ray.rllib.core.columns import Columns
    from ray.rllib.core.rl_module.apis import ValueFunctionAPI
    from ray.rllib.core.rl_module.rl_module import RLModuleSpec
    from ray.rllib.core.rl_module.torch import TorchRLModule
    from ray.tune import register_env
except ImportError as error:
    raise MissingDependencyError(f'RLlib is missing: pip install "dreamgym_env[ray]" ({error}).') from error

__all__ = ["CandidateRLModule", "RLlibEnv", "register_rllib_env", "save_policy"]

_NEVER = -1e8
"""Logit of padding: minus infinity would make entropies, KL divergences and their gradients undefined."""


class CandidateRLModule(TorchRLModule, ValueFunctionAPI):
    """One logit a candidate, and a state's value, by :class:`~dreamgym_env.policies.scorer.CandidateScorer`.

    For PPO, and other algorithms that need a distribution over actions and values.  ``model_config`` takes ``hidden``
    (width of the network; 128), ``dropout`` (0) and ``policy`` (folder of a policy to begin with).
    """

    def setup(self) -> None:
        """Make the network."""
        config = self.model_config if isinstance(self.model_config, Mapping) else {}
        state, candidates = (self.observation_space[key].shape[-1] for key in ("state", "candidates"))
        self.scorer = CandidateScorer(state, candidates, config.get("hidden", 128), config.get("dropout", 0.0))
        if config.get("policy"):
            weights = Path(config["policy"]) / WEIGHTS_FILE
            try:
                self.scorer.load_state_dict(load_file(weights))
            except (OSError, RuntimeError) as error:
                raise PolicyError(f"The policy in {weights.parent} cannot be gone on from: {error}") from error

    def _forward(self, batch: dict[str, Any], **kwargs: Any) -> dict[str, Any]:
        return {Columns.ACTION_DIST_INPUTS: self._score(batch)[0]}

    def compute_values(self, batch: dict[str, Any], embeddings: Any = None) -> torch.Tensor:
        """Return the values of states, one for each row."""
        return self._score(batch)[1]

    def _score(self, batch: dict[str, Any]) -> tuple[torch.Tensor, torch.Tensor]:
        """Return logits of shape (n, K) and values of shape (n,)."""
        observations = batch[Columns.OBS]
        mask = observations["mask"] > 0.5
        most = max(1, int(mask.any(0).sum()))  # candidates come first: what is padding in all rows is not looked at
        candidates = observations["candidates"][:, :most].float()
        logits, values = self.scorer(observations["state"].float(), candidates, mask[:, :most])
        return nn.functional.pad(logits.clamp(min=_NEVER), (0, mask.shape[1] - most), value=_NEVER), values


@dataclass(frozen=True)
class RLlibEnv:
    """What RLlib calls to make an environment; :func:`register_rllib_env` makes and registers it."""

    env_id: str
    """The id, and the name under which RLlib knows it."""
    features: FeatureSettings
    """How situations are encoded."""
    settings: Mapping[str, Any] = field(default_factory=dict)
    """Keywords of the environment."""
    policy: str = ""
    """Folder of the policy to go on from; empty for none."""
    hidden: int = 128
    """Width of the network."""

    def __call__(self, config: Mapping[str, Any]) -> Any:
        """Make one environment, or the vector of them that a runner plays; ``config`` adds keywords to the settings."""
        settings = {**self.settings, **config}
        if "num_envs" not in settings:
            return CandidateFeatures(gym.make(self.env_id, **settings), self.features)
        return CandidateFeaturesVector(gym.make_vec(self.env_id, **settings), self.features)  # RLlib wants NEXT_STEP

    @property
    def domain(self) -> Domain:
        """A new domain as the environment's."""
        return domain_of(self.env_id, self.settings)

    def configure(self, config: Any) -> Any:
        """Let an algorithm's configuration, such as ``PPOConfig()``, use environment and network; returns it."""
        model = {"hidden": self.hidden, "policy": self.policy}
        spec = RLModuleSpec(module_class=CandidateRLModule, model_config=model)
        return (
            config.environment(self.env_id)
            .env_runners(gym_env_vectorize_mode="vector_entry_point")
            .rl_module(rl_module_spec=spec)
        )


def register_rllib_env(
    env_id: str, *, most_candidates: int = 80, policy: str | Path | None = None, hidden: int = 128, **settings: Any
) -> RLlibEnv:
    """Register an environment of this library with RLlib, under its id.

    Args:
        env_id: ``DreamGym/...`` or ``DreamGymReal/...``.
        most_candidates: K of ``Discrete(K)``, see :mod:`~dreamgym_env.integrations.candidate_features`.
        policy: folder of a policy to go on from, readable on every machine; situations are encoded as it knows them.
        hidden: width of the network; the policy's where one is given.
        settings: keywords of the environment, such as ``world_model`` and ``buffer``.

    Raises:
        CollectionError: it is no environment of this library.
        PolicyError: the policy cannot be read, or is one of another domain.
    """
    domain = domain_of(env_id, settings)
    features = domain_features(domain, most_candidates=most_candidates)
    if policy is not None:
        known = Policy.load(policy, domain)
        features, hidden = replace(known.settings, most_candidates=most_candidates), known.hidden
    env = RLlibEnv(env_id, features, dict(settings), "" if policy is None else str(policy), hidden)
    register_env(env_id, env)
    return env


def save_policy(algorithm: Any, env: RLlibEnv, folder: str | Path, *, notes: Mapping[str, Any] | None = None) -> Policy:
    """Write what an algorithm has learnt as a policy, which ``policy(FOLDER)`` plays.

    Args:
        algorithm: of RLlib, configured by :meth:`RLlibEnv.configure`.
        env: what it was trained in.
        folder: for the policy; one that is there is replaced.
        notes: JSON values that are kept beside it; algorithm and environment are anyway.

    Raises:
        PolicyError: the algorithm has another network.
    """
    module = algorithm.get_module()
    if not isinstance(module, CandidateRLModule):
        raise PolicyError(
            f"A {type(module).__name__} does not score candidates: configure the algorithm by RLlibEnv.configure()."
        )
    with torch.random.fork_rng(devices=[]):
        policy = Policy(env.domain, env.features, env.hidden)
    policy.scorer.load_state_dict({name: weights.cpu() for name, weights in module.scorer.state_dict().items()})
    policy.scorer.eval()
    about = {"algorithm": type(algorithm).__name__, "environment": env.env_id, "iterations": algorithm.iteration}
    policy.save(folder, notes={"trained": about, **(notes or {})})
    return policy
