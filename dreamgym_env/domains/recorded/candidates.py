"""Which actions a state offers, as far as recordings tell."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable

from dreamgym_env.domains.recorded.texts import page_kind, split_text
from dreamgym_env.types import Task, Transition

__all__ = ["RecordedActions"]

_Page = tuple[str, ...]
_Actions = dict[str, None]  # a set that keeps the order in which they were recorded


class RecordedActions:
    """The actions that recordings offered or took, by page.

    The first of these that knows any decides: recordings of the task on that very page; recordings of any task on it;
    the recorded page that shares most lines with it, a line counting the more the fewer pages have it; the latest page
    of its kind.  On a page, what the recorder was told (``available_actions``) goes before what was done there.
    """

    def __init__(self, transitions: Iterable[Transition]) -> None:
        """Read them off transitions."""
        self._offered: defaultdict[Hashable, _Actions] = defaultdict(dict)
        self._taken: defaultdict[Hashable, _Actions] = defaultdict(dict)
        self._of_kind: dict[str, _Page] = {}
        self._pages_with: defaultdict[str, dict[_Page, None]] = defaultdict(dict)
        for step in transitions:
            if step.valid:
                self._note(self._taken, step.state, step, (step.action,))
            if not step.terminated:
                self._note(self._offered, step.next_state, step, step.available_actions)

    def of(self, task: Task, state: str) -> tuple[str, ...]:
        """Return the actions that a state offers; none where no recording is anything like it."""
        page = split_text(state, task.instruction)
        for key in ((task.id, page), page):
            if known := self._known(key):
                return known
        similar = self._most_similar(page) or self._of_kind.get(page_kind(state))
        return self._known(similar) if similar is not None else ()

    def _note(
        self, table: defaultdict[Hashable, _Actions], state: str, step: Transition, actions: tuple[str, ...]
    ) -> None:
        if not actions:
            return
        page = split_text(state, step.instruction)
        for key in ((step.task_id, page), page):
            table[key].update(dict.fromkeys(actions))
        self._of_kind[page_kind(state)] = page
        for segment in page:
            self._pages_with[segment][page] = None

    def _known(self, key: Hashable) -> tuple[str, ...]:
        return tuple(self._offered.get(key) or self._taken.get(key) or ())

    def _most_similar(self, page: _Page) -> _Page | None:
        scores: defaultdict[_Page, float] = defaultdict(float)
        for segment in set(page):
            pages = self._pages_with.get(segment, {})
            for other in pages:
                scores[other] += 1 / len(pages)
        return max(scores, key=scores.__getitem__, default=None)
