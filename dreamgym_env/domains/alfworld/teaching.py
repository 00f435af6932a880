"""Reasons for recorded steps, by the rules of the house, and what composes memories."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from dreamgym_env.types import Memory, Query, Transition

__all__ = ["NoComposer", "explain", "teach"]


class NoComposer:
    """Composes nothing: what was retrieved has to do."""

    def compose(
        self, query: Query, memories: Sequence[Memory], *, exclude_episode: bool = False, exclude_task: bool = False
    ) -> Memory | None:
        """Return None."""
        return None


def teach(transition: Transition) -> Transition:
    """Return a recorded step with a reason: its own, or the rules'."""
    return replace(transition, reasoning=transition.reasoning or explain(transition))


def explain(transition: Transition) -> str:
    """Return whether a step leads to success, and how the house responds."""
    if not transition.valid:
        return "It leads nowhere: that is not possible here, so nothing happens."
    if transition.terminated:
        return "It completes the task: the house is now as it was wanted."
    return "The action is possible here, so the house answers with what it changes or shows."
