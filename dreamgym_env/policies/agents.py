"""A policy as an agent; all of its agents decide in one call of the network."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch

from dreamgym_env.errors import PolicyError
from dreamgym_env.policies.features import Situation
from dreamgym_env.policies.policy import Policy
from dreamgym_env.types import Domain, Task, Turn

__all__ = ["PolicyAgent", "PolicyCrew"]


class PolicyCrew:
    """Makes agents that act by one policy."""

    def __init__(
        self, domain: Domain, policy: Policy, *, name: str, temperature: float = 0.0, reluctance: float = 2.0
    ) -> None:
        """Create one.

        Args:
            domain: what the agents act in.
            policy: whose scores decide.
            name: of the agents.
            temperature: 0 takes the best candidate; else one is drawn, by the softmax of scores over temperature.
            reluctance: what a candidate's score loses each time that it was taken in the very same state before: a
                policy that nothing has taught so would else walk in circles.
        """
        self.domain, self.name = domain, name
        self._policy, self._temperature, self._reluctance = policy, temperature, reluctance

    def __call__(self) -> PolicyAgent:
        """Make one more agent."""
        return PolicyAgent(self)

    def load_weights(self, weights: Mapping[str, Any]) -> None:
        """Act by other weights of the same network from now on.

        Args:
            weights: its ``state_dict()``, of tensors or arrays.

        Raises:
            PolicyError: they do not fit.
        """
        try:
            self._policy.scorer.load_state_dict({name: torch.as_tensor(value) for name, value in weights.items()})
        except RuntimeError as error:
            raise PolicyError(f"The weights do not fit the policy of {self.name!r}: {error}") from error
        self._policy.scorer.eval()

    def act_all(
        self, members: Sequence[PolicyAgent], states: Sequence[str], available_actions: Sequence[Sequence[str]]
    ) -> list[str]:
        """Return the next action of each; where a state offers nothing, an empty text, which is no action."""
        situations = [
            member.situation(state, offered)
            for member, state, offered in zip(members, states, available_actions, strict=True)
        ]
        actions = []
        for member, state, (choices, logits) in zip(members, states, self._policy.scores(situations), strict=True):
            before = torch.tensor([float(member.repeated(state, one.action)) for one in choices])
            scores = logits - self._reluctance * before
            action = choices[self._choose(scores, member.rng)].action if choices else ""
            member.note(state, action)
            actions.append(action)
        return actions

    def _choose(self, logits: torch.Tensor, rng: np.random.Generator) -> int:
        if self._temperature == 0:
            return int(logits.argmax())
        weights = (logits.double() / self._temperature).softmax(-1).numpy()
        return int(rng.choice(len(weights), p=weights / weights.sum()))


class PolicyAgent:
    """Takes the candidate that its policy scores highest."""

    failure = ""

    def __init__(self, crew: PolicyCrew) -> None:
        """Join a crew."""
        self.crew, self.name = crew, crew.name

    def begin(self, task: Task, rng: np.random.Generator) -> None:
        """Start an episode."""
        self.rng = rng
        self._instruction = task.instruction
        self._turns: list[Turn] = []
        self._taken: Counter[tuple[str, str]] = Counter()

    def act(self, state: str, available_actions: Sequence[str]) -> str:
        """Return the next action."""
        return self.crew.act_all([self], [state], [available_actions])[0]

    def situation(self, state: str, available_actions: Sequence[str]) -> Situation:
        """Return what the policy decides on."""
        return Situation(self._instruction, tuple(self._turns), state, available_actions)

    def repeated(self, state: str, action: str) -> int:
        """Return how often an action was taken in a state."""
        return self._taken[state, action]

    def note(self, state: str, action: str) -> None:
        """Keep what was done."""
        self._turns.append(Turn(state, action))
        self._taken[state, action] += 1
