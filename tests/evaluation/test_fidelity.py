"""Open-loop fidelity: figures say what answers are worth, floors need no model, and nothing leaks from the own task."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scripted import ScriptedWorldModel, failing_model, house_model
from toy_domain import ToyHouse, record

from dreamgym_env.evaluation.fidelity import FLOORS, MODEL, FidelityOptions, answer_all, line_f1, memory_class
from dreamgym_env.evaluation.fidelity_report import report_fidelity
from dreamgym_env.evaluation.intervals import ratio_estimates
from dreamgym_env.memory import ReplayBuffer
from dreamgym_env.types import Prediction, Query

WALK = ("look", "go kitchen", "dance", "go hall", "go cellar", "leave")


@pytest.fixture(scope="module")
def house() -> ToyHouse:
    return ToyHouse()


@pytest.fixture(scope="module")
def steps(house):
    return [step for number in range(4) for step in record(f"toyhouse/test/{number}", WALK, episode=f"real {number}")]


@pytest.fixture
def buffer(house):
    with ReplayBuffer(house, seed_experience=False) as buffer:
        buffer.add([step for number in range(3) for step in record(f"toyhouse/train/{number}", WALK, episode="train")])
        yield buffer


def figures(house, model, buffer, steps, **options):
    answers = answer_all(house, model, buffer, steps, FidelityOptions(**options))
    return report_fidelity(house, answers), answers


def value(report, figure, system=MODEL):
    return report.overall[system][figure].value


class TestFigures:
    def test_a_model_that_knows_the_environment_is_faithful(self, house, buffer, steps):
        report, _ = figures(house, house_model(house), buffer, steps)
        assert value(report, "exact_match") == value(report, "line_f1") == 1.0
        assert value(report, "verified_reward_accuracy") == 1.0
        assert value(report, "parse_failures") == 0.0
        assert (value(report, "prompt_tokens"), value(report, "completion_tokens")) == (7, 3)

    def test_what_cannot_be_read_is_never_exact_though_the_state_stays(self, house, buffer, steps):
        report, _ = figures(house, failing_model(), buffer, steps)
        assert value(report, "exact_match") == value(report, "line_f1") == 0.0
        assert value(report, "parse_failures") == 1.0

    def test_a_model_that_calls_everything_a_success_is_false_wherever_there_is_none(self, house, buffer, steps):
        kind = ScriptedWorldModel(lambda query, memories, seed: Prediction("", query.state, 1.0, True))
        report, _ = figures(house, kind, buffer, steps)
        assert value(report, "false_success") == 1.0
        assert report.overall[MODEL]["missed_success"] is None, "no step of these walks is a success"
        assert value(report, "verified_false_success") == 0.0, "the verifier does not take its word"

    def test_floors_need_no_model(self, house, buffer, steps):
        report, _ = figures(house, failing_model(), buffer, steps)
        still = np.mean([step.next_state == step.state for step in steps])
        assert value(report, "exact_match", FLOORS[0]) == pytest.approx(still)
        assert value(report, "exact_match", FLOORS[1]) > still

    def test_classes_of_steps_add_up_to_all(self, house, buffer, steps):
        report, _ = figures(house, house_model(house), buffer, steps)
        for division, classes in report.strata[MODEL].items():
            assert sum(found["exact_match"].count for found in classes.values()) == len(steps), division
        assert "not offered" in report.strata[MODEL]["kind"]

    def test_the_guard_answers_what_is_not_offered_where_it_is_asked_for(self, house, buffer, steps):
        model = house_model(house)
        figures(house, model, buffer, steps, guard=True)
        assert {query.action for batch in model.batches for query in batch} == set(WALK) - {"dance"}


class TestQuestions:
    def test_nothing_recorded_of_a_steps_own_task_is_among_its_memories(self, house, buffer, steps):
        buffer.add(steps)
        seen = []
        spy = ScriptedWorldModel(
            lambda query, memories, seed: (
                seen.extend((query.task.id, one.transition.task_id) for one in memories)
                or Prediction("", query.state, 0.0, False)
            )
        )
        _, answers = figures(house, spy, buffer, steps)
        assert seen
        assert not [pair for pair in seen if pair[0] == pair[1]]
        assert {answer.memory for answer in answers[MODEL]} >= {"exact"}, "other tasks' steps are found"

    def test_without_history_only_the_model_forgets(self, house, buffer, steps):
        model = house_model(house)
        figures(house, model, buffer, steps, history=False)
        assert not any(query.history for batch in model.batches for query in batch)

    def test_without_memories_there_are_none(self, house, buffer, steps):
        _, answers = figures(house, house_model(house), buffer, steps, k=0)
        assert {answer.memory for answer in answers[MODEL]} == {"none"}

    def test_a_memory_is_near_where_the_action_is_the_same_and_far_else(self, house, buffer, steps):
        step = steps[1]
        query = Query(house.task(step.task_id), step.history, step.state, step.action)
        memories = buffer.retrieve([query], 1)[0]
        assert memory_class(house, query, memories) == "exact"
        assert memory_class(house, replace(query, state="Elsewhere."), memories) == "near"
        assert memory_class(house, replace(query, action="leave"), memories) == "far"


class TestIntervals:
    @given(st.lists(st.tuples(st.integers(0, 4), st.booleans()), min_size=1, max_size=40), st.integers(0, 9))
    def test_a_ratio_lies_in_its_interval_which_follows_from_the_seed(self, rows, seed):
        above = np.array([[float(hit)] for _, hit in rows])
        clusters = [cluster for cluster, _ in rows]
        (first,), (again,) = (ratio_estimates(above, np.ones_like(above), clusters, seed) for _ in range(2))
        assert first == again
        assert 0 <= first.low <= first.high <= 1
        assert first.value == pytest.approx(above.mean())

    def test_steps_of_one_episode_are_no_independent_evidence(self):
        above = np.array([[1.0], [0.0]] * 50)
        alone, together = (
            ratio_estimates(above, np.ones_like(above), clusters, 0)[0]
            for clusters in (range(100), [at % 2 for at in range(100)])
        )
        assert together.high - together.low > 2 * (alone.high - alone.low)

    def test_a_ratio_over_nothing_is_none(self):
        assert ratio_estimates(np.zeros((3, 1)), np.zeros((3, 1)), [0, 1, 2], 0) == [None]


@pytest.mark.parametrize(
    ("predicted", "real", "f1"),
    [(("a", "b"), ("a", "b"), 1.0), (("a", "a"), ("a", "b"), 0.5), ((), ("a",), 0.0), (("a", "b"), ("b", "a"), 1.0)],
)
def test_line_f1_compares_bags_of_segments(predicted, real, f1):
    assert line_f1(predicted, real) == f1
