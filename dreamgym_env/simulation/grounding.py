"""What a prediction is grounded in: retrieved transitions, and pages composed from several, or from the episode."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from dreamgym_env.errors import UnknownTaskError
from dreamgym_env.memory import ReplayBuffer
from dreamgym_env.types import Composer, Domain, Memory, Query, Source, Transition

__all__ = ["Grounding", "recorded_question"]


def recorded_question(domain: Domain, step: Transition) -> Query:
    """Return the question that a recorded step answers, with its goal and hidden facts where the domain has the task.

    Raises:
        GameError: the domain has the task, and cannot read it.
    """
    question = step.question()
    try:
        task = domain.task(step.task_id)
    except UnknownTaskError:
        return question
    first_text = step.history[0].state if step.history else step.state
    is_the_same = (task.instruction, task.initial_state) == (step.instruction, first_text)  # ids may be used twice
    return replace(question, task=task) if is_the_same else question


class Grounding:
    """Retrieves memories; what one transition cannot give, a domain may compose."""

    def __init__(self, domain: Domain, buffer: ReplayBuffer) -> None:
        """Join a domain and a buffer; the domain's composer reads the buffer when it is first needed."""
        self.buffer = buffer
        self._domain = domain
        self._composer: Composer | None = None

    def retrieve(
        self, queries: Sequence[Query], k: int, *, exclude_episode: bool = False, exclude_task: bool = False
    ) -> list[list[Memory]]:
        """Return at most k memories a query: a composed one first where there is one, then the most similar.

        Args:
            queries: n questions.
            k: memories a question, at most.
            exclude_episode: nothing that the asking episode recorded.
            exclude_task: nothing that was recorded under the asking task.
        """
        retrieved = self.buffer.retrieve(queries, k, exclude_episode=exclude_episode, exclude_task=exclude_task)
        return [
            self.complete(query, memories, exclude_episode=exclude_episode, exclude_task=exclude_task)[:k]
            for query, memories in zip(queries, retrieved, strict=True)
        ]

    def complete(
        self, query: Query, memories: list[Memory], *, exclude_episode: bool = False, exclude_task: bool = False
    ) -> list[Memory]:
        """Put a composed memory before the retrieved ones, where they do not hold the answer and one can be made."""
        if self._composer is None:
            self._composer = self._domain.composer(self._real_experience)
        composed = self._composer.compose(query, memories, exclude_episode=exclude_episode, exclude_task=exclude_task)
        return memories if composed is None else [composed, *memories]

    def _real_experience(self) -> Iterator[Transition]:
        return (step for step in self.buffer.experience() if step.source is Source.REAL)
