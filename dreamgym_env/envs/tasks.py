"""Choosing the task of an episode from a seed and the options of ``reset``."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from dreamgym_env.errors import ResetOptionError, UnknownTaskError
from dreamgym_env.simulation.seeds import episode_seed, source_generator
from dreamgym_env.types import Domain, Task, TaskSource

__all__ = ["GroupDraws", "TaskChoice", "TaskSampler", "choice_from_options", "read_options"]

_KINDS: Mapping[str, type] = {"task": Task, "task_id": str, "tasks": TaskSource, "split": str}


@dataclass(frozen=True, slots=True)
class TaskChoice:
    """What the user asked for; the first member that is set decides, and nothing set means the default split."""

    task: Task | None = None
    task_id: str = ""
    tasks: TaskSource | None = None
    split: str = ""


def read_options(options: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return a copy of the options of ``reset``. Raises ResetOptionError for what is no dictionary."""
    if options is not None and not isinstance(options, Mapping):
        raise ResetOptionError(f"options takes a dictionary such as {{'split': 'test'}}, not {options!r:.60}.")
    return dict(options or {})


def choice_from_options(options: Mapping[str, Any]) -> TaskChoice:
    """Read ``task``, ``task_id``, ``tasks`` and ``split``.

    Raises:
        ResetOptionError: for another option, or a value of another type.
    """
    for name, value in options.items():
        kind = _KINDS.get(name)
        if kind is None:
            raise ResetOptionError(
                f"reset does not know the option {name!r:.80}; it knows task, task_id, tasks and split "
                "(a vector environment also group_size and reset_mask)."
            )
        if not isinstance(value, kind):
            raise ResetOptionError(f"The option {name!r} takes a {kind.__name__}, not {type(value).__name__}.")
        if isinstance(value, Task):
            _check_types(value)
    return TaskChoice(**options)


def _check_types(task: Task) -> None:
    """Raise ResetOptionError where a member of a user's own task is of the wrong type."""
    for field in dataclasses.fields(Task):
        value = getattr(task, field.name)
        kind, kind_name = (Mapping, "mapping") if field.name in ("goal", "facts") else (str, "text")
        if not isinstance(value, kind):
            raise ResetOptionError(f"A Task's {field.name!r} must be a {kind_name}, not {type(value).__name__}.")


class GroupDraws:
    """Asks sources once for each group of identical starts.

    Members of a group begin at different times, and a source may have learnt something in between: what it drew is
    kept until each member has begun it.
    """

    def __init__(self, size: int = 1) -> None:
        """Begin without draws; ``size`` is the number of members of a group."""
        self.size = size
        self._kept: dict[tuple[int, int, int], tuple[Task, int]] = {}
        """Group, source and entropy -> its task, and how many members have not begun it."""

    def copy(self) -> GroupDraws:
        """Return one that goes on from here on its own."""
        other = GroupDraws(self.size)
        other._kept = dict(self._kept)
        return other

    def draw(self, source: TaskSource, entropy: int, lane: int) -> Task:
        """Return the task that a lane's group plays.

        Raises:
            ResetOptionError: the source gives no task.
        """
        key = (lane // self.size, id(source), entropy)
        kept = self._kept.pop(key, None)
        task, missing = (_ask(source, entropy), self.size) if kept is None else kept
        if missing > 1:
            self._kept[key] = task, missing - 1
        return task


def _ask(source: TaskSource, entropy: int) -> Task:
    task = source.draw(source_generator(entropy))
    if not isinstance(task, Task):
        raise ResetOptionError(f"{type(source).__name__}.draw must return a Task, not {type(task).__name__}.")
    _check_types(task)
    return task


class TaskSampler:
    """Draws tasks of one domain."""

    def __init__(self, domain: Domain, split: str) -> None:
        """Create a sampler; ``split`` is the default one. Raises UnknownTaskError."""
        self.domain = domain
        self.split = split
        self._ids: dict[str, Sequence[str]] = {}
        self._of_split(split)

    def draw(
        self, choice: TaskChoice, rng: np.random.Generator, groups: GroupDraws | None = None, lane: int = 0
    ) -> tuple[Task, int]:
        """Return a task and the episode's seed.

        Args:
            choice: what the user asked for.
            rng: two numbers are drawn from it, whatever the choice.
            groups: what sources drew for the groups of a vector environment; None for an episode of its own.
            lane: number of the lane; its position within its group tells the members' seeds apart.

        Raises:
            UnknownTaskError: no such task or split.
            ResetOptionError: a source gives no task.
        """
        groups = groups or GroupDraws()
        ids = self._of_split(choice.split or self.split)
        at, entropy = int(rng.integers(len(ids))), int(rng.integers(2**63))
        seed = episode_seed(entropy, lane % groups.size)
        task = choice.task
        if task is None and choice.tasks is not None and not choice.task_id:
            task = groups.draw(choice.tasks, entropy, lane)
        if task is None:
            return self.domain.task(choice.task_id or ids[at]), seed
        if task.domain != self.domain.name:
            raise UnknownTaskError(
                f"Task {task.id!r} is of the domain {task.domain!r}; this environment plays {self.domain.name!r}."
            )
        return task, seed

    def _of_split(self, split: str) -> Sequence[str]:
        if split not in self._ids:
            ids = self.domain.task_ids(split)
            if not ids:
                raise UnknownTaskError(f"The split {split!r} of {self.domain.name} has no tasks.")
            self._ids[split] = ids
        return self._ids[split]
