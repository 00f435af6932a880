"""The report of a run: how it learnt, and its first and last policy side by side in the dream and in the world."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from dreamgym_env.curriculum import count_variations
from dreamgym_env.evaluation.comparison import compare_agents
from dreamgym_env.evaluation.environments import environment_id
from dreamgym_env.evaluation.findings import findings
from dreamgym_env.evaluation.pairs import open_pair
from dreamgym_env.evaluation.rollout import EpisodeResult
from dreamgym_env.learning.loop import PHASES, Progress
from dreamgym_env.learning.options import LearningOptions
from dreamgym_env.learning.places import real_keywords
from dreamgym_env.learning.run_folder import RunFolder
from dreamgym_env.policies.agents import PolicyCrew
from dreamgym_env.policies.policy import Policy

__all__ = ["compare_policies", "told"]

_TRANSCRIPTS = 40


def compare_policies(
    options: LearningOptions,
    folder: RunFolder,
    progress: Progress,
    tasks: int,
    *,
    episode: Callable[[EpisodeResult], object] | None = None,
) -> dict[str, Any]:
    """Play the first and the last policy of a run in the dream and in the real environment.

    Args:
        options: of the run.
        folder: of the run.
        progress: of the run.
        tasks: how many of the evaluation's split.
        episode: called with each of the 8 x tasks episodes.

    Returns:
        Findings as those of a comparison, with a member ``learning``: what ``write_html`` takes.

    Raises:
        DreamGymError: an environment cannot be made, or the policies cannot be compared.
    """
    dream_id, real_id = (environment_id(options.domain, real=real) for real in (False, True))
    dream_settings = {**options.settings, "world_model": options.world_model}
    with open_pair(
        dream_id,
        real_id,
        tasks=tasks,
        lanes=min(options.lanes, tasks),
        split=options.evaluation_split,
        dream_settings=dream_settings,
        real_settings=real_keywords(options),
    ) as pair:
        domain = pair.dream.domain
        agents = {
            name: PolicyCrew(domain, Policy.load(path, domain), name=name)
            for name, path in (("before learning", folder.start), ("after learning", folder.policy))
        }
        comparison = compare_agents(pair.dream, pair.real, agents, pair.task_ids, [options.seed], progress=episode)
        about = {
            **pair.about([options.seed]),
            "world_model": options.to_json()["world_model"],
            "settings": {name: str(value) for name, value in options.to_json().items() if name in _SHOWN},
        }
        found = findings(comparison, about, kept=_TRANSCRIPTS)
    return {**found, "learning": {"curve": _curve(progress), "said": told(options, progress)}}


_SHOWN = frozenset(
    (
        "algorithm",
        "steps",
        "then_real",
        "lanes",
        "start",
        "anchor",
        "curriculum",
        "variations",
        "enrich",
        "hyperparameters",
    )
)
"""Options that a report names."""


def told(options: LearningOptions, progress: Progress) -> list[str]:
    """Return sentences about what was learnt from, and how long it took."""
    dream, real = (environment_id(options.domain, real=real) for real in (False, True))
    said = [
        f"{options.algorithm} learnt from {progress.steps['dream']:,} steps in {dream} and {progress.steps['real']:,} "
        f"in {real}: {progress.all_real_transitions:,} transitions of the real environment in all."
    ]
    if anchors := progress.real_transitions["dream"]:
        said.append(f"{anchors:,} of the steps in the dream were those of anchors, played in {real}.")
    if progress.curriculum is not None:
        drawn, made = progress.curriculum["drawn"], progress.curriculum["ancestors"]
        said.append(
            f"The curriculum made {len(made):,} variations of tasks; {count_variations(drawn, made):,} of the "
            f"{sum(drawn.values()):,} tasks that it drew were such."
        )
    if progress.evaluation_transitions:
        said.append(
            f"Evaluations took {progress.evaluation_transitions:,} further transitions in {real}, which nothing was "
            "learnt from."
        )
    places = dict(zip(PHASES, ("the dream", "the real environment"), strict=True))
    spent = ", ".join(
        f"{progress.seconds[one]:,.0f} s in {place}" for one, place in places.items() if progress.steps[one]
    )
    said.append(f"Learning took {spent}; evaluations {progress.seconds['evaluation']:,.0f} s.")
    if progress.failures:
        said.append(f"{progress.failures:,} episodes were cut short by a failure of a model or an engine.")
    return said


def _curve(progress: Progress) -> list[Mapping[str, Any]]:
    return [
        {
            "steps": row["steps"],
            "phase": "real" if row["real_transitions"] else "dream",
            "success": {
                "value": row["evaluation"]["success"],
                "low": row["evaluation"]["low"],
                "high": row["evaluation"]["high"],
                "count": row["evaluation"]["episodes"],
            },
        }
        for row in progress.curve
    ]
