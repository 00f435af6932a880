"""Figures of an open-loop evaluation: each with a 95 % interval, over all steps and by what the steps are like."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from dreamgym_env.evaluation.fidelity import MODEL, Answer, line_f1
from dreamgym_env.evaluation.intervals import Estimate, ratio_estimates
from dreamgym_env.types import Domain

if TYPE_CHECKING:
    from rich.table import Table

__all__ = ["STRATA", "FidelityReport", "Figures", "figures_json", "report_fidelity"]

Figures = Mapping[str, Estimate | None]
"""Name of a figure -> its estimate; None where no step is of its kind (say, no success)."""

_SHOWN = {
    "exact_match": "exact",
    "line_f1": "line F1",
    "reward_accuracy": "reward",
    "termination_accuracy": "end",
    "false_success": "false success",
    "missed_success": "missed success",
    "parse_failures": "unreadable",
}
_LATE = 8


@dataclass(frozen=True, slots=True)
class FidelityReport:
    """What an open-loop evaluation found."""

    domain: str
    steps: int
    episodes: int
    overall: Mapping[str, Figures]
    """System -> its figures over all steps."""
    strata: Mapping[str, Mapping[str, Mapping[str, Figures]]]
    """System -> name of a division (``kind``, ``changes``, ``step``, ``memory``) -> class -> figures."""

    def to_json(self) -> dict[str, Any]:
        """Return plain dictionaries; a figure is ``{"value", "low", "high", "count", "clusters"}`` or None."""
        return {
            "domain": self.domain,
            "steps": self.steps,
            "episodes": self.episodes,
            "overall": {system: figures_json(figures) for system, figures in self.overall.items()},
            "strata": {
                system: {
                    division: {name: figures_json(figures) for name, figures in classes.items()}
                    for division, classes in divisions.items()
                }
                for system, divisions in self.strata.items()
            },
        }

    def tables(self) -> list[Table]:
        """Return the systems side by side, and the model's figures by kind of step."""
        from rich.table import Table

        overall = Table(title=f"{self.domain}: {self.steps:,} recorded steps of {self.episodes:,} episodes, in percent")
        overall.add_column("figure")
        for system in self.overall:
            overall.add_column(system, justify="right")
        for figure, name in _SHOWN.items():
            overall.add_row(name, *(_percent(figures[figure], interval=True) for figures in self.overall.values()))
        divided = Table(title=f"{MODEL}, by kind of step, in percent")
        divided.add_column("steps")
        divided.add_column("n", justify="right")
        for name in _SHOWN.values():
            divided.add_column(name, justify="right")
        for division, classes in self.strata[MODEL].items():
            for name, figures in classes.items():
                divided.add_row(*_row(f"{division}: {name}", figures))
            divided.add_section()
        return [overall, divided]


def report_fidelity(domain: Domain, answers: Mapping[str, Sequence[Answer]], seed: int = 0) -> FidelityReport:
    """Work out all figures.

    Args:
        domain: segments pages and names kinds of actions.
        answers: of each system, as :func:`~dreamgym_env.evaluation.fidelity.answer_all` returns them.
        seed: of the intervals.
    """
    steps = [answer.step for answer in answers[MODEL]]
    return FidelityReport(
        domain=domain.name,
        steps=len(steps),
        episodes=len({step.episode for step in steps}),
        overall={system: _figures(domain, given, seed) for system, given in answers.items()},
        strata={
            system: {
                division: {
                    name: _figures(domain, [a for a in given if classify(domain, a) == name], seed)
                    for name in sorted({classify(domain, answer) for answer in given})
                }
                for division, classify in STRATA.items()
            }
            for system, given in answers.items()
        },
    )


STRATA: Mapping[str, Callable[[Domain, Answer], str]] = {
    "kind": lambda domain, answer: domain.action_kind(answer.step.action) if answer.step.valid else "not offered",
    "state": lambda domain, answer: "changes" if answer.step.next_state != answer.step.state else "does not change",
    "step": lambda domain, answer: f"{answer.step.step:02d}" if answer.step.step < _LATE else f"{_LATE:02d} or later",
    "memory": lambda domain, answer: answer.memory,
}
"""Divisions of the steps into classes."""


def _figures(domain: Domain, answers: Sequence[Answer], seed: int) -> Figures:
    """Estimate every figure over some answers."""
    pairs = [_pairs(domain, answer) for answer in answers]
    if not pairs:
        return {}
    table = np.array([list(row.values()) for row in pairs], dtype=np.float64)  # (steps, figures, 2)
    episodes = [(answer.step.task_id, answer.step.episode) for answer in answers]
    return dict(zip(pairs[0], ratio_estimates(table[:, :, 0], table[:, :, 1], episodes, seed), strict=True))


def _pairs(domain: Domain, answer: Answer) -> dict[str, tuple[float, float]]:
    """Return for each figure what a step adds to its numerator and to its denominator."""
    step, prediction = answer.step, answer.prediction
    success = step.terminated and step.reward > 0
    judged = answer.verdict is not None
    verified = answer.verdict is not None and answer.verdict.success
    real, predicted = (domain.segment(state, step.instruction) for state in (step.next_state, answer.next_state))
    return {
        "exact_match": (answer.exact, 1),
        "line_f1": (0.0 if prediction.failure else line_f1(predicted, real), 1),
        "reward_accuracy": (answer.claims_success == success, 1),
        "termination_accuracy": (prediction.terminated == step.terminated, 1),
        "false_success": (answer.claims_success and not success, not success),
        "missed_success": (success and not answer.claims_success, success),
        "verified_reward_accuracy": (judged and verified == success, judged),
        "verified_false_success": (verified and not success, judged and not success),
        "verified_missed_success": (judged and success and not verified, judged and success),
        "parse_failures": (bool(prediction.failure), 1),
        "prompt_tokens": (prediction.prompt_tokens, 1),
        "completion_tokens": (prediction.completion_tokens, 1),
        "seconds": (answer.seconds, 1),
    }


def figures_json(figures: Figures) -> dict[str, dict[str, float | int] | None]:
    """Return figures as JSON values: ``{"value", "low", "high", "count", "clusters"}`` each, or None."""
    return {name: estimate.to_json() if estimate is not None else None for name, estimate in figures.items()}


def _row(name: str, figures: Figures) -> list[str]:
    exact = figures["exact_match"]
    assert exact is not None  # every step counts for it
    return [name, f"{exact.count:,}", *(_percent(figures[figure]) for figure in _SHOWN)]


def _percent(estimate: Estimate | None, *, interval: bool = False) -> str:
    if estimate is None:
        return "-"
    spread = f" ({estimate.low:.1%}-{estimate.high:.1%})".replace("%", "") if interval else ""
    return f"{estimate.value:.1%}{spread}".replace("%", "")
