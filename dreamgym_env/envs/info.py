"""The ``info`` dictionaries, the same for dream and real, single and vector environments."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from dreamgym_env.simulation.episode import Backend, Episode, Outcome
from dreamgym_env.types import StopReason

__all__ = ["add_infos", "reset_info", "step_info"]


def reset_info(backend: Backend, episode: Episode) -> dict[str, Any]:
    """Return what ``reset`` says beside the observation.

    ``task_id``, ``instruction``, ``split``, ``parent``: of the task; ``available_actions``: tuple of texts;
    ``anchor``: whether the real environment plays this episode in the dream's place; ``shadow``, only under
    :class:`~dreamgym_env.shadow.ShadowReal`: how the dream compares with the real episode that runs along.
    """
    info: dict[str, Any] = {
        "task_id": episode.task.id,
        "instruction": episode.task.instruction,
        "split": episode.task.split,
        "parent": episode.task.parent,
        "available_actions": backend.available_actions(episode),
        "anchor": episode.anchor,
    }
    if episode.shadow is not None:
        info["shadow"] = dict(episode.shadow.info)
    return info


def step_info(backend: Backend, episode: Episode, outcome: Outcome) -> dict[str, Any]:
    """Return what ``step`` says beside observation, reward and end: all that :func:`reset_info` says, and

    ``reasoning``: why the environment answered so; ``answered_by``: ``guard``, ``replay``, ``memo``, ``model`` or
    ``real``; ``memories``: list of ``{"id", "similarity", "source", "action"}``; ``valid``: whether the state offered
    the action; ``won``: success; ``task_score``: graded score in [0, 1]; ``tokens`` and ``completion_tokens``: what
    the step cost; ``seconds``: its share of the model call's time under ``step``, and from ``send`` until its answer
    was received by ``recv``; ``stop_reason``: see :class:`StopReason`; ``failure``: why the model's answer could not
    be read, why the real engine gave none, or empty.
    """  # noqa: D415 - the sentence goes on
    return {
        **reset_info(backend, episode),
        "reasoning": outcome.transition.reasoning,
        "answered_by": str(outcome.answered_by),
        "memories": [
            {
                "id": memory.id,
                "similarity": memory.similarity,
                "source": str(memory.transition.source),
                "action": memory.transition.action,
            }
            for memory in outcome.memories
        ],
        "valid": bool(outcome.transition.valid),
        "won": outcome.stop is StopReason.SUCCESS,
        "task_score": float(outcome.transition.score),
        "tokens": outcome.prompt_tokens + outcome.completion_tokens,
        "completion_tokens": outcome.completion_tokens,
        "seconds": float(outcome.seconds),
        "stop_reason": str(outcome.stop),
        "failure": outcome.failure,
    }


def add_infos(infos: dict[str, Any], lanes: Sequence[int], rows: Sequence[dict[str, Any]], num_envs: int) -> None:
    """Add the infos of some lanes, all with the same keys, to those of a vector environment.

    The result is what ``gymnasium.vector.VectorEnv._add_info`` makes of them one after another: for each key an array
    of shape (num_envs,), of numbers or else of objects, or a dictionary of such arrays for a key whose values are
    dictionaries, and under ``_key`` whether a lane has it.
    """
    for key in rows[0] if rows else ():
        values = [row[key] for row in rows]
        if isinstance(values[0], dict):
            add_infos(infos.setdefault(key, {}), lanes, values, num_envs)
            infos.setdefault(f"_{key}", np.zeros(num_envs, dtype=np.bool_))[lanes] = True
            continue
        if key not in infos:
            kind = type(values[0]) if type(values[0]) in (bool, int, float) else object
            infos[key] = np.full(num_envs, None if kind is object else 0, dtype=kind)
            infos[f"_{key}"] = np.zeros(num_envs, dtype=np.bool_)
        column = infos[key]
        column[lanes] = np.fromiter(values, column.dtype, len(values))  # a tuple is one value, not a row of them
        infos[f"_{key}"][lanes] = True
