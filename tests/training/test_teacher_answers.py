"""Reading a teacher's answers: exactly what was asked for, or an AnswerError, whatever the text."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from toy_domain import record

from dreamgym_env.training.teacher_answers import read_traces, read_tutorial
from dreamgym_env.world_model.formats import AnswerError

STEPS = record("toyhouse/train/0", ["look", "leave"])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)
ENTRY = st.fixed_dictionaries(
    {"step": st.integers(0, 1) | JSON, "toward": st.sampled_from(["success", "failure"]) | JSON, "response": JSON}
)
ANSWER = st.fixed_dictionaries({"steps": st.lists(ENTRY | JSON, min_size=1, max_size=3)}) | JSON


@given(st.text() | ANSWER.map(json.dumps))
def test_any_text_is_an_answer_or_an_answer_error(text: str):
    try:
        traces = read_traces(text, STEPS)
    except AnswerError:
        return
    assert len(traces) == len(STEPS)
    for trace in traces:
        assert trace.startswith(("Toward success: ", "Toward failure: "))
        assert len(trace.splitlines()) == 1 and trace.encode()


@given(st.text() | st.fixed_dictionaries(dict.fromkeys(["plan", "success_mode", "failure_mode"], JSON)).map(json.dumps))
def test_any_text_is_a_tutorial_or_an_answer_error(text: str):
    try:
        tutorial = read_tutorial(text)
    except AnswerError:
        return
    assert all((tutorial.plan, tutorial.success_mode, tutorial.failure_mode))


@given(st.lists(st.text(alphabet="ab \n\u2028\ud800.", min_size=1, max_size=40), min_size=2, max_size=2))
def test_what_is_said_is_kept_on_one_line(said: list[str]):
    entries = [{"step": at, "toward": "success", "response": f"It says {text}"} for at, text in enumerate(said)]
    traces = read_traces(json.dumps({"steps": entries}), STEPS)
    for trace, text in zip(traces, said, strict=True):
        assert trace == " ".join(f"Toward success: It says {text}".replace("\ud800", "?").split())


def test_steps_out_of_order_are_no_answer():
    entries = [{"step": at, "toward": "success", "response": "It opens."} for at in (1, 0)]
    with pytest.raises(AnswerError, match="explains step '1' where step 0 was asked"):
        read_traces(json.dumps({"steps": entries}), STEPS)
