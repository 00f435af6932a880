"""Scripted agents for MiniWoB++, for recording experience and for measuring environments.

They see what any agent sees, so they act on the real pages and in their dream alike.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from dreamgym_env.domains.browser.laziness import LazyAgent
from dreamgym_env.domains.browser.wandering import ErringAgent, WanderingAgent
from dreamgym_env.domains.miniwob.oracles import ORACLES, View

if TYPE_CHECKING:
    import numpy as np

    from dreamgym_env.types import Task

__all__ = ["AGENTS", "OracleAgent"]


class OracleAgent:
    """Does what the page's oracle says; looks on where the page is not one that the oracle knows."""

    name = "oracle"

    def begin(self, task: Task, rng: np.random.Generator) -> None:
        """Start an episode."""
        self._instruction, self._oracle = task.instruction, ORACLES.get(task.goal.get("page", ""))
        self._taken: list[str] = []

    def act(self, state: str, available_actions: Sequence[str]) -> str:
        """Return the next action."""
        try:
            action = self._oracle(View(self._instruction, state, tuple(self._taken))) if self._oracle else "noop()"
        except (LookupError, ValueError, StopIteration):  # a page that a dream has got wrong
            action = "noop()"
        self._taken.append(action)
        return action


AGENTS: Mapping[str, Callable[..., Any]] = MappingProxyType(
    {
        "oracle": lambda domain: OracleAgent(),
        "noisy-oracle": lambda domain, noise=0.3: ErringAgent(OracleAgent(), noise),
        "lazy": lambda domain: LazyAgent("noop()"),
        "random": lambda domain: WanderingAgent(),
    }
)
"""Name -> a function that makes one for a domain."""
