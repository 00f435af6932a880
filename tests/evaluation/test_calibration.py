"""Promises of the calibration: scikit-learn's curve, an error that is not measured on what was fitted, plain data."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.isotonic import IsotonicRegression

from dreamgym_env.evaluation.calibration import Calibration, CalibrationError
from dreamgym_env.evaluation.statistics import mean_estimate

SCORES = st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=10, max_size=30)


def flattering(tasks: int, seed: int = 0) -> tuple[list[float], list[float]]:
    """A dream whose score is the square root of the chance of real success."""
    rng = np.random.default_rng(seed)
    dream = rng.random(tasks)
    return dream.tolist(), (rng.random(tasks) < dream**2).astype(float).tolist()


@given(SCORES, st.lists(st.floats(0, 1), max_size=10))
def test_the_curve_is_that_of_isotonic_regression(pairs, asked):
    dream, real = ([pair[side] for pair in pairs] for side in (0, 1))
    calibration = Calibration.fit(dream, real, range(len(pairs)), 0)
    curve = IsotonicRegression(y_min=0, y_max=1, out_of_bounds="clip").fit(dream, real)
    expected = calibration.apply(asked)
    assert expected == (pytest.approx(curve.predict(asked), abs=1e-6) if asked else [])
    assert all(0 <= score <= 1 for score in expected)
    assert calibration.apply(sorted(asked)) == sorted(calibration.apply(asked)), "it never reverses an order"


def test_neighbours_in_the_wrong_order_are_pooled():
    """By hand: 0.2 -> 0.0, (0.4 -> 0.8, 0.6 -> 0.4) pooled to 0.6, 0.8 -> 1.0; between them lines."""
    dream, real = [0.2, 0.4, 0.6, 0.8] * 3, [0.0, 0.8, 0.4, 1.0] * 3
    calibration = Calibration.fit(dream, real, range(12), 0)
    assert calibration.apply([0.0, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 1.0]) == pytest.approx(
        [0.0, 0.0, 0.3, 0.6, 0.6, 0.6, 0.8, 1.0]
    )


def test_a_dream_that_flatters_is_corrected():
    calibration = Calibration.fit(*flattering(300), range(300), 0)
    before, after = calibration.before, calibration.after
    assert before.bias.low > 0.1 > 0.05 > abs(after.bias.value)
    assert after.mean_squared.value < before.mean_squared.value
    assert after.expected_calibration < before.expected_calibration / 2


def test_a_calibration_of_noise_does_not_boast():
    """Nothing is to be learnt: fitted on its own points the curve would look better than it is elsewhere."""
    rng = np.random.default_rng(0)
    dream, real = rng.random(40).tolist(), (rng.random(40) < 0.5).astype(float).tolist()
    calibration = Calibration.fit(dream, real, range(40), 0)
    on_its_own = np.mean((np.array(calibration.apply(dream)) - real) ** 2)
    assert calibration.after.mean_squared.value > on_its_own
    assert calibration.after.mean_squared.value > 0.25, "worse than saying 1/2 every time"


def test_episodes_of_one_task_are_held_out_together():
    """The dream score says which task it is, and the real score is the task's own: known tasks would be foretold."""
    rng = np.random.default_rng(0)
    tasks = np.repeat(np.arange(30), 10)
    dream = (tasks + rng.random(300) * 0.01) / 31
    real = (rng.random(30) < 0.5).astype(float)[tasks]
    by_task = Calibration.fit(dream.tolist(), real.tolist(), tasks.tolist(), 0)
    by_episode = Calibration.fit(dream.tolist(), real.tolist(), range(300), 0)
    assert by_task.after.mean_squared.value > by_episode.after.mean_squared.value
    assert (by_task.tasks, by_task.episodes) == (30, 300)


def test_the_errors_before_are_those_of_a_case_by_hand():
    """Half of the episodes 0.75 -> 1, half 0.25 -> 0.5: off by 0.25 each, always too low."""
    dream, real = [0.75, 0.25] * 10, [1.0, 0.5] * 10
    before = Calibration.fit(dream, real, range(20), 0).before
    assert before.mean_absolute.value == pytest.approx(0.25)
    assert before.mean_squared.value == pytest.approx(0.0625)
    assert before.bias.value == pytest.approx(-0.25)
    assert before.expected_calibration == pytest.approx(0.25)
    assert [(one.low, one.high, one.count, one.expected, one.real) for one in before.bins] == [
        (0.2, 0.3, 10, 0.25, 0.5),
        (0.7, 0.8, 10, 0.75, 1.0),
    ]
    assert before.mean_absolute == mean_estimate([0.25] * 20, range(20), 0)


def test_bins_hold_their_lower_end_and_the_last_one_both():
    dream = [0.0, 0.1, 0.3, 0.6, 0.7, 0.9, 1.0, 1.0, 1.0, 1.0]
    bins = Calibration.fit(dream, dream, range(10), 0).before.bins
    assert [(one.low, one.count) for one in bins] == [(0.0, 1), (0.1, 1), (0.3, 1), (0.6, 1), (0.7, 1), (0.9, 5)]


@pytest.mark.parametrize("tasks", [0, 1, 9])
def test_too_few_anchor_tasks_are_refused(tasks):
    with pytest.raises(CalibrationError, match=f"at least 10 anchor tasks .* there are {tasks}"):
        Calibration.fit([0.5] * 3 * tasks, [0.5] * 3 * tasks, list(range(tasks)) * 3, 0)


def test_what_is_no_score_is_refused():
    with pytest.raises(CalibrationError, match=r"score of 1\.5"):
        Calibration.fit([1.5] * 10, [1.0] * 10, range(10), 0)
    with pytest.raises(CalibrationError, match="score of nan"):
        Calibration.fit(*flattering(20), range(20), 0).apply([float("nan")])
    with pytest.raises(CalibrationError, match="10 dream scores and 9 real scores"):
        Calibration.fit([0.5] * 10, [0.5] * 9, range(10), 0)


def test_it_can_be_saved_and_applied_later():
    calibration = Calibration.fit(*flattering(50), range(50), 0)
    saved = json.dumps(calibration.to_json())
    again = Calibration.from_json(json.loads(saved))
    asked = np.linspace(0, 1, 101).tolist()
    assert again.apply(asked) == calibration.apply(asked)
    assert json.dumps(again.to_json()) == saved


@pytest.mark.parametrize(
    "damage",
    [
        {"format": "dreamgym-calibration-0"},
        {"dream": []},
        {"dream": None},
        {"dream": [0.1, "high"]},
        {"dream": [0.5, 0.1], "real": [0.1, 0.2]},
        {"dream": [0.1, 0.5], "real": [0.2, 0.1]},
        {"dream": [0.1, 0.5], "real": [0.2, float("nan")]},
        {"dream": [0.1, 0.5], "real": [0.2, 1.1]},
        {"before": {}},
        {"after": None},
    ],
)
def test_a_damaged_calibration_is_refused(damage):
    data = Calibration.fit(*flattering(50), range(50), 0).to_json()
    with pytest.raises(CalibrationError, match="Fit it again"):
        Calibration.from_json({**data, **damage})


def test_the_same_seed_gives_the_same_calibration_and_leaves_the_global_generator_alone():
    state = np.random.get_state()[1].tolist()
    one, other = (Calibration.fit(*flattering(50), range(50), 3) for _ in range(2))
    assert one == other
    assert np.random.get_state()[1].tolist() == state
