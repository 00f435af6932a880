"""Making variations of tasks: by a domain's rules, or by whatever has the same one method."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from dreamgym_env.domains.draws import Draws
from dreamgym_env.domains.variations import VariationRules, variation_rules_of
from dreamgym_env.errors import CurriculumError
from dreamgym_env.types import Domain, Task

__all__ = ["RuleVariator", "Screen", "TaskVariator", "Variation", "candidates_of", "rules_of"]

_DRAWS_PER_VARIATION = 10
"""Draws after which a wanted variation is given up."""


@dataclass(frozen=True, slots=True)
class Variation:
    """A variation, and the task that it was made of."""

    task: Task
    """Its ``parent`` is the original at the root of its family."""
    ancestor: str
    """Id of the task that it was made of: that original, or another variation of it."""


class TaskVariator(Protocol):
    """Makes variations of tasks."""

    def vary(
        self, tasks: Sequence[Task], n: int, rng: np.random.Generator, admits: Callable[[Task], bool]
    ) -> list[Variation]:
        """Return at most n variations, spread over the tasks as evenly as they can be.

        Args:
            tasks: originals or variations, the most valuable first.
            n: how many are wanted; fewer come where there are no more.
            rng: all chance comes from it.
            admits: whether a task may become a variation; it is asked once for each that is returned, and takes note of
                it, so that it is admitted no second time.

        Raises:
            WorldModelError: a language model that is asked cannot answer at all.
        """
        ...


class Screen:
    """Keeps out what was there before: tasks of other splits, above all those of a test, and earlier variations."""

    def __init__(self, domain: Domain, split: str, known: Iterable[str] = ()) -> None:
        """Know the held-out tasks; they are read when a variation is first offered.

        Args:
            domain: of the tasks.
            split: which tasks are learnt from; those of all other splits are held out.
            known: marks of variations that were admitted before.

        Raises:
            CurriculumError: the domain knows no variations of its tasks.
        """
        self._domain, self._split, self._rules = domain, split, rules_of(domain)
        self._known = dict.fromkeys(known)
        self._held_out: frozenset[str] | None = None

    @property
    def known(self) -> tuple[str, ...]:
        """Marks of the variations that were admitted."""
        return tuple(self._known)

    def admits(self, task: Task) -> bool:
        """Return whether a task is new, and take note of it."""
        if self._held_out is None:
            self._held_out = frozenset(self._read_held_out())
        mark = _mark(self._rules.identity(task))
        if mark in self._known or not self._held_out.isdisjoint((mark, _told(task))):
            return False
        self._known[mark] = None
        return True

    def _read_held_out(self) -> Iterator[str]:
        for split in self._domain.splits():
            for task_id in self._domain.task_ids(split) if split != self._split else ():
                task = self._domain.task(task_id)
                yield from (_mark(self._rules.identity(task)), _told(task))


class RuleVariator:
    """Varies tasks by the domain's own rules."""

    def __init__(self, domain: Domain) -> None:
        """Know a domain. Raises CurriculumError where it knows no variations of its tasks."""
        self._rules = rules_of(domain)

    def vary(
        self, tasks: Sequence[Task], n: int, rng: np.random.Generator, admits: Callable[[Task], bool]
    ) -> list[Variation]:
        """Return at most n variations, of one task after the other."""
        made: list[Variation] = []
        for attempt in range(n * _DRAWS_PER_VARIATION if tasks else 0):
            if len(made) == n:
                break
            task = tasks[attempt % len(tasks)]
            drawn = self._rules.propose(task, _draws(rng))
            if drawn is not None and admits(drawn):
                made.append(Variation(drawn, task.id))
        return made

    def close(self) -> None:
        """Do nothing: it holds nothing to close, unlike a variator that asks a language model."""


def rules_of(domain: Domain) -> VariationRules:
    """Return a domain's rules. Raises CurriculumError where it has none."""
    rules = variation_rules_of(domain)
    if rules is None:
        raise CurriculumError(
            f"Nobody knows how to vary the tasks of {domain.name!r} here: its folder needs a module 'variations', or a "
            "curriculum with share=0, which draws originals alone."
        )
    return rules


def candidates_of(rules: VariationRules, task: Task, n: int, rng: np.random.Generator) -> list[Task]:
    """Return at most n different proposals for one task."""
    drawn: dict[str, Task] = {}
    for _ in range(n * 2):
        proposed = rules.propose(task, _draws(rng))
        if proposed is not None and len(drawn) < n:
            drawn.setdefault(rules.identity(proposed), proposed)
    return list(drawn.values())


def _draws(rng: np.random.Generator) -> Draws:
    return Draws("task variation", int(rng.integers(2**63)))


def _told(task: Task) -> str:
    """Return the mark of an instruction with its goal, wherever it is to be reached."""
    words = " ".join(task.instruction.lower().split())
    return _mark(json.dumps([words, dict(task.goal)], sort_keys=True, ensure_ascii=False))


def _mark(text: str) -> str:
    return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()
