"""The steps of a comparison as transitions files: experience of the real environment, and what was dreamt beside it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from dreamgym_env.evaluation.comparison import Comparison
from dreamgym_env.evaluation.rollout import Rollout
from dreamgym_env.memory.experience import write_transitions
from dreamgym_env.types import Transition

__all__ = ["write_recordings"]

_ODD = re.compile(r"[^\w.-]+")


def write_recordings(comparison: Comparison, folder: Path) -> list[Path]:
    """Write two files an agent, ``AGENT.dream.jsonl.gz`` and ``AGENT.real.jsonl.gz``; return their paths.

    An episode that a failure cut short ends with the step before.
    """
    paths = []
    for number, (agent, runs) in enumerate(comparison.runs.items()):
        name = f"{number:02d}-{_ODD.sub('-', agent).strip('-')[:60]}"
        for side, rollouts in (("dream", [run.dream for run in runs]), ("real", [run.real for run in runs])):
            path = folder / f"{name}.{side}.jsonl.gz"
            env_id = comparison.dream_id if side == "dream" else comparison.real_id
            steps = (step for rollout in rollouts for step in _steps(rollout))
            write_transitions(path, steps, header={"domain": comparison.domain.name, "env": env_id, "agent": agent})
            paths.append(path)
    return paths


def _steps(rollout: Rollout) -> Iterator[Transition]:
    for episode in rollout.episodes:
        yield from (outcome.transition for outcome in episode.outcomes if not outcome.failure)
