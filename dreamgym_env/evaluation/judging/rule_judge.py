"""A program as judge: no model is asked, and every lowered mark has a reason that anybody can check.

A step has full marks unless something speaks against it.  What speaks against it are general rules, which hold for
every environment, and those of the domain (:mod:`dreamgym_env.domains.objections`).  History and current page are taken
as they are: a step is judged on what the episode has shown, so that a dream which went wrong early is not blamed for it
again at each later step.

- **Causal consistency, hallucination, informativeness**: the lowest mark of all objections.  Where the domain has a
  verifier and knows the task, a success that the verifier denies is made up.
- **Diversity** is a property of a sample, and all its steps have the same mark: how many different pages follow in
  as many different situations (page and action), in proportion to what the real environment shows in as many, kind of
  action by kind of action.  From four fifths of it the mark is 2, from half of it 1.  Without real steps to compare
  with there is no mark: a house that answers "Nothing happens." to half of all actions is not poor for that.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

from dreamgym_env.domains.objections import (
    CONSISTENCY,
    HALLUCINATION,
    INFORMATIVENESS,
    JudgeRules,
    Objection,
    judge_rules_of,
)
from dreamgym_env.domains.segments import PLACEHOLDER
from dreamgym_env.errors import UnknownTaskError
from dreamgym_env.evaluation.judging.judgements import Invalid, Judgement
from dreamgym_env.evaluation.judging.rubric import DIVERSITY, RUBRIC, Rubric
from dreamgym_env.types import Domain, Task, Transition, Verifier

__all__ = ["RULES", "RuleJudge", "relative_diversity"]

RULES = "rules"
"""The judge's name."""
_FULL = 2
_FAULTLESS = "Nothing speaks against it."
_DIVERSE, _HALF_DIVERSE = 0.8, 0.5


class RuleJudge:
    """Judges steps by program."""

    name = RULES
    rubric: Rubric = RUBRIC

    def __init__(self, reference: Sequence[Transition] = ()) -> None:
        """Create the judge.

        Args:
            reference: real steps of the same domain, which diversity is measured by; none for no mark of it.
        """
        self._reference = reference

    def judge(self, domain: Domain, transitions: Sequence[Transition]) -> list[Judgement | Invalid]:
        """Return the marks of each step of a sample; none is ever invalid."""
        rules, verifier = judge_rules_of(domain), domain.verifier()
        common = self._diversity(domain, transitions)
        judged: list[Judgement | Invalid] = []
        for step in transitions:
            task = _task_of(domain, step)
            found = list(_objections(domain, rules, verifier, step, task))
            marks = {
                name: min([_FULL, *(one.mark for one in found if one.criterion == name)])
                for name in (CONSISTENCY, INFORMATIVENESS, HALLUCINATION)
            }
            reasons = dict.fromkeys(one.reason for one in sorted(found, key=lambda one: one.mark))
            judged.append(Judgement({**marks, **common}, " ".join(reasons) or _FAULTLESS))
        return judged

    def close(self) -> None:
        """Nothing is held."""

    def _diversity(self, domain: Domain, transitions: Sequence[Transition]) -> dict[str, int]:
        share = relative_diversity(domain, transitions, self._reference)
        if share is None:
            return {}
        return {DIVERSITY: 2 if share >= _DIVERSE else 1 if share >= _HALF_DIVERSE else 0}


def relative_diversity(
    domain: Domain, transitions: Sequence[Transition], reference: Sequence[Transition]
) -> float | None:
    """Return how many different pages follow in a sample, for each that follows in the reference.

    A situation is a page with an action; the same one counts once, with the first page that follows it, and only kinds
    of actions that both have count, each with as many situations as the smaller of both has.

    Args:
        domain: splits pages, and reads actions.
        transitions: the sample.
        reference: real steps.

    Returns:
        1 for a sample as diverse as the reference; None where they have no kind of action in common.
    """
    mine, real = _outcomes(domain, transitions), _outcomes(domain, reference)
    distinct = expected = 0
    for kind in mine.keys() & real.keys():
        count = min(len(mine[kind]), len(real[kind]))
        distinct += len(set(mine[kind][:count]))
        expected += len(set(real[kind][:count]))
    return distinct / expected if expected else None


def _outcomes(domain: Domain, transitions: Sequence[Transition]) -> dict[str, list[tuple[str, ...]]]:
    """Return by kind of action the pages that follow, one for each situation."""
    situations: dict[tuple[tuple[str, ...], str], tuple[str, tuple[str, ...]]] = {}
    for step in transitions:
        action = domain.parse_action(step.action) or step.action
        situation = domain.segment(step.state, step.instruction), action
        kind = domain.action_kind(step.action) if step.valid else "not offered"
        situations.setdefault(situation, (kind, domain.segment(step.next_state, step.instruction)))
    outcomes: dict[str, list[tuple[str, ...]]] = defaultdict(list)
    for kind, page in situations.values():
        outcomes[kind].append(page)
    return outcomes


def _task_of(domain: Domain, step: Transition) -> Task:
    """Return the step's task as the domain knows it, or else what the step tells of it."""
    try:
        task = domain.task(step.task_id)
    except UnknownTaskError:
        return step.question().task
    return task if task.instruction == step.instruction else step.question().task


def _objections(
    domain: Domain, rules: JudgeRules | None, verifier: Verifier | None, step: Transition, task: Task
) -> Iterator[Objection]:
    yield from _against_the_page(domain, step)
    refusal = domain.guard(task, step.history, step.state, step.action)
    if refusal is not None:
        yield from _against_an_answered_refusal(step, refusal)
    elif rules is not None:
        yield from rules(step, task)
    if verifier is not None and task.goal:
        yield from _against_the_end(verifier, step, task)


def _against_the_page(domain: Domain, step: Transition) -> Iterator[Objection]:
    page = step.next_state
    if not page.strip():
        yield Objection(INFORMATIVENESS, 0, "The page is empty.")
        yield Objection(CONSISTENCY, 0, "Nothing follows the action.")
        return
    said = {part.strip() for part in domain.segment(page, step.instruction)} - {""}
    if said <= {PLACEHOLDER, step.instruction.strip()}:
        yield Objection(INFORMATIVENESS, 0, "The page only says the instruction again.")
    if _breaks_off(domain, step):
        yield Objection(
            INFORMATIVENESS, 0, "The page begins like an earlier one, and breaks off in the middle of a text."
        )


def _breaks_off(domain: Domain, step: Transition) -> bool:
    """Return whether a page is the beginning of one that the episode has shown, up to the middle of a text."""
    page = domain.segment(step.next_state, step.instruction)
    earlier = {step.state, *(turn.state for turn in step.history)}
    if step.next_state in earlier:
        return False
    others = (domain.segment(state, step.instruction) for state in earlier if state.startswith(step.next_state))
    return any(page != other[: len(page)] for other in others)


def _against_an_answered_refusal(step: Transition, refusal: str) -> Iterator[Objection]:
    if step.next_state != refusal:
        yield Objection(CONSISTENCY, 0, "The action is not offered here, and has an effect all the same.")
        yield Objection(HALLUCINATION, 0, "An effect of an action that is not offered is made up.")
    if step.reward > 0 or step.terminated:
        yield Objection(HALLUCINATION, 0, "An action that is not offered ends the episode.")


def _against_the_end(verifier: Verifier, step: Transition, task: Task) -> Iterator[Objection]:
    verdict = verifier.verify(task, step.history, step.state, step.action, step.next_state)
    if step.reward > 0 and not verdict.success:
        yield Objection(HALLUCINATION, 0, "The success is made up: by the verifier, the task is not done.")
    if verdict.success and step.reward <= 0:
        yield Objection(HALLUCINATION, 0, "By the verifier the task is done, and the step does not say so.")
    if step.terminated != verdict.terminated:
        how = "ends" if step.terminated else "goes on"
        yield Objection(CONSISTENCY, 0, f"The episode {how}, which it does not do after this action.")
