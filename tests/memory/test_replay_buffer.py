"""Retrieval and additions: grounded, honest, and with dreams kept in their place."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from toy_experience import HOUSE, dream, next_in, query_of, walk

from dreamgym_env.errors import ExperienceFormatError, ReplayBufferError
from dreamgym_env.memory import (
    DreamFilter,
    HashingEmbedder,
    KeyWeights,
    ReplayBuffer,
    retrieve_similar_transitions,
    write_transitions,
)
from dreamgym_env.types import Source, Task, Turn, Verifier


@pytest.fixture
def buffer() -> Iterator[ReplayBuffer]:
    with ReplayBuffer(HOUSE, seed_experience=False) as buffer:
        yield buffer


# retrieval


def test_the_same_state_and_action_come_first(buffer: ReplayBuffer) -> None:
    steps = walk()
    buffer.add(steps)
    for step, memories in zip(steps, buffer.retrieve([query_of(step) for step in steps], k=3), strict=True):
        assert memories[0].transition.next_state == step.next_state
        assert memories[0].similarity == pytest.approx(1, abs=1e-4)
        assert [memory.similarity for memory in memories] == sorted((m.similarity for m in memories), reverse=True)


def test_the_same_action_on_another_page_comes_before_other_actions(buffer: ReplayBuffer) -> None:
    buffer.add(walk(actions=("go kitchen", "go hall", "look")))
    question = replace(query_of(walk()[0]), state="Room: garden | Exit: hall", action="go hall")
    assert buffer.retrieve([question], k=3)[0][0].transition.action == "go hall"


def test_a_page_recorded_under_one_instruction_serves_every_other(buffer: ReplayBuffer) -> None:
    buffer.add(walk(0))
    memories = buffer.retrieve([query_of(walk(1)[0])], k=1)[0]
    assert memories[0].similarity == pytest.approx(1, abs=1e-4)


def test_a_batch_finds_what_single_queries_find(buffer: ReplayBuffer) -> None:
    buffer.add([*walk(0), *walk(1)])
    queries = [query_of(step) for step in walk(2)]
    ids = [[memory.id for memory in memories] for memories in buffer.retrieve(queries, k=4)]
    assert ids == [[memory.id for memory in buffer.retrieve([query], k=4)[0]] for query in queries]


def test_an_episode_never_sees_its_own_future(buffer: ReplayBuffer) -> None:
    steps = walk(episode="mine")
    buffer.add(steps)
    for step in steps:
        seen = buffer.retrieve([query_of(step, episode="mine")], k=10)[0]
        assert {memory.transition.step for memory in seen} <= set(range(step.step))
    assert len(buffer.retrieve([query_of(steps[3], episode="another")], k=10)[0]) == len(steps)


def test_own_episode_and_own_task_can_be_left_out(buffer: ReplayBuffer) -> None:
    mine, same_task = walk(0, episode="mine"), walk(0, episode="other", actions=("say a", "say b"))
    other_task = walk(1, actions=("say c", "say d"))
    buffer.add([*mine, *same_task, *other_task])
    question = query_of(mine[-1], episode="mine")
    without_episode = buffer.retrieve([question], k=20, exclude_episode=True)[0]
    assert {memory.transition.episode for memory in without_episode} == {"other", "walk"}
    without_task = buffer.retrieve([question], k=20, exclude_task=True)[0]
    assert {memory.transition.task_id for memory in without_task} == {"toyhouse/train/1"}


def test_it_says_which_tasks_it_has_experience_of_as_its_transitions_do(tmp_path: Path) -> None:
    varied = [replace(step, task_id="varied", parent=step.task_id) for step in walk(2)]
    steps = [*walk(0), *varied, dream(1)]
    with ReplayBuffer(HOUSE, tmp_path, seed_experience=False) as buffer:
        buffer.add(steps[:2])
        buffer.flush()
        buffer.add(steps[2:])  # these wait to be written
        families = {step.family for step in buffer.experience()}
        asked = [*HOUSE.task_ids("train"), *HOUSE.task_ids("test"), "varied", "nowhere"]
        assert buffer.known(asked) == families & set(asked)
        assert {walk(0)[0].task_id, walk(2)[0].task_id} <= buffer.known(asked)
        assert buffer.known([]) == set()


def test_leak_rules_do_not_leave_a_query_short(buffer: ReplayBuffer) -> None:
    """However many near rows are forbidden, the search goes on until it finds allowed ones."""
    task = HOUSE.task("toyhouse/train/0")
    first = walk(0, actions=("look",))[0]
    buffer.add([replace(first, episode=f"e{at}", next_state=f"Room: hall | {at}") for at in range(300)])
    buffer.add(walk(1))
    memories = buffer.retrieve([replace(query_of(first), task=task)], k=4, exclude_task=True)[0]
    assert [memory.transition.task_id for memory in memories] == ["toyhouse/train/1"] * 4


def test_the_same_outcome_is_one_memory(buffer: ReplayBuffer) -> None:
    buffer.add([step for at in range(8) for step in walk(0, episode=f"e{at}")])
    memories = buffer.retrieve([query_of(walk()[0])], k=20)[0]
    said = [(memory.transition.state, memory.transition.action, memory.transition.next_state) for memory in memories]
    assert len(said) == len(set(said)) == len(walk())


def test_a_repeated_outcome_is_still_seen_where_its_first_record_is_forbidden(buffer: ReplayBuffer) -> None:
    buffer.add([*walk(0, episode="mine"), *walk(0, episode="other")])
    memories = buffer.retrieve([query_of(walk()[0], episode="mine")], k=1)[0]
    assert memories[0].transition.episode == "other"
    assert memories[0].similarity == pytest.approx(1, abs=1e-4)


def test_a_real_memory_goes_before_a_dream_of_equal_similarity(buffer: ReplayBuffer) -> None:
    imagined = dream(1)
    buffer.add([imagined])
    buffer.add([replace(imagined, source=Source.REAL, next_state="Room: hall | Nobody hears word1.", episode="real")])
    sources = [memory.transition.source for memory in buffer.retrieve([query_of(imagined)], k=2)[0]]
    assert sources == [Source.REAL, Source.DREAM]


def test_memories_carry_their_history_where_it_is_asked_for(buffer: ReplayBuffer) -> None:
    steps = walk()
    buffer.add(steps[:3])
    buffer.add(steps[3:])
    for with_history in (True, False):
        memory = buffer.retrieve([query_of(steps[4])], k=1, with_history=with_history)[0][0]
        assert memory.transition == (steps[4] if with_history else replace(steps[4], history=()))


def test_what_waits_to_be_written_is_found_like_the_rest() -> None:
    with ReplayBuffer(HOUSE, seed_experience=False, flush_every=100) as buffer:
        buffer.add([dream(1), dream(2)])
        assert buffer.stats()["pending"] == 2
        before = buffer.retrieve([query_of(dream(2))], k=2)
        buffer.flush()
        assert buffer.stats()["pending"] == 0
        after = buffer.retrieve([query_of(dream(2))], k=2)
        assert [memory.id for memory in before[0]] == [memory.id for memory in after[0]]
        assert before[0][0].transition == dream(2)


def test_an_empty_buffer_and_an_empty_batch_answer_with_nothing(buffer: ReplayBuffer) -> None:
    assert buffer.retrieve([query_of(walk()[0])]) == [[]]
    assert buffer.recorded([query_of(walk()[0])]) == [None]
    assert buffer.retrieve([]) == []
    buffer.add(walk())
    assert buffer.retrieve([query_of(walk()[0])], k=0) == [[]]
    assert len(buffer.retrieve([query_of(walk()[0])], k=1_000)[0]) == len(walk())


@pytest.mark.parametrize("action", ["", "look" * 25_000, "\ud800 \0 \u202e", "go\nkitchen"])
def test_odd_actions_are_questions_like_others(buffer: ReplayBuffer, action: str) -> None:
    buffer.add([replace(walk()[0], action=action)])
    assert buffer.retrieve([replace(query_of(walk()[0]), action=action)], k=1)[0][0].transition.action == action


def test_the_function_that_the_idea_is_known_by(buffer: ReplayBuffer) -> None:
    steps = walk()
    buffer.add(steps)
    step = steps[2]
    memories = retrieve_similar_transitions(step.state, step.action, step.instruction, step.history, buffer, k=2)
    assert memories[0].transition.next_state == step.next_state
    assert len(memories) == 2


# exact replay


def test_recorded_answers_the_same_task_after_the_same_actions(buffer: ReplayBuffer) -> None:
    steps = walk()
    buffer.add(steps)
    assert [found and found.next_state for found in buffer.recorded([query_of(step) for step in steps])] == [
        step.next_state for step in steps
    ]
    question = query_of(steps[1])
    loud = replace(question, history=(Turn(question.history[0].state, "GO  kitchen"),))
    assert buffer.recorded([loud])[0] is not None  # the domain reads both alike
    other_actions = replace(question, history=(Turn(question.history[0].state, "look"),))
    other_task = query_of(steps[1], task="toyhouse/train/4")
    assert buffer.recorded([other_actions, other_task]) == [None, None]


def test_a_dream_is_never_replayed(buffer: ReplayBuffer) -> None:
    buffer.add([dream(1)])
    assert buffer.recorded([query_of(dream(1))]) == [None]


# additions


def test_an_exact_repetition_is_stored_once(buffer: ReplayBuffer) -> None:
    steps = walk()
    assert buffer.add([*steps, *steps]) == len(steps)
    assert buffer.add(steps) == 0
    assert len(buffer) == buffer.count(Source.REAL) == len(steps)
    assert buffer.stats()["refused_duplicate"] == 2 * len(steps)


def test_real_experience_is_always_accepted() -> None:
    with ReplayBuffer(HOUSE, seed_experience=False, accept=lambda transition: False, max_dream=0) as buffer:
        odd = replace(walk()[0], valid=False, next_state="", episode="odd")
        assert buffer.add([*walk(), odd]) == len(walk()) + 1


@pytest.mark.parametrize(
    ("rejected", "reason"),
    [
        (dream(1, valid=False), "invalid"),
        (dream(1, text="  "), "filter"),
        (replace(dream(1), next_state=dream(1).state), "filter"),
        (dream(1, reward=1.0, terminated=True), "filter"),  # the verifier sees no key in the hand
        (dream(1, reward=1.0), "filter"),
        (dream(1, terminated=True, task_id="toyhouse/train/999"), "filter"),  # nobody knows its goal
        (replace(walk()[0], source=Source.DREAM, next_state="Room: pool | Water."), "known"),
    ],
)
def test_what_the_default_filter_turns_away(buffer: ReplayBuffer, rejected: object, reason: str) -> None:
    buffer.add(walk())
    assert buffer.add([rejected]) == 0  # type: ignore[list-item]
    assert buffer.stats()[f"refused_{reason}"] == 1
    assert buffer.count(Source.DREAM) == 0


def test_a_dream_that_repeats_a_dream_is_turned_away(buffer: ReplayBuffer) -> None:
    again = replace(dream(1), episode="another", task_id="toyhouse/train/4")
    assert buffer.add([dream(1)]) == 1
    assert buffer.add([again]) == 0
    assert buffer.add([replace(again, next_state="Room: hall | A voice answers.")]) == 1


def test_what_several_lanes_dream_at_once_is_one_dream(buffer: ReplayBuffer) -> None:
    """Group starts ask the same question in one batch."""
    lanes = [replace(dream(1), episode=f"lane{at}") for at in range(8)]
    recorded = walk()[0]
    beside = replace(recorded, source=Source.DREAM, next_state="Room: pool | Water.", episode="lane")
    assert buffer.add([*lanes, beside, recorded]) == 2
    assert (buffer.count(Source.DREAM), buffer.count(Source.REAL)) == (1, 1)
    assert (buffer.stats()["refused_duplicate"], buffer.stats()["refused_known"]) == (7, 1)


def test_a_composed_memory_is_never_stored(buffer: ReplayBuffer) -> None:
    with pytest.raises(ReplayBufferError, match="composed"):
        buffer.add([replace(walk()[0], source=Source.COMPOSED)])
    assert len(buffer) == 0


def test_dreams_that_come_slowly_do_not_wait_for_a_full_batch() -> None:
    with ReplayBuffer(HOUSE, seed_experience=False, flush_every=100, flush_seconds=0.0) as buffer:
        buffer.add([dream(1)])
        buffer.add([dream(2)])
        assert buffer.stats()["pending"] == 0


def test_a_success_that_the_verifier_confirms_is_accepted(buffer: ReplayBuffer) -> None:
    won = walk(0, actions=("go kitchen", "take key"))[-1]
    assert won.reward == 1
    assert buffer.add([replace(won, source=Source.DREAM)]) == 1


def test_without_a_verifier_an_end_is_believed() -> None:
    class Unverified(type(HOUSE)):  # type: ignore[misc]
        def verifier(self) -> Verifier | None:
            return None

    accept = DreamFilter(Unverified())
    assert accept(dream(1, reward=1.0, terminated=True))
    assert not accept(dream(1, reward=0.5, terminated=True))


def test_ones_own_filter_decides() -> None:
    with ReplayBuffer(HOUSE, seed_experience=False, accept=lambda step: "word2" in step.action) as buffer:
        assert buffer.add([dream(1), dream(2), dream(3)]) == 1


def test_the_oldest_dreams_make_room_and_real_experience_stays() -> None:
    with ReplayBuffer(HOUSE, seed_experience=False, max_dream=3, flush_every=1) as buffer:
        buffer.add(walk())
        for number in range(6):
            buffer.add([dream(number)])
        assert (buffer.count(Source.REAL), buffer.count(Source.DREAM)) == (len(walk()), 3)
        kept = [step.action for step in buffer.experience() if step.source is Source.DREAM]
        assert kept == ["say word3", "say word4", "say word5"]
        assert buffer.retrieve([query_of(dream(0))], k=1)[0][0].transition.action != "say word0"
        assert buffer.add([dream(0)]) == 1  # forgotten, hence new


def test_a_step_whose_episode_was_evicted_keeps_its_history() -> None:
    first = dream(1)
    second = next_in([first], "say more", "Room: hall | An echo of more.")
    with ReplayBuffer(HOUSE, seed_experience=False, max_dream=1, flush_every=1) as buffer:
        buffer.add([first])
        buffer.add([dream(2)])
        buffer.add([second])
        assert list(buffer.experience()) == [second]


def test_a_frozen_buffer_takes_nothing(buffer: ReplayBuffer) -> None:
    buffer.add([dream(1)])
    buffer.freeze()
    assert buffer.frozen
    assert buffer.stats()["pending"] == 0
    with pytest.raises(ReplayBufferError, match="frozen"):
        buffer.add(walk())
    with pytest.raises(ReplayBufferError, match="frozen"):
        buffer.import_("any.jsonl")
    assert len(buffer) == 1


def test_another_domain_s_experience_is_refused_and_nothing_is_added(buffer: ReplayBuffer) -> None:
    with pytest.raises(ReplayBufferError, match="'webshop' cannot enter a buffer of 'toyhouse'"):
        buffer.add([*walk(), replace(walk()[0], domain="webshop")])
    assert len(buffer) == 0


# files


def test_export_and_import_carry_everything(buffer: ReplayBuffer, tmp_path: Path) -> None:
    experience = [*walk(0), *walk(1, episode="two"), dream(7)]
    buffer.add(experience)
    assert buffer.export(tmp_path / "steps.jsonl.gz") == len(experience)
    with ReplayBuffer(HOUSE, seed_experience=False) as other:
        assert other.import_(tmp_path / "steps.jsonl.gz") == len(experience)
        assert list(other.experience()) == list(buffer.experience()) == experience


def test_a_broken_file_is_imported_not_at_all(buffer: ReplayBuffer, tmp_path: Path) -> None:
    path = tmp_path / "steps.jsonl"
    write_transitions(path, walk())
    path.write_text(path.read_text() + "{broken\n")
    with pytest.raises(ExperienceFormatError, match="line 7"):
        buffer.import_(path)
    assert len(buffer) == 0


def test_two_buffers_in_memory_share_nothing() -> None:
    with ReplayBuffer(HOUSE, seed_experience=False) as one, ReplayBuffer(HOUSE, seed_experience=False) as two:
        one.add(walk())
        assert (len(one), len(two)) == (len(walk()), 0)
        assert two.retrieve([query_of(walk()[0])]) == [[]]


def test_a_task_of_the_user_s_own_may_ask(buffer: ReplayBuffer) -> None:
    buffer.add(walk())
    own = Task("mine", HOUSE.name, "Find my hat.", "Room: attic")
    assert len(buffer.retrieve([replace(query_of(walk()[0]), task=own)], k=2)[0]) == 2


def test_the_very_question_comes_first_where_the_embedder_takes_two_actions_for_one() -> None:
    """Hashed words collide: 300 of them in 16 buckets certainly do."""
    with ReplayBuffer(HOUSE, seed_experience=False, embedder=HashingEmbedder(8)) as buffer:
        steps = [replace(walk()[0], action=f"say word{at}", episode=f"e{at}") for at in range(300)]
        buffer.add(steps)
        found = buffer.retrieve([query_of(step) for step in steps], k=1)
        assert [memories[0].transition.action for memories in found] == [step.action for step in steps]


def test_a_variation_of_a_task_sees_nothing_of_its_parent_where_its_task_is_left_out(buffer: ReplayBuffer) -> None:
    buffer.add([*walk(0), *walk(1)])
    variation = replace(HOUSE.task("toyhouse/train/0"), id="varied", parent="toyhouse/train/0")
    memories = buffer.retrieve([replace(query_of(walk(0)[0]), task=variation)], k=20, exclude_task=True)[0]
    assert {memory.transition.task_id for memory in memories} == {"toyhouse/train/1"}


@pytest.mark.parametrize("weights", [KeyWeights(), KeyWeights(task=0.5, history=0.2)])
def test_every_recorded_question_finds_its_own_record(tmp_path: Path, weights: KeyWeights) -> None:
    """Exactly, in the session that recorded it and in the next."""
    words = ("north", "kitchen", "cellar", "lamp", "river", "stone", "garden", "letter")
    spoken = [" ".join(dict.fromkeys(trio)) for trio in itertools.product(words, repeat=3)]
    steps = [replace(walk()[0], action=f"say {text}", next_state=f"Room: {text}") for text in dict.fromkeys(spoken)]
    steps = [replace(step, episode=f"e{at}") for at, step in enumerate(steps)]
    queries = [query_of(step) for step in steps]
    for session in range(2):
        with ReplayBuffer(HOUSE, tmp_path / "buffer", seed_experience=False, weights=weights) as buffer:
            assert buffer.add(steps) == (0 if session else len(steps))
            found = buffer.retrieve(queries, k=1)
            assert [memories[0].transition.next_state for memories in found] == [step.next_state for step in steps]


# what was found is kept


def test_a_question_is_searched_for_once_until_the_buffer_changes(buffer, monkeypatch) -> None:
    buffer.add(walk(0))
    searches = []
    search = buffer._own.search
    monkeypatch.setattr(buffer._own, "search", lambda keys, *rest: searches.append(len(keys)) or search(keys, *rest))
    group = [query_of(walk(2)[1], episode=f"member {number}") for number in range(4)]
    first = buffer.retrieve(group, k=2)
    assert first == buffer.retrieve(group, k=2) == [first[0]] * 4
    assert sum(searches) == 1
    buffer.add(walk(1))
    assert len(buffer.retrieve(group, k=9)[0]) >= len(first[0])
    assert sum(searches) > 1


def test_what_is_kept_is_never_given_to_an_episode_that_may_not_see_it(buffer) -> None:
    steps = walk(0, episode="mine")
    buffer.add(steps)
    asked = query_of(steps[1], episode="another", task=steps[1].task_id)
    seen = buffer.retrieve([asked], k=9)[0]
    own = buffer.retrieve([replace(asked, episode="mine")], k=9)[0]
    assert {memory.transition.step for memory in seen} > {memory.transition.step for memory in own}
    assert all(memory.transition.step < 1 for memory in own)


def test_changing_the_list_of_memories_changes_nothing_that_is_kept(buffer) -> None:
    buffer.add(walk(0))
    question = query_of(walk(2)[1])
    found = buffer.retrieve([question], k=3)[0]
    kept = list(found)
    found.clear()
    assert buffer.retrieve([question], k=3)[0] == kept


def test_a_task_sees_nothing_of_its_variations_where_its_task_is_left_out(buffer) -> None:
    steps = [replace(step, task_id="varied", parent="toyhouse/train/0", episode="varied") for step in walk(0)]
    buffer.add(steps)
    question = query_of(walk(0)[1])
    sibling = replace(question, task=replace(question.task, id="another variation", parent="toyhouse/train/0"))
    assert buffer.retrieve([question], k=9)[0]
    assert buffer.retrieve([question, sibling], k=9, exclude_task=True) == [[], []]
