"""Promises of what few agents say of others: scipy's p value, exact ends, and a width where nothing differs."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import multivariate_normal, permutation_test, spearmanr

from dreamgym_env.evaluation.agent_sampling import across_agents, spearman_of_permutations

SIX = ([0.1, 0.2, 0.3, 0.4, 0.5, 0.6], [0.1, 0.3, 0.2, 0.4, 0.6, 0.5])
TIED = ([0.1, 0.1, 0.3, 0.4, 0.5], [0.0, 0.2, 0.2, 0.2, 0.9])


def pearson(rho):
    """The correlation of jointly normal values whose Spearman's rho is known."""
    return 2 * math.sin(math.pi * rho / 6)


def all_in_order(r, agents):
    """How likely n agents rank the same where their skills are correlated by r: a normal orthant."""
    steps = np.eye(agents - 1, agents, 1) - np.eye(agents - 1, agents)
    within = steps @ steps.T
    cov = np.block([[within, r * within], [r * within, within]])
    inside = multivariate_normal(np.zeros(len(cov)), cov, allow_singular=True).cdf(np.zeros(len(cov)))
    return math.factorial(agents) * inside


@pytest.mark.parametrize("figures", [SIX, TIED, (SIX[0], SIX[1][::-1])])
def test_the_p_value_is_scipys_of_all_orders(figures):
    dream, real = figures
    theirs = permutation_test(
        (dream,), lambda order: spearmanr(order, real).statistic, permutation_type="pairings", n_resamples=np.inf
    )
    assert across_agents(dream, real, 0).p == pytest.approx(theirs.pvalue)


@pytest.mark.parametrize("agents", [3, 4, 5, 6])
def test_agents_that_rank_the_same_do_so_by_chance_as_often_as_one_order_of_all(agents):
    assert across_agents(range(agents), range(agents), 0).p == pytest.approx(2 / math.factorial(agents))


def test_of_many_agents_random_orders_are_looked_at_and_no_p_value_is_0():
    found = across_agents(range(12), range(12), 0)
    assert found.p == pytest.approx(2 / 20_000)
    chance = spearman_of_permutations(range(12), range(12), 0)
    assert chance.std() == pytest.approx(math.sqrt(1 / 11), rel=0.03), "the variance of rho under chance is 1/(n-1)"


@pytest.mark.parametrize("agents", [3, 4])
def test_the_lower_end_is_where_the_same_order_would_be_a_surprise(agents):
    found = across_agents(range(agents), range(agents), 0)
    assert all_in_order(pearson(found.low), agents) == pytest.approx(0.025, abs=0.004)
    assert found.high == pytest.approx(1)


def test_it_has_a_width_where_agents_rank_the_same_and_less_of_one_the_more_there_are():
    widths = [1 - across_agents(range(agents), range(agents), 0).low for agents in (3, 4, 6, 10)]
    assert widths == sorted(widths, reverse=True)
    assert widths[0] > 1.5 and 0.2 < widths[2] < 0.5 and widths[3] < 0.1


def test_a_reversed_order_has_the_mirrored_interval():
    alike, reversed_ = across_agents(*SIX, 0), across_agents(SIX[0], [-figure for figure in SIX[1]], 0)
    assert (reversed_.low, reversed_.high) == pytest.approx((-alike.high, -alike.low), abs=0.03)
    assert reversed_.p == pytest.approx(alike.p)


def test_the_interval_leaves_0_out_where_the_p_value_is_small():
    """Both are the same test."""
    for real in ([1, 2, 3, 4, 6, 5], [3, 1, 2, 6, 5, 4], [2, 1, 4, 3, 6, 5], [6, 1, 2, 3, 4, 5]):
        found = across_agents(range(6), real, 0)
        assert (found.low > 0) == (found.p < 0.05)


@pytest.mark.parametrize("r", [0.0, 0.6, 0.95])
def test_it_holds_the_truth_in_95_of_100_samples_of_agents(r):
    rng, truth = np.random.default_rng(7), 6 / math.pi * math.asin(r / 2)
    held = 0
    for _ in range(60):
        one, noise = rng.standard_normal((2, 6))
        found = across_agents(one, r * one + math.sqrt(1 - r * r) * noise, 0)
        held += found.low <= truth <= found.high
    assert held >= 55


@pytest.mark.parametrize("wrong", [([1, 2], [1, 2]), ([1, 2, 3], [1, 2]), ([1, 1, 1], [1, 2, 3]), ([], [])])
def test_what_has_no_order_is_refused(wrong):
    with pytest.raises(ValueError, match="three or more"):
        across_agents(*wrong, 0)
