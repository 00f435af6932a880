"""Open loop: how faithfully a world model answers the questions that real experience has answered.

Every recorded step is a question of its own (teacher forcing): the model gets the real history, the real state and the
action, grounded in memories that hold nothing of the step's own task, and its answer is laid beside the real one.
Replay and memo have no part in it, and the guard only where it is asked for.  Three answers that need no model stand in
the same table as floors: the state repeated, the next state of the nearest memory, and what the domain's composer made
(the nearest memory where it made nothing), which never claims a success.
"""

from __future__ import annotations

import operator
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from tqdm import tqdm

from dreamgym_env.memory import ReplayBuffer
from dreamgym_env.simulation.grounding import Grounding, recorded_question
from dreamgym_env.types import Domain, Memory, Prediction, Query, Source, Transition, Verdict, WorldModel

__all__ = ["COMPOSED", "FLOORS", "MODEL", "Answer", "FidelityOptions", "answer_all", "line_f1", "memory_class"]

MODEL = "world model"
COMPOSED = "composed answer copied"
FLOORS = ("state repeated", "nearest memory copied", COMPOSED)
_BATCH = 256


@dataclass(frozen=True, slots=True)
class FidelityOptions:
    """How the questions are put."""

    k: int = 5
    """Memories for each; 0 for none."""
    history: bool = True
    """Whether the model sees what came before the current state."""
    guard: bool = False
    """Whether actions that the state does not offer are answered by the domain, not by the model."""
    verifier: bool = True
    """Whether a state shows the verdict of the domain's verifier, as it does in the environment."""
    seed: int = 0
    """Of sampling, and of the intervals."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One system's answer to a recorded step."""

    step: Transition
    """What really happened."""
    prediction: Prediction
    next_state: str
    """The predicted state, with the verifier's verdict on it where there is one."""
    verdict: Verdict | None
    """The verifier's; None where the domain has none."""
    memory: str
    """See :func:`memory_class`."""
    seconds: float
    """Its share of the time that retrieving and predicting took."""

    @property
    def exact(self) -> bool:
        """Whether the predicted state is the real one, character by character."""
        return not self.prediction.failure and self.next_state == self.step.next_state

    @property
    def claims_success(self) -> bool:
        """Whether the model itself says that the episode ends well."""
        return self.prediction.terminated and self.prediction.reward > 0


def answer_all(
    domain: Domain,
    world_model: WorldModel,
    buffer: ReplayBuffer,
    steps: Sequence[Transition],
    options: FidelityOptions | None = None,
    *,
    progress: bool = False,
) -> dict[str, list[Answer]]:
    """Put the question of every recorded step to a world model and to the floors.

    Args:
        domain: whose environment is dreamt.
        world_model: answers.
        buffer: what memories are retrieved from; nothing of a step's own task or episode is.
        steps: real transitions.
        options: how the questions are put.
        progress: whether to show a progress bar.

    Returns:
        For :data:`MODEL` and each of :data:`FLOORS` one answer a step, in order.

    Raises:
        WorldModelError: the world model as a whole cannot answer.
    """
    options = options or FidelityOptions()
    ask = _Asker(domain, world_model, buffer, options)
    answers: dict[str, list[Answer]] = {name: [] for name in (MODEL, *FLOORS)}
    with tqdm(total=len(steps), unit="step", desc="asking", disable=None if progress else True) as bar:
        for start in range(0, len(steps), _BATCH):
            batch = steps[start : start + _BATCH]
            for name, found in ask(batch).items():
                answers[name].extend(found)
            bar.update(len(batch))
    return answers


class _Asker:
    """Asks batches of questions."""

    def __init__(self, domain: Domain, world_model: WorldModel, buffer: ReplayBuffer, options: FidelityOptions) -> None:
        self._domain, self._world_model, self._options = domain, world_model, options
        self._grounding = Grounding(domain, buffer)
        self._verifier = domain.verifier() if options.verifier else None

    def __call__(self, steps: Sequence[Transition]) -> dict[str, list[Answer]]:
        began = time.perf_counter()
        queries = [recorded_question(self._domain, step) for step in steps]
        asked = queries if self._options.history else [replace(query, history=()) for query in queries]
        memories = self._retrieve(asked)
        predictions = self._predict(asked, memories)
        seconds = (time.perf_counter() - began) / len(steps)
        classes = [memory_class(self._domain, query, found) for query, found in zip(queries, memories, strict=True)]
        nearest = [self._copied(query, found, composed=False) for query, found in zip(queries, memories, strict=True)]
        composed = [self._copied(query, found, composed=True) for query, found in zip(queries, memories, strict=True)]
        systems = {
            MODEL: (predictions, seconds),
            FLOORS[0]: ([Prediction("", step.state, 0.0, False) for step in steps], 0.0),
            FLOORS[1]: (nearest, 0.0),
            COMPOSED: (composed, 0.0),
        }
        return {
            name: [
                self._answer(step, query, prediction, known, taken)
                for step, query, prediction, known in zip(steps, queries, given, classes, strict=True)
            ]
            for name, (given, taken) in systems.items()
        }

    def _predict(self, queries: Sequence[Query], memories: Sequence[list[Memory]]) -> list[Prediction]:
        """Ask the model, about all or about what the guard leaves."""
        guarded: dict[int, Prediction] = {}
        if self._options.guard:
            for at, query in enumerate(queries):
                answer = self._domain.guard(query.task, query.history, query.state, query.action)
                if answer is not None:
                    guarded[at] = Prediction("", answer, 0.0, False)
        left = [at for at in range(len(queries)) if at not in guarded]
        seeds = [self._options.seed] * len(left)
        predicted = self._world_model.predict([queries[at] for at in left], [memories[at] for at in left], seeds)
        return [answer for _, answer in sorted([*guarded.items(), *zip(left, predicted, strict=True)], key=_first)]

    def _retrieve(self, queries: Sequence[Query]) -> list[list[Memory]]:
        if not self._options.k:
            return [[] for _ in queries]
        return self._grounding.retrieve(queries, self._options.k, exclude_episode=True, exclude_task=True)

    def _copied(self, query: Query, memories: Sequence[Memory], *, composed: bool) -> Prediction:
        """Copy the first memory's outcome, composed or only recorded ones, in the words of the asking task."""
        allowed = (one.transition for one in memories if composed or one.transition.source is not Source.COMPOSED)
        nearest = next(allowed, None)
        if nearest is None:
            return Prediction("", query.state, 0.0, False)
        segments = self._domain.segment(nearest.next_state, nearest.instruction)
        state = self._domain.render(segments, query.task.instruction)
        return Prediction("", state, nearest.reward, nearest.terminated)

    def _answer(self, step: Transition, query: Query, prediction: Prediction, known: str, seconds: float) -> Answer:
        verdict = None
        if self._verifier is not None and query.task.goal and not prediction.failure:
            verdict = self._verifier.verify(query.task, query.history, query.state, query.action, prediction.next_state)
        shown = verdict.next_state if verdict is not None else ""
        return Answer(step, prediction, shown or prediction.next_state, verdict, known, seconds)


_first = operator.itemgetter(0)


def memory_class(domain: Domain, query: Query, memories: Sequence[Memory]) -> str:
    """Say how near the nearest memory is.

    Returns:
        ``exact``: recorded with the same action on the same page; ``composed``: made for the question from several
        recordings, or from the episode; ``near``: the same action on another page; ``far``: any other; or ``none``.
    """
    if not memories:
        return "none"
    action, page = domain.parse_action(query.action), domain.segment(query.state, query.task.instruction)
    pages = {
        domain.segment(past.state, past.instruction)
        for past in (memory.transition for memory in memories)
        if past.source is not Source.COMPOSED and domain.parse_action(past.action) == action
    }
    if page in pages:
        return "exact"
    if any(memory.transition.source is Source.COMPOSED for memory in memories):
        return "composed"
    return "near" if pages else "far"


def line_f1(predicted: Sequence[str], real: Sequence[str]) -> float:
    """Return the F1 score of two pages as bags of segments, in [0, 1]."""
    shared = (Counter(predicted) & Counter(real)).total()
    return 2 * shared / (len(predicted) + len(real)) if shared else 0.0
