"""Whether agents that do better in the dream do better in the real environment."""

from __future__ import annotations

import itertools
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from dreamgym_env.evaluation.agent_sampling import AcrossAgents, across_agents
from dreamgym_env.evaluation.intervals import Estimate, FloatArray, draw_clusters, sum_by_cluster

__all__ = ["OrderDisagreement", "RankCorrelation", "rank_correlation"]

_FEWEST = 3
_DECIMALS = 12
"""Means that are the same to so many decimals are tied."""


@dataclass(frozen=True, slots=True)
class OrderDisagreement:
    """Two agents of which one does better in the dream and the other in the real environment."""

    better_in_dream: str
    better_in_real: str
    dream_gap: float
    """By how much the first is better in the dream; above 0."""
    real_gap: float
    """By how much the second is better in the real environment; above 0."""

    def to_json(self) -> dict[str, Any]:
        """Return the members, rounded."""
        return {
            "better_in_dream": self.better_in_dream,
            "better_in_real": self.better_in_real,
            "dream_gap": round(self.dream_gap, 6),
            "real_gap": round(self.real_gap, 6),
        }


@dataclass(frozen=True, slots=True)
class RankCorrelation:
    """How far the order of agents in the dream is their order in the real environment."""

    dream: Mapping[str, float]
    """Agent -> mean outcome in the dream."""
    real: Mapping[str, float]
    """Agent -> mean outcome in the real environment."""
    spearman: Estimate | None
    """Spearman's rho; its ``count`` is the number of agents."""
    kendall: Estimate | None
    """Kendall's tau-b, likewise."""
    disagreements: tuple[OrderDisagreement, ...]
    """Pairs whose order is reversed, the largest gap first; agents that are tied on one side are none."""
    reason: str = ""
    """Why there is no correlation; empty where there is one."""
    across_agents: AcrossAgents | None = None
    """What Spearman's rho says of other agents; the intervals above are of these agents, over redrawn tasks."""

    @property
    def agents(self) -> int:
        """How many agents were compared."""
        return len(self.dream)

    def to_json(self) -> dict[str, Any]:
        """Return the members as JSON values, rounded."""
        return {
            "agents": self.agents,
            "dream": {agent: round(mean, 6) for agent, mean in self.dream.items()},
            "real": {agent: round(mean, 6) for agent, mean in self.real.items()},
            "spearman": self.spearman.to_json() if self.spearman else None,
            "kendall": self.kendall.to_json() if self.kendall else None,
            "disagreements": [pair.to_json() for pair in self.disagreements],
            "reason": self.reason,
            "spearman_across_agents": self.across_agents.to_json() if self.across_agents else None,
        }


def rank_correlation(
    dream: Mapping[str, Sequence[float]],
    real: Mapping[str, Sequence[float]],
    clusters: Sequence[Hashable],
    seed: int,
) -> RankCorrelation:
    """Compare the order of agents in the dream with their order in the real environment.

    The intervals of both come of drawing tasks with replacement, the same ones for all agents and for both
    environments; what other agents would do, :func:`~.agent_sampling.across_agents` says.  Draws in which all agents
    are tied have no order and are left out.  From outcomes of one task nothing can be drawn, and the interval is
    [-1, 1].

    Args:
        dream: agent -> outcomes (success or score) of n episodes in the dream.
        real: the same agents -> outcomes of the same episodes in the real environment.
        clusters: the task of each of the n episodes, the same for all agents.
        seed: of the draws.

    Returns:
        Without correlation, and with a reason, for fewer than 3 agents or where all agents are tied on one side.

    Raises:
        ValueError: the two are not of the same agents, or an agent has not one finite outcome for each episode.
    """
    agents = list(dream)
    if set(agents) != set(real):
        odd = ", ".join(sorted(set(agents) ^ set(real)))
        raise ValueError(f"These agents have played in one environment only: {odd}. Let all play in both.")
    dreamt, lived = (_sums(side, agents, clusters) for side in (dream, real))
    count = max(1, len(clusters))
    means = np.array([_rounded(dreamt.sum(axis=0) / count), _rounded(lived.sum(axis=0) / count)])
    reason = _reason(means)
    spearman, kendall = (None, None) if reason else _correlations(means, dreamt, lived, seed)
    return RankCorrelation(
        dict(zip(agents, means[0].tolist(), strict=True)),
        dict(zip(agents, means[1].tolist(), strict=True)),
        spearman,
        kendall,
        _disagreements(agents, means),
        reason,
        None if reason else across_agents(means[0].tolist(), means[1].tolist(), seed),
    )


def _sums(outcomes: Mapping[str, Sequence[float]], agents: Sequence[str], clusters: Sequence[Hashable]) -> FloatArray:
    """Return each agent's outcomes added up by task: shape (tasks, agents)."""
    for agent in agents:
        if len(outcomes[agent]) != len(clusters):
            raise ValueError(
                f"Agent {agent} has {len(outcomes[agent])} outcomes for {len(clusters)} episodes. All agents must play "
                "the same episodes."
            )
    table = np.array([outcomes[agent] for agent in agents], dtype=np.float64).reshape(len(agents), len(clusters))
    if not np.isfinite(table).all():
        raise ValueError("An outcome is no finite number. Leave out the episodes that have none.")
    return sum_by_cluster(table.T, clusters)


def _rounded(means: FloatArray) -> FloatArray:
    return np.round(means, _DECIMALS)


def _reason(means: FloatArray) -> str:
    agents = means.shape[1]
    if agents < _FEWEST:
        return f"A rank correlation needs at least {_FEWEST} agents; there are {agents}."
    for side, row in zip(("the dream", "the real environment"), means, strict=True):
        if np.ptp(row) == 0:
            return f"All agents do equally well in {side}, so that they have no order."
    return ""


def _correlations(means: FloatArray, dreamt: FloatArray, lived: FloatArray, seed: int) -> tuple[Estimate, Estimate]:
    from scipy.stats import kendalltau, rankdata, spearmanr

    tasks, agents = dreamt.shape
    draws = draw_clusters(tasks, seed)
    # Most draws order the agents alike: each order is worked out once.
    orders = np.stack([rankdata(_rounded(draws @ side / tasks), axis=1) for side in (dreamt, lived)], axis=1)
    distinct, which = np.unique(orders, axis=0, return_inverse=True)
    ordered = np.ptp(distinct, axis=2).min(axis=1) > 0
    estimates = []
    for correlate in (spearmanr, kendalltau):
        value = float(correlate(*means).statistic)
        low, high = -1.0, 1.0
        if tasks > 1 and ordered.any():
            each = np.full(len(distinct), np.nan)
            each[ordered] = [correlate(*order).statistic for order in distinct[ordered]]
            low, high = (float(end) for end in np.nanpercentile(each[which.ravel()], [2.5, 97.5]))
        estimates.append(Estimate(value, low, high, agents, tasks))
    spearman, kendall = estimates
    return spearman, kendall


def _disagreements(agents: Sequence[str], means: FloatArray) -> tuple[OrderDisagreement, ...]:
    found = []
    for first, second in itertools.permutations(range(len(agents)), 2):
        dream_gap, real_gap = means[0, first] - means[0, second], means[1, second] - means[1, first]
        if dream_gap > 0 and real_gap > 0:
            found.append(OrderDisagreement(agents[first], agents[second], float(dream_gap), float(real_gap)))
    return tuple(sorted(found, key=lambda pair: pair.dream_gap + pair.real_gap, reverse=True))
