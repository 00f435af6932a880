"""Whether two judges see the same: Cohen's kappa of their marks.

With quadratic weights, marks that are two apart disagree four times as much as neighbours.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from dreamgym_env.evaluation.agreement import Kappa, kappa
from dreamgym_env.evaluation.judging.judgements import Invalid, Judgement
from dreamgym_env.evaluation.judging.rubric import MARKS

__all__ = ["agreement"]


def agreement(
    one: Sequence[Judgement | Invalid], other: Sequence[Judgement | Invalid], criteria: Sequence[str]
) -> dict[str, Kappa]:
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


def _agreement(name: str, both: Sequence[tuple[Mapping[str, int], Mapping[str, int]]]) -> Kappa:
    pairs = [(mine[name], theirs[name]) for mine, theirs in both if name in mine and name in theirs]
    return kappa([mine for mine, _ in pairs], [theirs for _, theirs in pairs], MARKS)
