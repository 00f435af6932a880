"""What a world model is shown of a query: its pages by name, and how each memory relates to the question."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from dreamgym_env.types import Domain, Memory, Query, Source

__all__ = ["EarlierPage", "RelatedMemory", "View", "Viewer"]

Segments = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class EarlierPage:
    """A page of this episode."""

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
    """Distinct pages of the episode in the viewer's order, which also decides whether the current one is among them."""
    memories: tuple[RelatedMemory, ...]

    @property
    def pages(self) -> dict[str, Segments]:
        """All pages that an answer may refer to, by name.

        An answer that is written to be learnt takes the first that serves: what was composed for this question (a model
        need not tell then whether that is the current page), the current page, other memories, which say what follows
        the action, then earlier pages.
        """
        named = {
            memory.name: memory.outcome
            for memory in self.memories
            if memory.memory.transition.source is Source.COMPOSED and memory.same_action and memory.same_page
        }
        named["C"] = self.current
        named.update((memory.name, memory.outcome) for memory in self.memories)
        named.update((page.name, page.segments) for page in self.earlier)
        return named


class Viewer:
    """Makes views for one domain."""

    def __init__(self, domain: Domain, *, newest_first: bool, max_earlier: int = 8) -> None:
        """Create a viewer.

        Args:
            domain: says how a state splits into segments.
            newest_first: whether ``P1`` is the latest page before the current one. Else it is the first page of the
                episode, and the current one has a number too: then a page keeps its number, and a prompt only grows.
            max_earlier: how many pages are named at most; the latest are kept.
        """
        self.domain = domain
        self.newest_first = newest_first
        self.max_earlier = max_earlier
        self._canonical: Callable[[str], str] = functools.lru_cache(maxsize=8192)(
            lambda action: domain.parse_action(action) or action
        )

    def view(self, query: Query, memories: Sequence[Memory]) -> View:
        """Return what a prompt shows of ``query`` grounded in ``memories`` (most similar first)."""
        instruction = query.task.instruction
        current = self.domain.segment(query.state, instruction)
        return View(query, current, self._earlier(query, current), self._related(query, current, memories))

    def _earlier(self, query: Query, current: Segments) -> tuple[EarlierPage, ...]:
        states = [*(turn.state for turn in query.history), query.state]
        distinct: dict[Segments, str] = {}
        for state in reversed(states) if self.newest_first else states:
            distinct.setdefault(self.domain.segment(state, query.task.instruction), state)
        if self.newest_first:
            del distinct[current]
        pages = [
            EarlierPage(f"P{n}", segments, self.domain.page_kind(state))
            for n, (segments, state) in enumerate(distinct.items(), start=1)
        ]
        while len(pages) > self.max_earlier:
            oldest = -1 if self.newest_first else int(pages[0].segments == current)  # the current page always stays
            del pages[oldest]
        return tuple(pages)

    def _related(self, query: Query, current: Segments, memories: Sequence[Memory]) -> tuple[RelatedMemory, ...]:
        """Relate memories to the question; those of the same action come first, those of the same page among them."""
        action = self._canonical(query.action)
        related = []
        for memory in memories:
            past = memory.transition
            page = self.domain.segment(past.state, past.instruction)
            outcome = self.domain.segment(past.next_state, past.instruction)
            related.append((self._canonical(past.action) == action, page == current, memory, page, outcome))
        related.sort(key=lambda found: (not found[0], not found[1]))  # stable: else the most similar first
        return tuple(
            RelatedMemory(f"M{number}", memory, page, outcome, same_action, same_page)
            for number, (same_action, same_page, memory, page, outcome) in enumerate(related, start=1)
        )
