"""One or several judges on the same steps: what each found, and how far each two agree."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dreamgym_env.evaluation.agreement import Kappa
from dreamgym_env.evaluation.judging.agreement import agreement
from dreamgym_env.evaluation.judging.judgements import Invalid, Judge, Judgement
from dreamgym_env.evaluation.judging.report import JudgeReport, agreement_table, report_judgements
from dreamgym_env.evaluation.judging.sampling import sample_transitions
from dreamgym_env.types import Domain, Source, Transition

if TYPE_CHECKING:
    from rich.table import Table

__all__ = ["PairAgreement", "PanelReport", "ask_judges", "sample_sources"]

_SOURCES = (Source.REAL, Source.DREAM)


@dataclass(frozen=True, slots=True)
class PairAgreement:
    """How far two judges agree."""

    judges: tuple[str, str]
    criteria: Mapping[str, Kappa]


@dataclass(frozen=True, slots=True)
class PanelReport:
    """What several judges found of the same steps."""

    steps: tuple[Transition, ...]
    judgements: tuple[tuple[Judgement | Invalid, ...], ...]
    """Of each judge, for each step."""
    reports: tuple[JudgeReport, ...]
    """Of each judge."""
    agreements: tuple[PairAgreement, ...]
    """Of each two judges."""

    def to_json(self) -> dict[str, Any]:
        """Return all figures, and what was said of each step, as JSON values."""
        return {
            "judges": [report.to_json() for report in self.reports],
            "agreement": [
                {"judges": list(pair.judges), "criteria": {name: one.to_json() for name, one in pair.criteria.items()}}
                for pair in self.agreements
            ],
            "steps": [
                {
                    "source": str(step.source),
                    "task_id": step.task_id,
                    "episode": step.episode,
                    "step": step.step,
                    "action": step.action,
                    "judgements": [_told(judged[at]) for judged in self.judgements],
                }
                for at, step in enumerate(self.steps)
            ],
        }

    def tables(self) -> list[Table]:
        """Return a table for each judge, and one for each two."""
        tables = [report.table() for report in self.reports]
        return [*tables, *(agreement_table(*pair.judges, pair.criteria) for pair in self.agreements)]


def sample_sources(domain: Domain, transitions: Sequence[Transition], n: int, seed: int = 0) -> list[Transition]:
    """Draw n real and n dreamt steps, or as many as there are, as :func:`~.sampling.sample_transitions` does."""
    by_source = ([step for step in transitions if step.source is source] for source in _SOURCES)
    return [step for steps in by_source for step in sample_transitions(domain, steps, n, seed)]


def ask_judges(domain: Domain, judges: Sequence[Judge], steps: Sequence[Transition], seed: int = 0) -> PanelReport:
    """Let judges mark the same steps.

    Args:
        domain: of the steps.
        judges: one or more.
        steps: real and dreamt ones; those of each source are put to a judge as one sample.
        seed: of the intervals.

    Raises:
        WorldModelError: a judge as a whole cannot answer.
    """
    ordered = tuple(step for source in _SOURCES for step in steps if step.source is source)
    judgements = []
    for judge in judges:
        of_sources = (judge.judge(domain, [step for step in ordered if step.source is source]) for source in _SOURCES)
        judgements.append(tuple(itertools.chain.from_iterable(of_sources)))
    return PanelReport(
        steps=ordered,
        judgements=tuple(judgements),
        reports=tuple(
            report_judgements(domain, judge, ordered, judged, seed)
            for judge, judged in zip(judges, judgements, strict=True)
        ),
        agreements=tuple(
            PairAgreement((judges[one].name, judges[other].name), agreement(mine, theirs, judges[one].rubric.names))
            for (one, mine), (other, theirs) in itertools.combinations(enumerate(judgements), 2)
        ),
    )


def _told(one: Judgement | Invalid) -> dict[str, Any]:
    if isinstance(one, Invalid):
        return {"invalid": one.reason}
    return {"marks": dict(one.marks), "reason": one.reason}
