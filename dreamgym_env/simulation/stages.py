"""What happens to a step: guard, replay, memo, retrieve, (the world model), verify, enrich, in this order."""

from __future__ import annotations

import hashlib
import json
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, replace

from dreamgym_env.memory import ReplayBuffer
from dreamgym_env.simulation.episode import Episode, Outcome, episode_name, stop_reason
from dreamgym_env.simulation.grounding import Grounding
from dreamgym_env.types import (
    AnsweredBy,
    Domain,
    Memory,
    Prediction,
    Query,
    Source,
    StopReason,
    Task,
    Transition,
    Turn,
    Verdict,
)

__all__ = ["SimulationOptions", "Stages", "Step"]

_MEMO_SIZE = 50_000


@dataclass(frozen=True, slots=True)
class SimulationOptions:
    """What a simulator does besides asking the world model. Guard, replay and memo only ever save model calls."""

    k: int = 5
    """How many memories ground a prediction."""
    guard: bool = True
    """Answer actions that the state does not offer with the domain's own answer."""
    replay: bool = True
    """Answer from a real recording of the same task and the same actions so far."""
    memo: bool = True
    """Give the same answer again to the same question, if the world model is deterministic."""
    success: str = "verifier"
    """``"verifier"``: the domain's program decides success where there is one; ``"model"``: the model's word counts."""
    enrich: bool = False
    """Put accepted dream transitions back into the buffer.  Off by default: an episode then depends on its seed and
    task alone, not on what was dreamt before it."""
    evaluation: bool = False
    """Retrieve nothing of the asking task's own recordings, replay none of them, and add nothing to the buffer."""

    def __post_init__(self) -> None:
        """Check that the options go together."""
        if isinstance(self.k, bool) or not isinstance(self.k, int) or self.k < 0:
            raise ValueError(f"k, the number of memories, must be a whole number of at least 0, not {self.k!r}.")
        if self.success not in ("verifier", "model"):
            raise ValueError(f"success must be 'verifier' or 'model', not {self.success!r}.")
        if self.evaluation and self.enrich:
            raise ValueError(
                "evaluation=True and enrich=True exclude each other: an evaluation must not feed the buffer."
            )


@dataclass(slots=True)
class Step:
    """One episode's way through the stages."""

    episode: Episode
    query: Query
    seed: int
    limit: int | None
    """The episode stops after that many actions."""
    memories: tuple[Memory, ...] = ()
    prediction: Prediction | None = None
    verdict: Verdict | None = None
    answered_by: AnsweredBy = AnsweredBy.MODEL
    valid: bool = True
    seconds: float = 0.0


class Stages:
    """All of a simulation but the world model; keeps the memo."""

    def __init__(self, domain: Domain, buffer: ReplayBuffer, options: SimulationOptions, *, memoises: bool) -> None:
        """Put the stages together.

        Args:
            domain: whose environment is dreamt.
            buffer: where memories come from.
            options: which stages there are.
            memoises: whether the world model gives the same answer to the same question, so that a memo may be kept.
        """
        self.domain = domain
        self.buffer = buffer
        self.options = options
        self.verifier = domain.verifier() if options.success == "verifier" else None
        self._memoises = memoises and options.memo
        self._grounding = Grounding(domain, buffer)
        self._memo: OrderedDict[tuple[object, ...], tuple[Prediction, tuple[Memory, ...]]] = OrderedDict()

    def begin(self, tasks: Sequence[Task], seeds: Sequence[int]) -> list[Episode]:
        """Start one episode a task. Raises ResetOptionError for a goal that cannot be checked, or bad facts."""
        for task in tasks:
            if self.verifier is not None:
                self.verifier.check(task)
            self.domain.guard(task, (), task.initial_state, "")  # facts that cannot be read are an error now
        return [
            Episode(task, episode_name(task, seed), seed, task.initial_state)
            for task, seed in zip(tasks, seeds, strict=True)
        ]

    def take(
        self, episodes: Sequence[Episode], actions: Sequence[str], limit: int | None
    ) -> tuple[list[Step], list[Step]]:
        """Return all steps, and those of them that neither guard nor replay nor memo answers, with their memories."""
        steps = [self._step(episode, action, limit) for episode, action in zip(episodes, actions, strict=True)]
        self._guard(steps)
        if self.options.replay and not self.options.evaluation:
            self._replay(steps)
        waiting = [step for step in steps if step.prediction is None and not self._remember(step)]
        if waiting:
            queries = [step.query for step in waiting]
            found = self._grounding.retrieve(queries, self.options.k, exclude_task=self.options.evaluation)
            for step, memories in zip(waiting, found, strict=True):
                step.memories = tuple(memories)
        return steps, waiting

    def answer(self, step: Step, prediction: Prediction, seconds: float) -> None:
        """Note what the world model says, and how long it took; it cannot change a certain page."""
        certain = next((memory.transition.next_state for memory in step.memories if memory.certain), None)
        if certain is not None and not prediction.failure:
            prediction = replace(prediction, next_state=certain)
        step.prediction, step.seconds = prediction, seconds
        if self._memoises and prediction.attempts == 1 and not prediction.failure:
            self._memo[_question(step.query)] = (prediction, step.memories)
            if len(self._memo) > _MEMO_SIZE:
                self._memo.popitem(last=False)

    def settle(self, steps: Sequence[Step]) -> list[Outcome]:
        """Judge answered steps, enrich the buffer, and move the episodes on; where that fails, none is moved."""
        self._verify(steps)
        outcomes = [self._outcome(step) for step in steps]
        if self.options.enrich and not self.buffer.frozen:
            self.buffer.add([outcome.transition for outcome in outcomes if _may_enrich(outcome)])
        for step, outcome in zip(steps, outcomes, strict=True):
            step.episode.history.append(Turn(step.query.state, step.query.action))
            step.episode.state = outcome.transition.next_state
            step.episode.stop = outcome.stop
        return outcomes

    def _step(self, episode: Episode, action: str, limit: int | None) -> Step:
        if episode.stop is not StopReason.RUNNING:
            raise ValueError(f"Episode {episode.name} has stopped ({episode.stop}); begin a new one.")
        query = Query(episode.task, tuple(episode.history), episode.state, action, episode.name)
        return Step(episode, query, _step_seed(episode.seed, episode.step), limit)

    def _guard(self, steps: Sequence[Step]) -> None:
        """Note which actions the states do not offer, and answer them unless the user wants the model to."""
        for step in steps:
            query = step.query
            answer = self.domain.guard(query.task, query.history, query.state, query.action)
            step.valid = answer is None
            if answer is not None and self.options.guard:
                step.prediction = Prediction("The page does not offer this action.", answer, 0.0, False)
                step.verdict = Verdict(False, False, 0.0)
                step.answered_by = AnsweredBy.GUARD

    def _replay(self, steps: Sequence[Step]) -> None:
        waiting = [step for step in steps if step.prediction is None]
        recordings = self.buffer.recorded([step.query for step in waiting]) if waiting else []
        for step, recorded in zip(waiting, recordings, strict=True):
            if recorded is not None and _same_question(step.query, recorded):
                step.prediction = Prediction(
                    recorded.reasoning, recorded.next_state, recorded.reward, recorded.terminated
                )
                step.verdict = Verdict(recorded.reward > 0, recorded.terminated, recorded.score)
                step.answered_by, step.valid = AnsweredBy.REPLAY, recorded.valid

    def _remember(self, step: Step) -> bool:
        """Answer from the memo; return whether it could."""
        known = self._memo.get(_question(step.query)) if self._memoises else None
        if known is None:
            return False
        prediction, step.memories = known
        step.prediction = replace(prediction, prompt_tokens=0, completion_tokens=0)
        step.answered_by = AnsweredBy.MEMO
        return True

    def _outcome(self, step: Step) -> Outcome:
        """Write down what happens; the episode itself is still as it was."""
        prediction, verdict, taken = step.prediction, step.verdict, step.episode.step + 1
        assert prediction is not None and verdict is not None
        next_state = verdict.next_state or prediction.next_state
        stop = stop_reason(taken, step.limit, success=verdict.success, terminated=verdict.terminated)
        transition = Transition(
            domain=self.domain.name,
            task_id=step.query.task.id,
            instruction=step.query.task.instruction,
            split=step.query.task.split,
            parent=step.query.task.parent,
            episode=step.episode.name,
            step=len(step.query.history),
            history=step.query.history,
            state=step.query.state,
            action=step.query.action,
            next_state=next_state,
            reward=float(verdict.success),
            terminated=verdict.terminated,
            source=Source.DREAM,
            reasoning=prediction.reasoning,
            score=verdict.score,
            valid=step.valid,
        )
        return Outcome(
            transition,
            step.answered_by,
            StopReason.MODEL_FAILURE if prediction.failure else stop,
            step.memories,
            prediction.failure,
            prediction.prompt_tokens,
            prediction.completion_tokens,
            step.seconds,
        )

    def _verify(self, steps: Sequence[Step]) -> None:
        """Judge the answers by the verifier, or by the model's word where there is none; before any episode changes."""
        for step in steps:
            query, prediction = step.query, step.prediction
            assert prediction is not None
            if prediction.failure:
                step.verdict = Verdict(False, False, 0.0)
            elif step.verdict is None and self.verifier is None:
                success = prediction.terminated and prediction.reward > 0  # outcome reward: nothing before the end
                step.verdict = Verdict(success, prediction.terminated, float(success))
            elif step.verdict is None and self.verifier is not None:
                step.verdict = self.verifier.verify(
                    query.task, query.history, query.state, query.action, prediction.next_state
                )


def _step_seed(seed: int, step: int) -> int:
    """Return 32 bits that depend on the episode's seed and the step alone."""
    return int.from_bytes(hashlib.blake2b(f"{seed}.{step}".encode(), digest_size=4).digest(), "little")


def _question(query: Query) -> tuple[object, ...]:
    hidden = json.dumps([query.task.goal, query.task.facts], sort_keys=True, default=str)
    return (query.task.id, query.task.instruction, hidden, query.history, query.state, query.action)


def _same_question(query: Query, recorded: Transition) -> bool:
    """Return whether a recording of the same task id and actions is one of this very task (ids may be used twice)."""
    return (recorded.instruction, recorded.state) == (query.task.instruction, query.state)


def _may_enrich(outcome: Outcome) -> bool:
    """Only what the model itself answered is new; the buffer's own filter decides about the rest."""
    return outcome.answered_by is AnsweredBy.MODEL and not outcome.failure
