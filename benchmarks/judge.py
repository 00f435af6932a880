"""What a judge is worth: its marks of real steps, and of the same steps spoiled in known ways.

``python benchmarks/judge.py [--judge rules] [--sample 1000]`` prints a table and writes ``results/judge.json``.  The
steps are those of the shipped experience.  A spoiled step keeps its page, its action and its history; what follows is
changed as an unfaithful dream might change it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from machine import describe_machine
from rich.console import Console
from rich.table import Table

from dreamgym_env.domains import load_domain
from dreamgym_env.domains.objections import CONSISTENCY, HALLUCINATION, INFORMATIVENESS
from dreamgym_env.evaluation.judging import Judgement, judge_from_string, sample_transitions
from dreamgym_env.evaluation.judging.judgements import Judge
from dreamgym_env.memory import read_transitions
from dreamgym_env.types import Domain, Transition

RESULTS = Path(__file__).parent / "results" / "judge.json"
DOMAINS = ("webshop", "alfworld", "webarena", "miniwob")
CRITERIA = (CONSISTENCY, INFORMATIVENESS, HALLUCINATION)
REAL = "real"
_PRICE = re.compile(r"(?<=\$)\d+")
_LISTED = re.compile(r"(?<=\ba )[a-z]+ \d+")
_FULL = 2

Spoil = Callable[[Domain, Sequence[Transition], int, np.random.Generator], str | None]
"""Returns what follows the step in a place, spoiled; None where it cannot be spoiled so."""


@dataclass(frozen=True, slots=True)
class Marked:
    """The marks of steps that were spoiled in one way."""

    steps: int
    full: Mapping[str, float]
    """Criterion -> share of full marks."""
    faultless: float
    """Share of the steps with full marks for all criteria."""


def other_page(domain: Domain, steps: Sequence[Transition], at: int, rng: np.random.Generator) -> str | None:
    """Return what followed another kind of action, with this task's instruction."""
    kind = domain.action_kind(steps[at].action)
    return _page_of_another(domain, steps, at, rng, lambda other: domain.action_kind(other.action) != kind)


def other_page_of_kind(domain: Domain, steps: Sequence[Transition], at: int, rng: np.random.Generator) -> str | None:
    """Return what followed another action of the same kind, with this task's instruction."""
    kind, action = domain.action_kind(steps[at].action), domain.parse_action(steps[at].action)
    return _page_of_another(
        domain,
        steps,
        at,
        rng,
        lambda other: domain.action_kind(other.action) == kind and domain.parse_action(other.action) != action,
    )


def half_a_page(domain: Domain, steps: Sequence[Transition], at: int, rng: np.random.Generator) -> str | None:
    """Return the first half of the page's texts; None for a page of one."""
    step = steps[at]
    segments = domain.segment(step.next_state, step.instruction)
    return domain.render(segments[: len(segments) // 2], step.instruction) if len(segments) > 1 else None


def other_prices(domain: Domain, steps: Sequence[Transition], at: int, rng: np.random.Generator) -> str | None:
    """Return the page with each price a few dollars higher; None for a page without one."""
    more = int(rng.integers(1, 9))
    head, page = _parted(domain, steps[at])
    changed = _PRICE.sub(lambda price: str(int(price[0]) + more), page)
    return head + changed if changed != page else None


def moved_object(domain: Domain, steps: Sequence[Transition], at: int, rng: np.random.Generator) -> str | None:
    """Return the text with one listed thing in place of another that other steps list; None where none is listed."""
    mine = [one for one in _LISTED.finditer(steps[at].next_state) if steps[at].action != "inventory"]
    if not mine or steps[at].next_state.startswith("-="):
        return None
    for other in rng.permutation(len(steps)):
        for name in _LISTED.findall(steps[other].next_state):
            if name not in steps[at].next_state:
                place = mine[int(rng.integers(len(mine)))]
                return steps[at].next_state[: place.start()] + name + steps[at].next_state[place.end() :]
    return None


def no_effect(domain: Domain, steps: Sequence[Transition], at: int, rng: np.random.Generator) -> str | None:
    """Return the page before, where the action has changed it."""
    return steps[at].state if steps[at].state != steps[at].next_state else None


def unchanged(domain: Domain, steps: Sequence[Transition], at: int, rng: np.random.Generator) -> str | None:
    """Return what has followed in truth."""
    return steps[at].next_state


def made_up_success(step: Transition) -> Transition:
    """Return the step with an end and a reward that it did not have."""
    return replace(step, reward=1.0, terminated=True, score=1.0)


SPOILED: Mapping[str, Spoil] = {
    "page of another kind of action": other_page,
    "page of another action of the kind": other_page_of_kind,
    "half of the page": half_a_page,
    "other prices": other_prices,
    "one thing for another": moved_object,
    "no effect": no_effect,
}
SUCCESS = "a success made up"
_ONLY_IN = {"other prices": ("webshop", "webarena"), "one thing for another": ("alfworld",)}


def spoiled_steps(domain: Domain, steps: Sequence[Transition], seed: int = 0) -> dict[str, list[Transition]]:
    """Return steps as they are, and spoiled in each way that the domain knows; only what differs counts as spoiled."""
    found = {REAL: list(steps)}
    for number, (name, spoil) in enumerate(SPOILED.items()):
        if domain.name not in _ONLY_IN.get(name, (domain.name,)):
            continue
        rng = np.random.default_rng([seed, number])
        pages = [spoil(domain, steps, at, rng) for at in range(len(steps))]
        found[name] = [
            replace(step, next_state=page)
            for step, page in zip(steps, pages, strict=True)
            if page is not None and page != step.next_state
        ]
    if domain.verifier() is not None:
        found[SUCCESS] = [made_up_success(step) for step in steps if step.reward == 0]
    return found


def marks_of(judge: Judge, domain: Domain, steps: Sequence[Transition]) -> Marked:
    """Return the marks that a judge gives to steps."""
    judged = [one for one in judge.judge(domain, steps) if isinstance(one, Judgement)]
    count = max(1, len(judged))
    return Marked(
        steps=len(judged),
        full={name: sum(one.marks[name] == _FULL for one in judged) / count for name in CRITERIA},
        faultless=sum(all(one.marks[name] == _FULL for name in CRITERIA) for one in judged) / count,
    )


def main(
    judge: Annotated[str, typer.Option(help="rules, or the string of a language model.")] = "rules",
    sample: Annotated[int, typer.Option(help="Steps of each domain.")] = 1000,
    seed: Annotated[int, typer.Option(help="Of the sample and of how it is spoiled.")] = 0,
) -> None:
    """Measure, print and write."""
    console, found = Console(width=140), {}
    for name in DOMAINS:
        domain = load_domain(name)
        steps = sample_transitions(domain, read_transitions(domain.seed_experience()), sample, seed)
        asked = judge_from_string(judge, seed=seed)
        table = Table(title=f"{name}, judged by {asked.name}: full marks, in percent")
        for column in ("steps", "n", *(criterion.replace("_", " ") for criterion in CRITERIA), "all three"):
            table.add_column(column, justify="left" if column == "steps" else "right")
        rows = {kind: marks_of(asked, domain, some) for kind, some in spoiled_steps(domain, steps, seed).items()}
        for kind, marked in rows.items():
            shares = [*marked.full.values(), marked.faultless]
            table.add_row(kind, f"{marked.steps:,}", *(f"{100 * share:.1f}" for share in shares))
        console.print(table)
        found[name] = {
            kind: {"steps": one.steps, **{c: round(s, 6) for c, s in one.full.items()}, "all": round(one.faultless, 6)}
            for kind, one in rows.items()
        }
    figures = {"judge": judge, "sample": sample, "seed": seed, "machine": describe_machine(), "full_marks": found}
    RESULTS.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")


def _page_of_another(
    domain: Domain,
    steps: Sequence[Transition],
    at: int,
    rng: np.random.Generator,
    fits: Callable[[Transition], bool],
) -> str | None:
    """Return the page that followed another step that fits, or None after a few tries."""
    step = steps[at]
    for other in (steps[place] for place in rng.integers(len(steps), size=200)):
        page = domain.render(domain.segment(other.next_state, other.instruction), step.instruction)
        if fits(other) and page != step.next_state:
            return page
    return None


def _parted(domain: Domain, step: Transition) -> tuple[str, str]:
    """Return a page up to the end of the instruction, and what follows."""
    at = step.next_state.find(step.instruction)
    end = at + len(step.instruction) if at >= 0 else 0
    return step.next_state[:end], step.next_state[end:]


if __name__ == "__main__":
    typer.run(main)
