"""Who has shown a fact, so that a question can be answered without what it must not know."""

from __future__ import annotations

from dataclasses import dataclass, field

from dreamgym_env.types import Query, Transition

__all__ = ["EVERYTHING", "Exclusion", "Sources"]

_MOST = 3


@dataclass(frozen=True, slots=True)
class Exclusion:
    """What must not be used."""

    family: str = ""
    """A task's family, or an empty text."""
    episode: str = ""

    @classmethod
    def of(cls, query: Query, *, exclude_episode: bool, exclude_task: bool) -> Exclusion:
        """Return what a question must not be answered by."""
        return cls(query.task.family if exclude_task else "", query.episode if exclude_episode else "")


EVERYTHING = Exclusion()
"""Nothing is excluded."""


@dataclass(slots=True)
class Sources:
    """The recordings that have shown a fact; some of them, enough to say whether others than the excluded have."""

    shown: list[tuple[str, str]] = field(default_factory=list)
    """Families and episodes."""
    count: int = 0
    """How often the fact was shown."""

    def add(self, step: Transition) -> None:
        """Note that a recorded step has shown the fact."""
        self.count += 1
        if len(self.shown) < _MOST and all(
            family != step.family and episode != step.episode for family, episode in self.shown
        ):
            self.shown.append((step.family, step.episode))

    def allow(self, exclusion: Exclusion) -> bool:
        """Return whether the fact is known without what is excluded."""
        return any(family != exclusion.family and episode != exclusion.episode for family, episode in self.shown)
