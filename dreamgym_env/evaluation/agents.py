"""Agents that act in an episode, found by name; what a rollout needs of one.

A domain's scripted agents (an oracle that knows the goal, a random clicker, ...) are listed in the table ``AGENTS`` of
the module ``agents`` in the domain's folder: name -> a function that makes one for the domain.
"""

from __future__ import annotations

import functools
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
    """Return the domain's scripted agents by name; none where there is no module ``agents`` beside the domain's own."""
    package = type(domain).__module__.rpartition(".")[0]
    if not package or importlib.util.find_spec(f"{package}.agents") is None:
        return {}
    table: Mapping[str, Callable[[Any], Agent]] = importlib.import_module(f"{package}.agents").AGENTS
    return {name: functools.partial(make, domain) for name, make in table.items()}


def agent_factory(domain: Domain, name: str) -> AgentFactory:
    """Return what makes the domain's agent of that name. Raises UnknownAgentError."""
    known = agent_factories(domain)
    if name not in known:
        raise UnknownAgentError(f"{domain.name} has no agent {name!r}; it has: {', '.join(known) or 'none'}.")
    return known[name]
