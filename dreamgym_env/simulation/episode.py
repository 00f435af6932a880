"""Episodes, what comes of a step, and the protocol of whatever advances them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

from dreamgym_env.types import AnsweredBy, Memory, Source, StopReason, Task, Transition, Turn

__all__ = [
    "Backend",
    "BatchedOutcomes",
    "Episode",
    "Outcome",
    "OutcomeStream",
    "Shadow",
    "StreamingBackend",
    "episode_name",
    "open_stream",
    "stop_reason",
]


class Shadow(Protocol):
    """What runs along with an episode."""

    @property
    def info(self) -> Mapping[str, Any]:
        """What ``info["shadow"]`` says of the latest step."""
        ...


@dataclass(slots=True)
class Episode:
    """An episode in progress: the only mutable thing in a simulation."""

    task: Task
    name: str
    """Unique for a task and a seed; retrieval uses it to keep an episode's future from itself."""
    seed: int
    """All sampling in this episode depends on it and on the step."""
    state: str
    history: list[Turn] = field(default_factory=list)
    stop: StopReason = StopReason.RUNNING
    session: Any = None
    """What the backend keeps for the episode, such as the real engine's own state."""
    anchor: bool = False
    """Whether the real environment plays it in a dream's place (``anchor=`` of a dream)."""
    shadow: Shadow | None = None
    """The real episode that runs along; None where none does."""

    @property
    def step(self) -> int:
        """How many actions were taken."""
        return len(self.history)

    def real_transition(
        self, action: str, next_state: str, *, success: bool, terminated: bool, score: float | None = None, valid: bool
    ) -> Transition:
        """Return what a real engine's answer to an action is as experience; the episode stays as it is.

        Args:
            action: any text.
            next_state: the answer.
            success: whether the task is done.
            terminated: whether the episode ends.
            score: the graded score; None where the domain grades nothing.
            valid: whether the state offered the action.
        """
        task = self.task
        return Transition(
            domain=task.domain,
            task_id=task.id,
            instruction=task.instruction,
            split=task.split,
            parent=task.parent,
            episode=self.name,
            step=self.step,
            history=tuple(self.history),
            state=self.state,
            action=action,
            next_state=next_state,
            reward=float(success),
            terminated=terminated,
            source=Source.REAL,
            score=float(success) if score is None else score,
            valid=valid,
        )


@dataclass(frozen=True, slots=True)
class Outcome:
    """What comes of one action."""

    transition: Transition
    answered_by: AnsweredBy
    stop: StopReason
    memories: tuple[Memory, ...] = ()
    failure: str = ""
    """Why the world model's answer could not be read, or why the real engine gave none; empty otherwise."""
    prompt_tokens: int = 0
    completion_tokens: int = 0
    seconds: float = 0.0
    """This step's share of the time that retrieving and predicting took, or in a stream the time from asking to
    receiving; 0 where no model was asked."""
    paid: float | None = None
    """What somebody else's environment pays for the step, on its own scale; None where the transition's reward is the
    only one."""

    @property
    def is_real(self) -> bool:
        """Whether a real environment took the action; where its engine was lost nobody did."""
        return self.answered_by is AnsweredBy.REAL and self.stop is not StopReason.ENGINE_FAILURE


@runtime_checkable
class Backend(Protocol):
    """Advances a batch of episodes by one action each: a dream (the simulator) or a real environment."""

    def begin(self, tasks: Sequence[Task], seeds: Sequence[int]) -> list[Episode]:
        """Start one episode a task; seeds are those of :mod:`dreamgym_env.simulation.seeds`.

        Raises:
            ResetOptionError: a task's goal cannot be checked, or a real environment has no such task.
            GameError: a real environment cannot play a task's game.
        """
        ...

    def advance(
        self, episodes: Sequence[Episode], actions: Sequence[str], step_limit: int | None = None
    ) -> list[Outcome]:
        """Take one action in each episode, which must be running; updates the episodes.

        Args:
            episodes: n running episodes, all different.
            actions: n actions, any text.
            step_limit: episodes stop after that many actions; None for never.

        Raises:
            WorldModelError: the world model as a whole cannot answer; no episode was changed.
        """
        ...

    def available_actions(self, episode: Episode) -> tuple[str, ...]:
        """Return the actions that the episode's current state offers."""
        ...

    def close(self) -> None:
        """Release models, stores and processes; calling it twice is allowed."""
        ...


class OutcomeStream(Protocol):
    """Actions on their way to episodes, and what comes of them on its way back, any number of both at once."""

    def submit(self, episodes: Sequence[Episode], actions: Sequence[str], step_limit: int | None = None) -> None:
        """Take one action in each episode, none of which is under way; arguments as of :meth:`Backend.advance`.

        Raises:
            WorldModelError: the world model as a whole cannot be asked; what it was asked before is dropped, too.
        """
        ...

    def receive(self, timeout: float | None = None) -> list[tuple[Episode, Outcome]]:
        """Return episodes that moved on, in any order; waits for the first, ``timeout`` seconds at most.

        Raises:
            WorldModelError: the world model as a whole cannot answer; nothing is under way any more, and the episodes
                that were are unchanged.
        """
        ...

    def close(self) -> None:
        """Forget what was not received; calling it twice is allowed."""
        ...


@runtime_checkable
class StreamingBackend(Backend, Protocol):
    """A backend that takes further actions while others are on their way."""

    def open(self) -> OutcomeStream:
        """Open a stream of one's own."""
        ...


class BatchedOutcomes:
    """An :class:`OutcomeStream` of a backend that has none: actions wait until outcomes are wanted, as one batch."""

    def __init__(self, backend: Backend) -> None:
        """Open a stream of a backend."""
        self._backend = backend
        self._taken: list[tuple[Episode, str]] = []
        self._limit: int | None = None

    def submit(self, episodes: Sequence[Episode], actions: Sequence[str], step_limit: int | None = None) -> None:
        """Note actions; the step limit is the same for all."""
        self._taken.extend(zip(episodes, actions, strict=True))
        self._limit = step_limit

    def receive(self, timeout: float | None = None) -> list[tuple[Episode, Outcome]]:
        """Take the actions, and return what comes of them; a batch takes its time."""
        taken, self._taken = self._taken, []
        episodes = [episode for episode, _ in taken]
        outcomes = self._backend.advance(episodes, [action for _, action in taken], self._limit) if taken else []
        return list(zip(episodes, outcomes, strict=True))

    def close(self) -> None:
        """Forget what was noted."""
        self._taken = []


def open_stream(backend: Backend) -> OutcomeStream:
    """Open a stream of a backend, be it a streaming one or not."""
    return backend.open() if isinstance(backend, StreamingBackend) else BatchedOutcomes(backend)


def episode_name(task: Task, seed: int) -> str:
    """Return the episode's name: the same task with the same seed is the same episode again."""
    return f"{task.id}#{seed:016x}"


def stop_reason(taken: int, step_limit: int | None, *, success: bool, terminated: bool) -> StopReason:
    """Return why an episode stops after so many actions, or that it runs on."""
    if terminated:
        return StopReason.SUCCESS if success else StopReason.FAILURE
    if step_limit is not None and taken >= step_limit:
        return StopReason.STEP_LIMIT
    return StopReason.RUNNING
