"""What a policy can do in the real environment."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass
from typing import Any

from dreamgym_env.envs.text_vector_env import TextVectorEnv
from dreamgym_env.evaluation.pairs import draw_tasks
from dreamgym_env.evaluation.rollout import plan_episodes, play
from dreamgym_env.evaluation.statistics import proportion
from dreamgym_env.policies.agents import PolicyCrew
from dreamgym_env.policies.policy import Policy

__all__ = ["Evaluation", "evaluate"]

_AGENT = "policy"


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Success of a policy in one environment; a failed episode is counted as such, and in no other figure."""

    env_id: str
    split: str
    success: float
    low: float
    high: float
    """Ends of the 95 % interval of success (Wilson)."""
    score: float
    """Mean graded score."""
    episodes: int
    failures: int
    """Episodes that an engine cut short."""
    steps: int
    seconds: float

    def to_json(self) -> dict[str, Any]:
        """Return the members, rounded."""
        return {name: round(value, 6) if isinstance(value, float) else value for name, value in asdict(self).items()}


def evaluate(policy: Policy, env: TextVectorEnv, split: str, tasks: int, seed: int = 0) -> Evaluation:
    """Let a policy play tasks of a split, as the agent ``policy(PATH)`` of a comparison does: by its best candidate.

    Args:
        policy: who plays.
        env: where; it stays open.
        split: of the tasks.
        tasks: how many, one episode each; all of the split where it has fewer.  They are the same for every policy.
        seed: of the episodes.
    """
    began = time.perf_counter()
    ids = draw_tasks(env.domain, split, tasks)
    crew = PolicyCrew(env.domain, policy, name=_AGENT)
    played = play(env, {_AGENT: crew}, plan_episodes(ids, _AGENT, seed))
    sound = [episode for episode in played.episodes if not episode.failed]
    share = proportion([episode.success for episode in sound], [episode.task.id for episode in sound])
    return Evaluation(
        env_id=played.env_id,
        split=split,
        success=share.value if share else 0.0,
        low=share.low if share else 0.0,
        high=share.high if share else 1.0,
        score=sum(episode.score for episode in sound) / len(sound) if sound else 0.0,
        episodes=len(sound),
        failures=played.failures,
        steps=played.steps,
        seconds=time.perf_counter() - began,
    )
