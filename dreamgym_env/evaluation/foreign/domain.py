"""What is known of somebody else's environment: its texts, and the seeds that begin its episodes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from dreamgym_env.domains.recorded.undescribed import Undescribed
from dreamgym_env.errors import UnknownTaskError
from dreamgym_env.types import Composer, Memory, Task, Transition, Turn

__all__ = ["SPLIT", "ForeignDomain"]

SPLIT = "seeds"
"""The one split of such an environment."""


@dataclass(slots=True)
class ForeignDomain(Undescribed):
    """A :class:`~dreamgym_env.types.Domain` as far as a comparison asks one; nothing dreams it."""

    name: str
    """Id of the environment."""
    max_episode_steps: int
    """-1 where only the environment itself ends its episodes."""
    tasks: Mapping[str, Task]
    """Task id -> the task, as ``reset`` showed it."""
    seeds: Mapping[str, int]
    """Task id -> the seed of ``reset`` that begins it."""
    rules: str = field(default="", init=False)

    def splits(self) -> tuple[str, ...]:
        """Return the one split."""
        return (SPLIT,)

    def task_ids(self, split: str) -> Sequence[str]:
        """Return the ids of all tasks. Raises UnknownTaskError."""
        if split != SPLIT:
            raise UnknownTaskError(f"{self.name} has no split {split!r:.80}: its tasks are seeds of reset.")
        return list(self.tasks)

    def task(self, task_id: str) -> Task:
        """Return a task. Raises UnknownTaskError."""
        if task_id not in self.tasks:
            raise UnknownTaskError(f"No seed that was tried begins the task {task_id!r:.80} of {self.name}.")
        return self.tasks[task_id]

    def available_actions(self, task: Task, history: Sequence[Turn], state: str) -> tuple[str, ...]:
        """Return nothing: only the environment's info says what a state offers."""
        return ()

    def parse_action(self, action: str) -> str | None:
        """Return the action: its grammar is the environment's own business."""
        return action

    def composer(self, experience: Callable[[], Iterator[Transition]]) -> Composer:
        """Raise NotImplementedError: nobody dreams this environment here."""
        raise NotImplementedError(f"{self.name} is played, not dreamt: DreamGym/Recorded-v0 dreams recordings of it.")

    def teach(self, transition: Transition, memories: Sequence[Memory]) -> Transition:
        """Return the step as it is."""
        return transition

    def explain(self, transition: Transition) -> str:
        """Return nothing: no rule of the environment is known."""
        return ""

    def seed_experience(self) -> str:
        """Return an empty text: nothing is shipped."""
        return ""
