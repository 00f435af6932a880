"""Result pages composed from listings that real experience has shown.

What a search finds is what no model can guess.  But the shop's products have mostly been seen: each results page in
the buffer lists ten of them, and product pages and their sub-pages tell more.  A search that was never recorded is
answered here by ranking every listing ever seen against its words, with the shop's own ranking formula, on what
experience has told about each product.  A following page continues what the episode was shown of the same search.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dreamgym_env.domains.composed import composed_memory, recorded_answers
from dreamgym_env.domains.exclusion import Exclusion
from dreamgym_env.domains.webshop import observation
from dreamgym_env.domains.webshop.composers.knowledge import Knowledge
from dreamgym_env.domains.webshop.observation import RESULTS_PER_PAGE
from dreamgym_env.domains.webshop.pages import results_page
from dreamgym_env.types import Memory, Query

if TYPE_CHECKING:
    from dreamgym_env.domains.webshop.domain import WebShop

__all__ = ["ResultsComposer"]


@dataclass(frozen=True, slots=True)
class _Wanted:
    """A page of results that is asked for."""

    keywords: str
    number: int = 1
    total: int | None = None
    """How many results the pages before say there are; None for the first page."""
    listed: frozenset[str] = frozenset()
    """Codes of the products that they list."""


class ResultsComposer:
    """Ranks what has been seen; needs no knowledge before it is first asked for a page of results."""

    def __init__(self, domain: WebShop, knowledge: Callable[[], Knowledge]) -> None:
        """Create a composer of one shop's pages."""
        self._domain = domain
        self._knowledge = knowledge

    def compose(
        self, query: Query, memories: Sequence[Memory], *, exclude_episode: bool = False, exclude_task: bool = False
    ) -> Memory | None:
        """Return the results page of a search or of ``Next >`` that no memory holds, or None.

        Args:
            query: the question.
            memories: what was retrieved for it.
            exclude_episode: leave out what only the asking episode's own recordings have shown.
            exclude_task: leave out what only the asking task's own recordings have shown.
        """
        wanted = self._wanted(query)
        if wanted is None or self._is_recorded(query, memories):
            return None
        exclusion = Exclusion.of(query, exclude_episode=exclude_episode, exclude_task=exclude_task)
        shelf = self._knowledge().shelf(exclusion)
        found = [product for product in shelf.search(wanted.keywords) if product.asin not in wanted.listed]
        total = len(found) if wanted.total is None else wanted.total
        left = total - (wanted.number - 1) * RESULTS_PER_PAGE
        if not shelf or (left > 0 and not found):
            return None
        listed = found[: max(0, min(left, RESULTS_PER_PAGE))]
        page = results_page(query.task.instruction, listed, wanted.number, total).text()
        action = self._domain.parse_action(query.action) or query.action
        return composed_memory(query, action, page, "composed from listings of real experience")

    def _wanted(self, query: Query) -> _Wanted | None:
        """Return the results page that an action asks for, or None."""
        kind = observation.action_kind(query.action)
        if kind == "search":
            return _Wanted(observation.action_argument(query.action))
        position = observation.results_position(query.state) if kind == "next" else None
        if position is None:
            return None
        states = [query.state]
        for turn in reversed(query.history):
            if observation.action_kind(turn.action) == "search":
                listings = (found for state in states for found in observation.listings(observation.visible(state)))
                listed = frozenset(asin for asin, _, _ in listings)
                return _Wanted(observation.action_argument(turn.action), position[0] + 1, position[1], listed)
            states.append(turn.state)
        return None

    def _is_recorded(self, query: Query, memories: Sequence[Memory]) -> bool:
        """Return whether a real memory answers the question: the same search, or the same button on the same page."""
        is_search = observation.action_kind(query.action) == "search"
        return next(recorded_answers(self._domain, query, memories, any_page=is_search), None) is not None
