"""Variations that a language model chooses and puts into words, among those that the domain's rules propose.

The paper's task generator thinks of several candidates and selects among them.  A task whose goal nobody can check is
worth nothing here, so the candidates are the domain's: solvable, with a goal for the verifier.  The model says which of
them an agent learns most from, and may put them into other words, as far as a program can tell that they still ask for
the same (:meth:`~dreamgym_env.domains.variations.VariationRules.reworded`).

Answers are read strictly.  What cannot be read is asked for again a few times and counted
(:attr:`GeneratedVariator.tally`), what asks for something else is counted (:attr:`GeneratedVariator.ungrounded`), and
neither ever becomes a task.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from dreamgym_env.curriculum.variations import Variation, candidates_of, rules_of
from dreamgym_env.types import Domain, Prompt, Task, TextGenerator
from dreamgym_env.world_model.asking import Asker, Question, Tally, Unread
from dreamgym_env.world_model.formats import AnswerError
from dreamgym_env.world_model.json_answers import object_schema, read_object, read_sentences

__all__ = ["CHOICE_SCHEMA", "Choice", "GeneratedVariator", "read_choices", "variation_prompt"]

_CANDIDATES = 3
"""Candidates for each variation that is wanted of a task."""
_LONGEST = 600
"""Characters of an instruction."""
_TOKENS = 160
"""Room for one choice, its instruction and its share of the reasoning."""

CHOICE_SCHEMA = object_schema(
    {
        "reasoning": {"type": "string"},
        "chosen": {
            "type": "array",
            "items": object_schema({"number": {"type": "integer"}, "instruction": {"type": "string"}}),
        },
    }
)
"""JSON schema of an answer."""

_SYSTEM = """\
You set the exercises of an agent that learns by trying. It now solves the task below in some attempts and fails in \
others, which is where it learns most. You are given further tasks of the same environment, all of which can be solved.

How the environment behaves:
{rules}

First compare the candidates with the task: what would the agent have to do differently, which mistake would it be \
cured of, is it a little harder or a little easier? Then select those that it would learn most from, the best first: \
near enough to the task that the agent has a chance, and different enough from the task and from one another.

Answer with one JSON object and nothing else:
{{"reasoning": "two or three sentences", "chosen": [{{"number": 3, "instruction": ""}}, ...]}}
"number" is a candidate's. "instruction" may be empty, which keeps the candidate's words; or it says the same in other \
words of a person: everything that the candidate names must be named, word for word, and nothing may be added."""


@dataclass(frozen=True, slots=True)
class Choice:
    """A candidate that was chosen."""

    number: int
    """From 1."""
    instruction: str
    """In other words; empty for the candidate's own."""


class GeneratedVariator:
    """Lets a text generator choose among the variations that the domain's rules propose."""

    def __init__(self, domain: Domain, generator: TextGenerator, *, seed: int = 0, retries: int = 2) -> None:
        """Put a domain and a generator together.

        Args:
            domain: of the tasks; its rules propose candidates, and are part of every prompt.
            generator: answers a batch of prompts; :meth:`close` closes it.
            seed: of the sampling of answers that are asked for again; first answers are greedy.
            retries: how often an answer that cannot be read is asked for again.

        Raises:
            CurriculumError: the domain knows no variations of its tasks.
        """
        self._domain, self._rules = domain, rules_of(domain)
        self._asker = Asker(generator, seed=seed, retries=retries)
        self.tally: Tally = self._asker.tally
        self.ungrounded = 0
        """Chosen candidates that were dropped because no program could tell that their new words ask for the same."""

    def vary(
        self, tasks: Sequence[Task], n: int, rng: np.random.Generator, admits: Callable[[Task], bool]
    ) -> list[Variation]:
        """Return at most n variations: what was chosen first for each task, then what was chosen second, and so on.

        Raises:
            WorldModelError: the engine as a whole cannot answer.
        """
        each = math.ceil(n / len(tasks)) if tasks and n else 0
        asked = [(task, candidates_of(self._rules, task, each * _CANDIDATES, rng)) for task in tasks if each]
        asked = [(task, candidates) for task, candidates in asked if candidates]
        key = int(rng.integers(2**31))
        questions = [
            Question(
                variation_prompt(self._domain, task, candidates, each),
                functools.partial(read_choices, candidates=len(candidates), most=each),
                (key, number),
            )
            for number, (task, candidates) in enumerate(asked)
        ]
        answers = self._asker.ask(questions, CHOICE_SCHEMA, _TOKENS * (each + 1))
        made: list[Variation] = []
        for rank in range(each):
            for (task, candidates), choices in zip(asked, answers, strict=True):
                if isinstance(choices, Unread) or rank >= len(choices) or len(made) == n:
                    continue
                chosen = self._told(candidates[choices[rank].number - 1], choices[rank].instruction)
                if chosen is not None and admits(chosen):
                    made.append(Variation(chosen, task.id))
        return made

    def close(self) -> None:
        """Close the generator."""
        self._asker.close()

    def _told(self, candidate: Task, instruction: str) -> Task | None:
        if not instruction or instruction == candidate.instruction:
            return candidate
        told = self._rules.reworded(candidate, instruction)
        self.ungrounded += told is None
        return told


def variation_prompt(domain: Domain, task: Task, candidates: Sequence[Task], wanted: int) -> Prompt:
    """Return the question which of some candidates to take for variations of a task."""
    listed = "\n".join(f"{number}. {one.instruction}" for number, one in enumerate(candidates, start=1))
    return Prompt(
        _SYSTEM.format(rules=domain.rules),
        f"# The task\n{task.instruction}\n\n# Candidates\n{listed}\n\nSelect {min(wanted, len(candidates))}.",
    )


def read_choices(text: str, *, candidates: int, most: int) -> list[Choice]:
    """Return what an answer chooses, best first.

    Args:
        text: the answer.
        candidates: how many there were to choose from.
        most: how many may be chosen.

    Raises:
        AnswerError: it is no object of :data:`CHOICE_SCHEMA`, or chooses what is not there, the same one twice, none or
            too many.
    """
    answer = read_object(text, ("reasoning", "chosen"))
    read_sentences(answer["reasoning"], "reasoning", 10 * _LONGEST)
    chosen = answer["chosen"]
    if not isinstance(chosen, list) or not 1 <= len(chosen) <= most:
        raise AnswerError(f"chosen must be a list of 1 to {most} candidates.")
    choices = [_read_choice(one, candidates) for one in chosen]
    if len({choice.number for choice in choices}) < len(choices):
        raise AnswerError("chosen names a candidate twice.")
    return choices


def _read_choice(value: Any, candidates: int) -> Choice:
    if not isinstance(value, dict) or set(value) != {"number", "instruction"}:
        raise AnswerError("Each of chosen must be an object with just: number, instruction.")
    number, instruction = value["number"], value["instruction"]
    if isinstance(number, bool) or not isinstance(number, int) or not 1 <= number <= candidates:
        raise AnswerError(f"There is no candidate {number!r:.20}; there are {candidates}.")
    kept = isinstance(instruction, str) and not instruction.strip()
    return Choice(number, "" if kept else read_sentences(instruction, "instruction", _LONGEST))
