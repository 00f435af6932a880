"""Agents for an environment of which nothing is known but what it offers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

    from dreamgym_env.types import Task

__all__ = ["AGENTS", "RandomAgent"]


class RandomAgent:
    """Takes offered actions at random; ``look`` where nothing is offered."""

    name = "random"

    def begin(self, task: Task, rng: np.random.Generator) -> None:
        """Start an episode; all that is random in it comes from ``rng``."""
        self._rng = rng

    def act(self, state: str, available_actions: Sequence[str]) -> str:
        """Return the next action."""
        return str(self._rng.choice(available_actions)) if available_actions else "look"


AGENTS: Mapping[str, Callable[[Any], Any]] = MappingProxyType({"random": lambda domain: RandomAgent()})
"""Name -> a function that makes one for a domain."""
