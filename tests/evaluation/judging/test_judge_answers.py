"""Reading a judge's answers: a reason and a mark for each criterion, or an AnswerError, whatever the text."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dreamgym_env.evaluation.judging import RUBRIC, Judgement
from dreamgym_env.evaluation.judging.generator_judge import judgement_schema, read_judgement
from dreamgym_env.world_model.formats import AnswerError

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-1, 3) | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)
ANSWER = st.fixed_dictionaries(
    {"reason": st.text() | JSON, **{name: st.integers(-1, 3) | JSON for name in RUBRIC.names}}
)
GOOD = {"reason": "It follows.", **dict.fromkeys(RUBRIC.names, 2)}


@given(st.text() | (ANSWER | JSON).map(json.dumps))
def test_any_text_is_a_judgement_or_an_answer_error(text: str):
    try:
        judgement = read_judgement(text, RUBRIC)
    except AnswerError:
        return
    assert set(judgement.marks) == set(RUBRIC.names)
    assert all(type(mark) is int and 0 <= mark <= 2 for mark in judgement.marks.values())
    assert judgement.reason and judgement.reason.encode() and len(judgement.reason.splitlines()) == 1


@pytest.mark.parametrize(
    "text", [json.dumps(GOOD), f"```json\n{json.dumps(GOOD)}\n```", f"<think>{{</think>{json.dumps(GOOD)}"]
)
def test_a_good_answer_is_read(text):
    assert read_judgement(text, RUBRIC) == Judgement(dict.fromkeys(RUBRIC.names, 2), "It follows.")


@pytest.mark.parametrize("mark", [3, -1, 1.0, True, "2", None, [2]])
def test_what_is_no_mark_is_refused(mark):
    with pytest.raises(AnswerError):
        read_judgement(json.dumps({**GOOD, "diversity": mark}), RUBRIC)


@pytest.mark.parametrize("changes", [{"reason": ""}, {"reason": 2}, {"reason": "x" * 601}, {"overall": 2}])
def test_what_else_was_not_asked_for_is_refused(changes):
    with pytest.raises(AnswerError):
        read_judgement(json.dumps({**GOOD, **changes}), RUBRIC)


@pytest.mark.parametrize("name", ["reason", *RUBRIC.names])
def test_a_missing_member_is_refused(name):
    with pytest.raises(AnswerError):
        read_judgement(json.dumps({key: value for key, value in GOOD.items() if key != name}), RUBRIC)


def test_two_marks_for_a_criterion_are_refused():
    with pytest.raises(AnswerError):
        read_judgement(json.dumps(GOOD).replace('"diversity": 2', '"diversity": 0, "diversity": 2'), RUBRIC)


def test_the_reason_comes_first_in_the_schema_and_all_is_required():
    schema = judgement_schema(RUBRIC)
    assert list(schema["properties"]) == ["reason", *RUBRIC.names] == schema["required"]
    assert schema["properties"]["diversity"] == {"type": "integer", "enum": [0, 1, 2]}
