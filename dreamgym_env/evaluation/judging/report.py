"""What judges found: real and dreamt steps side by side, each figure with a 95 % interval over episodes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from dreamgym_env.evaluation.agreement import Kappa
from dreamgym_env.evaluation.intervals import Estimate, ratio_estimates
from dreamgym_env.evaluation.judging.judgements import Invalid, Judge, Judgement
from dreamgym_env.evaluation.judging.rubric import MARKS
from dreamgym_env.types import Domain, Transition

if TYPE_CHECKING:
    from rich.table import Table

__all__ = ["JudgeReport", "MarkFigures", "SourceFigures", "agreement_table", "report_judgements"]


@dataclass(frozen=True, slots=True)
class MarkFigures:
    """The marks of one criterion."""

    mean: Estimate | None
    """Mean mark, from 0 to 2, with its 95 % interval over episodes; None where nothing was marked."""
    shares: tuple[float, float, float]
    """Share of the marks 0, 1 and 2; all 0 where nothing was marked."""

    def to_json(self) -> dict[str, Any]:
        """Return the members as JSON values."""
        return {
            "mean": self.mean.to_json() if self.mean is not None else None,
            "shares": [round(share, 6) for share in self.shares],
        }


@dataclass(frozen=True, slots=True)
class SourceFigures:
    """What was found of steps of one source."""

    judged: int
    """Steps with marks."""
    invalid: int
    """Steps without, for the judge's answer could not be read; in no other figure."""
    episodes: int
    """Episodes of the steps with marks."""
    marks: Mapping[str, MarkFigures]
    """Criterion -> its marks."""

    def to_json(self) -> dict[str, Any]:
        """Return the members as JSON values."""
        return {
            "judged": self.judged,
            "invalid": self.invalid,
            "episodes": self.episodes,
            "marks": {name: figures.to_json() for name, figures in self.marks.items()},
        }


@dataclass(frozen=True, slots=True)
class JudgeReport:
    """What one judge found."""

    domain: str
    judge: str
    rubric_version: str
    rubric_digest: str
    sources: Mapping[str, SourceFigures]
    """``real``, ``dream``, or both."""
    last_problem: str
    """Why an invalid answer could not be read; empty where there was none."""

    def to_json(self) -> dict[str, Any]:
        """Return all figures as JSON values."""
        return {
            "domain": self.domain,
            "judge": self.judge,
            "rubric": {"version": self.rubric_version, "digest": self.rubric_digest},
            "sources": {source: figures.to_json() for source, figures in self.sources.items()},
            "last_problem": self.last_problem,
        }

    def table(self) -> Table:
        """Return the sources side by side."""
        from rich.table import Table
        from rich.text import Text

        table = Table(title=Text(f"{self.domain}, judged by {self.judge} (rubric {self.rubric_version})"))
        table.add_column("criterion")
        for source in self.sources:
            table.add_column(f"{source}: mean of 0 to 2", justify="right")
            table.add_column("0 / 1 / 2, in percent", justify="right")
        criteria = dict.fromkeys(name for figures in self.sources.values() for name in figures.marks)
        for name in criteria:
            cells = [cell for figures in self.sources.values() for cell in _cells(figures.marks[name])]
            table.add_row(name.replace("_", " "), *cells)
        table.add_section()
        for label, member in (("steps judged", "judged"), ("steps without a valid answer", "invalid")):
            counts = (f"{getattr(figures, member):,}" for figures in self.sources.values())
            table.add_row(label, *(cell for count in counts for cell in (count, "")))
        return table


def report_judgements(
    domain: Domain,
    judge: Judge,
    transitions: Sequence[Transition],
    judgements: Sequence[Judgement | Invalid],
    seed: int = 0,
) -> JudgeReport:
    """Work out all figures of one judge.

    Args:
        domain: of the steps.
        judge: who has marked them.
        transitions: the steps, real and dreamt ones.
        judgements: their marks, in the same order.
        seed: of the intervals.
    """
    pairs = list(zip(transitions, judgements, strict=True))
    sources = sorted({str(step.source) for step in transitions}, reverse=True)  # what is real stands first
    problems = [one.reason for one in judgements if isinstance(one, Invalid)]
    return JudgeReport(
        domain=domain.name,
        judge=judge.name,
        rubric_version=judge.rubric.version,
        rubric_digest=judge.rubric.digest,
        sources={
            source: _figures([pair for pair in pairs if pair[0].source == source], judge.rubric.names, seed)
            for source in sources
        },
        last_problem=problems[-1] if problems else "",
    )


def agreement_table(one: str, other: str, found: Mapping[str, Kappa]) -> Table:
    """Return how far two judges agree.

    Args:
        one: the first judge's name.
        other: the second's.
        found: criterion -> agreement.
    """
    from rich.table import Table
    from rich.text import Text

    table = Table(title=Text(f"Agreement of {one} and {other}"))
    for column in ("criterion", "kappa", "kappa, quadratic weights", "same mark", "n"):
        table.add_column(column, justify="left" if column == "criterion" else "right")
    for name, agreed in found.items():
        figures = (agreed.plain, agreed.quadratic, agreed.share if agreed.count else None)
        cells = ("-" if figure is None else f"{figure:.2f}" for figure in figures)
        table.add_row(name.replace("_", " "), *cells, f"{agreed.count:,}")
    return table


def _figures(
    pairs: Sequence[tuple[Transition, Judgement | Invalid]], criteria: Sequence[str], seed: int
) -> SourceFigures:
    valid = [(step, one.marks) for step, one in pairs if isinstance(one, Judgement)]
    episodes = [(step.task_id, step.episode) for step, _ in valid]
    marks = np.array([[given.get(name, 0) for name in criteria] for _, given in valid], dtype=np.float64)
    marked = np.array([[name in given for name in criteria] for _, given in valid], dtype=np.float64)
    shape = (len(valid), len(criteria))
    means = ratio_estimates(marks.reshape(shape), marked.reshape(shape), episodes, seed)
    return SourceFigures(
        judged=len(valid),
        invalid=len(pairs) - len(valid),
        episodes=len(set(episodes)),
        marks={
            name: MarkFigures(mean, _shares([given[name] for _, given in valid if name in given]))
            for name, mean in zip(criteria, means, strict=True)
        },
    )


def _shares(marks: Sequence[int]) -> tuple[float, float, float]:
    none, half, full = (sum(given == mark for given in marks) / max(1, len(marks)) for mark in MARKS)
    return none, half, full


def _cells(figures: MarkFigures) -> tuple[str, str]:
    if figures.mean is None:
        return "-", "-"
    mean = figures.mean
    return (
        f"{mean.value:.2f} ({mean.low:.2f}-{mean.high:.2f})",
        " / ".join(f"{100 * share:.1f}" for share in figures.shares),
    )
