"""Promises of the rank correlation: scipy's figures, never a warning, and a reason where there is none."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import kendalltau, spearmanr

from dreamgym_env.evaluation.ranking import rank_correlation


@pytest.fixture(autouse=True)
def _no_warnings():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


def graded(rng, skills, episodes=60):
    """Agents that succeed as often as their skill says."""
    return {f"agent {skill}": (rng.random(episodes) < skill).tolist() for skill in skills}


def alone(means):
    """Agents of whom only a mean is known."""
    return {f"agent {at}": [mean] for at, mean in enumerate(means)}


@settings(max_examples=40)
@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), min_size=3, max_size=8))
def test_both_are_scipys_also_with_ties(pairs):
    dream, real = ([pair[side] / 5 for pair in pairs] for side in (0, 1))
    found = rank_correlation(alone(dream), alone(real), ["task"], 0)
    if len(set(dream)) == 1 or len(set(real)) == 1:
        assert found.spearman is found.kendall is None
        assert "All agents do equally well" in found.reason
    else:
        assert found.reason == ""
        assert found.spearman.value == pytest.approx(spearmanr(dream, real).statistic)
        assert found.kendall.value == pytest.approx(kendalltau(dream, real).statistic)
        assert found.spearman.count == found.agents == len(pairs)


@pytest.mark.parametrize("order", [(4, 3, 2, 1, 0), (2, 0, 4, 1, 3)])
def test_which_agent_is_named_first_changes_nothing(order):
    rng = np.random.default_rng(0)
    skills = (0.2, 0.4, 0.5, 0.6, 0.9)
    dream, real = graded(rng, skills, 20), graded(rng, skills, 20)
    names = [list(dream)[at] for at in order]
    found = rank_correlation(dream, real, range(20), 0)
    again = rank_correlation({name: dream[name] for name in names}, real, range(20), 0)
    for one, other in ((found.spearman, again.spearman), (found.kendall, again.kendall)):
        assert (one.value, one.low, one.high) == pytest.approx((other.value, other.low, other.high))
    assert sorted(map(repr, found.disagreements)) == sorted(map(repr, again.disagreements))


def test_agents_that_are_far_apart_are_ordered_for_certain_and_close_ones_are_not():
    rng = np.random.default_rng(0)
    far, close = (0.05, 0.3, 0.6, 0.95), (0.48, 0.5, 0.52, 0.54)
    apart, together = (
        rank_correlation(graded(rng, skills, 200), graded(rng, skills, 200), [at // 2 for at in range(200)], 0)
        for skills in (far, close)
    )
    assert (apart.spearman.value, apart.spearman.low, apart.spearman.clusters) == (1, 1, 100)
    assert together.spearman.high - together.spearman.low > 0.5


def test_a_draw_takes_the_same_tasks_for_all_agents():
    """Agent b solves what a solves and one task more, c and d again one more: no draw reverses them."""
    outcomes = {name: [at <= solved for at in range(10)] for solved, name in enumerate("abcd")}
    found = rank_correlation(outcomes, outcomes, range(10), 0)
    assert (found.spearman.low, found.kendall.low) == (pytest.approx(1), pytest.approx(1))


def test_one_task_says_nothing_of_others():
    found = rank_correlation(alone([0.1, 0.2, 0.3]), alone([0.3, 0.4, 0.5]), ["task"], 0)
    assert (found.spearman.value, found.spearman.low, found.spearman.high) == (pytest.approx(1), -1, 1)


def test_reversed_pairs_are_named_and_ties_are_not():
    """Dream: a > b > c = d.  Real: b > a > d > c.  Only a and b are reversed."""
    found = rank_correlation(
        dict(zip("abcd", ([0.9], [0.8], [0.2], [0.2]), strict=True)),
        dict(zip("abcd", ([0.6], [0.7], [0.1], [0.2]), strict=True)),
        ["task"],
        0,
    )
    (pair,) = found.disagreements
    assert (pair.better_in_dream, pair.better_in_real) == ("a", "b")
    assert (pair.dream_gap, pair.real_gap) == (pytest.approx(0.1), pytest.approx(0.1))


def test_means_that_differ_by_rounding_only_are_tied():
    thirds = [0.1, 0.2, 0.3]
    found = rank_correlation(
        {"a": thirds, "b": thirds[::-1], "c": [0.9] * 3}, {"a": [1.0] * 3, "b": [0.5] * 3, "c": [0.0] * 3}, "xyz", 0
    )
    assert found.dream["a"] == found.dream["b"]
    assert {pair.better_in_dream for pair in found.disagreements} == {"c"}


@pytest.mark.parametrize("agents", [0, 1, 2])
def test_fewer_than_three_agents_have_no_correlation_but_a_reason(agents):
    outcomes = alone([0.1 * at for at in range(agents)])
    found = rank_correlation(outcomes, outcomes, ["task"], 0)
    assert found.spearman is found.kendall is None
    assert found.reason == f"A rank correlation needs at least 3 agents; there are {agents}."
    assert found.to_json()["spearman"] is None


def test_without_episodes_there_is_no_order():
    nobody = {name: [] for name in "abc"}
    assert "equally well in the dream" in rank_correlation(nobody, nobody, [], 0).reason


def test_agents_that_did_not_play_everything_are_refused():
    with pytest.raises(ValueError, match="one environment only: c"):
        rank_correlation({"a": [1]}, {"a": [1], "c": [0]}, ["task"], 0)
    with pytest.raises(ValueError, match="Agent b has 2 outcomes for 1 episodes"):
        rank_correlation({"a": [1], "b": [1, 0]}, {"a": [1], "b": [1]}, ["task"], 0)
