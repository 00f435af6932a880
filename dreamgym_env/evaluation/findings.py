"""The figures of a comparison, as JSON values; every one stands under the environment that it comes from.

Episodes in which a model or an engine failed say nothing of what an agent can do: they are counted as failures, and
left out of all other figures.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from dreamgym_env.evaluation.calibration import Calibration, calibration_errors
from dreamgym_env.evaluation.comparison import Comparison, EpisodeRow
from dreamgym_env.evaluation.divergence import drift, first_divergence
from dreamgym_env.evaluation.intervals import Estimate
from dreamgym_env.evaluation.rollout import EpisodeResult, Rollout
from dreamgym_env.evaluation.side_by_side import SideBySide
from dreamgym_env.evaluation.statistics import (
    agreement_table,
    consistency_ratio,
    distribution_distance,
    false_success,
    mean_estimate,
    missed_success,
    paired_gap,
    proportion,
    rank_correlation,
)
from dreamgym_env.types import Domain

__all__ = ["SIDES", "agent_findings", "calibration_findings", "drift_findings", "rank_findings"]

SIDES: Mapping[str, Callable[[EpisodeRow], EpisodeResult]] = {
    "dream": lambda row: row.dream,
    "real": lambda row: row.real,
    "dream_actions_in_real": lambda row: row.replayed,
    "real_actions_in_dream": lambda row: row.redreamt,
}
"""Name of a side in the figures -> the episode of a row that is played there."""

_SEED = 0
"""Of the intervals."""


def agent_findings(comparison: Comparison, agent: str) -> dict[str, Any]:
    """Return all that is known of one agent; the layout is that of the JSON report."""
    rows = list(comparison.rows(agent))
    sound = [row for row in rows if not row.failed]
    tasks = [row.task_id for row in sound]
    won = {side: [pick(row).success for row in sound] for side, pick in SIDES.items()}
    score = {side: [pick(row).score for row in sound] for side, pick in SIDES.items()}
    runs = comparison.runs[agent]
    return {
        "agent": agent,
        "episodes": len(rows),
        "success": {side: _json(proportion(found, tasks)) for side, found in won.items()},
        "score": {side: _json(mean_estimate(found, tasks, _SEED)) for side, found in score.items()},
        "gap": {
            "success": _json(paired_gap(list(map(float, won["dream"])), list(map(float, won["real"])), tasks, _SEED)),
            "score": _json(paired_gap(score["dream"], score["real"], tasks, _SEED)),
        },
        "agreement": agreement_table(won["dream"], won["real"]).to_json(),
        "false_success": _json(false_success(won["dream"], won["dream_actions_in_real"], tasks)),
        "missed_success": _json(missed_success(won["dream"], won["dream_actions_in_real"], tasks)),
        "consistency_ratio": _json(consistency_ratio(won["dream_actions_in_real"], won["real"], tasks, _SEED)),
        "reverse_consistency_ratio": _json(
            consistency_ratio(won["real_actions_in_dream"], won["dream"], tasks, _SEED)
        ),
        "returns": _distance(sound, lambda episode: _return(episode), "reward"),
        "lengths": _distance(sound, lambda episode: float(episode.steps), "steps"),
        "first_difference": _first_differences(comparison.domain, rows),
        "speed": {"dream": _speed([run.dream for run in runs]), "real": _speed([run.real for run in runs])},
        "answered_by": {"dream": _answered([run.dream for run in runs])},
        "failures": {
            "dream": sum(row.dream.failed or row.redreamt.failed for row in rows),
            "real": sum(row.real.failed or row.replayed.failed for row in rows),
        },
    }


def rank_findings(comparison: Comparison) -> dict[str, Any]:
    """Return how far agents rank alike by their success in the dream and in the real environment.

    A task counts where no agent failed in it, so that all are ranked by the same tasks.
    """
    agents = list(comparison.runs)
    table = {agent: list(comparison.rows(agent)) for agent in agents}
    sound = [at for at in range(len(table[agents[0]])) if not any(table[agent][at].failed for agent in agents)]
    dream, real = (
        {agent: [float(pick(table[agent][at]).success) for at in sound] for agent in agents}
        for pick in (SIDES["dream"], SIDES["real"])
    )
    return rank_correlation(dream, real, [table[agents[0]][at].task_id for at in sound], _SEED).to_json()


def drift_findings(comparison: Comparison) -> list[dict[str, Any]]:
    """Return how true the dream's pages are, step by step, over all agents: the same actions in both worlds."""
    pairs = [(row.dream, row.replayed) for agent in comparison.runs for row in comparison.rows(agent)]
    return [step.to_json() for step in drift(comparison.domain, pairs, _SEED)]


def calibration_findings(comparison: Comparison, anchors: int, seed: int) -> dict[str, Any] | None:
    """Return what a calibration on some of the tasks does for the scores of the others; None without anchors.

    Args:
        comparison: what was played.
        anchors: how many of its tasks the calibration is fitted on, all agents together; the errors before and after
            are those of the other tasks.
        seed: of the choice of anchors.
    """
    rows = [row for agent in comparison.runs for row in comparison.rows(agent) if not row.failed]
    tasks = sorted({row.task_id for row in rows})
    if not anchors or len(tasks) <= anchors:
        return None
    chosen = {tasks[at] for at in np.random.default_rng(seed).permutation(len(tasks))[:anchors]}
    fitted, tested = ([row for row in rows if (row.task_id in chosen) is wanted] for wanted in (True, False))
    calibration = Calibration.fit(*_scores(fitted))
    dreamt, real = _scores(tested)
    return {
        "anchors": anchors,
        "tested": len(tasks) - anchors,
        "before": calibration_errors(dreamt, real).to_json(),
        "after": calibration_errors(calibration.apply(dreamt), real).to_json(),
        **calibration.to_json(),
        "points": _points(dreamt, real),
    }


def _scores(rows: Sequence[EpisodeRow]) -> tuple[list[float], list[float]]:
    return [row.dream.score for row in rows], [row.real.score for row in rows]


def _points(dreamt: Sequence[float], real: Sequence[float]) -> list[list[float]]:
    """Return where tested episodes lie: [dream score, mean real score, how many]."""
    at: dict[float, list[float]] = {}
    for one, other in zip(dreamt, real, strict=True):
        at.setdefault(round(one, 3), []).append(other)
    return [[score, float(np.mean(found)), len(found)] for score, found in sorted(at.items())]


def _return(episode: EpisodeResult) -> float:
    return float(sum(outcome.transition.reward for outcome in episode.outcomes))


def _distance(rows: Sequence[EpisodeRow], measure: Callable[[EpisodeResult], float], unit: str) -> dict[str, Any] | None:
    if not rows:
        return None
    dream, real = ([measure(pick(row)) for row in rows] for pick in (SIDES["dream"], SIDES["real"]))
    return distribution_distance(dream, real, unit).to_json()


def _first_differences(domain: Domain, rows: Sequence[EpisodeRow]) -> dict[str, Any]:
    found = [first_divergence(domain, row.dream, row.replayed) for row in rows]
    differing = [one for one in found if one is not None]
    return {
        "episodes": len(rows),
        "differing": len(differing),
        "median_step": float(np.median([one.step for one in differing])) if differing else None,
        "kinds": dict(Counter(str(one.kind) for one in differing).most_common()),
        "action_kinds": dict(Counter(one.action_kind for one in differing).most_common()),
    }


def _speed(rollouts: Sequence[Rollout]) -> dict[str, Any]:
    steps, seconds = sum(rollout.steps for rollout in rollouts), sum(rollout.seconds for rollout in rollouts)
    return {
        "steps": steps,
        "seconds": round(seconds, 3),
        "steps_per_second": round(steps / seconds, 3) if seconds else 0.0,
        "lanes": rollouts[0].lanes,
        "prompt_tokens": sum(outcome.prompt_tokens for outcome in _outcomes(rollouts)),
        "completion_tokens": sum(outcome.completion_tokens for outcome in _outcomes(rollouts)),
    }


def _outcomes(rollouts: Sequence[Rollout]) -> Iterator[Any]:
    return (outcome for rollout in rollouts for episode in rollout.episodes for outcome in episode.outcomes)


def _answered(rollouts: Sequence[Rollout]) -> dict[str, int]:
    total: Counter[str] = Counter()
    for rollout in rollouts:
        total.update(rollout.answered_by)
    return dict(total.most_common())


def _json(estimate: Estimate | None) -> dict[str, float | int] | None:
    return None if estimate is None else estimate.to_json()
