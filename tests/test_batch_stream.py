"""A stream over what answers whole batches: one call for all that wait, and nobody passed over for ever."""

from __future__ import annotations

import pytest

from dreamgym_env.batch_stream import BatchStream


class Counting:
    """Answers with the question, and counts its batches."""

    def __init__(self) -> None:
        self.batches: list[list[tuple[str, ...]]] = []

    def __call__(self, questions: list[tuple[str, ...]]) -> list[str]:
        self.batches.append(list(questions))
        return [" ".join(question) for question in questions]


def test_all_that_wait_are_asked_at_once_and_keep_their_tickets():
    answer = Counting()
    stream = BatchStream(answer)
    assert stream.receive() == []
    first, second = stream.submit("a", "b"), stream.submit("c")
    assert stream.receive() == [(first, "a b"), (second, "c")]
    third = stream.submit("d")
    assert stream.receive(timeout=5.0) == [(third, "d")] and stream.receive() == []
    assert answer.batches == [[("a", "b"), ("c",)], [("d",)]]


def test_who_only_looks_lets_others_join_once():
    answer = Counting()
    stream = BatchStream(answer)
    stream.submit("a")
    assert stream.receive(timeout=0) == []
    stream.submit("b")
    assert [text for _, text in stream.receive(timeout=0)] == ["a", "b"]
    stream.submit("c")
    assert stream.receive(timeout=0) == [] and [text for _, text in stream.receive()] == ["c"]


def test_a_failing_batch_is_dropped():
    def fail(questions: object) -> list[str]:
        raise RuntimeError("no engine")

    stream: BatchStream[str] = BatchStream(fail)
    stream.submit("a")
    with pytest.raises(RuntimeError, match="no engine"):
        stream.receive()
    assert stream.receive() == []


def test_closing_forgets():
    answer = Counting()
    stream = BatchStream(answer)
    stream.submit("a")
    stream.close()
    assert stream.receive() == [] and answer.batches == []
