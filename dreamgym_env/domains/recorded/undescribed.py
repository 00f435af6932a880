"""What is the same of all environments that nobody has described: how their texts are read; and nothing is known."""

from __future__ import annotations

from collections.abc import Sequence

from dreamgym_env.domains.recorded.texts import action_kind, join_text, page_kind, split_text
from dreamgym_env.types import Task, Turn, Verifier

__all__ = ["Undescribed"]


class Undescribed:
    """A part of a :class:`~dreamgym_env.types.Domain`."""

    __slots__ = ()

    def segment(self, state: str, instruction: str) -> tuple[str, ...]:
        """Split a text into lines and sentences, the instruction replaced by a placeholder."""
        return split_text(state, instruction)

    def render(self, segments: Sequence[str], instruction: str) -> str:
        """Join lines and sentences."""
        return join_text(segments, instruction)

    def guard(self, task: Task, history: Sequence[Turn], state: str, action: str) -> str | None:
        """Return None, for every action.

        What was seen shows what was tried, never all that could be, nor in which words the environment refuses.
        """
        return None

    def action_kind(self, action: str) -> str:
        """Return an action's first word, see :func:`~.texts.action_kind`."""
        return action_kind(action)

    def page_kind(self, state: str) -> str:
        """Return how a text begins, see :func:`~.texts.page_kind`."""
        return page_kind(state)

    def verifier(self) -> Verifier | None:
        """Return None: no program knows the goal."""
        return None
