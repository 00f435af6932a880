"""Result pages composed from listings that real experience has shown.

What a search finds is what no model can guess.  But the shop's products have mostly been seen: each results page in
the buffer lists ten of them, and product pages and their sub-pages tell more.  A search that was never recorded is
answered here by ranking every listing ever seen against its words, with the shop's own ranking formula, on what
experience has told about each product.  The world model gets the page as one more memory.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dreamgym_env.domains.segments import PLACEHOLDER
from dreamgym_env.domains.webshop import observation
from dreamgym_env.domains.webshop.products import Product
from dreamgym_env.domains.webshop.search import MAX_RESULTS, SearchEngine
from dreamgym_env.types import Memory, Query, Source, Transition

if TYPE_CHECKING:
    from dreamgym_env.domains.webshop.domain import WebShop

__all__ = ["ResultsComposer"]

_PAGE = re.compile(r"Page (\d+) \(Total results: (\d+)\)\Z")
_PER_PAGE = 10


@dataclass(slots=True)
class _Known:
    """What experience has told about a product."""

    title: str = ""
    price: str = ""
    details: str = ""
    options: dict[str, tuple[str, ...]] = field(default_factory=dict)
    tasks: set[str] = field(default_factory=set)
    """Tasks under which it was listed; two are enough to know that it does not come from one alone."""


class ResultsComposer:
    """Ranks what has been seen; reads the experience when it is first asked."""

    def __init__(self, domain: WebShop, experience: Callable[[], Iterator[Transition]]) -> None:
        """Create a composer of one shop's pages."""
        self._domain = domain
        self._experience = experience
        self._listed: list[tuple[str, _Known]] | None = None
        self._engine: SearchEngine | None = None

    def compose(self, query: Query, memories: Sequence[Memory], *, exclude_task: bool = False) -> Memory | None:
        """Return the results page of a search or of ``Next >`` that no memory holds, or None.

        Args:
            query: the question.
            memories: what was retrieved for it.
            exclude_task: leave out listings that only the asking task's own recordings have shown.
        """
        wanted = self._wanted(query)
        if wanted is None or self._is_recorded(query, memories):
            return None
        keywords, number = wanted
        found = self._search(keywords, query.task.id if exclude_task else "")
        shown = found[(number - 1) * _PER_PAGE : number * _PER_PAGE]
        if number > 1 and not shown:
            return None
        head = ("Instruction:", PLACEHOLDER, "Back to Search", f"Page {number} (Total results: {len(found)})")
        buttons = ("Next >",) if number == 1 else ("< Prev", "Next >")
        lines = [text for asin, known in shown for text in (asin, known.title, known.price) if text]
        return self._memory(query, (*head, *buttons, *lines))

    def _wanted(self, query: Query) -> tuple[str, int] | None:
        """Return (keywords, page number) of the results page that an action asks for, or None."""
        parsed = observation.parse_action(query.action)
        if parsed is None:
            return None
        if parsed[0] == "search":
            return parsed[1], 1
        if parsed[1] != "next >" or self._domain.page_kind(query.state) != "results":
            return None
        searches = (observation.parse_action(turn.action) for turn in reversed(query.history))
        keywords = next((found[1] for found in searches if found and found[0] == "search"), None)
        page = next((m for part in query.state.split(observation.SEPARATOR) if (m := _PAGE.match(part))), None)
        return (keywords, int(page[1]) + 1) if keywords and page else None

    def _is_recorded(self, query: Query, memories: Sequence[Memory]) -> bool:
        """Return whether a real memory answers the question: the same search, or the same button on the same page."""
        action = self._domain.parse_action(query.action)
        page = self._domain.segment(query.state, query.task.instruction)
        for memory in memories:
            past = memory.transition
            if past.source is not Source.REAL or self._domain.parse_action(past.action) != action:
                continue
            same_page = self._domain.segment(past.state, past.instruction) == page
            if same_page or observation.action_kind(query.action) == "search":
                return True
        return False

    def _search(self, keywords: str, excluded_task: str) -> list[tuple[str, _Known]]:
        if self._listed is None or self._engine is None:
            self._listed = sorted(self._read().items())
            self._engine = SearchEngine([_as_product(asin, known) for asin, known in self._listed])
        found = (self._listed[place] for place in self._engine.search(keywords, MAX_RESULTS))
        return [(asin, known) for asin, known in found if known.tasks != {excluded_task}]

    def _read(self) -> dict[str, _Known]:
        """Collect what all real experience tells about products."""
        known: dict[str, _Known] = {}
        for step in self._experience():
            segments = step.next_state.split(observation.SEPARATOR)
            kind = self._domain.page_kind(step.next_state)
            if kind == "results":
                for asin, title, price in observation.listings(segments):
                    entry = known.setdefault(asin, _Known())
                    entry.title, entry.price = title, price
                    if len(entry.tasks) < 2:
                        entry.tasks.add(step.task_id)
            elif kind in ("item", "subpage") and (asin := _product_of(step)):
                entry = known.setdefault(asin, _Known())
                if kind == "item":
                    shown = observation.options_of(segments, self._domain.shop.option_names)
                    entry.options = {name: tuple(values) for name, values in shown.items()}
                elif observation.action_argument(step.action) == "description" and not entry.details:
                    entry.details = " ".join(segments[4:])
        return {asin: entry for asin, entry in known.items() if entry.price}

    def _memory(self, query: Query, segments: Sequence[str]) -> Memory:
        page = self._domain.render(segments, query.task.instruction)
        transition = Transition(
            domain=self._domain.name,
            task_id=query.task.id,
            instruction=query.task.instruction,
            split=query.task.split,
            episode="composed",
            step=len(query.history),
            history=query.history,
            state=query.state,
            action=query.action,
            next_state=page,
            reward=0.0,
            terminated=False,
            source=Source.DREAM,
            reasoning="Composed from listings that real experience has shown.",
        )
        return Memory(f"composed:{self._domain.parse_action(query.action)}"[:100], transition, similarity=0.0)


def _product_of(step: Transition) -> str:
    """Return the code of the product whose page a step leads to, as far as its own click or the last one tells."""
    actions = [step.action, *(turn.action for turn in reversed(step.history))]
    clicked = next((action for action in actions if observation.action_kind(action) in ("item", "search")), "")
    return observation.action_argument(clicked).upper() if observation.action_kind(clicked) == "item" else ""


def _as_product(asin: str, known: _Known) -> Product:
    return Product(asin, known.title, description=known.details, price_text=known.price, options=known.options)
