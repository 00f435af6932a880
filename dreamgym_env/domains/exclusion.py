"""Whose recordings a question may not use: its own, in training and in an evaluation."""

from __future__ import annotations

from dataclasses import dataclass

from dreamgym_env.types import Query

__all__ = ["EVERYTHING", "Exclusion"]


@dataclass(frozen=True, slots=True)
class Exclusion:
    """Whose recordings a question may not use."""

    family: str = ""
    """Id of an original task, whose variations are excluded too; empty for none."""
    episode: str = ""
    """Name of an episode; empty for none."""

    @classmethod
    def of(cls, query: Query, *, exclude_episode: bool, exclude_task: bool) -> Exclusion:
        """Return what a query excludes; a task that varies another is the same task."""
        return cls(query.task.family if exclude_task else "", query.episode if exclude_episode else "")

    def allows(self, family: str, episode: str) -> bool:
        """Return whether recordings of a task's family, made in an episode, may be used."""
        return family != self.family and episode != self.episode


EVERYTHING = Exclusion()
"""Nothing is excluded."""
