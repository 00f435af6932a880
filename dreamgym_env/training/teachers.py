"""Who explains recorded steps: the domain's own rules, or a language model.

A language model is asked in batches of episodes: first a tutorial of each episode's task, then its steps, several in
one answer.  An answer that cannot be read is asked for again a few times; a step that is still without one stays
unexplained.  Nothing is ever made up in its place.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from dreamgym_env.training.teacher_answers import (
    MAX_RESPONSE_LENGTH,
    STEPS_SCHEMA,
    TUTORIAL_SCHEMA,
    Tutorial,
    read_traces,
    read_tutorial,
)
from dreamgym_env.training.teacher_prompts import steps_prompt, tutorial_prompt
from dreamgym_env.types import Domain, TextGenerator, Transition
from dreamgym_env.world_model.asking import Asker, Question, Tally, Unread
from dreamgym_env.world_model.generators.strings import lazy_generator

__all__ = ["RULES", "LanguageTeacher", "RuleTeacher", "Tally", "Teacher", "Trajectory", "teacher_from_string"]

RULES = "rules"
"""The teacher's name that stands for the domain's own rules."""
_STEPS_AT_ONCE = 8
"""Steps that one answer explains; longer episodes are cut into windows."""
_STEPS_TOKENS = _STEPS_AT_ONCE * (MAX_RESPONSE_LENGTH // 3 + 32)
"""Room for the longest answer at three characters a token: one that is cut off cannot be read."""
_TUTORIAL_TOKENS = 1_024


@dataclass(frozen=True, slots=True)
class Trajectory:
    """An episode whose steps are to be explained."""

    number: int
    """Its position among the episodes of the file; seeds follow from it."""
    steps: tuple[Transition, ...]
    """All its recorded steps, in order."""
    wanted: tuple[int, ...]
    """Which of them to explain: indices into ``steps``, ascending."""


class Teacher(Protocol):
    """Explains recorded steps."""

    tally: Tally

    def explain(self, trajectories: Sequence[Trajectory]) -> list[list[str]]:
        """Return a reasoning trace for each wanted step of each trajectory; an empty one where no answer was valid.

        Raises:
            WorldModelError: the teacher as a whole cannot answer.
        """
        ...

    def close(self) -> None:
        """Release what the teacher holds."""
        ...


class RuleTeacher:
    """The domain's own rules."""

    def __init__(self, domain: Domain) -> None:
        """Explain steps of this domain."""
        self.tally = Tally()
        self._domain = domain

    def explain(self, trajectories: Sequence[Trajectory]) -> list[list[str]]:
        """Return what the domain says of each wanted step."""
        return [[self._domain.explain(one.steps[at]) for at in one.wanted] for one in trajectories]

    def close(self) -> None:
        """Nothing is held."""


class LanguageTeacher:
    """A language model that sees each step, the whole trajectory and its outcome."""

    def __init__(self, domain: Domain, generator: TextGenerator, *, seed: int = 0, retries: int = 2) -> None:
        """Put a domain and a generator together.

        Args:
            domain: of the transitions; its rules are part of every prompt.
            generator: answers a batch of prompts; :meth:`close` closes it.
            seed: of the sampling of answers that are asked for again; first answers are greedy.
            retries: how often an answer that cannot be read is asked for again.
        """
        self._domain = domain
        self._asker = Asker(generator, seed=seed, retries=retries)
        self.tally = self._asker.tally

    def explain(self, trajectories: Sequence[Trajectory]) -> list[list[str]]:
        """Return a trace for each wanted step; without a tutorial of its task, a step stays unexplained."""
        traces = [[""] * len(trajectory.wanted) for trajectory in trajectories]
        places: list[tuple[int, int]] = []
        questions: list[Question[list[str]]] = []
        for at, tutorial in self._tutorials(trajectories):
            for start in range(0, len(trajectories[at].wanted), _STEPS_AT_ONCE):
                places.append((at, start))
                questions.append(self._about_steps(trajectories[at], tutorial, start))
        answers = self._asker.ask(questions, STEPS_SCHEMA, _STEPS_TOKENS)
        for (at, start), answer in zip(places, answers, strict=True):
            if not isinstance(answer, Unread):
                traces[at][start : start + len(answer)] = answer
        return traces

    def close(self) -> None:
        """Close the generator."""
        self._asker.close()

    def _tutorials(self, trajectories: Sequence[Trajectory]) -> list[tuple[int, Tutorial]]:
        """Return the tutorials that could be read, with the indices of the trajectories that want one."""
        asked = [(at, trajectory) for at, trajectory in enumerate(trajectories) if trajectory.wanted]
        questions = [
            Question(tutorial_prompt(self._domain, trajectory.steps), read_tutorial, (trajectory.number, 0))
            for _, trajectory in asked
        ]
        answers = self._asker.ask(questions, TUTORIAL_SCHEMA, _TUTORIAL_TOKENS)
        return [(at, answer) for (at, _), answer in zip(asked, answers, strict=True) if not isinstance(answer, Unread)]

    def _about_steps(self, trajectory: Trajectory, tutorial: Tutorial, start: int) -> Question[list[str]]:
        """Return the question about the wanted steps of the window that begins at ``start``."""
        steps = [trajectory.steps[at] for at in trajectory.wanted[start : start + _STEPS_AT_ONCE]]
        return Question(
            steps_prompt(self._domain, trajectory.steps, tutorial, steps),
            functools.partial(read_traces, asked=steps),
            (trajectory.number, start + 1),
        )


def teacher_from_string(spec: str, domain: Domain, *, seed: int = 0, generator: TextGenerator | None = None) -> Teacher:
    """Build the teacher that a string names; a model is loaded when it is first asked.

    Args:
        spec: ``"rules"``, or a world-model string of a language model: ``"transformers:ID_OR_PATH"``,
            ``"vllm:ID_OR_PATH"``, ``"openai:MODEL@http://host:8000/v1"``.
        domain: of the transitions.
        seed: of the sampling of a language model.
        generator: used in place of the one that the string names.

    Raises:
        WorldModelStringError: the string has none of the forms, or names the embedded world model.
    """
    if spec == RULES:
        return RuleTeacher(domain)
    named = lazy_generator(spec, role="teacher", task="explain", besides=RULES)
    return LanguageTeacher(domain, generator or named, seed=seed)
