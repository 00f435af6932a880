"""A task's value is the variance of its group's returns; what never succeeds but scores counts as hard."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dreamgym_env.curriculum import InstructionClusters, TaskResult, TaskValues
from dreamgym_env.curriculum.values import hard_task_value, return_variance, value_of
from dreamgym_env.memory import HashingEmbedder

EMBEDDER = HashingEmbedder()
scores = st.floats(0, 1, allow_nan=False)


def results(*outcomes: float, won: bool | None = None) -> list[TaskResult]:
    """Episodes with these scores; a score of 1 is a success."""
    return [TaskResult("t", float(score == 1), score, score == 1 if won is None else won) for score in outcomes]


class TestVariance:
    @pytest.mark.parametrize(
        ("returns", "variance"),
        [
            ([], 0.0),
            ([1.0], 0.0),
            ([0, 0, 0, 0], 0.0),
            ([1, 1, 1, 1], 0.0),
            ([1, 0], 0.25),
            ([1, 0, 0, 0], 3 / 16),  # mean 1/4: (9/16 + 3 * 1/16) / 4
            ([1, 1, 1, 0, 0, 0, 0, 0], 15 / 64),  # mean 3/8
            ([0.2, 0.4, 0.9], 0.26 / 3),  # mean 0.5: (0.09 + 0.01 + 0.16) / 3
        ],
    )
    def test_it_is_the_papers_formula(self, returns: list[float], variance: float):
        assert return_variance(returns) == pytest.approx(variance, abs=1e-15)

    @given(st.lists(scores, min_size=1, max_size=30))
    def test_it_agrees_with_numpy_and_is_exactly_0_without_variation(self, returns: list[float]):
        assert return_variance(returns) == pytest.approx(np.var(returns), abs=1e-12)
        assert (return_variance(returns[:1] * 7)) == 0.0


class TestHardTasks:
    def test_a_task_without_success_but_with_partial_scores_is_not_worthless(self):
        assert value_of(results(0.5, 0.0, 0.0, 0.5)) == pytest.approx(0.05 * 0.95)  # s_mean = 1/4, p = 1/20
        assert value_of(results(0.5, 0.5)) == pytest.approx(1 / 6 * 5 / 6)  # also where the scores do not vary

    def test_what_nobody_gets_anywhere_with_is_worthless_and_so_is_what_is_always_solved(self):
        assert value_of(results(0.0, 0.0, 0.0)) == 0.0
        assert value_of(results(1.0, 1.0, 1.0)) == 0.0

    def test_one_result_says_nothing(self):
        assert value_of([]) == value_of(results(0.5)) == value_of(results(1.0)) == 0.0

    @given(st.lists(st.floats(0.01, 0.99), min_size=2, max_size=20))
    def test_it_is_worth_more_the_nearer_it_comes_and_less_than_any_with_a_success(self, below: list[float]):
        hard = value_of(results(*below, won=False))
        nearer = hard_task_value([(score + 1) / 2 for score in below])
        once = value_of(results(1.0, *below[1:]))
        assert 0 < hard < nearer < once


class TestTaskValues:
    def test_the_latest_results_count(self):
        values = TaskValues(window=4)
        for result in results(1.0, 1.0, 0.0, 0.0, 0.0, 0.0):
            values.add("t", result)
        assert values.value("t") == 0.0 and values.count("t") == 4
        values.add("t", results(1.0)[0])
        assert values.value("t") == pytest.approx(3 / 16) and values.valuable() == {"t": values.value("t")}
        assert values.value("another") == 0.0

    def test_it_goes_to_json_and_back(self):
        values, again = TaskValues(3), TaskValues(3)
        for unit, score in (("a", 1.0), ("a", 0.0), ("b", 0.5)):
            values.add(unit, results(score)[0])
        again.restore(values.to_json())
        assert again.to_json() == values.to_json() and again.value("a") == 0.25

    @pytest.mark.parametrize("window", [0, 1, True, 2.5])
    def test_a_window_of_less_than_two_is_refused(self, window: int):
        with pytest.raises(ValueError, match="at least 2"):
            TaskValues(window)

    def test_a_result_is_read_off_an_info(self):
        info = {"task_id": "t", "task_score": np.float64(0.5), "won": np.False_, "failure": ""}
        assert TaskResult.from_info(info, 0) == TaskResult("t", 0.0, 0.5, False)


class TestClusters:
    ALIKE = ("put a clean mug on the desk.", "put a clean mug on the shelf.")
    OTHER = "How many open issues does the project paperclip have?"

    def test_what_reads_alike_is_one_cluster(self):
        clusters = InstructionClusters()
        assert [clusters.add(text) for text in (*self.ALIKE, self.OTHER)] == [0, 0, 1]
        assert clusters.leaders == (self.ALIKE[0], self.OTHER)

    def test_asking_makes_no_cluster(self):
        clusters = InstructionClusters()
        assert clusters.find(self.OTHER) is None and clusters.leaders == ()

    @settings(max_examples=25)
    @given(st.lists(st.text("abc ", max_size=12), max_size=15))
    def test_a_cluster_stays_what_it_is_when_others_come_and_after_a_restart(self, texts: list[str]):
        clusters, again = (InstructionClusters(embedder=EMBEDDER) for _ in range(2))
        numbers = [clusters.add(text) for text in texts]
        again.restore(clusters.leaders)
        for each in (clusters, again):
            found = [each.find(text) for text in texts]
            assert [one for one, text in zip(found, texts, strict=True) if text.strip()] == [
                one for one, text in zip(numbers, texts, strict=True) if text.strip()
            ]

    @pytest.mark.parametrize("similarity", [0, -1, 1.1, math.nan])
    def test_a_similarity_outside_its_range_is_refused(self, similarity: float):
        with pytest.raises(ValueError, match="similarity"):
            InstructionClusters(similarity)
