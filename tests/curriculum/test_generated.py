"""A language model chooses among variations that can be checked; what it writes besides never becomes a task."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dreamgym_env.curriculum import Curriculum, GeneratedVariator, RuleVariator, TaskResult, variator_from_string
from dreamgym_env.curriculum.generated import read_choices
from dreamgym_env.domains import load_domain
from dreamgym_env.errors import WorldModelError, WorldModelStringError
from dreamgym_env.types import Domain, Prompt, Task
from dreamgym_env.world_model.formats import AnswerError
from dreamgym_env.world_model.generators import ScriptedGenerator

WHY = "The second is a little harder."


@pytest.fixture(scope="module")
def house() -> Domain:
    return load_domain("alfworld")


def answer(*chosen: Any, reasoning: Any = WHY) -> str:
    """An answer that chooses numbers, or pairs of a number and an instruction."""
    pairs = [(one, "") if isinstance(one, int) else one for one in chosen]
    choices = [{"number": number, "instruction": instruction} for number, instruction in pairs]
    return json.dumps({"reasoning": reasoning, "chosen": choices})


def listed(prompt: Prompt) -> list[str]:
    """The candidates of a prompt."""
    lines = prompt.user.partition("# Candidates\n")[2].splitlines()
    return [line.partition(". ")[2] for line in lines if line[:1].isdigit()]


class Asked:
    """A model that answers what a function says of a prompt's candidates; keeps its prompts."""

    def __init__(self, domain: Domain, say: Callable[[list[str]], str], **options: Any) -> None:
        self.prompts: list[Prompt] = []
        self._say = say
        self.variator = GeneratedVariator(domain, ScriptedGenerator(self.write), **options)

    def write(self, prompt: Prompt) -> str:
        self.prompts.append(prompt)
        return self._say(listed(prompt))

    def vary(self, tasks: Sequence[Task], n: int) -> list[str]:
        made = self.variator.vary(tasks, n, np.random.default_rng(0), lambda task: True)
        assert all(one.task.parent in {task.family for task in tasks} for one in made)
        return [one.task.instruction for one in made]


def test_what_was_chosen_comes_in_turn_for_each_task(house: Domain):
    model = Asked(house, lambda candidates: answer(2, 1))
    tasks = [house.task(f"alfworld/train/{number}") for number in (0, 6)]
    made = model.vary(tasks, 3)
    first, second = (listed(prompt) for prompt in model.prompts)
    assert made == [first[1], second[1], first[0]] and len(model.prompts) == 2
    for task, prompt in zip(tasks, model.prompts, strict=True):
        assert house.rules in prompt.system and task.instruction in prompt.user
        assert task.instruction not in listed(prompt) and len(listed(prompt)) == 6
        assert prompt.user.endswith("Select 2.") and '"chosen": [{"number"' in prompt.system


def test_other_words_are_taken_where_they_ask_for_the_same(house: Domain):
    model = Asked(house, lambda candidates: answer([1, f"Would you please {candidates[0]}"], [2, "Tidy up the house."]))
    made = model.vary([house.task("alfworld/train/0")], 2)
    assert made == [f"Would you please {listed(model.prompts[0])[0]}"]
    assert model.variator.ungrounded == 1 and model.variator.tally.invalid_answers == 0


GARBAGE = [
    "",
    "Sure! I would choose the first.",
    "[]",
    answer(),
    answer(0),
    answer(99),
    answer(1, 1),
    answer(1, 2, 3, 4),
    answer(1, reasoning=3),
    answer(1, reasoning=""),
    answer([1, 5]),
    answer([True, ""]),
    answer([1, "x" * 700]),
    answer([1, "..."]),
    json.dumps({"reasoning": WHY, "chosen": [1]}),
    json.dumps({"reasoning": WHY, "chosen": [{"number": 1}]}),
    json.dumps({"reasoning": WHY, "chosen": [{"number": 1, "instruction": "", "goal": {}}]}),
    json.dumps({"reasoning": WHY, "chosen": [{"number": 1, "instruction": ""}], "reward": 1}),
]


@pytest.mark.parametrize("text", GARBAGE)
def test_garbage_is_counted_and_never_a_task(house: Domain, text: str):
    model = Asked(house, lambda candidates: text, retries=1)
    assert model.vary([house.task("alfworld/train/0")], 2) == []
    tally = model.variator.tally
    assert (tally.invalid_answers, tally.retries) == (2, 1) and tally.last_problem


def test_one_garbled_answer_is_asked_for_again_and_costs_no_other_task_its_variations(house: Domain):
    seen: list[str] = []

    def say(candidates: list[str]) -> str:
        seen.append(candidates[0])
        return "Hm." if len(seen) == 1 else answer(1)

    model = Asked(house, say)
    assert len(model.vary([house.task("alfworld/train/0"), house.task("alfworld/train/6")], 2)) == 2
    assert len(seen) == 3 and model.variator.tally.invalid_answers == 1


@given(st.text(max_size=200))
def test_reading_an_answer_returns_choices_or_raises_one_error(text: str):
    with pytest.raises(AnswerError):
        read_choices(text, candidates=3, most=2)


def test_an_engine_that_is_gone_is_an_error(house: Domain):
    def gone(candidates: list[str]) -> str:
        raise WorldModelError("The server is gone.")

    with pytest.raises(WorldModelError, match="gone"):
        Asked(house, gone).vary([house.task("alfworld/train/0")], 1)


def test_a_curriculum_takes_it_in_place_of_the_rules(house: Domain):
    model = Asked(house, lambda candidates: answer(1))
    curriculum = Curriculum(house, variator=model.variator, iteration=2, pool=1)
    task = house.task("alfworld/train/0")
    curriculum.observe([TaskResult(task.id, 1.0, 1.0, True), TaskResult(task.id, 0.0, 0.0, False)])
    (made,) = curriculum.variations
    assert made.instruction == listed(model.prompts[0])[0] and curriculum.ancestors == {made.id: task.id}


def test_a_string_names_it(house: Domain):
    assert isinstance(variator_from_string("rules", house), RuleVariator)
    assert isinstance(variator_from_string("openai:m@http://127.0.0.1:9/v1", house), GeneratedVariator)
    for text in ("embedded", "nonsense", "openai:"):
        with pytest.raises(WorldModelStringError, match="rules"):
            variator_from_string(text, house)
