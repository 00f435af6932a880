"""The language world model: one call a batch, retries for what cannot be read, and failures that are told."""

from __future__ import annotations

import itertools
import logging
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from toy_domain import ToyHouse, record

from dreamgym_env.errors import WorldModelError
from dreamgym_env.types import (
    Completion,
    Prediction,
    Prompt,
    Query,
    Sampling,
    StreamingGenerator,
    StreamingWorldModel,
    TextGenerator,
    WorldModel,
)
from dreamgym_env.world_model.chat import ChatFormat
from dreamgym_env.world_model.compact import CompactFormat
from dreamgym_env.world_model.language import LanguageWorldModel
from dreamgym_env.world_model.view import View

HOUSE = ToyHouse()
GOOD = "Here it is.<|state|>C<|outcome|>continue"


class Recorder:
    """A generator that answers what a function says and keeps how it was asked."""

    def __init__(self, answer: Callable[[int, Prompt], str | Completion]) -> None:
        self.answer = answer
        self.calls: list[tuple[list[Prompt], Sampling, list[int]]] = []
        self.closed = 0

    def generate(self, prompts: Sequence[Prompt], sampling: Sampling, seeds: Sequence[int]) -> list[Completion]:
        self.calls.append((list(prompts), sampling, list(seeds)))
        answers = [self.answer(len(self.calls), prompt) for prompt in prompts]
        return [one if isinstance(one, Completion) else Completion(one, 10, 2) for one in answers]

    def close(self) -> None:
        self.closed += 1


def queries(*actions: str) -> list[Query]:
    task = HOUSE.task("toyhouse/train/0")
    return [Query(task, (), task.initial_state, action) for action in actions]


def predict(model: LanguageWorldModel, *actions: str) -> list[Prediction]:
    return model.predict(queries(*actions), [()] * len(actions), range(100, 100 + len(actions)))


def world_model(generator: TextGenerator, **settings: object) -> LanguageWorldModel:
    return LanguageWorldModel(CompactFormat(HOUSE), generator, **settings)  # type: ignore[arg-type]


def test_it_is_a_world_model():
    assert isinstance(world_model(Recorder(lambda call, prompt: GOOD)), WorldModel)


def test_a_batch_is_one_call_in_order():
    def answer(call: int, prompt: Prompt) -> str:
        return f"{prompt.user.rpartition('<|action|>')[2]}<|state|>C<|outcome|>continue"

    generator = Recorder(answer)
    predictions = predict(world_model(generator), "look", "leave", "go kitchen")
    assert len(generator.calls) == 1 and generator.calls[0][2] == [100, 101, 102]
    assert [prediction.reasoning.split("<")[0] for prediction in predictions] == [
        "look look", "leave leave", "go go kitchen",
    ]  # fmt: skip


class StreamingRecorder(Recorder):
    """Counts the prompts that the format had written when it took each, and answers the last one first."""

    def __init__(self, answer: Callable[[int, Prompt], str | Completion]) -> None:
        super().__init__(answer)
        self.written: list[Prompt] = []
        self.written_when_taken: list[int] = []

    def open(self) -> BackwardStream:
        return BackwardStream(self)


class BackwardStream:
    """Asks whatever was submitted when answers are wanted."""

    def __init__(self, recorder: StreamingRecorder) -> None:
        self._recorder = recorder
        self._taken: list[tuple[int, Prompt, Sampling, int]] = []
        self._tickets = itertools.count()

    def submit(self, prompt: Prompt, sampling: Sampling, seed: int) -> int:
        self._recorder.written_when_taken.append(len(self._recorder.written))
        self._taken.append((next(self._tickets), prompt, sampling, seed))
        return self._taken[-1][0]

    def receive(self, timeout: float | None = None) -> list[tuple[int, Completion]]:
        if not self._taken:
            return []
        tickets, prompts, (sampling, *_), seeds = zip(*self._taken, strict=True)
        self._taken = []
        answers = self._recorder.generate(list(prompts), sampling, list(seeds))
        return list(reversed(list(zip(tickets, answers, strict=True))))

    def close(self) -> None: ...


def test_a_streaming_engine_is_asked_the_same_and_answers_are_put_in_order():
    def answer(call: int, prompt: Prompt) -> str:
        action = prompt.user.rpartition("<|action|>")[2]
        return "garbage" if call == 1 and "leave" in action else f"{action}<|state|>C<|outcome|>continue"

    whole, streaming = Recorder(answer), StreamingRecorder(answer)
    assert isinstance(streaming, StreamingGenerator)
    predictions = predict(world_model(streaming), "look", "leave", "go kitchen")
    assert predictions == predict(world_model(whole), "look", "leave", "go kitchen")
    assert streaming.calls == whole.calls and len(whole.calls) == 2


def test_a_streaming_engine_gets_each_prompt_as_soon_as_it_is_built(monkeypatch: pytest.MonkeyPatch):
    generator = StreamingRecorder(lambda call, prompt: GOOD)
    model = world_model(generator)
    write = model.format.prompt

    def keep(view: View) -> Prompt:
        generator.written.append(write(view))
        return generator.written[-1]

    monkeypatch.setattr(model.format, "prompt", keep)
    predict(model, "look", "leave", "go kitchen")
    assert generator.written_when_taken == [1, 2, 3]


@pytest.mark.parametrize("kind", [Recorder, StreamingRecorder])
def test_a_stream_of_predictions_takes_further_queries_and_asks_again_what_cannot_be_read(kind: type[Recorder]):
    def answer(call: int, prompt: Prompt) -> str:
        return "garbage" if call == 1 and "leave" in prompt.user else GOOD

    generator = kind(answer)
    model = world_model(generator)
    assert isinstance(model, StreamingWorldModel)
    stream = model.open()
    assert stream.receive() == []
    queries = [
        Query(HOUSE.task("toyhouse/train/0"), (), "Room: hall", action) for action in ("look", "leave", "go kitchen")
    ]
    tickets = [stream.submit(query, [], 7) for query in queries[:2]]
    (first,) = stream.receive()
    assert first[0] == tickets[0] and not first[1].failure
    tickets.append(stream.submit(queries[2], [], 7))
    later: dict[int, Prediction] = {}
    while len(later) < 2:
        later.update(stream.receive())
    assert set(later) == set(tickets[1:]) and later[tickets[1]].attempts == 2
    assert not any(prediction.failure for prediction in later.values())
    stream.close()
    stream.close()


def test_nothing_asked_nothing_answered():
    assert predict(world_model(Recorder(lambda call, prompt: GOOD))) == []


def test_only_what_cannot_be_read_is_asked_again_and_warmer():
    """Greedy decoding would give the same answer again; other seeds tell the tries apart."""

    def answer(call: int, prompt: Prompt) -> str:
        return GOOD if call == 3 or "leave" in prompt.user else "I cannot help with that."

    generator = Recorder(answer)
    predictions = predict(world_model(generator, retries=3), "look", "leave", "go kitchen")
    assert [len(prompts) for prompts, _, _ in generator.calls] == [3, 2, 2]
    assert [sampling.temperature for _, sampling, _ in generator.calls] == [0.0, 0.7, 0.7]
    assert [seeds for _, _, seeds in generator.calls][1:] == [[101, 103], [102, 104]]
    assert not any(prediction.failure for prediction in predictions)


def test_a_hot_model_is_never_cooled_by_a_retry():
    generator = Recorder(lambda call, prompt: "garbage")
    predict(world_model(generator, temperature=1.2, retries=1), "look")
    assert [sampling.temperature for _, sampling, _ in generator.calls] == [1.2, 1.2]


@pytest.mark.parametrize("retries", [0, 1, 2])
def test_after_the_retries_it_is_a_failure_that_is_told(retries: int, caplog: pytest.LogCaptureFixture):
    generator = Recorder(lambda call, prompt: "I cannot help with that.")
    with caplog.at_level(logging.WARNING):
        (prediction,) = predict(world_model(generator, retries=retries), "look")
    assert len(generator.calls) == retries + 1
    assert prediction.failure and "I cannot help with that." in prediction.failure
    assert (prediction.reward, prediction.terminated) == (0.0, False)
    assert prediction.next_state == queries("look")[0].state
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert prediction.failure in caplog.text


def test_all_tokens_are_counted_those_of_failed_tries_too():
    generator = Recorder(lambda call, prompt: GOOD if call == 2 else "garbage")
    (prediction,) = predict(world_model(generator), "look")
    assert (prediction.prompt_tokens, prediction.completion_tokens) == (20, 4)
    (failed,) = predict(world_model(Recorder(lambda call, prompt: "garbage"), retries=2), "look")
    assert (failed.prompt_tokens, failed.completion_tokens) == (30, 6)


def test_a_prompt_that_the_engine_refuses_fails_alone():
    def answer(call: int, prompt: Prompt) -> str | Completion:
        return Completion("", error="The prompt is too long.") if "leave" in prompt.user else GOOD

    look, leave = predict(world_model(Recorder(answer)), "look", "leave")
    assert not look.failure
    assert "The prompt is too long." in leave.failure and leave.reward == 0.0


def test_an_engine_that_is_gone_is_an_error():
    def vanish(call: int, prompt: Prompt) -> str:
        raise WorldModelError("The server stays away.")

    with pytest.raises(WorldModelError, match="stays away"):
        predict(world_model(Recorder(vanish)), "look")


def test_the_engine_is_told_how_to_decode():
    generator = Recorder(lambda call, prompt: GOOD)
    predict(world_model(generator, max_new_tokens=77), "look")
    assert generator.calls[0][1] == Sampling(max_new_tokens=77, temperature=0.0, stop=("<|end|>",), json_schema=None)
    chat = Recorder(lambda call, prompt: '{"reasoning": "", "next_state": "a", "reward": 0, "terminated": false}')
    predict(LanguageWorldModel(ChatFormat(HOUSE), chat), "look")
    schema = chat.calls[0][1].json_schema
    assert schema is not None and list(schema["properties"]) == ["reasoning", "next_state", "reward", "terminated"]


@pytest.mark.parametrize(
    ("temperature", "engine_repeats_itself", "deterministic"),
    [(0.0, True, True), (0.5, True, False), (0.0, False, False)],
)
def test_it_says_whether_answers_repeat(temperature: float, engine_repeats_itself: bool, deterministic: bool):
    model = world_model(
        Recorder(lambda call, prompt: GOOD), temperature=temperature, deterministic=engine_repeats_itself
    )
    assert model.deterministic is deterministic


def test_memories_reach_the_prompt():
    from dreamgym_env.types import Memory

    generator = Recorder(lambda call, prompt: "As before.<|state|>M1<|outcome|>continue")
    past = record("toyhouse/train/4", ["go kitchen"])[0]
    (prediction,) = world_model(generator).predict(queries("go kitchen"), [[Memory("m", past, 1.0)]], [0])
    assert "<|memory|>M1 ==" in generator.calls[0][0][0].user
    assert prediction.next_state == record("toyhouse/train/0", ["go kitchen"])[0].next_state


def test_closing_closes_the_engine():
    generator = Recorder(lambda call, prompt: GOOD)
    model = world_model(generator)
    model.close()
    model.close()
    assert generator.closed == 2


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ({"temperature": -0.1}, "temperature"),
        ({"temperature": float("nan")}, "temperature"),
        ({"max_new_tokens": 0}, "max_new_tokens"),
        ({"retries": -1}, "retries"),
    ],
)
def test_a_number_out_of_range_is_refused(setting: dict[str, Any], said: str):
    with pytest.raises(ValueError, match=said):
        LanguageWorldModel(CompactFormat(HOUSE), Recorder(lambda call, prompt: GOOD), **setting)
