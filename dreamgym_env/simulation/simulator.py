"""The simulator: episodes go through the stages, and what is left is asked of the world model."""

from __future__ import annotations

import time
from collections.abc import Sequence

from dreamgym_env.memory import ReplayBuffer
from dreamgym_env.simulation.episode import Episode, Outcome
from dreamgym_env.simulation.stages import SimulationOptions, Stages
from dreamgym_env.simulation.stream import StepStream
from dreamgym_env.types import Domain, StopReason, Task, WorldModel

__all__ = ["SimulationOptions", "Simulator"]


class Simulator:
    """Advances dream episodes; the one place where domain, buffer and world model meet."""

    def __init__(
        self,
        domain: Domain,
        world_model: WorldModel,
        buffer: ReplayBuffer,
        options: SimulationOptions | None = None,
        *,
        owns_model: bool = True,
        owns_buffer: bool = True,
    ) -> None:
        """Put the parts together.

        Args:
            domain: whose environment is dreamt.
            world_model: predicts outcomes.
            buffer: where memories come from.
            options: what else is done; the defaults where None.
            owns_model: whether :meth:`close` closes the world model.
            owns_buffer: whether :meth:`close` closes the buffer.
        """
        self.domain = domain
        self.world_model = world_model
        self.buffer = buffer
        self.options = options or SimulationOptions()
        self._owns_model, self._owns_buffer = owns_model, owns_buffer
        self.stages = Stages(domain, buffer, self.options, memoises=world_model.deterministic)

    def begin(self, tasks: Sequence[Task], seeds: Sequence[int]) -> list[Episode]:
        """Start one episode a task; nothing is asked of the model.

        Raises:
            ResetOptionError: the verifier cannot check a task's goal; the message says what a goal needs.
        """
        return self.stages.begin(tasks, seeds)

    def advance(
        self, episodes: Sequence[Episode], actions: Sequence[str], step_limit: int | None = None
    ) -> list[Outcome]:
        """Take one action in each episode with at most one batched retrieval and one batched prediction.

        Raises:
            WorldModelError: the world model as a whole cannot answer; no episode was changed.
            ReplayBufferError: dream transitions cannot be written (``enrich``); no episode was changed.
        """
        began = time.perf_counter()
        steps, waiting = self.stages.take(episodes, actions, step_limit)
        if waiting:
            predictions = self.world_model.predict(
                [step.query for step in waiting],
                [step.memories for step in waiting],
                [step.seed for step in waiting],
            )
            share = (time.perf_counter() - began) / len(waiting)
            for step, prediction in zip(waiting, predictions, strict=True):
                self.stages.answer(step, prediction, share)
        return self.stages.settle(steps)

    def open(self) -> StepStream:
        """Open a stream, for a caller that takes actions in some episodes while those in others are on their way."""
        return StepStream(self.stages, self.world_model)

    def available_actions(self, episode: Episode) -> tuple[str, ...]:
        """Return the actions that the episode's current state offers; none after its end."""
        if episode.stop is not StopReason.RUNNING:
            return ()
        return self.domain.available_actions(episode.task, episode.history, episode.state)

    def close(self) -> None:
        """Close the world model and the buffer, if they are the simulator's own."""
        if self._owns_model:
            self.world_model.close()
        if self._owns_buffer:
            self.buffer.close()
