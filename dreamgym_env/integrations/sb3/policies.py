"""Policy classes of Stable-Baselines3 and sb3-contrib that score candidates.

The network is :class:`~dreamgym_env.policies.scorer.CandidateScorer`, in all of them: one logit a candidate, whose
weights do not depend on how many there are, and a state's value.
"""

from __future__ import annotations

import math
from functools import partial
from typing import Any

import torch
from gymnasium import spaces
from sb3_contrib.common.maskable.policies import MaskableActorCriticPolicy
from stable_baselines3.common.policies import ActorCriticPolicy, BasePolicy
from stable_baselines3.common.preprocessing import preprocess_obs
from stable_baselines3.common.type_aliases import Schedule
from stable_baselines3.dqn.policies import DQNPolicy
from torch import nn

from dreamgym_env.policies.scorer import CandidateScorer

__all__ = ["CandidatePolicy", "CandidateQPolicy", "MaskableCandidatePolicy"]

_NEVER = -1e8
"""Logit of padding, as in sb3-contrib: minus infinity would make entropies and their gradients undefined."""

Observations = dict[str, torch.Tensor]


class _CandidateActorCritic(BasePolicy):
    """What replaces the networks of an actor-critic policy: scores of candidates as logits, and a value."""

    def __init__(
        self,
        observation_space: spaces.Dict,
        action_space: spaces.Discrete,
        lr_schedule: Schedule,
        *args: Any,
        hidden: int = 128,
        dropout: float = 0.0,
        **kwargs: Any,
    ) -> None:
        """Create one.

        Args:
            observation_space: of :mod:`dreamgym_env.integrations.candidate_features`.
            action_space: ``Discrete(K)``.
            lr_schedule: of the learning rate.
            args: for the base class.
            hidden: width of the network.
            dropout: of the network, in training.
            kwargs: for the base class; ``ortho_init``, ``optimizer_class`` and ``optimizer_kwargs`` have an effect.
        """
        self.hidden, self.dropout = hidden, dropout
        super().__init__(observation_space, action_space, lr_schedule, *args, **kwargs)

    def _build(self, lr_schedule: Schedule) -> None:
        self.scorer = _new_scorer(self.observation_space, self.hidden, self.dropout)
        if self.ortho_init:  # the gains of the base classes
            gains = {self.scorer: math.sqrt(2), self.scorer.joint[-1]: 0.01, self.scorer.value[-1]: 1.0}
            for module, gain in gains.items():
                module.apply(partial(self.init_weights, gain=gain))
        self.optimizer = self.optimizer_class(self.parameters(), lr=lr_schedule(1), **self.optimizer_kwargs)

    def _get_constructor_parameters(self) -> dict[str, Any]:
        return {**super()._get_constructor_parameters(), "hidden": self.hidden, "dropout": self.dropout}

    def forward(self, obs: Observations, deterministic: bool = False, action_masks: Any = None) -> Any:
        """Return actions, values and the actions' log probabilities."""
        distribution, values = self._decide(obs, action_masks)
        actions = distribution.get_actions(deterministic=deterministic)
        return actions, values, distribution.log_prob(actions)

    def evaluate_actions(self, obs: Observations, actions: torch.Tensor, action_masks: Any = None) -> Any:
        """Return values, the actions' log probabilities and the distributions' entropies."""
        distribution, values = self._decide(obs, action_masks)
        return values, distribution.log_prob(actions), distribution.entropy()

    def get_distribution(self, obs: Observations, action_masks: Any = None) -> Any:
        """Return the distribution over candidates."""
        return self._decide(obs, action_masks)[0]

    def predict_values(self, obs: Observations) -> torch.Tensor:
        """Return values of shape (n, 1)."""
        return self._decide(obs, None)[1]

    def _decide(self, obs: Observations, action_masks: Any) -> tuple[Any, torch.Tensor]:
        logits, mask, values = _score(self.scorer, obs, self.observation_space)
        if action_masks is not None:
            given = torch.as_tensor(action_masks, device=mask.device).reshape(mask.shape)
            mask = mask & (given > 0)
        distribution = self.action_dist.proba_distribution(action_logits=logits.masked_fill(~mask, _NEVER))
        return distribution, values.unsqueeze(-1)


class CandidatePolicy(_CandidateActorCritic, ActorCriticPolicy):
    """For PPO and A2C; padding has no probability.

    ``policy_kwargs`` takes ``hidden`` (width of the network) and ``dropout``.
    """


class MaskableCandidatePolicy(_CandidateActorCritic, MaskableActorCriticPolicy):
    """For MaskablePPO: as :class:`CandidatePolicy`, and the masks that the algorithm gives exclude further actions."""


class CandidateQPolicy(DQNPolicy):
    """For DQN: Q(s, a) = V(s) + A(s, a) - mean of A(s, .), a duelling network (Wang et al., 2016) over candidates.

    As in the environment, a number on the padding stands for the candidate ``number % n``, and has its value: what DQN
    explores by numbers drawn from all K is learnt as what it was.  ``policy_kwargs`` takes ``hidden`` and ``dropout``.
    """

    def __init__(
        self,
        observation_space: spaces.Dict,
        action_space: spaces.Discrete,
        lr_schedule: Schedule,
        *args: Any,
        hidden: int = 128,
        dropout: float = 0.0,
        **kwargs: Any,
    ) -> None:
        """Create one; arguments are those of :class:`CandidatePolicy`."""
        self.hidden, self.dropout = hidden, dropout
        super().__init__(observation_space, action_space, lr_schedule, *args, **kwargs)

    @property
    def scorer(self) -> CandidateScorer:
        """The network that acts."""
        return self.q_net.scorer

    def make_q_net(self) -> _CandidateQNetwork:
        """Return a new network."""
        return _CandidateQNetwork(self.observation_space, self.action_space, self.hidden, self.dropout).to(self.device)

    def _get_constructor_parameters(self) -> dict[str, Any]:
        return {**super()._get_constructor_parameters(), "hidden": self.hidden, "dropout": self.dropout}


class _CandidateQNetwork(BasePolicy):
    """The values of K actions."""

    def __init__(
        self, observation_space: spaces.Dict, action_space: spaces.Discrete, hidden: int, dropout: float
    ) -> None:
        super().__init__(observation_space, action_space)
        self.scorer = _new_scorer(observation_space, hidden, dropout)

    def forward(self, obs: Observations) -> torch.Tensor:
        """Return values of shape (n, K)."""
        advantages, mask, values = _score(self.scorer, obs, self.observation_space)
        count = mask.sum(1, keepdim=True).clamp(min=1)
        advantages = advantages.masked_fill(~mask, 0.0)
        q_values = values.unsqueeze(-1) + advantages - advantages.sum(1, keepdim=True) / count
        return q_values.gather(1, torch.arange(mask.shape[1], device=mask.device) % count)

    def _predict(self, observation: Observations, deterministic: bool = True) -> torch.Tensor:
        return self(observation).argmax(dim=1)


def _new_scorer(observation_space: spaces.Dict, hidden: int, dropout: float) -> CandidateScorer:
    state_size, candidate_size = (int(observation_space[key].shape[-1]) for key in ("state", "candidates"))  # type: ignore[index]
    return CandidateScorer(state_size, candidate_size, hidden, dropout)


def _score(
    scorer: nn.Module, obs: Observations, observation_space: spaces.Dict
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Return logits and mask of shape (n, K), and values of shape (n,); logits of padding mean nothing."""
    prepared = preprocess_obs(obs, observation_space, normalize_images=False)
    mask = prepared["mask"] > 0.5
    most = max(1, int(mask.any(0).sum()))  # candidates come first: what is padding in all rows is not looked at
    logits, values = scorer(prepared["state"], prepared["candidates"][:, :most], mask[:, :most])
    return nn.functional.pad(logits, (0, mask.shape[1] - most)), mask, values
