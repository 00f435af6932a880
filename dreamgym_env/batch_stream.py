"""A stream over what answers whole batches only."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Generic, TypeVar

__all__ = ["BatchStream"]

Answer = TypeVar("Answer")


class BatchStream(Generic[Answer]):
    """Collects questions until somebody waits for answers, and then asks all of them at once.

    Who only looks (``timeout=0``) gets nothing the first time, so that further questions can join the batch, and the
    whole batch the second time, so that nobody is passed over for ever.

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
        self._passed_over = False

    def submit(self, *question: Any) -> int:
        """Collect a question; returns its ticket."""
        self._waiting.append(question)
        self._tickets += 1
        return self._tickets - 1

    def receive(self, timeout: float | None = None) -> list[tuple[int, Answer]]:
        """Return tickets and answers of all that was collected; whatever ``answer`` raises drops it.

        Args:
            timeout: 0 to look once before anything is asked; any other has no meaning, as a batch takes its time.
        """
        if timeout == 0 and self._waiting and not self._passed_over:
            self._passed_over = True
            return []
        questions, self._waiting, self._passed_over = self._waiting, [], False
        if not questions:
            return []
        answers = self._answer(questions)
        first = self._tickets - len(questions)
        return [(first + at, found) for at, found in enumerate(answers)]

    def close(self) -> None:
        """Forget what was collected."""
        self._waiting = []
