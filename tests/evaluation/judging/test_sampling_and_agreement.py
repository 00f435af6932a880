"""Which steps are judged, and whether two judges see the same."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from toy_domain import ToyHouse, record

from dreamgym_env.evaluation.judging import (
    RUBRIC,
    Invalid,
    Judgement,
    RuleJudge,
    agreement,
    ask_judges,
    report_judgements,
    sample_sources,
    sample_transitions,
)
from dreamgym_env.types import Source

HOUSE = ToyHouse()
STEPS = [
    step
    for number in range(12)
    for step in record(
        f"toyhouse/train/{number}", ["look", "look", "go kitchen", "dance", "leave"], episode=str(number)
    )
]


@given(st.integers(1, 70), st.integers(0, 3))
def test_a_sample_has_its_size_no_step_twice_and_the_order_of_the_file(n, seed):
    sample = sample_transitions(HOUSE, STEPS, n, seed)
    places = [STEPS.index(step) for step in sample]
    assert len(sample) == min(n, len(STEPS)) and places == sorted(set(places))
    assert sample == sample_transitions(HOUSE, STEPS, n, seed)


def test_each_kind_of_action_has_its_share():
    kinds = Counter(
        HOUSE.action_kind(step.action) if step.valid else "no" for step in sample_transitions(HOUSE, STEPS, 30)
    )
    assert kinds == {"look": 12, "go": 6, "no": 6, "leave": 6}
    assert len({HOUSE.action_kind(step.action) for step in sample_transitions(HOUSE, STEPS, 5)}) == 4


def test_seeds_differ_and_a_sample_of_none_is_refused():
    assert sample_transitions(HOUSE, STEPS, 20, 0) != sample_transitions(HOUSE, STEPS, 20, 1)
    assert sample_transitions(HOUSE, [], 5) == []
    with pytest.raises(ValueError, match="n must be at least 1"):
        sample_transitions(HOUSE, STEPS, 0)


def test_each_source_gives_its_own_sample():
    dreamt = [replace(step, source=Source.DREAM) for step in STEPS[:10]]
    sources = Counter(step.source for step in sample_sources(HOUSE, [*dreamt, *STEPS], 20))
    assert sources == {Source.REAL: 20, Source.DREAM: 10}


def judged(*marks):
    return [Invalid("unread") if mark is None else Judgement({"diversity": mark}, "so") for mark in marks]


def test_kappa_is_that_of_hand_computed_cases():
    # 2x2: 20 both 2, 5 only the first, 10 only the second, 15 both 0: observed 0.7, by chance 0.5 (Cohen 1960)
    mine = [2] * 25 + [0] * 25
    theirs = [2] * 20 + [0] * 5 + [2] * 10 + [0] * 15
    found = agreement(judged(*mine), judged(*theirs), ["diversity"])["diversity"]
    assert (found.count, found.share) == (50, 0.7)
    assert found.plain == pytest.approx(0.4) and found.quadratic == pytest.approx(0.4)


def test_neighbouring_marks_disagree_less_where_weighted():
    # mean squared distance: observed (0 + 1 + 1 + 0) / 4, by the margins 1.625 (Cohen 1968)
    found = agreement(judged(0, 0, 1, 2), judged(0, 1, 2, 2), ["diversity"])["diversity"]
    assert found.plain == pytest.approx((0.5 - 5 / 16) / (1 - 5 / 16))
    assert found.quadratic == pytest.approx(1 - 0.5 / 1.625)


def test_kappa_is_none_where_it_is_undefined():
    same = agreement(judged(2, 2), judged(2, 2), ["diversity", "hallucination"])
    assert (same["diversity"].plain, same["diversity"].quadratic, same["diversity"].share) == (None, None, 1.0)
    assert (same["hallucination"].count, same["hallucination"].share) == (0, 0.0)
    assert agreement([], [], ["diversity"])["diversity"].plain is None
    assert agreement(judged(2, 2), judged(0, 2), ["diversity"])["diversity"].plain == 0.0


def test_only_what_both_have_marked_counts():
    found = agreement(judged(2, None, 0, 1), judged(2, 1, None, 0), ["diversity"])["diversity"]
    assert (found.count, found.share) == (2, 0.5)
    with pytest.raises(ValueError, match="same steps"):
        agreement(judged(2), judged(), ["diversity"])


class Fixed:
    name, rubric = "fixed", RUBRIC

    def __init__(self, marks):
        self.marks, self.asked = list(marks), []

    def judge(self, domain, transitions):
        self.asked.append(len(transitions))
        given, self.marks = self.marks[: len(transitions)], self.marks[len(transitions) :]
        return [
            Invalid("no JSON") if mark is None else Judgement(dict.fromkeys(RUBRIC.names, mark), "so") for mark in given
        ]

    def close(self):
        pass


def test_an_invalid_judgement_is_counted_and_is_in_no_figure():
    report = report_judgements(HOUSE, Fixed(()), STEPS[:4], Fixed((2, None, 0, 1)).judge(HOUSE, STEPS[:4]))
    figures = report.sources["real"]
    assert (figures.judged, figures.invalid, report.last_problem) == (3, 1, "no JSON")
    assert figures.marks["diversity"].mean.value == 1.0 and figures.marks["diversity"].mean.count == 3
    assert figures.marks["diversity"].shares == pytest.approx((1 / 3, 1 / 3, 1 / 3))


def test_nothing_judged_is_no_mean():
    figures = report_judgements(HOUSE, Fixed(()), STEPS[:2], Fixed((None, None)).judge(HOUSE, STEPS[:2])).sources[
        "real"
    ]
    assert figures.marks["diversity"].mean is None and figures.marks["diversity"].shares == (0, 0, 0)
    assert figures.judged == 0


def test_real_and_dreamt_steps_stand_side_by_side():
    steps = [replace(step, source=Source.DREAM) for step in STEPS[:3]] + STEPS[:4]
    judge = Fixed((2, 2, 2, 2, 0, 0, None))
    report = ask_judges(HOUSE, [judge, RuleJudge()], steps)
    assert judge.asked == [4, 3]
    one, rules = report.reports
    assert list(one.sources) == ["real", "dream"]
    assert [one.sources[name].marks["diversity"].mean.value for name in one.sources] == [2.0, 0.0]
    assert (one.sources["dream"].judged, one.sources["dream"].invalid) == (2, 1)
    assert rules.sources["real"].marks["diversity"].mean is None  # no reference
    (pair,) = report.agreements
    assert pair.judges == ("fixed", "rules") and pair.criteria["causal_consistency"].count == 6
    told = report.to_json()
    assert told["judges"][0]["rubric"] == {"version": RUBRIC.version, "digest": RUBRIC.digest}
    assert told["steps"][-1]["judgements"][0] == {"invalid": "no JSON"}
    assert len(report.tables()) == 3 and report.reports[0].table().row_count == 6
