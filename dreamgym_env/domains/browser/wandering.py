"""Scripted agents for any web page: one that acts at random, and one that lets another agent err."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import numpy as np

    from dreamgym_env.types import Task

__all__ = ["ErringAgent", "WanderingAgent", "random_action"]

_NONSENSE = ("dance", "click()", "click('999')", "fill('1')", "I am done.", "press 3", "click(3)", "open('1')")
_WORDS = ("red shoes", "12", "hello", "Ohio", "2024-05-01")
_ARGUMENT = re.compile(r"<[a-z]+>")


class _Agent(Protocol):
    name: str

    def begin(self, task: Task, rng: np.random.Generator) -> None: ...

    def act(self, state: str, available_actions: Sequence[str]) -> str: ...


class WanderingAgent:
    """Takes offered actions at random, some with words of the instruction; some nonsense."""

    name = "random"

    def begin(self, task: Task, rng: np.random.Generator) -> None:
        """Start an episode; all that is random in it comes from ``rng``."""
        self._rng, self._words = rng, _words(task.instruction)

    def act(self, state: str, available_actions: Sequence[str]) -> str:
        """Return the next action."""
        return random_action(available_actions, self._words, self._rng)


class ErringAgent:
    """Does what another agent does, but errs now and then."""

    name = "noisy-oracle"

    def __init__(self, agent: _Agent, noise: float = 0.3) -> None:
        """Create one; ``noise`` is the share of actions that are not the other agent's."""
        if not 0 <= noise <= 1:
            raise ValueError(f"noise is a probability and must lie in [0, 1], not {noise}.")
        self._agent, self._noise = agent, noise

    def begin(self, task: Task, rng: np.random.Generator) -> None:
        """Start an episode."""
        self._rng, self._words = rng, _words(task.instruction)
        self._agent.begin(task, rng)

    def act(self, state: str, available_actions: Sequence[str]) -> str:
        """Return the next action."""
        if self._rng.random() < self._noise:
            return random_action(available_actions, self._words, self._rng)
        return self._agent.act(state, available_actions)


def random_action(offered: Sequence[str], words: Sequence[str], rng: np.random.Generator) -> str:
    """Return one of the offered actions, each kind equally likely, free arguments filled in; or nonsense, rarely."""
    kinds = sorted({action.partition("(")[0] for action in offered})
    if not kinds or rng.random() < 1 / 20:
        return str(rng.choice(_NONSENSE))
    kind = str(rng.choice(kinds))
    action = str(rng.choice([action for action in offered if action.partition("(")[0] == kind]))
    return _ARGUMENT.sub(lambda _: str(rng.choice(words)), action)


def _words(instruction: str) -> list[str]:
    """Return words to type: those in quotes in the instruction, and some others."""
    quoted = [word for word in re.findall(r'"([^"\'\\]+)"', instruction) if word.isprintable()]
    return [*quoted, *quoted, *_WORDS]
