"""Composes the page that an action on the web leads to, out of what the episode and recordings have shown.

In this order: what the action changes on the page itself; where the tab was before; where a link, an address or a form
leads, and what is known of the page there: as this episode has shown it, as recordings have, as a list of rows that
other pages have shown, or after the pattern of a page of its kind.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from dreamgym_env.domains.browser.answers import Answers
from dreamgym_env.domains.browser.candidates import guard
from dreamgym_env.domains.browser.episode import Course, read_course
from dreamgym_env.domains.browser.grammar import ParsedAction, parse
from dreamgym_env.domains.browser.knowledge import Knowledge
from dreamgym_env.domains.composed import composed_memory
from dreamgym_env.domains.exclusion import Exclusion
from dreamgym_env.types import Memory, Query, Transition

if TYPE_CHECKING:
    from dreamgym_env.domains.browser.domain import WebDomain

__all__ = ["WebComposer"]

_WORD = re.compile(r"[\w.]+")
_LAST = frozenset({"send_msg_to_user", "report_infeasible"})


class WebComposer:
    """Answers for any sites that were recorded."""

    def __init__(self, domain: WebDomain, experience: Callable[[], Iterator[Transition]]) -> None:
        """Create a composer; the experience is read when an action first leads away from a page."""
        self._domain = domain
        self._answers = functools.cache(lambda: Answers(Knowledge.of(experience())))

    def compose(
        self, query: Query, memories: Sequence[Memory], *, exclude_episode: bool = False, exclude_task: bool = False
    ) -> Memory | None:
        """Return the page that an action leads to, or None where nothing tells.

        Args:
            query: the question; its history says where the episode has been and what it has changed.
            memories: not needed.
            exclude_episode: use nothing that only the asking episode's own recordings have shown.
            exclude_task: use nothing that only the asking task's own recordings have shown.
        """
        refused = guard(query.state, query.task.instruction, query.action, self._domain.actions)
        if refused is not None:
            return composed_memory(query, query.action, refused, "composed: the browser's own error", certain=True)
        action = parse(query.action, self._domain.actions)
        course = read_course(query.history, query.state, query.task.instruction)
        if action is None or course is None:
            return None
        exclusion = Exclusion.of(query, exclude_episode=exclude_episode, exclude_task=exclude_task)
        answer = self._answers().answer(course, action, exclusion)
        if answer is None:
            return None
        return composed_memory(
            query,
            action.text,
            answer.page.write(query.task.instruction),
            f"composed: {_told(action, course) or answer.origin}",
            terminated=action.name in _LAST or answer.ends,
            certain=answer.certain,
        )


def _told(action: ParsedAction, course: Course) -> str:
    """Say, of a message that ends an episode, what of it counts; else nothing."""
    if action.name != "send_msg_to_user" or not isinstance(action.arguments[0], str):
        return ""
    words = [word for word in _WORD.findall(action.arguments[0].lower()) if len(word) > 1]
    shown = {word for page in course.pages() for line in page.lines for word in _WORD.findall(line.lower())}
    seen = sum(word in shown for word in words)
    return f"{seen} of {len(words)} words of the answer were shown, {len(course.changes)} forms changed something"
