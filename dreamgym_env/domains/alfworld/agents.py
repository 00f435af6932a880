"""Scripted agents that keep house, for recording experience and for measuring environments.

They see what any agent sees, a text and the commands that it offers, so they act in the real engine and in its dream
alike.  The oracles also read a task's goal and its hidden facts: they walk straight to what they need, and plan anew
after every action, so that a mistake does not lose them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Protocol

from dreamgym_env.domains.alfworld.house import House
from dreamgym_env.domains.alfworld.tracker import NOTHING_HAPPENS
from dreamgym_env.domains.alfworld.verifier import goal_of
from dreamgym_env.domains.alfworld.wording import names
from dreamgym_env.errors import ResetOptionError

if TYPE_CHECKING:
    import numpy as np

    from dreamgym_env.types import Task

__all__ = ["AGENTS", "Housekeeper", "LazyAgent", "NoisyOracleAgent", "OracleAgent", "RandomAgent"]

_NONSENSE = ("dance", "open", "go to the moon", "take everything", "put it down", "use desk 99", "think: what now?")


class Housekeeper(Protocol):
    """Acts in one episode at a time."""

    name: str

    def begin(self, task: Task, rng: np.random.Generator) -> None:
        """Start an episode; all that is random in it comes from ``rng``."""
        ...

    def act(self, state: str, available_actions: Sequence[str]) -> str:
        """Return the next action in ``state``, which offers ``available_actions``."""
        ...


class OracleAgent:
    """Follows the shortest walk to the goal, through a house that it knows."""

    name = "oracle"

    def begin(self, task: Task, rng: np.random.Generator) -> None:
        """Read the goal and the facts.

        Raises:
            ResetOptionError: the task has none.
        """
        if not task.facts:
            raise ResetOptionError(
                f"The agent {self.name!r} walks by what a task's facts tell, and {task.id!r} has none (facts=False "
                "hides them): let another agent play it."
            )
        self._rng = rng
        self._goal = goal_of(task)
        self._house = House.of(task.facts)
        self._action = ""

    def act(self, state: str, available_actions: Sequence[str]) -> str:
        """Return the next action of the walk."""
        if self._action and state != NOTHING_HAPPENS:
            self._house.follow(self._action)
        self._action = self._next(available_actions)
        return self._action

    def _next(self, offered: Sequence[str]) -> str:
        walk = self._house.walk(self._goal)
        if not walk:
            return "look"
        if walk[0].startswith("take ") and self._house.hand:
            return self._next_to_empty_hand(offered)
        return walk[0]

    def _next_to_empty_hand(self, offered: Sequence[str]) -> str:
        """Return what leads to putting down what is held: doing so, or going on to the next piece of furniture."""
        puts = [action for action in offered if action.startswith(f"move {self._house.hand} to ")]
        if puts:
            return puts[0]
        opens = [action for action in offered if action.startswith("open ")]
        goes = [action for action in offered if action.startswith("go to ")]
        return opens[0] if opens else str(self._rng.choice(goes)) if goes else "look"


class NoisyOracleAgent(OracleAgent):
    """An oracle that errs: it takes another offered command now and then, or one that is none."""

    name = "noisy-oracle"

    def __init__(self, noise: float = 0.3) -> None:
        """Create one; ``noise`` is the share of actions that are not the oracle's."""
        if not 0 <= noise <= 1:
            raise ValueError(f"noise is a probability and must lie in [0, 1], not {noise}.")
        self._noise = noise

    def _next(self, offered: Sequence[str]) -> str:
        if self._rng.random() >= self._noise:
            return super()._next(offered)
        return _at_random(offered, self._rng)


class LazyAgent:
    """Brings the first thing that it sees and the task names to the first place that the task names; opens no doors.

    It neither cleans nor heats nor cools, touches nothing twice, and reads nothing but what any agent sees.
    """

    name = "lazy"

    def begin(self, task: Task, rng: np.random.Generator) -> None:
        """Start an episode."""
        self._instruction = task.instruction
        self._touched: set[tuple[str, ...]] = set()
        self._ways: list[str] | None = None

    def act(self, state: str, available_actions: Sequence[str]) -> str:
        """Return the next action: what the task seems to ask for if it is offered, else going on to other furniture."""
        if self._ways is None:
            self._ways = [action for action in available_actions if action.startswith("go to ")]
        for action in available_actions:
            step = tuple(action.split()[:3])
            if step not in self._touched and self._is_asked_for(action):
                self._touched.add(step)
                return action
        carries = any(action.startswith("move ") for action in available_actions)
        named = [way for way in self._ways if self._names(way.split()[2])]
        way = next(iter(named if carries and named else self._ways), "look")
        if way in self._ways:
            self._ways.remove(way)
        return way

    def _is_asked_for(self, action: str) -> bool:
        verb, *words = action.split()
        if verb == "move":
            return self._names(words[0]) and self._names(words[3])
        return verb in ("take", "use") and self._names(words[0])

    def _names(self, kind: str) -> bool:
        return names(self._instruction, kind)


class RandomAgent:
    """Takes offered commands at random, those that move things more often than their number gives; some nonsense."""

    name = "random"

    def begin(self, task: Task, rng: np.random.Generator) -> None:
        """Start an episode."""
        self._rng = rng

    def act(self, state: str, available_actions: Sequence[str]) -> str:
        """Return the next action."""
        return _at_random(available_actions, self._rng)


def _at_random(offered: Sequence[str], rng: np.random.Generator) -> str:
    """Return one of the offered commands, each verb equally likely; or nonsense, once in sixteen times."""
    verbs = sorted({action.partition(" ")[0] for action in offered})
    if not verbs or rng.random() < 1 / 16:
        return str(rng.choice(_NONSENSE))
    verb = str(rng.choice(verbs))
    return str(rng.choice([action for action in offered if action.partition(" ")[0] == verb]))


AGENTS: Mapping[str, Callable[..., Housekeeper]] = MappingProxyType(
    {
        OracleAgent.name: lambda domain: OracleAgent(),
        NoisyOracleAgent.name: lambda domain, noise=0.3: NoisyOracleAgent(noise),
        LazyAgent.name: lambda domain: LazyAgent(),
        RandomAgent.name: lambda domain: RandomAgent(),
    }
)
"""Name -> a function that makes one for a domain."""
