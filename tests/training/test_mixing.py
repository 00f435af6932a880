"""Examples are drawn so that rare kinds of steps are learnt too."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from toy_domain import ToyHouse, record

from dreamgym_env.training.mixing import mix, transition_class

HOUSE = ToyHouse()
STEPS = record("toyhouse/train/0", ["look", "go kitchen", "dance", "go hall", "leave"])


def experience(counts):
    """Return so many copies of each of the steps, each in an episode of its own."""
    return [
        replace(step, episode=f"{at}/{copy}")
        for at, (step, count) in enumerate(zip(STEPS, counts, strict=True))
        for copy in range(count)
    ]


@given(
    st.lists(st.integers(0, 30), min_size=len(STEPS), max_size=len(STEPS)),
    st.integers(0, 200),
    st.integers(0, 3),
)
def test_it_draws_as_many_as_asked_each_at_most_once_and_the_same_by_seed(counts, count, seed):
    known = experience(counts)
    drawn, again = (mix(HOUSE, known, count, np.random.default_rng(seed)) for _ in range(2))
    assert drawn == again
    assert len(drawn) == min(count, len(known)) == len({step.episode for step in drawn})


def test_rare_classes_are_drawn_more_often_than_they_happen_and_frequent_ones_more_often_than_rare_ones():
    known = experience([900, 90, 9, 0, 1])
    drawn = Counter(transition_class(HOUSE, step) for step in mix(HOUSE, known, 100, np.random.default_rng(0)))
    happened = Counter(transition_class(HOUSE, step) for step in known)
    ranked = sorted(happened, key=lambda name: -happened[name])
    shares = [drawn[name] / happened[name] for name in ranked]
    assert shares == sorted(shares)
    assert [drawn[name] for name in ranked] == sorted(drawn.values(), reverse=True)
    assert drawn[ranked[-1]] == happened[ranked[-1]]


def test_a_class_says_what_kind_of_step_it_is():
    assert transition_class(HOUSE, STEPS[-1])[1:] == (True, True, "failure")
    assert transition_class(HOUSE, STEPS[2])[1] is False


def test_nothing_is_drawn_from_nothing():
    assert mix(HOUSE, [], 5, np.random.default_rng(0)) == []
