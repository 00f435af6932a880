"""Pages that an episode has shown before, for the actions that lead back to them.

A page seen twice is the same page: ``< Prev`` leads back to the results that the product was opened from, and the same
click on the same product opens the same page.  What the episode itself has shown goes before what others recorded,
whose way to the same page may have been another.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from dreamgym_env.domains.composed import composed_memory, recorded_answers
from dreamgym_env.domains.webshop import observation
from dreamgym_env.domains.webshop.trail import follow, read_trail
from dreamgym_env.types import Memory, Query

if TYPE_CHECKING:
    from dreamgym_env.domains.webshop.domain import WebShop

__all__ = ["RevisitComposer"]


class RevisitComposer:
    """Remembers an episode's own pages; needs no experience, so nothing is ever left out."""

    def __init__(self, domain: WebShop) -> None:
        """Create a composer of one shop's revisits."""
        self._domain = domain

    def compose(
        self, query: Query, memories: Sequence[Memory], *, exclude_episode: bool = False, exclude_task: bool = False
    ) -> Memory | None:
        """Return the page that the action leads back to, or None where it is new or a memory shows it already."""
        if self._domain.guard(query.task, query.history, query.state, query.action) is not None:
            return None
        if observation.action_kind(query.action) in ("search", "item") and not _was_taken(self._domain, query):
            return None  # most searches and products are new, and following the whole trail takes long
        trail = read_trail(self._domain, query)
        place = follow(trail.place, query.action)
        page = trail.shown(place) if place is not None else None
        if page is None or next(recorded_answers(self._domain, query, memories), None) == page:
            return None
        action = self._domain.parse_action(query.action) or query.action
        return composed_memory(query, action, page, "composed from this episode", certain=True)


def _was_taken(domain: WebShop, query: Query) -> bool:
    """Return whether the episode has taken this very action before."""
    action = domain.parse_action(query.action)
    return any(domain.parse_action(turn.action) == action for turn in query.history)
