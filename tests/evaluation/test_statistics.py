"""Promises of the statistics: every figure is what scipy or a count by hand says, and intervals cover the truth."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest, wasserstein_distance

from dreamgym_env.evaluation.distributions import distribution_distance
from dreamgym_env.evaluation.statistics import (
    consistency_ratio,
    false_success,
    mean_estimate,
    missed_success,
    paired_gap,
    proportion,
)

EPISODES = st.lists(st.tuples(st.integers(0, 5), st.booleans(), st.booleans()), min_size=1, max_size=30)
"""(task, dream success, real success) of each."""


def columns(rows):
    tasks, dream, real = (list(column) for column in zip(*rows, strict=True))
    return tasks, dream, real


def episodes_of(rng: np.random.Generator, tasks: int, share: float, alike: float) -> np.ndarray:
    """Draw 3 episodes of each task, which are one and the same in a share ``alike`` of the tasks: (tasks, 3)."""
    same = rng.random(tasks) < alike
    return np.where(same[:, np.newaxis], rng.random((tasks, 1)) < share, rng.random((tasks, 3)) < share)


class TestProportion:
    @given(st.integers(1, 300), st.data())
    def test_with_one_episode_a_task_it_is_wilsons(self, count, data):
        hits = data.draw(st.integers(0, count))
        estimate = proportion([at < hits for at in range(count)], range(count))
        interval = binomtest(hits, count).proportion_ci(method="wilson")
        assert (estimate.value, estimate.count, estimate.clusters) == (hits / count, count, count)
        assert (estimate.low, estimate.high) == pytest.approx((interval.low, interval.high), abs=1e-9)

    @pytest.mark.parametrize("hit", [True, False])
    def test_episodes_that_are_all_alike_count_as_tasks(self, hit):
        """Of 20 tasks with 5 episodes each none differs: that is no more than 20 outcomes say."""
        estimate = proportion([hit] * 100, [at // 5 for at in range(100)])
        interval = binomtest(20 * hit, 20).proportion_ci(method="wilson")
        assert (estimate.value, estimate.count, estimate.clusters) == (hit, 100, 20)
        assert (estimate.low, estimate.high) == pytest.approx((interval.low, interval.high))

    def test_the_design_effect_is_that_of_a_case_by_hand(self):
        """Tasks with 2, 2, 0, 1 of 2 successes.

        With the two added tasks (2 and 0 of 2) 7 of 12 succeed.  The sums are off 2 * 7/12 = 7/6 by 5/6, 5/6, -7/6,
        -1/6, 5/6, -7/6; the squares add up to (25 + 25 + 49 + 1 + 25 + 49) / 36 = 174/36.  Independent episodes would
        give 12 * 7/12 * 5/12 = 35/12.  The effect is 58/35, and 8 episodes count as 8 * 35/58.
        """
        estimate = proportion([1, 1, 1, 1, 0, 0, 1, 0], [0, 0, 1, 1, 2, 2, 3, 3])
        count, share, square = 8 * 35 / 58, 5 / 8, 1.959963984540054**2
        half = np.sqrt(square * (share * (1 - share) / count + square / (4 * count**2)))
        ends = [(share + square / (2 * count) + side) / (1 + square / count) for side in (-half, half)]
        assert (estimate.low, estimate.high) == pytest.approx(ends)

    @given(EPISODES, st.randoms(use_true_random=False))
    def test_the_order_of_the_episodes_changes_nothing_and_failures_mirror_successes(self, rows, random):
        tasks, hits, _ = columns(rows)
        estimate = proportion(hits, tasks)
        assert 0 <= estimate.low <= estimate.value <= estimate.high <= 1
        random.shuffle(rows)
        tasks, hits, _ = columns(rows)
        again, failures = proportion(hits, tasks), proportion([not hit for hit in hits], tasks)
        assert (again.value, again.low, again.high) == pytest.approx((estimate.value, estimate.low, estimate.high))
        assert (1 - failures.value, 1 - failures.high, 1 - failures.low) == pytest.approx(
            (estimate.value, estimate.low, estimate.high)
        )

    @pytest.mark.parametrize(
        ("share", "tasks", "alike"),
        [(0.3, 40, 0.5), (0.3, 10, 0.5), (0.05, 40, 0.5), (0.02, 200, 0.9), (0.97, 50, 0.7)],
    )
    def test_95_percent_intervals_cover_the_truth(self, share, tasks, alike):
        clusters = np.repeat(np.arange(tasks), 3).tolist()
        covered = 0
        for seed in range(400):
            hits = episodes_of(np.random.default_rng(seed), tasks, share, alike).ravel()
            estimate = proportion(hits.tolist(), clusters)
            covered += estimate.low <= share <= estimate.high
        assert 0.92 <= covered / 400 <= 0.995

    def test_of_nothing_there_is_no_share(self):
        assert proportion([], []) is None

    def test_what_is_no_outcome_of_an_episode_is_refused(self):
        with pytest.raises(ValueError, match="2 values for the tasks of 1 episodes"):
            proportion([True, False], ["a"])
        with pytest.raises(ValueError, match="mean_estimate"):
            proportion([0.5], ["a"])


class TestMeans:
    def test_the_mean_is_the_mean_and_its_interval_follows_from_the_seed(self):
        scores = np.random.default_rng(0).random(60)
        tasks = [at // 3 for at in range(60)]
        first, again, other = (mean_estimate(scores.tolist(), tasks, seed) for seed in (0, 0, 1))
        assert first.value == other.value == pytest.approx(scores.mean())
        assert (first.count, first.clusters) == (60, 20)
        assert first == again != other
        assert first.low < first.value < first.high

    def test_without_bounds_it_is_the_percentile_bootstrap(self):
        """Two tasks with 0 and 10 steps: the mean of a draw is 0, 5 or 10, and 0 and 10 come in a quarter each."""
        estimate = mean_estimate([0, 10], "ab", 0, bounds=None)
        assert (estimate.value, estimate.low, estimate.high) == (5, 0, 10)
        assert mean_estimate([7, 7, 7], "abc", 0, bounds=None).high == 7

    def test_tasks_that_are_all_alike_leave_room_for_others(self):
        """The rule of three: of n tasks without an exception, up to about 3 in n may be one."""
        estimate = mean_estimate([1.0] * 200, range(200), 0)
        assert (estimate.value, estimate.high) == (1, 1)
        assert estimate.low == pytest.approx(1 - 3 / 200, abs=0.006)

    @pytest.mark.parametrize("level", [0.5, 0.97])
    def test_95_percent_intervals_cover_the_truth(self, level):
        """Scores of beta distributions around a level that each task has for itself."""
        clusters = np.repeat(np.arange(50), 2).tolist()
        covered = 0
        for seed in range(200):
            rng = np.random.default_rng(seed)
            each = rng.beta(level * 4, (1 - level) * 4, size=(50, 1))
            scores = np.clip(each + rng.uniform(-1, 1, (50, 2)) * np.minimum(each, 1 - each), 0, 1)
            estimate = mean_estimate(scores.ravel().tolist(), clusters, 0)
            covered += estimate.low <= level <= estimate.high
        assert 0.9 <= covered / 200 <= 0.995

    def test_a_value_out_of_bounds_is_refused(self):
        with pytest.raises(ValueError, match=r"between 3 and 7.*bounds=None"):
            mean_estimate([3, 7], "ab", 0)
        with pytest.raises(ValueError, match="finite"):
            mean_estimate([float("nan")], "a", 0)

    @given(EPISODES)
    def test_the_gap_is_the_difference_of_the_means_and_turns_its_sign_with_the_sides(self, rows):
        tasks, dream, real = columns(rows)
        gap, reverse = paired_gap(dream, real, tasks, 0), paired_gap(real, dream, tasks, 0)
        assert gap.value == pytest.approx(np.mean(dream) - np.mean(real))
        assert gap.value == pytest.approx(-reverse.value)
        assert -1 <= gap.low <= gap.value <= gap.high <= 1
        assert gap.count == len(rows)

    def test_the_gap_of_twins_is_0_give_or_take_what_was_not_seen(self):
        gap = paired_gap([1, 0] * 100, [1, 0] * 100, range(200), 0)
        assert gap.value == 0
        assert -0.03 < gap.low < -0.005 < 0.005 < gap.high < 0.03

    def test_pairs_make_the_interval_of_the_gap_narrow(self):
        """What the same tasks have in common is no noise; sides of other tasks are further apart."""
        rng = np.random.default_rng(0)
        real = (rng.random(300) < 0.5).astype(float)
        dream = np.where(rng.random(300) < 0.05, 1, real)
        paired = paired_gap(dream.tolist(), real.tolist(), range(300), 0)
        apart = paired_gap(dream.tolist(), rng.permutation(real).tolist(), range(300), 0)
        assert paired.value == pytest.approx(apart.value)
        assert paired.high - paired.low < (apart.high - apart.low) / 2

    def test_of_nothing_there_is_no_mean(self):
        assert mean_estimate([], [], 0) is None
        assert paired_gap([], [], [], 0) is None


class TestSuccesses:
    def test_false_and_missed_successes_are_counted(self):
        """Five dreamt successes, of which two are none; of four real successes the dream misses one."""
        dream = [True, True, True, True, True, False, False]
        again = [True, True, True, False, False, True, False]
        false, missed = false_success(dream, again, range(7)), missed_success(dream, again, range(7))
        assert (false.value, false.count) == (2 / 5, 5)
        assert (missed.value, missed.count) == (1 / 4, 4)
        interval = binomtest(2, 5).proportion_ci(method="wilson")
        assert (false.low, false.high) == pytest.approx((interval.low, interval.high))

    @given(EPISODES)
    def test_the_one_is_the_other_with_the_sides_exchanged(self, rows):
        tasks, dream, real = columns(rows)
        assert false_success(dream, real, tasks) == missed_success(real, dream, tasks)

    def test_without_successes_there_are_no_false_ones(self):
        assert false_success([False], [True], "a") is None
        assert missed_success([True], [False], "a") is None

    def test_no_false_success_among_few_proves_little(self):
        few, many = (false_success([True] * n, [True] * n, range(n)) for n in (10, 300))
        assert few.value == many.value == 0
        assert few.high > 0.2 > 0.02 > many.high


class TestConsistency:
    def test_it_is_the_ratio_of_the_successes(self):
        replayed, acted = [True, False, True, False, True], [True, True, True, True, False]
        ratio = consistency_ratio(replayed, acted, range(5), 0)
        assert (ratio.value, ratio.count, ratio.clusters) == (3 / 4, 4, 4)
        assert ratio.low < 3 / 4 < ratio.high

    def test_it_may_exceed_1(self):
        assert consistency_ratio([True, True], [True, False], "ab", 0).value == 2

    def test_a_perfect_dream_is_known_to_be_perfect_to_1_in_50_only(self):
        ratio = consistency_ratio([True] * 200, [True] * 200, range(200), 0)
        assert ratio.value == 1
        assert 0.97 < ratio.low < 0.99 < 1.01 < ratio.high < 1.03

    @pytest.mark.parametrize("replayed", [True, False])
    def test_there_is_none_where_acting_never_succeeds(self, replayed):
        assert consistency_ratio([replayed], [False], "a", 0) is None
        assert consistency_ratio([], [], [], 0) is None

    def test_95_percent_intervals_cover_the_truth(self):
        """Acting succeeds in 0.6 of the tasks; a replay succeeds in 0.9 of these, and in 0.1 of the others."""
        covered = 0
        for seed in range(200):
            rng = np.random.default_rng(seed)
            acted = rng.random(100) < 0.6
            replayed = rng.random(100) < np.where(acted, 0.9, 0.1)
            ratio = consistency_ratio(replayed.tolist(), acted.tolist(), range(100), 0)
            covered += ratio.low <= (0.6 * 0.9 + 0.4 * 0.1) / 0.6 <= ratio.high
        assert 0.9 <= covered / 200 <= 0.995


class TestDistributions:
    def test_distance_and_quartiles_are_scipys_and_numpys(self):
        rng = np.random.default_rng(0)
        dream, real = rng.poisson(6, 40), rng.poisson(9, 40)
        distance = distribution_distance(dream.tolist(), real.tolist(), range(40), 0, unit="steps")
        assert distance.distance == pytest.approx(wasserstein_distance(dream, real))
        assert distance.real.median == np.median(real)
        assert (distance.dream.lower_quartile, distance.dream.upper_quartile) == tuple(np.quantile(dream, [0.25, 0.75]))
        assert (distance.dream.mean, distance.dream.count) == (dream.mean(), 40)
        assert distance.to_json()["unit"] == "steps"

    def test_a_shift_is_its_own_distance_and_more_than_chance(self):
        distance = distribution_distance([1, 2, 3] * 5, [3, 4, 5] * 5, range(15), 0, unit="steps")
        assert distance.distance == pytest.approx(2)
        assert distance.chance < 2

    def test_another_order_is_no_distance(self):
        distance = distribution_distance([1, 2, 3], [3, 1, 2], "abc", 0, unit="steps")
        assert distance.distance == 0 < distance.chance

    def test_two_sides_of_one_kind_are_rarely_further_apart_than_chance(self):
        rng = np.random.default_rng(0)
        apart = 0
        for seed in range(60):
            one, other = rng.poisson(6, (2, 30))
            distance = distribution_distance(one.tolist(), other.tolist(), range(30), seed, unit="steps")
            apart += distance.distance > distance.chance
        assert apart <= 7  # 3 are expected

    def test_the_sides_of_one_task_are_exchanged_together(self):
        """One task of many episodes is one coin: it is exchanged or not, and the distance stays what it is."""
        distance = distribution_distance([1] * 20, [2] * 20, ["a"] * 20, 0, unit="steps")
        assert distance.chance == distance.distance == 1

    def test_of_nothing_there_is_no_distribution(self):
        assert distribution_distance([], [], [], 0, unit="steps") is None
