"""Recorded steps as prompts show them: page texts stand behind ``| ``, so that none can be taken for the prompt's."""

from __future__ import annotations

from dreamgym_env.types import Domain, Transition
from dreamgym_env.world_model.quoting import one_line

__all__ = ["PAGE_LENGTH", "StepWriter", "written_action", "written_task"]

PAGE_LENGTH = 2_000
"""Characters of a page that a question about a step shows."""
_ACTION_LENGTH = 300


class StepWriter:
    """Writes steps; a page that was written before is referred to."""

    def __init__(self, domain: Domain, limit: int = PAGE_LENGTH) -> None:
        """Begin a prompt.

        Args:
            domain: the steps'.
            limit: characters of a page that are shown; its middle is left out beyond that.
        """
        self._domain = domain
        self._limit = limit
        self._written: dict[str, str] = {}
        """State -> where it was written."""

    def step(self, step: Transition) -> str:
        """Return a step under a heading of its number: page before, action, page after, reward and end."""
        before = self.page(step.state, step.instruction, f"before step {step.step}")
        after = "the same page"
        if step.next_state != step.state:
            after = self.page(step.next_state, step.instruction, f"after step {step.step}")
        ends = "the episode ends" if step.terminated else "the episode goes on"
        offered = "" if step.valid else "\nThe page does not offer this action."
        return (
            f"## Step {step.step}\nPage before:\n{before}\nAction: {written_action(step.action)}{offered}\n"
            f"Page after:\n{after}\nReward: {step.reward:g}, {ends}"
        )

    def page(self, state: str, instruction: str, name: str) -> str:
        """Return a page, one text a line, or where it was written before; ``name`` is what it is called then."""
        if known := self._written.get(state):
            return f"the page {known}"
        self._written[state] = name
        segments = self._domain.segment(state, instruction)
        return _clipped("\n".join(f"| {one_line(segment)}" for segment in segments), self._limit)


def written_task(instruction: str) -> str:
    """Return a task under a heading."""
    return f"# Task\n{one_line(instruction[:PAGE_LENGTH])}"


def written_action(action: str) -> str:
    """Return an action on one line."""
    line = one_line(action)
    return line if len(line) <= _ACTION_LENGTH else f"{line[:_ACTION_LENGTH]} (clipped here)"


def _clipped(page: str, limit: int) -> str:
    """Return a page without its middle where it is too long, and say so; the mark is no text of the page."""
    left_out = len(page) - limit
    if left_out <= 0:
        return page
    head, tail = limit * 3 // 4, limit // 4
    return f"{page[:head]}\n({left_out:,} characters of the page are left out here)\n| {page[len(page) - tail :]}"
