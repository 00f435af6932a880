"""Promises of a run's options: what is out of range is said in a sentence."""

from __future__ import annotations

import pytest

from dreamgym_env.learning.options import LearningOptions


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"variations": 1.5}, "variations is a share between 0 and 1"),
        ({"variations": float("nan")}, "variations is a share"),
        ({"anchor": -0.1}, "anchor is a share"),
        ({"steps": -1}, "steps must be a whole number"),
        ({"steps": 1.5}, "steps must be a whole number"),
        ({"lanes": 0}, "lanes must be a whole number of at least 1"),
        ({"steps": 0, "then_real": 0}, "nothing to learn from"),
        ({"then_real": 31}, "then_real of 31 are fewer than the 32 lanes"),
        ({"steps": 5, "lanes": 8}, "steps of 5 are fewer than the 8 lanes"),
        ({"evaluation_split": "train"}, "cannot be evaluated on it"),
    ],
)
def test_what_is_out_of_range_is_refused(given, said):
    with pytest.raises(ValueError, match=said):
        LearningOptions("webshop", **given)


def test_no_secret_is_kept_with_a_run():
    model = "openai:m@http://user:hunter2@127.0.0.1:1/v1"
    options = LearningOptions(
        "webshop",
        world_model=model,
        variator=model,
        settings={"judge": model},
        hyperparameters={"learning_rate": model},
    )
    assert "hunter2" not in str(options.to_json())
