"""Steps of a simulation on their way: taken in some episodes while the world model still answers others."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator, Sequence
from typing import Any

from dreamgym_env.batch_stream import BatchStream
from dreamgym_env.deadline import Deadline
from dreamgym_env.simulation.episode import Episode, Outcome
from dreamgym_env.simulation.stages import Stages, Step
from dreamgym_env.types import Prediction, PredictionStream, StreamingWorldModel, WorldModel

__all__ = ["StepStream"]


class StepStream:
    """A :class:`~dreamgym_env.simulation.episode.OutcomeStream` of a dream.

    An episode depends on its seed and its own actions alone, as it does in a batch; but with ``enrich`` also on what
    came back before it.
    """

    def __init__(self, stages: Stages, world_model: WorldModel) -> None:
        """Open a stream; the world model's is opened when the first step needs it."""
        self._stages = stages
        self._world_model = world_model
        self._predictions: PredictionStream | None = None
        self._asked: dict[int, tuple[Step, float]] = {}
        """Steps that the world model is to answer, by ticket, and when it was asked."""
        self._answered: list[Step] = []
        self._failure: Exception | None = None

    def submit(self, episodes: Sequence[Episode], actions: Sequence[str], step_limit: int | None = None) -> None:
        """Take one action in each episode, without waiting for what comes of it; the episodes stay as they are.

        Raises:
            WorldModelError: the world model as a whole cannot be asked; what it was asked before is dropped, too.
        """
        with self._all_or_nothing():
            steps, waiting = self._stages.take(episodes, actions, step_limit)
            self._ask(waiting)
        self._answered += [step for step in steps if step.prediction is not None]

    def receive(self, timeout: float | None = None) -> list[tuple[Episode, Outcome]]:
        """Return episodes that moved on, and what came of their actions; waits for the first of them.

        The world model is listened to in any case, so that its answers come however many others there are.

        Args:
            timeout: seconds to wait at most; None for as long as it takes.

        Raises:
            WorldModelError: the world model as a whole cannot answer; nothing is under way any more, and the episodes
                that were are unchanged.  (What had come before it failed is returned first.)
            ReplayBufferError: dream transitions cannot be written (``enrich``); likewise.
        """
        if self._failure is not None:
            failure = self._failure
            self.close()
            raise failure
        deadline = Deadline(timeout)
        moved = self._settle()
        while self._asked:
            try:
                self._listen(0.0 if moved else deadline.left())
                moved += self._settle()
            except Exception as error:
                if not moved:
                    raise
                self._failure = error  # for the next call: these outcomes are not to be lost
            if moved or deadline.left() == 0:
                break
        return moved

    def close(self) -> None:
        """Forget what was not received; calling it twice is allowed, and the stream can be used again."""
        self._failure = None
        self._asked.clear()
        self._answered.clear()
        if self._predictions is not None:
            self._predictions.close()
            self._predictions = None

    def _ask(self, steps: Sequence[Step]) -> None:
        if steps and self._predictions is None:
            self._predictions = _open(self._world_model)
        for step in steps:
            assert self._predictions is not None
            ticket = self._predictions.submit(step.query, step.memories, step.seed)
            self._asked[ticket] = (step, time.perf_counter())

    def _listen(self, timeout: float | None) -> None:
        """Take in what the world model has answered."""
        assert self._predictions is not None
        with self._all_or_nothing():
            for ticket, prediction in self._predictions.receive(timeout):
                step, began = self._asked.pop(ticket)
                self._stages.answer(step, prediction, time.perf_counter() - began)
                self._answered.append(step)

    def _settle(self) -> list[tuple[Episode, Outcome]]:
        """Move on the episodes whose steps are answered."""
        with self._all_or_nothing():
            outcomes = self._stages.settle(self._answered)
        moved = [(step.episode, outcome) for step, outcome in zip(self._answered, outcomes, strict=True)]
        self._answered = []
        return moved

    @contextlib.contextmanager
    def _all_or_nothing(self) -> Iterator[None]:
        """Where something fails, forget everything under way; the next step begins anew."""
        try:
            yield
        except BaseException:
            self.close()
            raise


def _open(world_model: WorldModel) -> PredictionStream:
    if isinstance(world_model, StreamingWorldModel):
        return world_model.open()

    def predict(questions: Sequence[tuple[Any, ...]]) -> list[Prediction]:
        queries, memories, seeds = (list(column) for column in zip(*questions, strict=True))
        return world_model.predict(queries, memories, seeds)

    return BatchStream(predict)
