"""The figures of a comparison, as JSON values; each stands under the environment that it comes from.

Episodes in which a model or an engine failed say nothing of what an agent can do: they are counted as failures, and
left out of all other figures.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from dreamgym_env.evaluation.agreement import agreement_table, kinder_p
from dreamgym_env.evaluation.calibration import FEWEST_ANCHORS, Calibration, Errors, calibration_errors
from dreamgym_env.evaluation.comparison import Comparison, EpisodeRow
from dreamgym_env.evaluation.distributions import distribution_distance
from dreamgym_env.evaluation.divergence import drift, first_divergence, sum_up_divergences
from dreamgym_env.evaluation.intervals import Estimate
from dreamgym_env.evaluation.ranking import rank_correlation
from dreamgym_env.evaluation.rollout import EpisodeResult, Rollout
from dreamgym_env.evaluation.statistics import (
    consistency_ratio,
    false_success,
    mean_estimate,
    missed_success,
    paired_gap,
    proportion,
)
from dreamgym_env.evaluation.transcripts import kept_transcripts
from dreamgym_env.evaluation.verdict import verdict, warnings
from dreamgym_env.simulation.episode import Outcome
from dreamgym_env.types import Domain

__all__ = ["SCHEMA", "SIDES", "findings"]

SCHEMA = 1
"""Version of the layout."""

SIDES: Mapping[str, Callable[[EpisodeRow], EpisodeResult]] = {
    "dream": lambda row: row.dream,
    "real": lambda row: row.real,
    "dream_actions_in_real": lambda row: row.replayed,
    "real_actions_in_dream": lambda row: row.redreamt,
}
"""Name of a side in the figures -> the episode of a row that is played there."""

_SEED = 0
"""Of the intervals."""


def findings(
    comparison: Comparison,
    about: Mapping[str, Any],
    *,
    anchors: int = 0,
    kept: int = 0,
    judged: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Return all figures of a comparison, what they say in words, and some transcripts.

    Args:
        comparison: what was played.
        about: how: ``tasks``, ``seeds`` and whatever else a reader should know.
        anchors: how many tasks a calibration is fitted on; below 10 there is none.
        kept: how many transcripts at most.
        judged: ``judges``, ``judges_failed`` and ``judge_agreement``, where judges were asked.

    Returns:
        JSON values; benchmarks, reports and tables read this layout.
    """
    found: dict[str, Any] = {
        "schema": SCHEMA,
        "about": {**about, "tasks_in_buffer": len(comparison.known_tasks)},
        "broken_off": dict(comparison.broken_off),
        "interrupted": comparison.interrupted,
        "dream": {"id": comparison.dream_id},
        "real": {"id": comparison.real_id},
        "agents": [_agent(comparison, agent) for agent in comparison.runs],
        "all_agents": _all_agents(comparison),
        "ranks": _ranks(comparison),
        "drift": _drift(comparison),
        "calibration": _calibration(comparison, anchors),
        "anchors_asked": anchors,
        "judges": [],
        "judges_failed": {},
        "judge_agreement": None,
        **(judged or {}),
        "transcripts": kept_transcripts(comparison, kept),
    }
    return {**found, "verdict": verdict(found), "warnings": warnings(found)}


def _agent(comparison: Comparison, agent: str) -> dict[str, Any]:
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
        "seeds": comparison.seeds(agent),
        "success": {side: _json(proportion(found, tasks)) for side, found in won.items()},
        "score": {side: _json(mean_estimate(found, tasks, _SEED)) for side, found in score.items()},
        "gap": {
            "success": _json(paired_gap(list(map(float, won["dream"])), list(map(float, won["real"])), tasks, _SEED)),
            "score": _json(paired_gap(score["dream"], score["real"], tasks, _SEED)),
        },
        "agreement": _agreement(won["dream"], won["real"], tasks),
        "false_success": _json(false_success(won["dream"], won["dream_actions_in_real"], tasks)),
        "missed_success": _json(missed_success(won["dream"], won["dream_actions_in_real"], tasks)),
        "consistency_ratio": _json(consistency_ratio(won["dream_actions_in_real"], won["real"], tasks, _SEED)),
        "reverse_consistency_ratio": _json(consistency_ratio(won["real_actions_in_dream"], won["dream"], tasks, _SEED)),
        "returns": _distance(sound, _return_of(sound), "reward"),
        "lengths": _distance(sound, lambda episode: float(episode.steps), "steps"),
        "first_difference": _first_differences(comparison.domain, sound),
        "speed": {"dream": _speed([run.dream for run in runs]), "real": _speed([run.real for run in runs])},
        "answered_by": {"dream": _answered([run.dream for run in runs])},
        "failures": {
            "dream": sum(row.dream.failed or row.redreamt.failed for row in rows),
            "real": sum(row.real.failed or row.replayed.failed for row in rows),
        },
        "first_failure": next((told for row in rows if (told := row.failure)), ""),
        "usage": asdict(comparison.usage[agent]) if agent in comparison.usage else None,
    }


def _all_agents(comparison: Comparison) -> dict[str, Any]:
    """Return the figures that are worked out over the episodes of all agents together."""
    rows = list(comparison.sound_rows())
    dream, replayed = ([pick(row).success for row in rows] for pick in (SIDES["dream"], SIDES["dream_actions_in_real"]))
    tasks = [row.task_id for row in rows]
    return {
        "false_success": _json(false_success(dream, replayed, tasks)),
        "missed_success": _json(missed_success(dream, replayed, tasks)),
    }


def _ranks(comparison: Comparison) -> dict[str, Any]:
    """Return how far agents rank alike by their success in the dream and in the real environment.

    An episode counts where all agents have finished it and none failed, so that all are ranked by the same tasks.
    """
    agents = list(comparison.runs)
    sound = [rows for rows in comparison.rows_of_all() if not any(row.failed for row in rows.values())]
    if not sound:
        return {
            "agents": len(agents),
            "spearman": None,
            "kendall": None,
            "spearman_across_agents": None,
            "pairs_that_differ": [],
            "why_none": "There is no episode that every agent ended without a failure.",
        }
    dream, real = (
        {agent: [float(pick(rows[agent]).success) for rows in sound] for agent in agents}
        for pick in (SIDES["dream"], SIDES["real"])
    )
    ranks = rank_correlation(dream, real, [rows[agents[0]].task_id for rows in sound], _SEED)
    return {
        "agents": ranks.agents,
        "spearman": _json(ranks.spearman),
        "kendall": _json(ranks.kendall),
        "spearman_across_agents": ranks.across_agents.to_json() if ranks.across_agents else None,
        "pairs_that_differ": [[pair.better_in_dream, pair.better_in_real] for pair in ranks.disagreements],
        "why_none": ranks.reason,
    }


def _drift(comparison: Comparison) -> list[dict[str, Any]]:
    """Return how true the dream's pages are, step by step, over all agents: the same actions in both worlds."""
    pairs = [(row.dream, row.replayed) for row in comparison.sound_rows()]
    return [
        {
            "step": step.step,
            "episodes": step.count,
            "exact": _json(step.exact),
            "line_f1": _json(step.line_f1),
            "undiverged": _json(step.no_difference),
        }
        for step in drift(comparison.domain, pairs, _SEED)
    ]


def _calibration(comparison: Comparison, anchors: int) -> dict[str, Any] | None:
    """Return what a calibration on some of the tasks does for the scores of the others; None with too few tasks.

    Args:
        comparison: what was played.
        anchors: how many of its tasks the calibration is fitted on, all agents together; the errors before and after
            are those of the other tasks.
    """
    rows = list(comparison.sound_rows())
    tasks = sorted({row.task_id for row in rows})
    if anchors < FEWEST_ANCHORS or len(tasks) <= anchors:
        return None
    chosen = {tasks[at] for at in np.random.default_rng(_SEED).permutation(len(tasks))[:anchors]}
    fitted, tested = ([row for row in rows if (row.task_id in chosen) is wanted] for wanted in (True, False))
    calibration = Calibration.fit(*_scores(fitted), [row.task_id for row in fitted], _SEED)
    dreamt, real = _scores(tested)
    families = [row.task_id for row in tested]
    return {
        "anchors": anchors,
        "tested": len(tasks) - anchors,
        "before": _errors(calibration_errors(dreamt, real, families, _SEED)),
        "after": _errors(calibration_errors(calibration.apply(dreamt), real, families, _SEED)),
        "curve": [list(point) for point in zip(calibration.dream, calibration.real, strict=True)],
        "points": _points(dreamt, real),
    }


def _errors(errors: Errors) -> dict[str, Any]:
    estimates = {"mae": errors.mean_absolute, "mse": errors.mean_squared, "bias": errors.bias}
    return {
        **{name: round(estimate.value, 6) for name, estimate in estimates.items()},
        "ece": round(errors.expected_calibration, 6),
        "intervals": {name: [round(one.low, 6), round(one.high, 6)] for name, one in estimates.items()},
    }


def _scores(rows: Sequence[EpisodeRow]) -> tuple[list[float], list[float]]:
    return [row.dream.score for row in rows], [row.real.score for row in rows]


def _points(dreamt: Sequence[float], real: Sequence[float]) -> list[list[float]]:
    """Return where tested episodes lie: [dream score, mean real score, how many]."""
    at: dict[float, list[float]] = {}
    for one, other in zip(dreamt, real, strict=True):
        at.setdefault(round(one, 3), []).append(other)
    return [[score, float(np.mean(found)), len(found)] for score, found in sorted(at.items())]


def _return_of(rows: Sequence[EpisodeRow]) -> Callable[[EpisodeResult], float]:
    """Return what tells an episode's return: of the environments' own rewards where both sides pay some, else outcomes.

    A dream pays 1 for a success; beside that, what somebody else's environment pays would be on another scale.
    """
    both = (outcome for row in rows for side in (row.dream, row.real) for outcome in side.outcomes)
    if all(outcome.paid is not None for outcome in both):
        return lambda episode: float(sum(outcome.paid or 0.0 for outcome in episode.outcomes))
    return lambda episode: float(sum(outcome.transition.reward for outcome in episode.outcomes))


def _distance(
    rows: Sequence[EpisodeRow], measure: Callable[[EpisodeResult], float], unit: str
) -> dict[str, Any] | None:
    dream, real = ([measure(pick(row)) for row in rows] for pick in (SIDES["dream"], SIDES["real"]))
    distance = distribution_distance(dream, real, [row.task_id for row in rows], _SEED, unit=unit)
    if distance is None:
        return None
    return {
        "dream": {"mean": round(distance.dream.mean, 6), "quartiles": _quartiles(dream)},
        "real": {"mean": round(distance.real.mean, 6), "quartiles": _quartiles(real)},
        "wasserstein": round(distance.distance, 6),
        "chance": round(distance.chance, 6),
        "unit": unit,
    }


def _quartiles(values: Sequence[float]) -> list[float]:
    quartiles: list[float] = np.quantile(values, [0.0, 0.25, 0.5, 0.75, 1.0]).tolist()
    return quartiles


def _agreement(dream: Sequence[bool], real: Sequence[bool], tasks: Sequence[str]) -> dict[str, Any]:
    """Return the outcomes of the agent in both environments."""
    table = agreement_table(dream, real)
    return {
        "both": table.both,
        "dream_only": table.dream_only,
        "real_only": table.real_only,
        "neither": table.neither,
        "share": round(table.share, 6),
        "kappa": None if table.kappa is None else round(table.kappa, 6),
        "mcnemar_p": round(kinder_p(dream, real, tasks), 6),
    }


def _first_differences(domain: Domain, rows: Sequence[EpisodeRow]) -> dict[str, Any]:
    found, tasks = [first_divergence(domain, row.dream, row.replayed) for row in rows], [row.task_id for row in rows]
    kinds = sum_up_divergences(found, tasks).kinds
    differing = [one for one in found if one is not None]
    return {
        "episodes": len(rows),
        "differing": len(differing),
        "share": _json(proportion([one is not None for one in found], tasks)),
        "median_step": float(np.median([one.step for one in differing])) if differing else None,
        "kinds": {str(kind): one.count for kind, one in kinds.items()},
        "median_steps": {str(kind): one.median_step for kind, one in kinds.items()},
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


def _outcomes(rollouts: Sequence[Rollout]) -> Iterator[Outcome]:
    return (outcome for rollout in rollouts for episode in rollout.episodes for outcome in episode.outcomes)


def _answered(rollouts: Sequence[Rollout]) -> dict[str, int]:
    total: Counter[str] = Counter()
    for rollout in rollouts:
        total.update(rollout.answered_by)
    return dict(total.most_common())


def _json(estimate: Estimate | None) -> dict[str, float | int] | None:
    return None if estimate is None else estimate.to_json()
