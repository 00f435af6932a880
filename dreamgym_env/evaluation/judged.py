"""What judges say of the steps of a comparison."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from dreamgym_env.evaluation.comparison import Comparison
from dreamgym_env.evaluation.judging.panel import PairAgreement, ask_judges
from dreamgym_env.evaluation.judging.report import JudgeReport, SourceFigures
from dreamgym_env.evaluation.judging.sampling import sample_transitions
from dreamgym_env.evaluation.judging.strings import judges_from_strings
from dreamgym_env.types import Source, Transition

__all__ = ["judge_comparison"]


def judge_comparison(comparison: Comparison, judges: Sequence[str], sample: int, seed: int = 0) -> dict[str, Any]:
    """Let judges mark steps of the agents in the dream, and as many in the real environment.

    Args:
        comparison: what was played.
        judges: strings as :func:`~.judging.strings.judges_from_strings` takes them; the first two are compared.
        sample: how many steps of each side.
        seed: of the sample.

    Returns:
        ``judges``, ``judges_failed`` and ``judge_agreement`` of the JSON layout.

    Raises:
        WorldModelStringError: a string names no judge.
        DreamGymError: no judge can answer.
        KeyboardInterrupt: it was interrupted before one had.
    """
    dreamt, real = (
        sample_transitions(comparison.domain, list(_steps(comparison, side)), sample, seed)
        for side in (Source.DREAM, Source.REAL)
    )
    with contextlib.ExitStack() as opened:
        asked = judges_from_strings(judges, reference=real, seed=seed, progress=True)
        for one in asked:
            opened.callback(one.close)
        panel = ask_judges(comparison.domain, asked, [*dreamt, *real], seed, keep_interrupted=True)
    return {
        "judges": [_told(report) for report in panel.reports],
        "judges_failed": dict(panel.failed),
        "judge_agreement": _agreement(panel.agreements[0]) if panel.agreements else None,
    }


def _steps(comparison: Comparison, side: Source) -> Iterator[Transition]:
    """Yield the steps of agents on one side, as steps of that side, be it whose environment it may."""
    for row in itertools.chain.from_iterable(comparison.rows(agent) for agent in comparison.runs):
        episode = row.dream if side is Source.DREAM else row.real
        if not episode.failed:
            yield from (replace(outcome.transition, source=side) for outcome in episode.outcomes)


def _told(report: JudgeReport) -> dict[str, Any]:
    criteria = dict.fromkeys(name for figures in report.sources.values() for name in figures.marks)
    return {
        "judge": report.judge,
        "rubric": report.rubric_version,
        "marks": {
            name.replace("_", " "): {side: _mean(figures, name) for side, figures in report.sources.items()}
            for name in criteria
        },
        "judged": {side: figures.judged for side, figures in report.sources.items()},
        "invalid": {side: figures.invalid for side, figures in report.sources.items()},
    }


def _mean(figures: SourceFigures, criterion: str) -> Mapping[str, float | int] | None:
    mean = figures.marks[criterion].mean if criterion in figures.marks else None
    return None if mean is None else mean.to_json()


def _agreement(pair: PairAgreement) -> dict[str, Any]:
    return {
        "judges": list(pair.judges),
        "kappa": {
            name.replace("_", " "): {"plain": found.plain, "quadratic": found.quadratic, "n": found.count}
            for name, found in pair.criteria.items()
        },
    }
