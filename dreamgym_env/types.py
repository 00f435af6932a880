"""The vocabulary of the library: read this module first.

Everything that flows between the parts is a small frozen dataclass or a protocol defined here.  The parts themselves
(``memory``, ``world_model``, ``simulation``, ``envs``, ``domains``) import this module and never each other upwards.

The names follow DreamGym (Chen et al., arXiv 2511.03773), whose "experience model" is called *world model* here.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

import numpy as np

__all__ = [
    "AnswerStream",
    "AnsweredBy",
    "Completion",
    "Composer",
    "Domain",
    "Embedder",
    "Memory",
    "Prediction",
    "PredictionStream",
    "Prompt",
    "Query",
    "Sampling",
    "Source",
    "StopReason",
    "StreamingGenerator",
    "StreamingWorldModel",
    "Task",
    "TaskSource",
    "TextGenerator",
    "Transition",
    "Turn",
    "Verdict",
    "Verifier",
    "WorldModel",
]


class Source(enum.StrEnum):
    """Where a transition was experienced."""

    REAL = "real"
    """Recorded in the real environment."""
    DREAM = "dream"
    """Answered by a world model."""
    COMPOSED = "composed"
    """Put together by a domain's composer to ground one question; its ``reasoning`` says from what.  Never stored."""


class AnsweredBy(enum.StrEnum):
    """Which stage of the simulator (or which environment) produced a step's outcome."""

    GUARD = "guard"
    """The action is not offered by the state; the domain's own answer was given and no model was asked."""
    REPLAY = "replay"
    """The same task and the same actions so far were recorded in the real environment."""
    MEMO = "memo"
    """The same question was answered before in this simulator, at temperature 0."""
    MODEL = "model"
    """The world model predicted it."""
    REAL = "real"
    """The real environment answered: always under ``DreamGymReal/``, in a dream only in its anchors (``anchor=``)."""


class StopReason(enum.StrEnum):
    """Why an episode stopped."""

    RUNNING = "running"
    """It has not stopped."""
    SUCCESS = "success"
    """The task's goal was reached (terminated)."""
    FAILURE = "failure"
    """The environment ended the episode without success, for example by buying the wrong product (terminated)."""
    STEP_LIMIT = "step_limit"
    """The step limit was reached (truncated)."""
    MODEL_FAILURE = "model_failure"
    """The world model gave no answer that could be read, after all retries (truncated; reward 0; never a memory)."""
    ENGINE_FAILURE = "engine_failure"
    """The real environment's engine was lost, or failed (truncated; reward 0; never recorded)."""
    DRIFT = "drift"
    """The real environment that runs along has differed on as many steps as ``ShadowReal`` allows (truncated)."""


@dataclass(frozen=True, slots=True)
class Task:
    """An instruction with its initial state."""

    id: str
    """Unique name, ``"<domain>/<split>/<number>"`` for shipped tasks, for example ``"webshop/test/17"``."""
    domain: str
    """Name of the domain, for example ``"webshop"``."""
    instruction: str
    """What the agent is asked to do, as the agent reads it."""
    initial_state: str
    """The first observation."""
    split: str = "train"
    """``"train"``, ``"eval"`` or ``"test"`` (a domain may have others)."""
    goal: Mapping[str, Any] = field(default_factory=dict)
    """Structured goal that the verifier checks; JSON values only; empty where the domain has none."""
    facts: Mapping[str, Any] = field(default_factory=dict)
    """What is true but hidden from the agent. Only the world model and the verifier may read it; JSON values only."""
    parent: str = ""
    """Id of the original task that this one varies; empty for an original."""

    @property
    def family(self) -> str:
        """Id of the original task: an evaluation of one member of a family hides the recordings of all."""
        return self.parent or self.id


@runtime_checkable
class TaskSource(Protocol):
    """Decides which tasks are played, such as a curriculum; ``reset(options={"tasks": source})`` takes one."""

    def draw(self, rng: np.random.Generator) -> Task:
        """Return the task of the next episode, or of the next group of identical starts.

        Args:
            rng: all chance comes from it; it is made for this one call, from the seed of the asking lane.
        """
        ...


@dataclass(frozen=True, slots=True)
class Turn:
    """One (state, action) of an episode."""

    state: str
    action: str


@dataclass(frozen=True, slots=True)
class Transition:
    """One step of experience, real or dreamt."""

    domain: str
    task_id: str
    instruction: str
    split: str
    episode: str
    """Unique name of the episode that it belongs to."""
    step: int
    """Position in the episode, from 0."""
    history: tuple[Turn, ...]
    """The turns before this one, oldest first; ``len(history) == step`` for a complete episode."""
    state: str
    action: str
    next_state: str
    reward: float
    """Outcome reward: 1.0 at success, else 0.0."""
    terminated: bool
    source: Source = Source.REAL
    reasoning: str = ""
    """Why the environment answered so; empty where nobody said."""
    score: float = 0.0
    """The domain's graded score of the step, in [0, 1]; equals ``reward`` where the domain grades nothing."""
    valid: bool = True
    """Whether the state offered the action."""
    available_actions: tuple[str, ...] = ()
    """Actions offered in ``next_state``, where the recorder knew them."""
    parent: str = ""
    """Id of the original task that its task varies; empty for an original."""

    @property
    def family(self) -> str:
        """Id of the original task."""
        return self.parent or self.task_id

    def question(self) -> Query:
        """Return the question that the step answers; its task is what the step itself tells of it (no goal, say)."""
        task = Task(self.task_id, self.domain, self.instruction, initial_state="", split=self.split, parent=self.parent)
        return Query(task, self.history, self.state, self.action, self.episode)


@dataclass(frozen=True, slots=True)
class Query:
    """What a world model is asked."""

    task: Task
    history: tuple[Turn, ...]
    """The turns before this one, oldest first."""
    state: str
    action: str
    episode: str = ""
    """Name of the asking episode, so that retrieval never returns its own future."""


@dataclass(frozen=True, slots=True)
class Memory:
    """A retrieved transition."""

    id: str
    transition: Transition
    similarity: float
    """Cosine similarity of the keys, in [-1, 1]."""
    certain: bool = False
    """Whether its next state is the answer for certain: a page that the asking episode has shown before, or what
    follows from its task's facts."""


@dataclass(frozen=True, slots=True)
class Prediction:
    """What a world model answers."""

    reasoning: str
    next_state: str
    reward: float
    terminated: bool
    failure: str = ""
    """Empty for an answer that was read; else why it could not be. Then the other members hold the unchanged state,
    reward 0.0 and ``terminated`` False."""
    prompt_tokens: int = 0
    completion_tokens: int = 0
    attempts: int = 1
    """How often the model was asked; an answer after the first attempt depends on the asking episode's seed."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a verifier says of an episode after its latest step."""

    success: bool
    terminated: bool
    score: float
    """Graded score in [0, 1]; 1.0 exactly at success."""
    next_state: str = ""
    """The judged state with the verdict written into it, where such a state shows one; else empty."""


@dataclass(frozen=True, slots=True)
class Prompt:
    """A question to a text generator; the constant part comes first so that an engine can cache it."""

    system: str
    """Constant part: role, domain rules, output contract. May be empty."""
    user: str
    """What changes: task, history, memories, action, in this order."""


@dataclass(frozen=True, slots=True)
class Sampling:
    """How a text generator decodes."""

    max_new_tokens: int = 512
    temperature: float = 0.0
    """0 is greedy."""
    stop: tuple[str, ...] = ()
    """Generation ends before the first of these strings; they are not part of the completion."""
    json_schema: Mapping[str, Any] | None = None
    """Schema of the answer, for engines with structured output; others ignore it."""


@dataclass(frozen=True, slots=True)
class Completion:
    """What a text generator answers to one prompt."""

    text: str
    prompt_tokens: int = 0
    completion_tokens: int = 0
    error: str = ""
    """Empty, or why this one prompt has no answer (too long, refused by the server) although the engine is well."""


@runtime_checkable
class TextGenerator(Protocol):
    """The engine behind a world model: prompts in, texts out, always for a batch."""

    def generate(self, prompts: Sequence[Prompt], sampling: Sampling, seeds: Sequence[int]) -> list[Completion]:
        """Answer every prompt, in order.

        Args:
            prompts: n prompts; n may be 0.
            sampling: how to decode, the same for all.
            seeds: n seeds; sampling at a temperature above 0 depends on nothing else.

        Raises:
            WorldModelError: the engine as a whole cannot answer (server gone, model not loadable).
        """
        ...

    def close(self) -> None:
        """Release threads, connections and device memory; calling it twice is allowed."""
        ...


class AnswerStream(Protocol):
    """Prompts on their way to an engine and answers on their way back, any number of both at once.

    It belongs to one caller, and is used in one thread.
    """

    def submit(self, prompt: Prompt, sampling: Sampling, seed: int, /) -> int:
        """Ask, without waiting; returns the ticket under which the answer will come."""
        ...

    def receive(self, timeout: float | None = None) -> list[tuple[int, Completion]]:
        """Return tickets and answers that have come since, in any order; waits for the first of them.

        Args:
            timeout: seconds to wait at most; None for as long as it takes.

        Returns:
            Nothing where nothing is awaited, or nothing came in time.

        Raises:
            WorldModelError: the engine as a whole cannot answer; what was submitted is dropped, and the stream ends.
        """
        ...

    def close(self) -> None:
        """Drop what was not received; calling it twice is allowed."""
        ...


@runtime_checkable
class StreamingGenerator(TextGenerator, Protocol):
    """A text generator that takes further prompts while others are being answered."""

    def open(self) -> AnswerStream:
        """Open a stream of one's own. Raises WorldModelError if the generator was closed."""
        ...


class PredictionStream(Protocol):
    """What :class:`AnswerStream` is for prompts and answers, for queries and predictions."""

    def submit(self, query: Query, memories: Sequence[Memory], seed: int, /) -> int:
        """Ask, without waiting; returns the ticket under which the prediction will come."""
        ...

    def receive(self, timeout: float | None = None) -> list[tuple[int, Prediction]]:
        """Return tickets and predictions as :meth:`AnswerStream.receive` returns answers, and raise what it raises."""
        ...

    def close(self) -> None:
        """Drop what was not received; calling it twice is allowed."""
        ...


@runtime_checkable
class WorldModel(Protocol):
    """Predicts what an environment answers."""

    @property
    def deterministic(self) -> bool:
        """Whether the same query with the same memories always gets the same answer (then answers may be memoised)."""
        ...

    def predict(
        self, queries: Sequence[Query], memories: Sequence[Sequence[Memory]], seeds: Sequence[int]
    ) -> list[Prediction]:
        """Predict the outcome of n queries, the i-th grounded in ``memories[i]`` (most similar first).

        Raises:
            WorldModelError: the engine as a whole cannot answer.
        """
        ...

    def close(self) -> None:
        """Release what the engine holds."""
        ...


@runtime_checkable
class StreamingWorldModel(WorldModel, Protocol):
    """A world model that takes further queries while others are being answered."""

    def open(self) -> PredictionStream:
        """Open a stream of one's own. Raises WorldModelError if the engine was closed."""
        ...


@runtime_checkable
class Embedder(Protocol):
    """Maps texts to unit vectors."""

    @property
    def name(self) -> str:
        """Identifies the embedding space; stored with a buffer so that spaces are never mixed."""
        ...

    @property
    def dimension(self) -> int:
        """Length of a vector."""
        ...

    def embed(self, texts: Sequence[str]) -> Any:
        """Return a float32 array of shape (n, dimension), rows of length 1 (a text without content gives zeros)."""
        ...


@runtime_checkable
class Verifier(Protocol):
    """Decides success by program, without a language model."""

    def check(self, task: Task) -> None:
        """Raise ResetOptionError, saying what a goal needs, unless the task has one that :meth:`verify` can check."""
        ...

    def verify(self, task: Task, history: Sequence[Turn], state: str, action: str, next_state: str) -> Verdict:
        """Judge the episode after ``action`` led from ``state`` to ``next_state``; ``history`` is what came before."""
        ...


@runtime_checkable
class Composer(Protocol):
    """Builds an answer that no single recorded transition holds, out of what several, or the episode, have shown."""

    def compose(
        self, query: Query, memories: Sequence[Memory], *, exclude_episode: bool = False, exclude_task: bool = False
    ) -> Memory | None:
        """Return one more memory for a query, or None where the retrieved ones are enough or nothing is known.

        It has the query's state and action and :attr:`Source.COMPOSED`.  Where it ends the episode its reward means
        nothing: success is for the verifier or the world model to say.

        Args:
            query: the question; its own history may be used.
            memories: what was retrieved for it.
            exclude_episode: use nothing that only the asking episode's own recordings have shown.
            exclude_task: use nothing that only recordings of the asking task, or of the one it varies, have shown.
        """
        ...


@runtime_checkable
class Domain(Protocol):
    """One benchmark: everything that the rest of the library needs to know about it."""

    name: str
    """Lower-case name, for example ``"webshop"``."""
    max_episode_steps: int
    rules: str
    """How the environment behaves, in prose, for an instruction-tuned world model."""

    def splits(self) -> tuple[str, ...]:
        """Names of the splits."""
        ...

    def task_ids(self, split: str) -> Sequence[str]:
        """Ids of the tasks of a split, in order. Raises UnknownTaskError for an unknown split."""
        ...

    def task(self, task_id: str) -> Task:
        """Return a task. Raises UnknownTaskError."""
        ...

    def segment(self, state: str, instruction: str) -> tuple[str, ...]:
        """Split a state into segments, the instruction replaced by a placeholder (a page then serves every task)."""
        ...

    def render(self, segments: Sequence[str], instruction: str) -> str:
        """Inverse of :meth:`segment`: ``render(segment(s, i), i) == s`` for every text s."""
        ...

    def available_actions(self, task: Task, history: Sequence[Turn], state: str) -> tuple[str, ...]:
        """Actions that a state offers, as the agent may type them; a free argument is written ``<...>``."""
        ...

    def parse_action(self, action: str) -> str | None:
        """Return the canonical text of an action, or None if it is none of the grammar's."""
        ...

    def guard(self, task: Task, history: Sequence[Turn], state: str, action: str) -> str | None:
        """Return the domain's own next state for an action that the state does not offer, or None if it offers it."""
        ...

    def action_kind(self, action: str) -> str:
        """Kind of an action, for example ``"search"`` (used in keys, prompts and tables)."""
        ...

    def page_kind(self, state: str) -> str:
        """Kind of a state, for example ``"results"``."""
        ...

    def verifier(self) -> Verifier | None:
        """The program that decides success, or None where only a model's word exists."""
        ...

    def composer(self, experience: Callable[[], Iterator[Transition]]) -> Composer:
        """Return what composes memories from the real transitions that ``experience()`` yields (called when needed)."""
        ...

    def teach(self, transition: Transition, memories: Sequence[Memory]) -> Transition:
        """Return a recorded step as a model should learn it when shown these memories.

        It carries a short reason by the domain's own rules, and its next state holds only what can be known.
        """
        ...

    def explain(self, transition: Transition) -> str:
        """Return why the environment answered so, in one to three sentences, by the domain's own rules.

        First whether the action leads toward success or failure, then how the environment responds.  The transition
        alone must do: no task is looked up.
        """
        ...

    def seed_experience(self) -> str:
        """Path of the shipped transitions file, or an empty string where none is shipped."""
        ...
