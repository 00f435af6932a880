"""An agent for any web page that does what is nearest at hand and is done with it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from dreamgym_env.domains.browser import grammar
from dreamgym_env.domains.browser.texts import numbered

if TYPE_CHECKING:
    import numpy as np

    from dreamgym_env.types import Task

__all__ = ["LazyAgent"]

_WORD = re.compile(r"[^\W_]+")
_MOST_STEPS = 4


class LazyAgent:
    """Types what the task quotes into the fields in order, uses what is named most like the task, then finishes.

    It takes each element once and never more than a few, goes nowhere but where the first such link leads, and reads
    nothing but names.
    """

    name = "lazy"

    def __init__(self, ending: str) -> None:
        """Create one; ``ending`` is the action that it finishes with."""
        self._ending = ending

    def begin(self, task: Task, rng: np.random.Generator) -> None:
        """Start an episode."""
        self._words = _words(task.instruction)
        self._quoted = re.findall(r'"([^"\\]+)"', task.instruction)
        self._taken: set[str] = set()
        self._steps = 0

    def act(self, state: str, available_actions: Sequence[str]) -> str:
        """Return the next action."""
        self._steps += 1
        action = self._next(state, available_actions) if self._steps <= _MOST_STEPS else None
        return self._ending if action is None else action

    def _next(self, state: str, offered: Sequence[str]) -> str | None:
        fields = [action for action in offered if action.startswith("fill(") and action not in self._taken]
        if fields and self._quoted:
            self._taken.add(fields[0])
            return fields[0].replace("'<text>'", repr(self._quoted.pop(0)))
        alike = {action: self._likeness(state, action) for action in offered if action.startswith(("click(", "select"))}
        best = max(alike, key=alike.__getitem__, default="")
        if not alike or alike[best] <= 0:
            return None
        self._taken.add(self._element(state, best))
        return best

    def _likeness(self, state: str, action: str) -> float:
        """Return how many of the task's words an action says, the larger their share the better; 0 for one taken."""
        said = _words(self._element(state, action))
        if self._element(state, action) in self._taken or not said:
            return 0.0
        return len(said & self._words) + len(said & self._words) / len(said)

    def _element(self, state: str, action: str) -> str:
        """Return the name of an action's element, or the option that it selects."""
        parsed = grammar.parse(action)
        if parsed is None:
            return ""
        listed = numbered(state).get(str(parsed.arguments[0]))
        return str(parsed.arguments[1]) if parsed.name == "select_option" else listed.name if listed else ""


def _words(text: str) -> set[str]:
    return set(_WORD.findall(text.lower()))
