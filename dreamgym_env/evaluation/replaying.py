"""Agents that take the actions of a transitions file once more."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from dreamgym_env.errors import UnknownTaskError
from dreamgym_env.memory.experience import read_domain_transitions
from dreamgym_env.types import Domain, Task

if TYPE_CHECKING:
    import numpy as np

__all__ = ["ReplayAgent", "ReplayAgents"]

_Scripts = Mapping[str, Sequence[Sequence[str]]]
"""Task id -> the actions of each episode of it."""


class ReplayAgents:
    """Makes agents that replay a file."""

    def __init__(self, domain: Domain, path: Path, *, name: str) -> None:
        """Read the file.

        Args:
            domain: what the transitions must be of.
            path: a transitions file.
            name: of the agents.

        Raises:
            ExperienceFormatError: it is no such file, or holds none or those of another domain.
            FileNotFoundError: it is not there.
        """
        self._path, self._name = path, name
        episodes: dict[tuple[str, str], list[str]] = {}
        for step in read_domain_transitions(path, domain.name):
            episodes.setdefault((step.task_id, step.episode), []).append(step.action)
        self._scripts: dict[str, list[list[str]]] = {}
        for (task_id, _), actions in episodes.items():
            self._scripts.setdefault(task_id, []).append(actions)

    def __call__(self) -> ReplayAgent:
        """Make one more agent."""
        return ReplayAgent(self._name, self._scripts, self._path)

    def check_tasks(self, task_ids: Iterable[str]) -> None:
        """Raise UnknownTaskError where the file holds none of one of these tasks."""
        for task_id in task_ids:
            if task_id not in self._scripts:
                raise _unknown(task_id, self._path, self._scripts)


class ReplayAgent:
    """Takes the actions that a file holds of its task, whatever the environment answers; then leaves the episode.

    Where the file holds several episodes of a task, the episode's seed chooses one.
    """

    def __init__(self, name: str, scripts: _Scripts, path: Path) -> None:
        """Create one; ``path`` is for messages."""
        self.name = name
        self._scripts, self._path = scripts, path

    def begin(self, task: Task, rng: np.random.Generator) -> None:
        """Start an episode. Raises UnknownTaskError where the file holds none of this task."""
        scripts = self._scripts.get(task.id)
        if scripts is None:
            raise _unknown(task.id, self._path, self._scripts)
        self._left = iter(scripts[int(rng.integers(len(scripts)))])

    def act(self, state: str, available_actions: Sequence[str]) -> str | None:
        """Return the next action of the file, or None after the last."""
        return next(self._left, None)


def _unknown(task_id: str, path: Path, scripts: _Scripts) -> UnknownTaskError:
    return UnknownTaskError(
        f"{path} holds no episode of {task_id!r}, only of {len(scripts):,} other tasks: replay those, or record this "
        "one."
    )
