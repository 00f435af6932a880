"""The environment's verdict as a reward function of TRL."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from dreamgym_env.integrations.trl.episode import OUT_OF_TOKENS

__all__ = ["episode_reward"]


def episode_reward(
    *,
    episode_return: Sequence[float],
    won: Sequence[bool],
    task_score: Sequence[float],
    stop_reason: Sequence[str],
    failure: Sequence[str],
    turns: Sequence[int],
    ill_formed: Sequence[int],
    cut_replies: Sequence[int],
    log_metric: Callable[[str, float], None] | None = None,
    **others: Any,
) -> list[float | None]:
    """Return each episode's return: 1 at success, else 0, None where the environment gave no verdict.

    None keeps an episode out of its group's baseline and out of the loss: an answer of the world model that could not
    be read says nothing about the agent.  Means are logged as ``episodes/...``.  Arguments are those of
    :class:`~dreamgym_env.integrations.trl.rollout.TextRollout`, whatever else TRL passes is ignored.
    """
    if log_metric is not None:
        replies = max(1, sum(turns))
        log_metric("episodes/success", float(np.mean(won)))
        log_metric("episodes/task_score", float(np.mean(task_score)))
        log_metric("episodes/turns", float(np.mean(turns)))
        log_metric("episodes/failed", float(np.mean([bool(reason) for reason in failure])))
        log_metric("episodes/out_of_tokens", float(np.mean([reason == OUT_OF_TOKENS for reason in stop_reason])))
        log_metric("replies/ill_formed", sum(ill_formed) / replies)
        log_metric("replies/cut", sum(cut_replies) / replies)
    return [None if reason else value for reason, value in zip(failure, episode_return, strict=True)]
