"""Agents for the toy house, and the house as a dream and as the real thing."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scripted import house_model
from toy_domain import RealToyHouse, ToyHouse

from dreamgym_env.envs.text_vector_env import TextVectorEnv
from dreamgym_env.memory import ReplayBuffer
from dreamgym_env.simulation.simulator import SimulationOptions, Simulator
from dreamgym_env.types import Task, WorldModel


class Finder:
    """Goes where the wanted thing is and takes it."""

    name = "finder"

    def begin(self, task: Task, rng: np.random.Generator) -> None:
        self._left = [f"go {task.facts['place']}", f"take {task.goal['thing']}"]

    def act(self, state: str, available_actions: Sequence[str]) -> str:
        return self._left.pop(0) if self._left else "leave"


class Wanderer:
    """Does anything that is offered."""

    name = "wanderer"

    def begin(self, task: Task, rng: np.random.Generator) -> None:
        self._rng = rng

    def act(self, state: str, available_actions: Sequence[str]) -> str:
        return str(self._rng.choice(available_actions))


class Sleeper:
    """Only ever looks."""

    name = "sleeper"

    def begin(self, task: Task, rng: np.random.Generator) -> None:
        pass

    def act(self, state: str, available_actions: Sequence[str]) -> str:
        return "look"


AGENTS = {agent.name: agent for agent in (Finder, Wanderer, Sleeper)}


def dream_house(
    lanes: int = 3, model: WorldModel | None = None, *, evaluation: bool = True, success: str = "verifier"
) -> TextVectorEnv:
    """A dream of the house; by default one that knows it as it is."""
    domain = ToyHouse()
    options = SimulationOptions(evaluation=evaluation, memo=False, success=success)
    buffer = ReplayBuffer(domain, seed_experience=False)
    return TextVectorEnv(domain, Simulator(domain, model or house_model(domain), buffer, options), lanes)


def real_house(lanes: int = 3) -> TextVectorEnv:
    """The real house."""
    domain = ToyHouse()
    return TextVectorEnv(domain, RealToyHouse(domain), lanes)
