"""Which of the near rows become memories: the leak rules, no memory twice, and real before dream."""

from __future__ import annotations

import operator
from collections.abc import Iterable
from dataclasses import dataclass

from dreamgym_env.memory.identity import RowId
from dreamgym_env.memory.key_index import Near

__all__ = ["LeakRule", "select"]

# both advantages together are less than key_index.TIES, so that an advantage never lifts what was not looked at
REAL_ADVANTAGE = 1e-3
"""A dream memory goes before a real one only if it is more similar by more than this."""
SAME_QUESTION_ADVANTAGE = 5e-4
"""An embedder may take two actions for one; the row of the very page and action that was asked for goes first."""

Candidate = tuple[float, RowId]


@dataclass(frozen=True, slots=True)
class LeakRule:
    """What a query may not see."""

    question: str
    """Hash of the query's page and action."""
    episode: str
    """Hash of the asking episode; empty if it has no name."""
    step: int
    """Its current step: memories of the same episode from this step on are its future."""
    excluded_family: str = ""
    """Hash of the original task whose rows, and those of its variations, are left out; empty for none."""
    exclude_episode: bool = False

    def kept_by(self, k: int) -> tuple[str, str, int]:
        """Return by what the answer is kept, k memories, where the asking episode has no rows."""
        return self.question, self.excluded_family, k

    def allows(self, row: RowId) -> bool:
        """Return whether the query may see a row."""
        if row.task == self.excluded_family:
            return False
        return row.episode != self.episode or not (self.exclude_episode or row.step >= self.step)

    def rank(self, similarity: float, row: RowId) -> float:
        """Return what sorts rows: the smallest first."""
        advantage = SAME_QUESTION_ADVANTAGE if row.question == self.question else 0.0
        if row.real:
            advantage += REAL_ADVANTAGE
        # 32-bit cosines of one pair differ in the last digits from call to call: rounding lets the id decide such ties
        return -round(similarity + advantage, 5)


def select(near: Iterable[Near], rule: LeakRule, k: int) -> list[Candidate]:
    """Return the best k rows that a query may see, best first.

    Rows of the same page, action and outcome say the same thing: only the best of them is kept.

    Args:
        near: similarities and rows, in any order.
        rule: what the query may not see, and what it prefers.
        k: how many at most.
    """
    candidates = []
    distinct: set[tuple[str, str]] = set()
    enough = -float("inf")
    for similarity, rows in sorted(near, key=_similarity, reverse=True):
        if similarity < enough:
            break
        for row in rows:
            if rule.allows(row):
                candidates.append((rule.rank(similarity, row), row, similarity))
                distinct.add((row.question, row.outcome))
                if len(distinct) == k:  # no advantage lifts what is less similar than this above those that are here
                    enough = similarity - REAL_ADVANTAGE - SAME_QUESTION_ADVANTAGE - 1e-5
                break
    chosen: dict[tuple[str, str], Candidate] = {}
    for _, row, similarity in sorted(candidates):
        chosen.setdefault((row.question, row.outcome), (similarity, row))
        if len(chosen) == k:
            break
    return list(chosen.values())


_similarity = operator.itemgetter(0)
