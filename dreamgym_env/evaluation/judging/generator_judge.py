"""A language model as judge: the rubric put to any generator, one question a step; an unreadable answer is no mark."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from dreamgym_env.evaluation.judging.judgements import Invalid, Judgement
from dreamgym_env.evaluation.judging.rubric import MARKS, RUBRIC, Rubric
from dreamgym_env.types import Domain, Prompt, TextGenerator, Transition
from dreamgym_env.world_model.asking import Asker, Question, Unread
from dreamgym_env.world_model.formats import AnswerError
from dreamgym_env.world_model.json_answers import object_schema, read_object, read_sentences
from dreamgym_env.world_model.written_steps import StepWriter, written_action, written_task

__all__ = ["GeneratorJudge", "judge_prompt", "judgement_schema", "read_judgement"]

_REASON = "reason"
_LONGEST_REASON = 600
_ANSWER_TOKENS = 400
"""Room for the reason at three characters a token, and the marks: an answer that is cut off cannot be read."""
_EARLIER_PAGES = 6
"""How many of the latest turns are shown with their pages; of those before, the actions alone."""


class GeneratorJudge:
    """Asks a text generator."""

    def __init__(
        self,
        name: str,
        generator: TextGenerator,
        *,
        rubric: Rubric = RUBRIC,
        seed: int = 0,
        retries: int = 2,
        batch: int = 64,
        progress: bool = False,
    ) -> None:
        """Put a generator and a rubric together.

        Args:
            name: as reports call it.
            generator: answers a batch of prompts; :meth:`close` closes it.
            rubric: the questions.
            seed: of the sampling of answers that are asked for again; first answers are greedy.
            retries: how often an answer that cannot be read is asked for again.
            batch: how many questions are put at once.
            progress: show a progress bar (on a terminal only).

        Raises:
            ValueError: ``batch`` is below 1, or ``retries`` below 0.
        """
        if batch < 1 or retries < 0:
            raise ValueError(f"batch must be at least 1 and retries at least 0, not {batch!r} and {retries!r}.")
        self.name = name
        self.rubric = rubric
        self._asker = Asker(generator, seed=seed, retries=retries)
        self.tally = self._asker.tally
        self._batch = batch
        self._progress = progress

    def judge(self, domain: Domain, transitions: Sequence[Transition]) -> list[Judgement | Invalid]:
        """Return the marks of each step; :class:`Invalid` where no attempt gave an answer that can be read."""
        from tqdm import tqdm

        judged: list[Judgement | Invalid] = []
        with tqdm(
            total=len(transitions), unit="step", desc=f"judging, {self.name}", disable=None if self._progress else True
        ) as bar:
            for start in range(0, len(transitions), self._batch):
                steps = transitions[start : start + self._batch]
                questions = [
                    Question(judge_prompt(domain, step, self.rubric), self._read, (start + at,))
                    for at, step in enumerate(steps)
                ]
                answers = self._asker.ask(questions, judgement_schema(self.rubric), _ANSWER_TOKENS)
                judged += (Invalid(answer.reason) if isinstance(answer, Unread) else answer for answer in answers)
                bar.update(len(steps))
        return judged

    def close(self) -> None:
        """Close the generator."""
        self._asker.close()

    def _read(self, text: str) -> Judgement:
        return read_judgement(text, self.rubric)


def judgement_schema(rubric: Rubric) -> Mapping[str, Any]:
    """Return the JSON schema of an answer: a reason first, then a mark for each criterion."""
    mark = {"type": "integer", "enum": list(MARKS)}
    return object_schema(
        {_REASON: {"type": "string", "maxLength": _LONGEST_REASON}, **dict.fromkeys(rubric.names, mark)}
    )


def read_judgement(text: str, rubric: Rubric) -> Judgement:
    """Read an answer.

    Raises:
        AnswerError: it is not one object of a reason and a mark (0, 1 or 2) for each criterion.
    """
    answer = read_object(text, (_REASON, *rubric.names))
    for name in rubric.names:
        if type(answer[name]) is not int or answer[name] not in MARKS:
            raise AnswerError(f"{name} must be 0, 1 or 2, not {str(answer[name])[:40]!r}.")
    reason = read_sentences(answer[_REASON], _REASON, _LONGEST_REASON)
    return Judgement({name: answer[name] for name in rubric.names}, reason)


def judge_prompt(domain: Domain, step: Transition, rubric: Rubric) -> Prompt:
    """Return the question about a step; the constant part is the same for all steps of a domain."""
    pages = StepWriter(domain)
    known = len(step.history) - _EARLIER_PAGES
    parts = [written_task(step.instruction)]
    if known > 0:
        lines = [f"{at}: {written_action(turn.action)}" for at, turn in enumerate(step.history[:known])]
        parts.append("\n".join(["# Earlier actions", *lines]))
    parts.append("# Episode" if step.history else "# Episode\nIt has just begun.")
    for at, turn in enumerate(step.history[max(0, known) :], start=max(0, known)):
        page = pages.page(turn.state, step.instruction, f"at turn {at}")
        parts.append(f"## Turn {at}\n{page}\nAction: {written_action(turn.action)}")
    parts.append(f"# The step to mark\n{pages.step(step)}")
    return Prompt(_system(domain, rubric), "\n\n".join(parts))


def _system(domain: Domain, rubric: Rubric) -> str:
    parts = [rubric.role, f"How this environment behaves:\n{domain.rules}"]
    for criterion in rubric.criteria:
        marks = "\n".join(f"{mark}: {meaning}" for mark, meaning in zip(MARKS, criterion.marks, strict=True))
        parts.append(f"{criterion.name}: {criterion.question}\n{marks}")
    members = ", ".join(f'"{name}": 0, 1 or 2' for name in rubric.names)
    parts.append(
        "Answer with one JSON object and nothing else, its members in this order:\n"
        f'{{"{_REASON}": "one or two sentences: what speaks for the lowest mark", {members}}}'
    )
    return "\n\n".join(parts)
