"""Agreement: of a dream and reality about the same tasks, and of two judges about the same steps."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any

__all__ = ["Agreement", "Kappa", "agreement_table", "kappa", "kinder_p"]


@dataclass(frozen=True, slots=True)
class Agreement:
    """Outcomes of the same tasks in two environments."""

    both: int
    """Solved in both."""
    dream_only: int
    """Solved in the dream only: the dream was too kind."""
    real_only: int
    """Solved in the real environment only: the dream was too hard."""
    neither: int

    @property
    def count(self) -> int:
        """How many tasks (or episodes) there are in all."""
        return self.both + self.dream_only + self.real_only + self.neither

    @property
    def share(self) -> float:
        """Share of tasks with the same outcome in both, in [0, 1]."""
        return (self.both + self.neither) / self.count if self.count else 0.0

    @property
    def kappa(self) -> float | None:
        """Cohen's kappa: agreement beyond chance, 1 at most; None where both environments have only one outcome."""
        counts = (self.both, self.dream_only, self.real_only, self.neither)
        if self.count in (self.both, self.neither):
            return None
        from sklearn.metrics import cohen_kappa_score

        return float(cohen_kappa_score([1, 1, 0, 0], [1, 0, 1, 0], sample_weight=counts))

    @property
    def mcnemar_p(self) -> float:
        """Exact p value of McNemar's test that neither environment is kinder than the other.

        It takes the outcomes for independent: with several seeds a task it comes out too small (:func:`kinder_p`).
        """
        return _sign_test(self.dream_only, self.real_only)

    def to_json(self) -> dict[str, float | int | None]:
        """Return counts and figures, rounded."""
        agreed = self.kappa
        return {
            "solved_in_both": self.both,
            "solved_in_dream_only": self.dream_only,
            "solved_in_real_only": self.real_only,
            "solved_in_neither": self.neither,
            "share": round(self.share, 4),
            "kappa": None if agreed is None else round(agreed, 4),
            "mcnemar_p": round(self.mcnemar_p, 6),
        }


def agreement_table(dream: Sequence[bool], real: Sequence[bool]) -> Agreement:
    """Count the outcomes of the same n episodes in two environments.

    Raises:
        ValueError: the two are not of one length.
    """
    pairs = [(bool(dreamt), bool(lived)) for dreamt, lived in zip(dream, real, strict=True)]
    return Agreement(
        both=pairs.count((True, True)),
        dream_only=pairs.count((True, False)),
        real_only=pairs.count((False, True)),
        neither=pairs.count((False, False)),
    )


def kinder_p(dream: Sequence[bool], real: Sequence[bool], tasks: Sequence[Hashable]) -> float:
    """Return the p value that neither environment is kinder than the other, each task counted once.

    Exact sign test: a task speaks for the environment in which more of its episodes succeed.  With one episode a task
    it is McNemar's exact test; with several it does not take episodes of one task for independent ones.

    Args:
        dream: outcomes of n episodes in the dream.
        real: those of the same episodes in the real environment.
        tasks: the task of each.

    Raises:
        ValueError: the three are not of one length.
    """
    leads: Counter[Hashable] = Counter()
    for dreamt, lived, task in zip(dream, real, tasks, strict=True):
        leads[task] += bool(dreamt) - bool(lived)
    return _sign_test(sum(lead > 0 for lead in leads.values()), sum(lead < 0 for lead in leads.values()))


def _sign_test(plus: int, minus: int) -> float:
    from scipy.stats import binomtest

    return float(binomtest(plus, plus + minus, 0.5).pvalue) if plus + minus else 1.0


@dataclass(frozen=True, slots=True)
class Kappa:
    """How well two judges agree."""

    count: int
    """How many items both have judged."""
    share: float
    """Share of items to which both give the same label, in [0, 1]; 0 for no item."""
    plain: float | None
    """Cohen's kappa, in which all disagreements weigh the same; None where both judges give one and the same label
    to everything, so that chance alone would agree as well."""
    quadratic: float | None
    """Cohen's weighted kappa: a disagreement weighs as the square of how many labels lie between (Cohen,
    Psychological Bulletin 70, 1968)."""

    def to_json(self) -> dict[str, Any]:
        """Return the members, rounded."""
        return {
            "count": self.count,
            "share": round(self.share, 4),
            "plain": None if self.plain is None else round(self.plain, 4),
            "quadratic": None if self.quadratic is None else round(self.quadratic, 4),
        }


def kappa(first: Sequence[Hashable], second: Sequence[Hashable], labels: Sequence[Hashable]) -> Kappa:
    """Say how well two judges agree on the same n items.

    Args:
        first: the labels that one judge gives.
        second: those of the other.
        labels: all labels that there are, in their order.

    Raises:
        ValueError: the two are not of one length, or give a label that is not among ``labels``.
    """
    places = {label: place for place, label in enumerate(labels)}
    unknown = sorted({repr(label) for label in (*first, *second) if label not in places})
    if unknown:
        raise ValueError(f"A judge gives {', '.join(unknown)}; the labels are {', '.join(map(repr, labels))}.")
    pairs = [(places[one], places[other]) for one, other in zip(first, second, strict=True)]
    share = sum(one == other for one, other in pairs) / len(pairs) if pairs else 0.0
    if len({place for pair in pairs for place in pair}) < 2:
        return Kappa(len(pairs), share, None, None)
    from sklearn.metrics import cohen_kappa_score

    ours, theirs = zip(*pairs, strict=True)
    plain, quadratic = (
        float(cohen_kappa_score(ours, theirs, labels=range(len(labels)), weights=weights))
        for weights in (None, "quadratic")
    )
    return Kappa(len(pairs), share, plain, quadratic)
