"""Which episodes of a comparison a report shows step by step, and how they are written."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from dreamgym_env.evaluation.comparison import Comparison, EpisodeRow
from dreamgym_env.evaluation.rollout import EpisodeResult
from dreamgym_env.simulation.episode import Outcome
from dreamgym_env.types import Memory

__all__ = ["kept_transcripts", "outcome_class"]

_CLASSES = (
    "a failure cut it short",
    "solved in the dream, and not by the same actions in the real environment",
    "not solved in the dream, and by the same actions in the real environment",
    "the agent solves it in the dream only",
    "the agent solves it in the real environment only",
    "the same outcome on other pages",
    "the same throughout",
)
"""Classes of episodes, the most telling first."""


def outcome_class(row: EpisodeRow) -> str:
    """Return the first class that a row of episodes is of."""
    told = (
        row.failed,
        row.dream.success and not row.replayed.success,
        row.replayed.success and not row.dream.success,
        row.dream.success and not row.real.success,
        row.real.success and not row.dream.success,
        row.dream.states != row.replayed.states,
        True,
    )
    return _CLASSES[told.index(True)]


def kept_transcripts(comparison: Comparison, count: int) -> list[dict[str, Any]]:
    """Return episodes to be shown: of each class and agent some, in turn, the most telling classes first.

    Args:
        comparison: what was played.
        count: how many to keep at most.
    """
    waiting: dict[tuple[str, str], list[tuple[str, EpisodeRow]]] = defaultdict(list)
    for agent in comparison.runs:
        for row in comparison.rows(agent):
            waiting[outcome_class(row), agent].append((agent, row))
    queues = [waiting[key] for key in sorted(waiting, key=lambda key: _CLASSES.index(key[0]))]
    kept: list[tuple[str, EpisodeRow]] = []
    while any(queues) and len(kept) < count:
        for queue in queues:
            if queue and len(kept) < count:
                kept.append(queue.pop(0))
    kept.sort(key=lambda one: _CLASSES.index(outcome_class(one[1])))
    return [_transcript(agent, row) for agent, row in kept]


def _transcript(agent: str, row: EpisodeRow) -> dict[str, Any]:
    task = row.dream.task
    return {
        "agent": agent,
        "seed": row.seed,
        "task_id": task.id,
        "instruction": task.instruction,
        "initial_state": task.initial_state,
        "real_initial_state": row.real.task.initial_state,
        "kept_because": outcome_class(row),
        "dream": {**_end(row.dream), "steps": [_dreamt_step(outcome) for outcome in row.dream.outcomes]},
        "dream_actions_in_real": _real_episode(row.replayed),
        "real": _real_episode(row.real),
    }


def _end(episode: EpisodeResult) -> dict[str, Any]:
    return {
        "success": episode.success,
        "score": round(episode.score, 4),
        "stop": str(episode.stop),
        "failure": episode.failure,
    }


def _real_episode(episode: EpisodeResult) -> dict[str, Any]:
    return {**_end(episode), "steps": [_step(outcome) for outcome in episode.outcomes]}


def _step(outcome: Outcome) -> dict[str, Any]:
    step = outcome.transition
    reward = step.reward if outcome.paid is None else outcome.paid
    return {"action": step.action, "state": step.next_state, "reward": reward, "valid": step.valid}


def _dreamt_step(outcome: Outcome) -> dict[str, Any]:
    return {
        **_step(outcome),
        "answered_by": str(outcome.answered_by),
        "reasoning": outcome.transition.reasoning,
        "seconds": round(outcome.seconds, 4),
        "memories": _memories(outcome.memories),
    }


def _memories(memories: Sequence[Memory]) -> list[dict[str, Any]]:
    return [
        {
            "id": memory.id,
            "similarity": round(memory.similarity, 4),
            "source": str(memory.transition.source),
            "action": memory.transition.action,
            "state": memory.transition.next_state,
        }
        for memory in memories
    ]
