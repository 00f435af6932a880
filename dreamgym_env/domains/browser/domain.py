"""What every domain on the web has in common: pages as lines, BrowserGym's actions, and its errors as answers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence

from dreamgym_env.domains.browser import candidates, grammar
from dreamgym_env.domains.browser.composer import WebComposer
from dreamgym_env.domains.browser.teaching import explain, teach
from dreamgym_env.domains.browser.texts import join_lines, page_kind, split_lines
from dreamgym_env.types import Composer, Memory, Task, Transition, Turn, Verifier

__all__ = ["WebDomain"]


class WebDomain(ABC):
    """The parts of :class:`dreamgym_env.types.Domain` that do not depend on the site."""

    name: str
    max_episode_steps: int
    rules: str
    actions: Sequence[str] = grammar.ACTIONS
    """Names of the actions that there are."""

    @abstractmethod
    def splits(self) -> tuple[str, ...]:
        """Return the names of the splits."""

    @abstractmethod
    def task_ids(self, split: str) -> Sequence[str]:
        """Return the ids of a split's tasks. Raises UnknownTaskError."""

    @abstractmethod
    def task(self, task_id: str) -> Task:
        """Return a task. Raises UnknownTaskError."""

    def segment(self, state: str, instruction: str) -> tuple[str, ...]:
        """Split a state into lines, the instruction replaced by a placeholder."""
        return split_lines(state, instruction)

    def render(self, segments: Sequence[str], instruction: str) -> str:
        """Join lines."""
        return join_lines(segments, instruction)

    def available_actions(self, task: Task, history: Sequence[Turn], state: str) -> tuple[str, ...]:
        """Return the actions that follow from the elements on the page."""
        return candidates.available_actions(state, self.actions)

    def parse_action(self, action: str) -> str | None:
        """Return an action's canonical text, or None."""
        parsed = grammar.parse(action, self.actions)
        return parsed.text if parsed else None

    def guard(self, task: Task, history: Sequence[Turn], state: str, action: str) -> str | None:
        """Return the page with BrowserGym's error for an ill-formed action or an unknown element, or None."""
        return candidates.guard(state, task.instruction, action, self.actions)

    def action_kind(self, action: str) -> str:
        """Return the action's name, or ``invalid``."""
        return grammar.kind(action)

    def page_kind(self, state: str) -> str:
        """Return the page's address without numbers."""
        return page_kind(state)

    def verifier(self) -> Verifier | None:
        """Return None: success is the model's word."""
        return None

    def composer(self, experience: Callable[[], Iterator[Transition]]) -> Composer:
        """Return what composes pages out of what the episode and recordings have shown."""
        return WebComposer(self, experience)

    def teach(self, transition: Transition, memories: Sequence[Memory]) -> Transition:
        """Return a recorded step with a reason, and with as much of its page as can be known."""
        return teach(transition, memories)

    def explain(self, transition: Transition) -> str:
        """Return whether the step leads on, and how the page responds."""
        return explain(transition)

    def seed_experience(self) -> str:
        """Return an empty text: nothing is shipped."""
        return ""
