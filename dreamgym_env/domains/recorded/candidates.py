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
    of its kind.  On a page, what the recorder was told (``available_actions``) goes before what was done there.  What
    was done in the asked task itself never counts: it would tell an agent how the task is solved.
    """

    def __init__(self, transitions: Iterable[Transition]) -> None:
        """Read them off transitions."""
        self._offered: defaultdict[Hashable, _Actions] = defaultdict(dict)
        self._taken: defaultdict[_Page, dict[str, set[str]]] = defaultdict(dict)
        self._of_kind: dict[str, _Page] = {}
        self._pages_with: defaultdict[str, dict[_Page, None]] = defaultdict(dict)
        for step in transitions:
            if step.valid:
                page = split_text(step.state, step.instruction)
                self._taken[page].setdefault(step.action, set()).add(step.family)
                self._remember(page, step.state)
            if not step.terminated and step.available_actions:
                page = split_text(step.next_state, step.instruction)
                for key in ((step.task_id, page), page):
                    self._offered[key].update(dict.fromkeys(step.available_actions))
                self._remember(page, step.next_state)

    def of(self, task: Task, state: str) -> tuple[str, ...]:
        """Return the actions that a state offers; none where no recording is anything like it."""
        page = split_text(state, task.instruction)
        known = self._offered.get((task.id, page)) or self._known(page, task)
        if not known:
            similar = self._most_similar(page, task) or self._of_kind.get(page_kind(state))
            known = self._known(similar, task) if similar is not None else {}
        return tuple(known)

    def _remember(self, page: _Page, state: str) -> None:
        self._of_kind[page_kind(state)] = page
        for segment in page:
            self._pages_with[segment][page] = None

    def _known(self, page: _Page, task: Task) -> _Actions:
        """Return what was offered on a page, or else was done there in other tasks."""
        taken = self._taken.get(page, {})
        return self._offered.get(page) or {
            action: None for action, families in taken.items() if families - {task.family}
        }

    def _most_similar(self, page: _Page, task: Task) -> _Page | None:
        """Return the page that shares most with another, of those whose actions are known."""
        scores: defaultdict[_Page, float] = defaultdict(float)
        for segment in dict.fromkeys(page):
            pages = self._pages_with.get(segment, {})
            for other in pages:
                scores[other] += 1 / len(pages)
        known = (other for other in scores if self._known(other, task))
        return max(known, key=scores.__getitem__, default=None)
