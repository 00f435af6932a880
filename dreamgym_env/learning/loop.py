"""The phases of a run: in the dream, then in the real environment; evaluation and a checkpoint every so often.

A run is cut into chunks of ``evaluate_every`` steps; one ends with the update that is under way then, and the next is
as much shorter.  At the beginning of a chunk all episodes begin anew, and what is random in it follows from the run's
seed and the number of steps before: a run that was stopped at a checkpoint and gone on with therefore learns the same
as one that was not stopped (but for DQN, whose replay buffer is not kept).
"""

from __future__ import annotations

import contextlib
import math
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from dreamgym_env.curriculum import Curriculum, InstructionClusters, TaskResult, variator_from_string
from dreamgym_env.envs.text_vector_env import TextVectorEnv
from dreamgym_env.errors import TrainingError
from dreamgym_env.evaluation.rollout import env_id
from dreamgym_env.learning.evaluating import Evaluation, evaluate
from dreamgym_env.learning.learner import Learner, Watch, find_algorithm, make_learner
from dreamgym_env.learning.options import LearningOptions
from dreamgym_env.learning.places import open_dream, open_evaluation, open_real
from dreamgym_env.learning.run_folder import RunFolder
from dreamgym_env.policies.features import domain_features
from dreamgym_env.policies.policy import Policy
from dreamgym_env.training.randomness import own_randomness
from dreamgym_env.types import Domain

__all__ = ["PHASES", "LearningRun", "Onlooker", "Progress"]

PHASES = ("dream", "real")
"""In this order."""


@dataclass(slots=True)
class Progress:
    """How far a run is, and what came of it; all of it is kept with each checkpoint."""

    steps: dict[str, int]
    """Phase -> steps that were learnt from in it."""
    real_transitions: dict[str, int]
    """Phase -> transitions of the real environment that were learnt from; in the dream those of its anchors."""
    evaluation_transitions: int
    """Transitions of the real environment that only evaluations have seen."""
    seconds: dict[str, float]
    """Phase, and ``"evaluation"`` -> how long it took."""
    curve: list[dict[str, Any]]
    """One evaluation each: ``phase``, ``steps``, ``real_transitions``, ``seconds_learning``, ``evaluation``."""
    failures: int
    """Episodes that a model or an engine cut short while learning."""
    finished: list[str]
    """Phases that are over."""
    curriculum: dict[str, Any] | None = None

    @classmethod
    def begin(cls) -> Progress:
        """Return that of a run that has not begun."""
        none = dict.fromkeys(PHASES, 0)
        return cls(dict(none), dict(none), 0, {**dict.fromkeys(PHASES, 0.0), "evaluation": 0.0}, [], 0, [])

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Progress:
        """Return what :meth:`to_json` wrote. Raises TrainingError."""
        try:
            return cls(**value)
        except TypeError as error:
            raise TrainingError(f"The run was written by another version of this library: {error}.") from error

    def to_json(self) -> dict[str, Any]:
        """Return all members as JSON values."""
        return asdict(self)

    @property
    def all_steps(self) -> int:
        """Steps of all phases."""
        return sum(self.steps.values())

    @property
    def all_real_transitions(self) -> int:
        """Transitions of the real environment that were learnt from."""
        return sum(self.real_transitions.values())


class Onlooker(Watch, Protocol):
    """Who is shown a whole run."""

    def begins(self, phase: str, env_id: str, progress: Progress, total: int) -> None:
        """A phase of ``total`` steps begins, or goes on from where the progress is."""
        ...

    def evaluated(self, progress: Progress, evaluation: Evaluation) -> None:
        """The policy was evaluated in the real environment."""
        ...


class LearningRun:
    """One run, from its first policy to its last."""

    def __init__(self, options: LearningOptions, folder: RunFolder, onlooker: Onlooker) -> None:
        """Create it; the folder is the caller's to lock and to claim.

        Args:
            options: what is learnt.
            folder: what is kept.
            onlooker: is shown what happens; its ``stepped`` ends the run when it returns False.
        """
        self.options, self.folder = options, folder
        self.progress = Progress.begin()
        self._onlooker = onlooker

    def run(self) -> bool:
        """Learn, from the beginning or from the latest checkpoint; returns whether to the end.

        Raises:
            DivergedError: weights or losses are no numbers any more; the latest checkpoint is from before.
            DreamGymError: an environment, the policy or the world model fails; the message says why.
        """
        latest = self.folder.latest()
        if latest is not None:
            self.progress = Progress.from_json(self.folder.resume(latest))
        with contextlib.ExitStack() as opened:
            judge = opened.enter_context(open_evaluation(self.options)) if self.options.evaluation_tasks else None
            for phase in PHASES:
                if not self._asked(phase) or phase in self.progress.finished:
                    continue
                if not self._learn_in(phase, judge):
                    return False
        return True

    def _asked(self, phase: str) -> int:
        return self.options.steps if phase == "dream" else self.options.then_real

    def _learn_in(self, phase: str, judge: TextVectorEnv | None) -> bool:
        """Learn in one phase, or what is left of it; returns whether to the end."""
        with contextlib.ExitStack() as opened:
            envs = opened.enter_context(self._open(phase))
            learner = self._learner(phase, envs)
            curriculum = None
            if phase == "dream" and self.options.curriculum:
                curriculum = opened.enter_context(self._curriculum(envs.domain))
            total = _whole(self._asked(phase), learner.update_steps)
            self._onlooker.begins(phase, env_id(envs), self.progress, total)
            if self.folder.latest() is None:
                self._evaluate(phase, learner.policy, judge)
                self._checkpoint(learner)
                if not self._onlooker.stepped(0):
                    return False
            update = learner.update_steps
            chunk = update * math.ceil(self.options.evaluate_every / update)
            while left := _whole(total - self.progress.steps[phase], update):
                steps = update * math.ceil((chunk - self.progress.steps[phase] % chunk) / update)
                if not self._learn_chunk(phase, learner, envs, min(steps, left), left, curriculum):
                    self._checkpoint(learner)
                    return False
                self._evaluate(phase, learner.policy, judge)
                self._checkpoint(learner)
                if not self._onlooker.stepped(0):  # somebody may have asked for an end meanwhile
                    return False
            self.progress.finished.append(phase)
            self._checkpoint(learner)
        return True

    def _learn_chunk(
        self, phase: str, learner: Learner, envs: TextVectorEnv, steps: int, most: int, curriculum: Curriculum | None
    ) -> bool:
        before, real_before, began = learner.steps, envs.real_transitions, time.perf_counter()
        watch = _Counting(self._onlooker, curriculum)
        options = {} if curriculum is None else {"tasks": curriculum}
        learner.learn(steps, seed=self._seed(learner.steps), options=options, watch=watch, most=most)
        self.progress.steps[phase] += learner.steps - before
        self.progress.real_transitions[phase] += envs.real_transitions - real_before
        self.progress.seconds[phase] += time.perf_counter() - began
        self.progress.failures += watch.failures
        if curriculum is not None:
            self.progress.curriculum = curriculum.state()
        return watch.goes_on

    def _evaluate(self, phase: str, policy: Policy, judge: TextVectorEnv | None) -> None:
        if judge is None:
            return
        evaluation = evaluate(
            policy, judge, self.options.evaluation_split, self.options.evaluation_tasks, self.options.seed
        )
        self.progress.evaluation_transitions += evaluation.steps
        self.progress.seconds["evaluation"] += evaluation.seconds
        self.progress.curve.append(
            {
                "phase": phase,
                "steps": self.progress.all_steps,
                "real_transitions": self.progress.all_real_transitions,
                "seconds_learning": round(sum(self.progress.seconds[one] for one in PHASES), 2),
                "evaluation": evaluation.to_json(),
            }
        )
        self._onlooker.evaluated(self.progress, evaluation)

    def _checkpoint(self, learner: Learner) -> None:
        policy = learner.policy
        notes = {"trained": {**self.options.to_json(), "steps_done": dict(self.progress.steps)}}

        def write(folder: Path) -> None:
            learner.save(folder)
            policy.save(folder / "policy", notes=notes)

        self.folder.checkpoint(learner.steps, write, self.progress.to_json())

    def _open(self, phase: str) -> contextlib.closing[TextVectorEnv]:
        return open_dream(self.options, self.folder.path) if phase == "dream" else open_real(self.options)

    def _learner(self, phase: str, envs: TextVectorEnv) -> Learner:
        """Return a learner that goes on from the latest checkpoint; before the first from the policy to start with."""
        options, latest = self.options, self.folder.latest()
        policy = self._first_policy(envs.domain)
        learner = make_learner(
            options.algorithm,
            envs,
            policy,
            options.hyperparameters,
            total_steps=options.steps + options.then_real,
            most_steps=self._asked(phase),
        )
        if latest is not None:
            learner.load(latest)
        return learner

    @contextlib.contextmanager
    def _curriculum(self, domain: Domain) -> Iterator[Curriculum]:
        """Give a curriculum that goes on from what the latest checkpoint knows."""
        options = self.options
        with contextlib.closing(variator_from_string(options.variator, domain, seed=options.seed)) as variator:
            curriculum = Curriculum(
                domain,
                split=options.split,
                share=options.variations,
                variator=variator,
                clusters=None if find_algorithm(options.algorithm).plays_groups else InstructionClusters(),
                seed=options.seed,
            )
            if self.progress.curriculum is not None:
                curriculum.restore(self.progress.curriculum)
            yield curriculum

    def _first_policy(self, domain: Domain) -> Policy:
        """Return the policy that the run begins with, as it was kept when the run began."""
        if not self.folder.start.exists():
            self._begin_policy(domain).save(self.folder.start, notes={"start": self.options.start or "new weights"})
        return Policy.load(self.folder.start, domain)

    def _begin_policy(self, domain: Domain) -> Policy:
        options = self.options
        if options.start:
            found = Policy.load(options.start, domain)
            return found.copy(replace(found.settings, most_candidates=options.most_candidates))
        with own_randomness(options.seed):
            return Policy(domain, domain_features(domain, most_candidates=options.most_candidates), options.hidden)

    def _seed(self, steps: int) -> int:
        return int(np.random.SeedSequence([self.options.seed, steps]).generate_state(1)[0])


class _Counting:
    """A watch that counts failures, lets a curriculum learn, and remembers whether the run is to go on."""

    def __init__(self, onlooker: Onlooker, curriculum: Curriculum | None) -> None:
        self._onlooker, self._curriculum = onlooker, curriculum
        self.goes_on = True
        self.failures = 0

    def stepped(self, steps: int) -> bool:
        self.goes_on = self._onlooker.stepped(steps) and self.goes_on
        return self.goes_on

    def finished(self, result: TaskResult, length: int) -> None:
        self.failures += bool(result.failure)
        if self._curriculum is not None:
            self._curriculum.observe([result])
        self._onlooker.finished(result, length)

    def updated(self, figures: Mapping[str, float]) -> None:
        self._onlooker.updated(figures)


def _whole(steps: int, update: int) -> int:
    return steps - steps % update
