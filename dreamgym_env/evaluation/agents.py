"""Agents that act in an episode, found by name; what a rollout needs of one.

A domain's scripted agents (an oracle that knows the goal, a random clicker, ...) are listed in the table ``AGENTS`` of
its module ``dreamgym_env.domains.<domain>.agents``: name -> a function that makes one for the domain.
"""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol, runtime_checkable

import numpy as np

from dreamgym_env.errors import DreamGymError
from dreamgym_env.types import Domain, Task

__all__ = ["Agent", "AgentFactory", "UnknownAgentError", "agent_factories", "agent_factory"]


@runtime_checkable
class Agent(Protocol):
    """Acts in one episode at a time."""

    name: str

    def begin(self, task: Task, rng: np.random.Generator) -> None:
        """Start an episode; all that is random in it comes from ``rng``."""
        ...

    def act(self, state: str, available_actions: Sequence[str]) -> str:
        """Return the next action in ``state``, which offers ``available_actions``."""
        ...


AgentFactory = Callable[[], Agent]
"""Makes one more agent of a kind: each lane of a rollout has its own."""


class UnknownAgentError(DreamGymError, ValueError):
    """The domain has no such agent; the message lists those there are."""


def agent_factories(domain: Domain) -> Mapping[str, AgentFactory]:
    """Return the domain's scripted agents by name; none where it has no module for them."""
    module = f"dreamgym_env.domains.{domain.name}.agents"
    if importlib.util.find_spec(module) is None:
        return {}
    table: Mapping[str, Callable[[Any], Agent]] = importlib.import_module(module).AGENTS
    return {name: _Factory(make, domain) for name, make in table.items()}


def agent_factory(domain: Domain, name: str) -> AgentFactory:
    """Return what makes the domain's agent of that name. Raises UnknownAgentError."""
    known = agent_factories(domain)
    if name not in known:
        raise UnknownAgentError(f"{domain.name} has no agent {name!r}; it has: {', '.join(known) or 'none'}.")
    return known[name]


class _Factory:
    def __init__(self, make: Callable[[Any], Agent], domain: Domain) -> None:
        self._make = make
        self._domain = domain

    def __call__(self) -> Agent:
        return self._make(self._domain)
