"""One or several judges on the same steps: what each found, and how far each two agree."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from dreamgym_env.errors import DreamGymError
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
    failed: Mapping[str, str] = field(default_factory=dict)
    """Judges that could not mark the steps -> why; they are in nothing above."""
    interrupted: bool = False
    """Whether somebody stopped it before its end."""

    def to_json(self) -> dict[str, Any]:
        """Return all figures, and what was said of each step, as JSON values."""
        return {
            "judges": [report.to_json() for report in self.reports],
            "failed": dict(self.failed),
            "interrupted": self.interrupted,
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


def ask_judges(
    domain: Domain,
    judges: Sequence[Judge],
    steps: Sequence[Transition],
    seed: int = 0,
    *,
    keep_interrupted: bool = False,
) -> PanelReport:
    """Let judges mark the same steps.

    Args:
        domain: of the steps.
        judges: one or more, each with a name of its own.
        steps: real and dreamt ones; those of each source are put to a judge as one sample.
        seed: of the intervals.
        keep_interrupted: whether a KeyboardInterrupt is the end of it, and the marks of those who have finished are
            returned, where there are any; else it is raised.

    Raises:
        DreamGymError: no judge could mark the steps, for its model as a whole cannot be had (MissingDependencyError) or
            cannot answer (WorldModelError); it is the first of these.
        KeyboardInterrupt: it was interrupted, and nothing is to be kept.
    """
    ordered = tuple(step for source in _SOURCES for step in steps if step.source is source)
    marked: list[tuple[Judge, tuple[Judgement | Invalid, ...]]] = []
    failed: dict[str, str] = {}
    first: DreamGymError | None = None
    interrupted = False
    for judge in judges:
        if interrupted:
            failed[judge.name] = "Interrupted before its turn."
            continue
        try:
            marked.append((judge, _ask(domain, judge, ordered)))
        except DreamGymError as error:  # the marks of the others stand
            first, failed[judge.name] = first or error, str(error)
        except KeyboardInterrupt:
            if not (keep_interrupted and marked):
                raise
            interrupted, failed[judge.name] = True, "Interrupted."
    if first is not None and not marked:
        raise first
    return PanelReport(
        steps=ordered,
        judgements=tuple(judged for _, judged in marked),
        reports=tuple(report_judgements(domain, judge, ordered, judged, seed) for judge, judged in marked),
        agreements=tuple(
            PairAgreement((one.name, other.name), agreement(mine, theirs, one.rubric.names))
            for (one, mine), (other, theirs) in itertools.combinations(marked, 2)
        ),
        failed=failed,
        interrupted=interrupted,
    )


def _ask(domain: Domain, judge: Judge, steps: Sequence[Transition]) -> tuple[Judgement | Invalid, ...]:
    of_sources = (judge.judge(domain, [step for step in steps if step.source is source]) for source in _SOURCES)
    return tuple(itertools.chain.from_iterable(of_sources))


def _told(one: Judgement | Invalid) -> dict[str, Any]:
    if isinstance(one, Invalid):
        return {"invalid": one.reason}
    return {"marks": dict(one.marks), "reason": one.reason}
