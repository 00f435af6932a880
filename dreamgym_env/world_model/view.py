"""What a world model is shown of a query: its pages by name, and how each memory relates to the question."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from dreamgym_env.types import Domain, Memory, Query

__all__ = ["EarlierPage", "RelatedMemory", "View", "Viewer"]

Segments = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class EarlierPage:
    """Another page of this episode."""

    name: str
    segments: Segments
    kind: str


@dataclass(frozen=True, slots=True)
class RelatedMemory:
    """A memory and how it relates to the question."""

    name: str
    memory: Memory
    page: Segments
    """The page it was recorded on."""
    outcome: Segments
    """The page that followed."""
    same_action: bool
    same_page: bool


@dataclass(frozen=True, slots=True)
class View:
    """A query as a prompt shows it."""

    query: Query
    current: Segments
    earlier: tuple[EarlierPage, ...]
    """Distinct pages seen before, without the current one; the order is the viewer's."""
    memories: tuple[RelatedMemory, ...]

    @property
    def pages(self) -> dict[str, Segments]:
        """All pages that an answer may refer to, by name; the current page first."""
        named = {"C": self.current}
        named.update((page.name, page.segments) for page in self.earlier)
        named.update((memory.name, memory.outcome) for memory in self.memories)
        return named


class Viewer:
    """Makes views for one domain."""

    def __init__(self, domain: Domain, *, newest_first: bool, max_earlier: int = 8) -> None:
        """Create a viewer.

        Args:
            domain: says how a state splits into segments.
            newest_first: whether ``P1`` is the latest earlier page (else the first of the episode, so that a prompt
                only ever grows at its end).
            max_earlier: how many earlier pages are named at most; the latest are kept.
        """
        self.domain = domain
        self.newest_first = newest_first
        self.max_earlier = max_earlier
        self._segment: Callable[[str, str], Segments] = functools.lru_cache(maxsize=8192)(domain.segment)

    def view(self, query: Query, memories: Sequence[Memory]) -> View:
        """Return what a prompt shows of ``query`` grounded in ``memories`` (most similar first)."""
        instruction = query.task.instruction
        current = self._segment(query.state, instruction)
        return View(query, current, self._earlier(query, current), self._related(query, current, memories))

    def _earlier(self, query: Query, current: Segments) -> tuple[EarlierPage, ...]:
        distinct: dict[Segments, str] = {}
        for turn in reversed(query.history):
            segments = self._segment(turn.state, query.task.instruction)
            if segments != current and segments not in distinct:
                distinct[segments] = self.domain.page_kind(turn.state)
                if len(distinct) == self.max_earlier:
                    break
        ordered = list(distinct.items()) if self.newest_first else list(distinct.items())[::-1]
        return tuple(EarlierPage(f"P{n}", segments, kind) for n, (segments, kind) in enumerate(ordered, start=1))

    def _related(self, query: Query, current: Segments, memories: Sequence[Memory]) -> tuple[RelatedMemory, ...]:
        action = self.domain.parse_action(query.action) or query.action
        related = []
        for number, memory in enumerate(memories, start=1):
            past = memory.transition
            page = self._segment(past.state, past.instruction)
            outcome = self._segment(past.next_state, past.instruction)
            same_action = (self.domain.parse_action(past.action) or past.action) == action
            related.append(RelatedMemory(f"M{number}", memory, page, outcome, same_action, page == current))
        return tuple(related)
