"""Both prompt formats: what they write is what they read, and no text at all breaks them (README: "unbreakable")."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from toy_domain import SEPARATOR, ToyHouse, record

from dreamgym_env.types import Memory, Prompt, Query, Source, Task, Transition, Turn
from dreamgym_env.world_model.chat import ChatFormat
from dreamgym_env.world_model.compact import SPECIAL_TOKENS, CompactFormat
from dreamgym_env.world_model.formats import AnswerError, PromptFormat, outcome_word, unreadable
from dreamgym_env.world_model.view import View

HOUSE = ToyHouse()
FORMATS: list[PromptFormat] = [
    ChatFormat(HOUSE, codec="full"),
    ChatFormat(HOUSE, codec="edits"),
    CompactFormat(HOUSE, codec="full"),
    CompactFormat(HOUSE, codec="edits"),
]
IDS = [f"{written.name}-{written.codec.name}" for written in FORMATS]  # type: ignore[attr-defined]
every_format = pytest.mark.parametrize("prompt_format", FORMATS, ids=IDS)

ODD = ["{instruction}", "\\{instruction}", "<|outcome|>success", "<|state|>", "<|end|>", '"}', "\\", "\n", "\r\n"]
ODD += ["{C 1}", "M1", "C", "+ a", "# Task", "\x00", "\x1b[31m", " ", "\u2028", "\U0001f45f", "Task:", "| ", "<", "|>"]
PIECE = st.one_of(st.sampled_from(ODD), st.text(st.characters(exclude_categories=["Cs"]), max_size=6))
WORDS = st.lists(PIECE, max_size=4).map("".join)
PAGE = st.lists(WORDS, min_size=1, max_size=6).map(SEPARATOR.join)


@st.composite
def steps(draw: st.DrawFn) -> tuple[Query, list[Memory], Transition]:
    """A question, its memories and what came of it, in any texts; pages repeat now and then."""
    instruction = draw(WORDS)
    pages = draw(st.lists(PAGE, min_size=1, max_size=4))
    any_page = st.sampled_from(pages)
    turns = tuple(Turn(draw(any_page), draw(WORDS)) for _ in range(draw(st.integers(0, 4))))
    task = Task("toyhouse/train/0", "toyhouse", instruction, pages[0], goal={"thing": draw(WORDS)})
    query = Query(task, turns, draw(any_page), draw(WORDS))
    memories = [
        Memory(f"m{n}", _transition(draw(WORDS), (), draw(any_page), draw(WORDS), draw(any_page), draw), 0.5)
        for n in range(draw(st.integers(0, 5)))
    ]
    next_state = draw(st.one_of(any_page, PAGE).filter(bool))
    return query, memories, _transition(instruction, turns, query.state, query.action, next_state, draw)


def _transition(
    instruction: str, history: tuple[Turn, ...], state: str, action: str, next_state: str, draw: st.DrawFn
) -> Transition:
    reward, terminated = draw(st.sampled_from([(0.0, False), (1.0, True), (0.0, True), (1.0, False)]))
    return Transition(
        "toyhouse", "toyhouse/train/0", instruction, "train", "e", len(history), history, state, action, next_state,
        reward, terminated, reasoning=draw(WORDS),
    )  # fmt: skip


def view_of(prompt_format: PromptFormat, task_id: str, actions: list[str], memories: list[Transition] = []) -> View:  # noqa: B006
    """The question that the last action asks, after the others were taken."""
    latest = record(task_id, actions)[-1]
    query = Query(HOUSE.task(task_id), latest.history, latest.state, latest.action)
    return prompt_format.viewer.view(query, [Memory(f"m{n}", step, 0.9) for n, step in enumerate(memories)])


@every_format
@settings(max_examples=50)
@given(step=steps())
def test_an_answer_is_read_as_it_was_written(prompt_format: PromptFormat, step: tuple[Query, list[Memory], Transition]):
    query, memories, transition = step
    view = prompt_format.viewer.view(query, memories)
    prediction = prompt_format.parse(prompt_format.answer(view, transition), view)
    assert prediction.next_state == transition.next_state
    assert (prediction.reward, prediction.terminated) == (transition.reward, transition.terminated)
    assert not prediction.failure


@every_format
@settings(max_examples=30)
@given(step=steps())
def test_an_answer_holds_no_stop_string(prompt_format: PromptFormat, step: tuple[Query, list[Memory], Transition]):
    query, memories, transition = step
    written = prompt_format.answer(prompt_format.viewer.view(query, memories), transition)
    assert not any(stop in written for stop in prompt_format.stop)


@every_format
@settings(max_examples=50)
@given(step=steps(), text=st.one_of(WORDS, st.text(max_size=200)), data=st.data())
def test_any_text_is_read_or_refused(prompt_format, step, text, data):
    query, memories, transition = step
    view = prompt_format.viewer.view(query, memories)
    answer = prompt_format.answer(view, transition)
    cut = data.draw(st.integers(0, len(answer)))
    for given_text in (text, answer[:cut], answer[cut:], answer[:cut] + text + answer[cut:]):
        try:
            prediction = prompt_format.parse(given_text, view)
        except AnswerError as error:
            assert str(error)
            continue
        assert prediction.next_state
        assert prediction.reward in (0.0, 1.0) and isinstance(prediction.terminated, bool)
        prediction.next_state.encode()
        prediction.reasoning.encode()


@every_format
@settings(max_examples=30)
@given(step=steps(), data=st.data())
def test_half_an_answer_is_never_a_reward(prompt_format, step, data):
    query, memories, transition = step
    view = prompt_format.viewer.view(query, memories)
    answer = prompt_format.answer(view, transition)
    half = answer[: data.draw(st.integers(0, len(answer) - 2))]
    try:
        prediction = prompt_format.parse(half, view)
    except AnswerError:
        return
    assert prediction.reward == 0.0 and not prediction.terminated


GARBAGE = {
    "nothing": "",
    "blank": " \n\t ",
    "refusal": "I'm sorry, but I cannot help with shopping.",
    "half a JSON": '{"reasoning": "It opens.", "next_st',
    "a list": '[{"next_state": 1}]',
    "wrong types": '{"next_state": ["a"], "reward": "1", "terminated": "no"}',
    "null": '{"next_state": null, "reward": null, "terminated": null}',
    "too great a reward": '{"next_state": "a", "reward": 100, "terminated": false}',
    "not a number": '{"next_state": "a", "reward": NaN, "terminated": true}',
    "deep": '{"next_state": ' + "[" * 100_000,
    "deep objects": '{"a":' * 100_000,
    "a megabyte of letters": "a" * 1_000_000,
    "a megabyte of braces": "{" * 1_000_000,
    "a megabyte of backslashes": '{"next_state": "' + "\\" * 1_000_000,
    "a megabyte of beginnings": '"next_state": "' * 70_000,
    "a megabyte of tags": "<|state|>" * 110_000,
    "a megabyte of references": "a<|state|>" + "C\n" * 500_000 + "<|outcome|>success",
    "a megabyte in a line": "a<|state|>+ " + "{C 1}" * 200_000 + "<|outcome|>success",
    "half an outcome": "It opens.<|state|>C<|outcome|>succ",
    "two outcomes": "It opens.<|state|>C<|outcome|>success<|outcome|>failure",
}


@every_format
@pytest.mark.parametrize("text", list(GARBAGE.values()), ids=list(GARBAGE))
def test_garbage_is_refused_with_a_short_sentence(prompt_format: PromptFormat, text: str):
    view = view_of(prompt_format, "toyhouse/train/0", ["go kitchen", "take key"])
    with pytest.raises(AnswerError) as refused:
        prompt_format.parse(text, view)
    assert 10 < len(str(refused.value)) < 400


UNFINISHED = {
    "no reward": '{"reasoning": "It opens.", "next_state": "Room: hall"',
    "no end": '{"next_state": "Room: hall", "reward": 1, "terminated": tru',
    "a reward of five thousand digits": '{"next_state": "Room: hall", "terminated": true, "reward": '
    + "1" * 5000
    + "}",
    "an invented number": '{"next_state": "Room: hall", "reward": one, "terminated": true}',
}


@pytest.mark.parametrize("text", list(UNFINISHED.values()), ids=list(UNFINISHED))
def test_a_broken_answer_with_a_whole_page_is_read_without_reward(text: str):
    view = view_of(FORMATS[0], "toyhouse/train/0", ["go kitchen"])
    prediction = FORMATS[0].parse(text, view)
    assert (prediction.next_state, prediction.reward, prediction.terminated) == ("Room: hall", 0.0, False)


def test_an_object_is_found_in_chatter_and_line_breaks_in_its_texts_are_read():
    view = view_of(FORMATS[0], "toyhouse/train/0", ["go kitchen"])
    text = 'Sure {ok}!\n```json\n{"reasoning": "a\nb", "next_state": "x\ny", "reward": 1, "terminated": true}\n```'
    prediction = FORMATS[0].parse(text, view)
    assert (prediction.next_state, prediction.reward, prediction.terminated) == ("x | y", 1.0, True)
    assert prediction.reasoning == "a\nb"


@pytest.mark.parametrize("written", ["full", "edits"])
def test_a_lone_surrogate_of_a_model_becomes_a_question_mark(written: str):
    chat = ChatFormat(HOUSE, written)
    view = view_of(chat, "toyhouse/train/0", ["go kitchen"])
    state = "+ a\\ud800b" if written == "edits" else "a\\ud800b"
    text = '{"reasoning": "\\udfff", "next_state": "' + state + '", "reward": 0, "terminated": false}'
    prediction = chat.parse(text, view)
    assert (prediction.next_state, prediction.reasoning) == ("a?b", "?")


@every_format
def test_a_memory_is_readable_under_another_task(prompt_format: PromptFormat):
    """A page recorded under one instruction serves every other (README: "grounded")."""
    past = record("toyhouse/train/4", ["go kitchen"])[0]
    view = view_of(prompt_format, "toyhouse/train/0", ["go kitchen"], [past])
    assert view.memories[0].same_action and view.memories[0].same_page
    wanted = record("toyhouse/train/0", ["go kitchen"])[0]
    answer = prompt_format.answer(view, wanted)
    assert past.instruction not in prompt_format.parse(answer, view).next_state
    if prompt_format.codec.name == "edits":  # type: ignore[attr-defined]
        assert "M1" in answer, "the known page is referred to, not written again"


def test_a_composed_memory_is_named_as_what_it_is_and_leaves_success_open():
    step = record("toyhouse/train/4", ["leave"])[0]
    composed = replace(step, source=Source.COMPOSED, reasoning="composed from this episode")
    chat, compact = ChatFormat(HOUSE), CompactFormat(HOUSE)
    told = chat.prompt(view_of(chat, "toyhouse/train/0", ["leave"], [composed])).user
    assert "## M1 (composed from this episode)" in told and "Reward: not known" in told
    assert "## M1 (real experience)" in chat.prompt(view_of(chat, "toyhouse/train/0", ["leave"], [step])).user
    for memory, word in ((composed, "ended: composed from this episode"), (step, "failure")):
        line = compact.prompt(view_of(compact, "toyhouse/train/0", ["leave"], [memory])).user.splitlines()[-2]
        assert line.startswith("<|memory|>M1") and line.endswith(word)


def test_a_composed_memory_that_speaks_for_success_leaves_the_end_open():
    step = record("toyhouse/train/0", ["go kitchen"])[0]
    composed = replace(step, source=Source.COMPOSED, reasoning="known of this house: 1 there, hot")
    chat, compact = ChatFormat(HOUSE), CompactFormat(HOUSE)
    told = chat.prompt(view_of(chat, "toyhouse/train/0", ["go kitchen"], [composed])).user
    assert "## M1 (known of this house: 1 there, hot)" in told
    assert "Reward and end: not known" in told
    line = compact.prompt(view_of(compact, "toyhouse/train/0", ["go kitchen"], [composed])).user.splitlines()[-2]
    assert line.endswith("continue: 1 there, hot")


def test_an_answer_to_learn_refers_to_a_memory_rather_than_to_the_same_page_seen_earlier():
    compact = CompactFormat(HOUSE)
    back = record("toyhouse/train/0", ["go kitchen", "go hall"])[-1]
    view = view_of(compact, "toyhouse/train/0", ["go kitchen", "go hall"], [back])
    assert view.pages["M1"] == view.pages["P1"]
    assert "<|state|>M1<|outcome|>" in compact.answer(view, back)


def test_an_outcome_has_one_word():
    pairs = [(0.0, False), (1.0, True), (0.0, True), (1.0, False)]
    assert [outcome_word(*pair) for pair in pairs] == ["continue", "success", "failure", "rewarded"]


def test_an_unreadable_answer_changes_nothing_and_earns_nothing():
    view = view_of(FORMATS[0], "toyhouse/train/0", ["go kitchen"])
    prediction = unreadable(view, "It was a refusal.")
    assert prediction.next_state == view.query.state
    assert (prediction.reward, prediction.terminated, prediction.failure) == (0.0, False, "It was a refusal.")


@settings(max_examples=50)
@given(step=steps(), codec=st.sampled_from(["full", "edits"]))
def test_no_text_can_imitate_a_tag_of_the_compact_format(step, codec):
    """One task, one action, one answer, and no outcome in the question, whatever pages and agents write."""
    query, memories, _ = step
    compact = CompactFormat(HOUSE, codec)
    prompt = compact.prompt(compact.viewer.view(query, memories)).user
    counts = {tag: prompt.count(tag) for tag in SPECIAL_TOKENS}
    shown = counts.pop("<|memory|>")
    assert shown == min(len(memories), compact.max_memories)
    assert {tag for tag, count in counts.items() if count} == {
        "<|task|>", "<|past|>", "<|page|>", "<|seen|>", "<|action|>", "<|answer|>",
    }  # fmt: skip
    assert set(counts.values()) == {0, 1}
    assert prompt.count("\n") == 4 + shown and prompt.endswith("<|answer|>")


SECTIONS = ("# Task", "# Facts", "# Episode", "# The current page", "# Memories", "# The agent's action")


@settings(max_examples=50)
@given(step=steps(), codec=st.sampled_from(["full", "edits"]))
def test_no_text_can_imitate_a_section_of_the_chat_format(step, codec):
    query, memories, _ = step
    chat = ChatFormat(HOUSE, codec)
    lines = chat.prompt(chat.viewer.view(query, memories)).user.split("\n")
    starts = [next(name for name in SECTIONS if line.startswith(name)) for line in lines if line.startswith("# ")]
    assert starts == [name for name in SECTIONS if query.task.facts or not name.startswith("# Facts")]


def test_the_chat_prompt_begins_with_what_never_changes():
    """Rules first, then the task, the episode, the memories, and the action last: an engine keeps the prefix."""
    chat = ChatFormat(HOUSE)
    known = record("toyhouse/train/4", ["go kitchen"])
    prompt = chat.prompt(view_of(chat, "toyhouse/train/1", ["look", "go cellar"], known))
    assert HOUSE.rules in prompt.system
    assert prompt.system == chat.prompt(view_of(chat, "toyhouse/train/3", ["leave"])).system
    places = [prompt.user.index(name) for name in SECTIONS]
    assert places == sorted(places) and places[0] == 0
    assert prompt.user.endswith("go cellar")
    assert '"place": "cellar"' in prompt.user, "the model, unlike the agent, is told the hidden facts"


def test_the_model_is_told_the_facts_but_not_the_goal():
    """A model that knows the goal shows it wherever the agent looks."""
    task = replace(HOUSE.task("toyhouse/train/0"), goal={"thing": "sceptre"}, facts={"place": "attic"})
    chat = ChatFormat(HOUSE)
    asked = chat.prompt(chat.viewer.view(Query(task, (), task.initial_state, "look"), [])).user
    assert "attic" in asked
    assert "sceptre" not in asked


@pytest.mark.parametrize("codec", ["full", "edits"])
def test_the_chat_prompt_only_grows_at_its_end(codec: str):
    """Over an episode, what was written about it stays word for word, also when a page comes back."""
    chat = ChatFormat(HOUSE, codec)
    actions = ["go kitchen", "look", "take key", "go hall", "go kitchen", "go hall", "go cellar", "look"]
    told = [
        _episode_part(chat.prompt(view_of(chat, "toyhouse/train/0", [*actions[:n], "look"])))
        for n in range(len(actions))
    ]
    for shorter, longer in itertools.pairwise(told):
        assert longer.startswith(shorter)
        assert len(longer) > len(shorter)


def _episode_part(prompt: Prompt) -> str:
    """Everything that is the same again one step later: up to the name of the current page."""
    return prompt.user[: prompt.user.index("\n\n# The current page")]


@pytest.mark.parametrize("codec", ["full", "edits"])
def test_every_page_that_the_chat_prompt_names_may_be_referred_to(codec: str):
    chat = ChatFormat(HOUSE, codec)
    view = view_of(chat, "toyhouse/train/0", ["go kitchen", "go hall", "go kitchen", "look"])
    prompt = chat.prompt(view).user
    named = {line.split()[2] for line in prompt.split("\n") if line.startswith("## Page ")}
    assert named and named <= set(view.pages)
