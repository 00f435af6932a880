"""A stream over what answers whole batches only."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Generic, TypeVar

__all__ = ["BatchStream"]

Answer = TypeVar("Answer")


class BatchStream(Generic[Answer]):
    """Collects questions until somebody wants answers, and then asks all of them at once.

    With a fitting ``answer`` it is an :class:`~dreamgym_env.types.AnswerStream` of any generator, or a
    :class:`~dreamgym_env.types.PredictionStream` of any world model.
    """

    def __init__(self, answer: Callable[[Sequence[tuple[Any, ...]]], Sequence[Answer]]) -> None:
        """Create an empty stream.

        Args:
            answer: takes n questions, each the tuple of arguments that :meth:`submit` got, and returns n answers.
        """
        self._answer = answer
        self._waiting: list[tuple[Any, ...]] = []
        self._tickets = 0

    def submit(self, *question: Any) -> int:
        """Collect a question; returns its ticket."""
        self._waiting.append(question)
        self._tickets += 1
        return self._tickets - 1

    def receive(self, timeout: float | None = None) -> list[tuple[int, Answer]]:
        """Return tickets and answers of all that was collected; whatever ``answer`` raises drops it.

        Args:
            timeout: has no meaning here; a batch takes its time.
        """
        questions, self._waiting = self._waiting, []
        if not questions:
            return []
        answers = self._answer(questions)
        first = self._tickets - len(questions)
        return [(first + at, found) for at, found in enumerate(answers)]

    def close(self) -> None:
        """Forget what was collected."""
        self._waiting = []
