"""Which of the near rows become memories: the leak rules, no memory twice, and real before dream."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from dreamgym_env.memory.identity import RowId
from dreamgym_env.types import Source

__all__ = ["LeakRule", "select"]

REAL_ADVANTAGE = 1e-3
"""A dream memory goes before a real one only if it is more similar by more than this."""

Candidate = tuple[float, str]


@dataclass(frozen=True, slots=True)
class LeakRule:
    """What a query may not see."""

    episode: str
    """Hash of the asking episode; empty if it has no name."""
    step: int
    """Its current step: memories of the same episode from this step on are its future."""
    task: str
    """Hash of the asking task."""
    exclude_episode: bool = False
    exclude_task: bool = False

    def allows(self, row: RowId) -> bool:
        """Return whether the query may see a row."""
        if self.exclude_task and row.task == self.task:
            return False
        return row.episode != self.episode or not (self.exclude_episode or row.step >= self.step)


def select(candidates: Iterable[Candidate], rule: LeakRule, k: int) -> list[Candidate]:
    """Return the best k rows that a query may see, most similar first.

    Rows of the same page, action and outcome say the same thing: only the first of them is kept.

    Args:
        candidates: (similarity, id) in any order.
        rule: what the query may not see.
        k: how many at most.
    """
    chosen: list[Candidate] = []
    seen: set[tuple[str, str]] = set()
    for candidate in sorted(candidates, key=_rank):
        row = RowId.parse(candidate[1])
        if (row.question, row.outcome) in seen or not rule.allows(row):
            continue
        seen.add((row.question, row.outcome))
        chosen.append(candidate)
        if len(chosen) == k:
            break
    return chosen


def _rank(candidate: Candidate) -> tuple[float, str]:
    similarity, name = candidate
    # 32-bit cosines of one pair differ in the last digits from call to call: rounding lets the id decide such ties
    return -round(similarity + (REAL_ADVANTAGE if name.startswith(Source.REAL) else 0.0), 5), name
