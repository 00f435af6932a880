"""Promises of agreement: the counts, kappa and McNemar's test are those of scipy, scikit-learn or a case by hand."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest
from sklearn.metrics import cohen_kappa_score

from dreamgym_env.evaluation.agreement import Agreement, agreement_table, kappa, kinder_p

SCORES = (0, 1, 2)
JUDGED = st.lists(st.tuples(st.sampled_from(SCORES), st.sampled_from(SCORES)), max_size=30)


@pytest.fixture(autouse=True)
def _no_warnings():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


def test_the_four_cells_are_counted():
    table = agreement_table([True, True, False, False, True], [True, False, True, False, True])
    assert (table.both, table.dream_only, table.real_only, table.neither) == (2, 1, 1, 1)
    assert (table.count, table.share) == (5, 3 / 5)


def test_kappa_of_a_table_by_hand():
    """20, 5, 10, 15: both agree in 35 of 50; by chance in 0.5 * 0.6 + 0.5 * 0.4 = 0.5; (0.7 - 0.5) / 0.5 = 0.4."""
    assert Agreement(20, 5, 10, 15).kappa == pytest.approx(0.4)


@pytest.mark.parametrize("table", [Agreement(4, 0, 0, 0), Agreement(0, 0, 0, 4), Agreement(0, 0, 0, 0)])
def test_kappa_is_undefined_where_there_is_one_outcome_only(table):
    assert table.kappa is None
    assert table.to_json()["kappa"] is None


def test_a_side_that_never_changes_agrees_by_chance_only():
    assert Agreement(3, 5, 0, 0).kappa == pytest.approx(0)
    assert Agreement(0, 8, 0, 0).kappa == pytest.approx(0)


def test_mcnemar_is_exact():
    """Of 6 tasks that are solved in one environment only, all in the dream: 2 * (1/2)^6 = 1/32."""
    assert Agreement(10, 6, 0, 10).mcnemar_p == pytest.approx(1 / 32)
    assert Agreement(1, 9, 3, 0).mcnemar_p == pytest.approx(binomtest(9, 12).pvalue)
    assert Agreement(5, 0, 0, 5).mcnemar_p == 1


@given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=30))
def test_the_sides_may_be_exchanged(pairs):
    dream, real = ([pair[side] for pair in pairs] for side in (0, 1))
    one, other = agreement_table(dream, real), agreement_table(real, dream)
    assert (one.dream_only, one.real_only) == (other.real_only, other.dream_only)
    assert one.share == other.share == np.mean([a == b for a, b in pairs])
    assert one.mcnemar_p == pytest.approx(other.mcnemar_p)
    assert (one.kappa is None) == (other.kappa is None)
    if one.kappa is not None:
        assert one.kappa == pytest.approx(other.kappa) == pytest.approx(cohen_kappa_score(dream, real))


def test_episodes_without_a_partner_are_refused():
    with pytest.raises(ValueError, match="shorter"):
        agreement_table([True], [])


def test_quadratic_weights_forgive_near_misses():
    """Off by one: 1 of 3 x 3 cells away.

    Judges give (0,0), (1,2), (2,2), (0,0).  Plain: 3/4 agree, by chance 1/2 * 1/2 + 1/4 * 0 + 1/4 * 1/2 = 3/8;
    (3/4 - 3/8) / (5/8) = 3/5.  Quadratic: the disagreement is 1 of 4 pairs, 1/4; by chance the squared distances are
    0->2: 4 * 1/2 * 1/2, 1->0: 1 * 1/4 * 1/2, 1->2: 1 * 1/4 * 1/2, 2->0: 4 * 1/4 * 1/2, in all 7/4; 1 - 1/7 = 6/7.
    """
    agreed = kappa([0, 1, 2, 0], [0, 2, 2, 0], SCORES)
    assert (agreed.count, agreed.share) == (4, 3 / 4)
    assert agreed.plain == pytest.approx(3 / 5)
    assert agreed.quadratic == pytest.approx(6 / 7)


@given(JUDGED)
def test_kappa_is_symmetric_and_at_most_1(pairs):
    first, second = ([pair[judge] for pair in pairs] for judge in (0, 1))
    one, other = kappa(first, second, SCORES), kappa(second, first, SCORES)
    assert (one.plain is None) == (one.quadratic is None) == (len({*first, *second}) < 2)
    if one.plain is not None:
        assert one.plain == pytest.approx(other.plain)
        assert one.quadratic == pytest.approx(other.quadratic)
        assert -1 - 1e-9 <= one.plain <= 1 + 1e-9
        assert (one.plain == pytest.approx(1)) == (first == second)


def test_labels_are_told_apart_by_their_order_not_by_their_name():
    words = ("good", "fair", "bad")
    named = kappa([words[at] for at in (0, 1, 2, 0)], [words[at] for at in (0, 2, 2, 0)], words)
    assert named == kappa([0, 1, 2, 0], [0, 2, 2, 0], SCORES)


def test_a_label_that_is_none_is_refused():
    with pytest.raises(ValueError, match=r"A judge gives 3; the labels are 0, 1, 2\."):
        kappa([3], [0], SCORES)


@given(st.lists(st.tuples(st.booleans(), st.booleans()), max_size=30), st.integers(1, 4))
def test_a_task_counts_once_however_often_it_is_played(pairs, seeds):
    """With one episode a task it is McNemar's exact test, and the same episodes again make nothing surer."""
    dream, real = [one for one, _ in pairs], [other for _, other in pairs]
    once = agreement_table(dream, real).mcnemar_p
    assert kinder_p(dream * seeds, real * seeds, [*range(len(pairs))] * seeds) == pytest.approx(once)


def test_a_task_speaks_for_the_side_that_solves_it_more_often():
    """Tasks a and b lean to the dream, c to neither: 2 of 2, two-sided 0.5."""
    dream, real = [True, True, True, False, True, False], [False, True, False, False, False, True]
    assert kinder_p(dream, real, ["a", "a", "b", "b", "c", "c"]) == pytest.approx(0.5)
