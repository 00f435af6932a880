"""Calls of one caller, submitted one by one while others are being answered."""

from __future__ import annotations

from dreamgym_env.deadline import Deadline
from dreamgym_env.errors import WorldModelError
from dreamgym_env.types import Completion, Prompt, Sampling
from dreamgym_env.world_model.generators.openai.dispatch import Batch, Dispatcher, GaveUpError

__all__ = ["OpenAIStream"]


class OpenAIStream:
    """An :class:`~dreamgym_env.types.AnswerStream` of servers.

    A prompt that is given up after all retries gets a completion with ``error`` if another was answered since it was
    submitted.  Where nothing but other given-up prompts is left to wait for, the servers are taken to be gone.
    """

    def __init__(self, dispatcher: Dispatcher) -> None:
        """Open a stream of a dispatcher's calls."""
        self._dispatcher = dispatcher
        self._batch: Batch | None = Batch()
        self._awaited = 0
        self._given_up: list[tuple[int, GaveUpError]] = []
        self._vouched = 0
        """Tickets below this number were submitted before the latest answer came."""

    def submit(self, prompt: Prompt, sampling: Sampling, seed: int, /) -> int:
        """Send a prompt within a few milliseconds, together with those that follow at once; returns its ticket.

        Raises:
            WorldModelError: the generator was closed, or this stream has ended.
        """
        if self._batch is None:
            raise WorldModelError("This stream has ended, because its generator could not answer: open a new one.")
        ticket = self._dispatcher.submit(self._batch, prompt, sampling, seed)
        self._awaited += 1
        return ticket

    def receive(self, timeout: float | None = None) -> list[tuple[int, Completion]]:
        """Return what was answered since; waits for the first of it, ``timeout`` seconds at most.

        Raises:
            WorldModelError: no server answers any more, or one refuses the key or does not know the model.
        """
        batch = self._batch  # another thread may close this stream meanwhile
        if batch is None or not self._awaited:
            return []
        self._dispatcher.wake()
        deadline = Deadline(timeout)
        try:
            while True:
                outcomes = batch.take(deadline.left())
                answers = [(at, outcome) for at, outcome in outcomes if isinstance(outcome, Completion)]
                self._given_up += [(at, outcome) for at, outcome in outcomes if isinstance(outcome, GaveUpError)]
                if answers:
                    self._vouched = batch.size
                answers += self._faulty()
                if not answers and self._given_up and len(self._given_up) == self._awaited:
                    raise WorldModelError(str(self._given_up[0][1]))
                if answers or not outcomes:
                    self._awaited -= len(answers)
                    return answers
        except BaseException:
            self.close()
            raise

    def _faulty(self) -> list[tuple[int, Completion]]:
        """Take out what was given up although the servers live."""
        faulty = [(ticket, error) for ticket, error in self._given_up if ticket < self._vouched]
        self._given_up = [one for one in self._given_up if one not in faulty]
        return [(ticket, Completion("", error=str(error))) for ticket, error in faulty]

    def close(self) -> None:
        """Drop the calls that were not answered; calling it twice is allowed."""
        batch, self._batch = self._batch, None
        if batch is not None:
            self._dispatcher.cancel(batch)
            batch.news.put(WorldModelError("This stream was closed while answers were awaited."))  # by another thread
