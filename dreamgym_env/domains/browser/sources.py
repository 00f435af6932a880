"""Who has shown a fact, so that a question can be answered without what it must not know."""

from __future__ import annotations

from dataclasses import dataclass, field

from dreamgym_env.domains.exclusion import Exclusion
from dreamgym_env.types import Transition

__all__ = ["Sources"]

_MOST = 3


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
        return any(exclusion.allows(family, episode) for family, episode in self.shown)
