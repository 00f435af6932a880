"""Whether two judges see the same: Cohen's kappa of their marks.

Cohen, "A coefficient of agreement for nominal scales" (1960), and "Weighted kappa" (1968) with quadratic weights, by
which marks that are two apart disagree four times as much as neighbours.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

from dreamgym_env.evaluation.judging.judgements import Invalid, Judgement
from dreamgym_env.evaluation.judging.rubric import MARKS

__all__ = ["Agreement", "agreement"]


@dataclass(frozen=True, slots=True)
class Agreement:
    """How far two judges agree on a criterion."""

    kappa: float | None
    """None where it is undefined: nothing was marked by both, or both gave one and the same mark throughout."""
    weighted_kappa: float | None
    """With quadratic weights; None as above."""
    same: float | None
    """Share of steps with the same mark; None where nothing was marked by both."""
    n: int
    """Steps that both have marked."""

    def to_json(self) -> dict[str, float | int | None]:
        """Return the members, rounded."""
        return {name: None if value is None else round(value, 6) for name, value in asdict(self).items()}


def agreement(
    one: Sequence[Judgement | Invalid], other: Sequence[Judgement | Invalid], criteria: Sequence[str]
) -> dict[str, Agreement]:
    """Compare two judges on the same steps.

    Args:
        one: judgements of the first judge.
        other: of the second, of the same steps in the same order.
        criteria: names of the criteria.

    Returns:
        Criterion -> agreement, over the steps that both have marked.

    Raises:
        ValueError: the judges have judged different numbers of steps.
    """
    if len(one) != len(other):
        raise ValueError(f"The judges have judged {len(one):,} and {len(other):,} steps: they must be the same steps.")
    both = [
        (mine.marks, theirs.marks)
        for mine, theirs in zip(one, other, strict=True)
        if isinstance(mine, Judgement) and isinstance(theirs, Judgement)
    ]
    return {name: _agreement(name, both) for name in criteria}


def _agreement(name: str, both: Sequence[tuple[Mapping[str, int], Mapping[str, int]]]) -> Agreement:
    pairs = [(mine[name], theirs[name]) for mine, theirs in both if name in mine and name in theirs]
    same = sum(mine == theirs for mine, theirs in pairs) / len(pairs) if pairs else None
    return Agreement(_kappa(pairs, None), _kappa(pairs, "quadratic"), same, len(pairs))


def _kappa(pairs: Sequence[tuple[int, int]], weights: str | None) -> float | None:
    if len({mark for pair in pairs for mark in pair}) < 2:
        return None  # no disagreement is possible by chance, so that there is nothing to measure against
    from sklearn.metrics import cohen_kappa_score

    mine, theirs = zip(*pairs, strict=True)
    return float(cohen_kappa_score(mine, theirs, labels=list(MARKS), weights=weights))
