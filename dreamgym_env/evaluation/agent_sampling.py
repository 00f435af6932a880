"""What the rank correlation of a few agents says of other agents: each agent is one observation, however many tasks.

If the dream says nothing of the real environment, every order of the agents there is as likely as any other, and the
share of orders that are as much alike is the p value (the permutation test: exact, and without any assumption).  If the
agents were drawn at random from many, whose skills in both environments go together to some degree, the interval holds
the degrees under which a correlation as high as the one found is no surprise, nor one as low (inversion of tests, as in
Clopper and Pearson's interval of a share).  A bootstrap over agents, and Fisher's z with any variance, give no width
where all agents rank the same; yet three that are drawn at random do so once in six.
"""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass

import numpy as np
import numpy.typing as npt

from dreamgym_env.evaluation.intervals import FloatArray

__all__ = ["AcrossAgents", "across_agents", "spearman_of_permutations"]

_DRAWS = 20_000
_MOST_ENUMERATED = 8
"""Agents whose orders are all looked at: 40,320; of more agents, random orders are."""
_TAIL = 0.025
_SAME = 1e-8
_HALVINGS = 16
"""More would tell ends apart that differ by less than the draws do."""


@dataclass(frozen=True, slots=True)
class AcrossAgents:
    """What a correlation of n agents says of the population that they were drawn from."""

    low: float
    """Lower end of the 95 % interval of Spearman's rho among all such agents."""
    high: float
    p: float
    """How likely orders as much alike, or as much reversed, would be if neither environment told of the other."""

    def to_json(self) -> dict[str, float]:
        """Return the members, rounded."""
        return {name: round(value, 6) for name, value in asdict(self).items()}


def across_agents(dream: Sequence[float], real: Sequence[float], seed: int) -> AcrossAgents:
    """Estimate how alike the environments rank other agents, which are measured as these were.

    The p value is two-sided: twice the smaller side.  The interval assumes that the agents' two skills, on whatever
    scale, are jointly normal (a Gaussian copula; its Spearman's rho is 6 / pi * asin(r / 2)), and that none are tied.

    Args:
        dream: n figures, one an agent, 3 or more; not all the same.
        real: those of the same agents in the real environment; not all the same.
        seed: of the draws.

    Raises:
        ValueError: there are not as many of both, fewer than 3, or all of one side are the same.
    """
    if len(dream) != len(real) or len(dream) < 3 or not (np.ptp(dream) and np.ptp(real)):
        raise ValueError("Give as many figures of both environments, three or more, which differ in both.")
    from scipy.stats import spearmanr

    found = float(spearmanr(dream, real).statistic)
    chance = spearman_of_permutations(dream, real, seed)
    sides = np.mean(chance >= found - _SAME), np.mean(chance <= found + _SAME)
    return AcrossAgents(*_ends(len(dream), round(found, 9), seed), p=min(1.0, 2 * float(min(sides))))


def spearman_of_permutations(dream: Sequence[float], real: Sequence[float], seed: int) -> FloatArray:
    """Return Spearman's rho of one side with each order of the other: all of them up to 8 agents, else 20,000.

    Random orders include the one that was found, so that no p value is 0.
    """
    from scipy.stats import rankdata

    one, other = (ranks - ranks.mean() for ranks in map(rankdata, (dream, real)))
    if len(one) <= _MOST_ENUMERATED:
        orders = np.array(list(itertools.permutations(other)))
    else:
        orders = np.random.default_rng(seed).permuted(np.tile(other, (_DRAWS, 1)), axis=1)
        orders[0] = other
    found: FloatArray = orders @ one / math.sqrt((one @ one) * (other @ other))
    return found


@functools.lru_cache(maxsize=256)
def _ends(agents: int, found: float, seed: int) -> tuple[float, float]:
    """Return both ends of the interval."""
    drawn = _correlations_of_draws(agents, seed)
    low = _least(lambda r: np.mean(drawn(r) >= found - _SAME) > _TAIL)
    high = -_least(lambda r: np.mean(drawn(-r) <= found + _SAME) > _TAIL)
    return _spearman(low), _spearman(high)


def _correlations_of_draws(agents: int, seed: int) -> Callable[[float], FloatArray]:
    """Return what gives Spearman's rho of 20,000 samples of agents whose skills are correlated by r.

    The samples are the same for each r, so that each one's rho grows with r: a pair of agents that is ordered alike
    under one r is so under all higher ones.
    """
    generator = np.random.default_rng(seed)
    one, other = np.sort(generator.standard_normal((_DRAWS, agents))), generator.standard_normal((_DRAWS, agents))
    middle = (agents - 1) / 2
    places = np.arange(agents) - middle

    def correlations(r: float) -> FloatArray:
        skills = r * one + math.sqrt(1 - r * r) * other
        ranks: npt.NDArray[np.intp] = skills.argsort(axis=1).argsort(axis=1)
        found: FloatArray = (ranks - middle) @ places / (places @ places)
        return found

    return correlations


def _least(holds: Callable[[float], np.bool | bool]) -> float:
    """Return the least r in [-1, 1] for which something holds that holds for all higher ones."""
    low, high = -1.0, 1.0
    if holds(low):
        return low
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (low, middle) if holds(middle) else (middle, high)
    return high


def _spearman(r: float) -> float:
    """Return Spearman's rho of two jointly normal values with correlation r."""
    return 6 / math.pi * math.asin(r / 2)
