"""Any text environment can be dreamt from a file of its transitions alone (README: "Your own environment")."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import gymnasium as gym
import pytest
from foreign_env import NAME, THINGS, record_cave
from hypothesis import given
from hypothesis import strategies as st
from scripted import ScriptedWorldModel
from toy_domain import record

from dreamgym_env.domains import load_domain, load_domain_of
from dreamgym_env.domains.recorded.domain import Recorded
from dreamgym_env.domains.recorded.texts import join_text, split_text
from dreamgym_env.domains.segments import PLACEHOLDER
from dreamgym_env.errors import DreamGymError, ExperienceFormatError, KeywordError, UnknownDomainError, UnknownTaskError
from dreamgym_env.memory import ReplayBuffer, read_transitions, write_transitions
from dreamgym_env.types import Domain, Memory, Prediction, Query, Transition

DREAM = "DreamGym/Recorded-v0"
PIECES = ["a", "Go", " ", "\n", ".", "!", "[", "|", "{", "}", "\\", PLACEHOLDER]
TEXTS = st.lists(st.sampled_from(PIECES), max_size=30).map("".join)


@pytest.fixture(scope="module")
def experience(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return record_cave(tmp_path_factory.mktemp("cave") / "cave.jsonl.gz")


@pytest.fixture(scope="module")
def cave(experience: Path) -> Recorded:
    return Recorded(experience)


def copy_first(query: Query, memories: tuple[Memory, ...], seed: int) -> Prediction:
    """Answer what the first memory shows, in the words of the asking task."""
    past = memories[0].transition
    segments = split_text(past.next_state, past.instruction)
    return Prediction("As before.", join_text(segments, query.task.instruction), past.reward, past.terminated)


# texts


@given(TEXTS | st.text(), TEXTS | st.text(max_size=5))
def test_no_text_loses_a_character(state: str, instruction: str):
    segments = split_text(state, instruction)
    assert segments
    assert join_text(segments, instruction) == state


@given(TEXTS, st.sampled_from(["find a coin", "Go!", "a\nb"]), TEXTS, st.sampled_from(["sell it. Now", "run"]))
def test_a_page_serves_another_task(before: str, instruction: str, after: str, other: str):
    segments = split_text(f"{before}\n{instruction}\n{after}", instruction)
    if segments.count(PLACEHOLDER) == 1 and instruction not in before:
        assert join_text(segments, other) == f"{before}\n{other}\n{after}"


def test_lines_and_sentences_are_segments():
    state = "-= Hall =-\nIt is dark. Water drips.\n\nTask: find it [EXIT] | [12] link"
    assert split_text(state, "find it") == (
        "-= Hall =-", "\nIt is dark.", " Water drips.", "\n\nTask: ", PLACEHOLDER, " [EXIT]", " |", " [12] link",
    )  # fmt: skip


def test_a_first_page_that_stands_for_the_instruction_is_no_page_of_another_task():
    assert split_text("You are in a hall.", "You are in a hall.") == ("You are in a hall.",)


def test_an_instruction_is_found_as_whole_words_only():
    assert split_text("I look around", "look") == ("I ", PLACEHOLDER, " around")
    assert split_text("I overlook it", "look") == ("I overlook it",)


# the domain


def test_it_is_a_domain(cave: Recorded):
    assert isinstance(cave, Domain)
    assert (cave.name, cave.splits(), cave.max_episode_steps) == (NAME, ("train",), 6)
    assert cave.verifier() is None
    assert cave.composer(lambda: iter(())).compose(Query(cave.task("cave/0"), (), "", ""), ()) is None


def test_tasks_and_first_states_are_those_of_the_file(cave: Recorded, experience: Path):
    assert cave.task_ids("train") == ["cave/0", "cave/1", "cave/2"]
    for number, thing in enumerate(THINGS):
        task = cave.task(f"cave/{number}")
        assert (task.domain, task.split, task.instruction) == (NAME, "train", f"Find the {thing}.")
        assert task.initial_state.endswith(f"Your task: Find the {thing}.") and "-= hall =-" in task.initial_state
    assert cave.seed_experience() == str(experience)
    with pytest.raises(UnknownTaskError, match="its splits are: train"):
        cave.task_ids("test")
    with pytest.raises(UnknownTaskError, match="holds no task 'cave/9'; it holds 3"):
        cave.task("cave/9")


def test_a_task_of_which_the_beginning_is_missing_begins_where_its_history_does(tmp_path: Path):
    steps = record("toyhouse/train/0", ["go kitchen", "go hall"])
    write_transitions(tmp_path / "rest.jsonl", steps[1:])
    assert Recorded(tmp_path / "rest.jsonl").task("toyhouse/train/0").initial_state == steps[0].state


def test_offered_actions_are_those_of_the_recordings(cave: Recorded):
    task = cave.task("cave/1")
    assert cave.available_actions(task, (), task.initial_state) == ("go cellar", "go attic", "look", "take rope")
    cellar = task.initial_state.replace("hall", "cellar")
    assert cave.available_actions(task, (), cellar) == ("go hall", "look", "take rope")


def test_where_nothing_was_offered_what_was_done_there_in_other_tasks_is(tmp_path: Path):
    steps = record("toyhouse/train/0", ["go kitchen", "go hall", "fly"])
    write_transitions(tmp_path / "house.jsonl", [*steps, *record("toyhouse/train/1", ["go cellar"])])
    house = Recorded(tmp_path / "house.jsonl")
    offered = {
        task_id: house.available_actions(house.task(task_id), (), house.task(task_id).initial_state)
        for task_id in ("toyhouse/train/0", "toyhouse/train/1")
    }
    assert offered["toyhouse/train/1"] == ("go kitchen",), "what the environment refused is not offered"
    assert offered["toyhouse/train/0"] == ("go cellar",), "how the task itself was solved is not told"


def test_candidates_do_not_depend_on_the_order_of_sets(tmp_path: Path):
    pages = {"A room.\nline one\nfoo": "a", "B room.\nline two\nbar": "b", "C room.\nline three": "c"}
    (step,) = record("toyhouse/train/0", ["go kitchen"])
    steps = [
        replace(step, task_id=f"toyhouse/train/{at}", episode=str(at), state=page, action=action)
        for at, (page, action) in enumerate(pages.items())
    ]
    write_transitions(path := tmp_path / "rooms.jsonl", steps)
    code = (
        "from dreamgym_env.domains.recorded.domain import Recorded;"
        f"domain = Recorded({str(path)!r});"
        "task = domain.task('toyhouse/train/0');"
        "print(domain.available_actions(task, (), 'Q room.\\nline one\\nline two\\nline three'))"
    )
    answers = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("0", "1", "2")
    }
    assert answers == {"('b',)\n"}


def test_a_page_never_seen_offers_what_the_most_similar_one_does(cave: Recorded):
    task = replace(cave.task("cave/0"), id="cave/new")
    flooded = task.initial_state.replace("Water drips.", "There is a flood.")
    assert cave.available_actions(task, (), flooded)[:2] == ("go cellar", "go attic")
    assert cave.available_actions(task, (), "Nothing like it") == ()
    assert cave.available_actions(task, (), "You can't see that!") == cave.available_actions(
        task, (), "You can't do that."
    )


def test_no_action_is_refused(cave: Recorded):
    task = cave.task("cave/0")
    for action in ("", "dance", "take lamp\n"):
        assert cave.guard(task, (), task.initial_state, action) is None
    assert cave.parse_action("  take \n lamp ") == "take lamp"
    assert cave.parse_action(" \n") is None
    assert [cave.action_kind(action) for action in ("Go north", "click[buy now]", "press(3)", " ")] == [
        "go", "click", "press", "invalid",
    ]  # fmt: skip
    assert [cave.page_kind(text) for text in ("\n-= Big Hall =-\nDark.", "You take it.", "12")] == [
        "big hall", "you take", "empty",
    ]  # fmt: skip


def test_what_it_explains_is_true_of_every_step(cave: Recorded, experience: Path):
    for step in read_transitions(experience):
        told = cave.teach(step, ())
        assert told.reasoning == cave.explain(step)
        assert ("completes" in told.reasoning) == step.terminated
        assert ("nothing changes" in told.reasoning) == (step.state == step.next_state)
    assert cave.teach(replace(step, reasoning="Because."), ()).reasoning == "Because."
    assert "without success" in cave.explain(replace(step, reward=0.0))


# from its name or file


def test_a_name_that_no_benchmark_has_is_found_in_the_file(experience: Path):
    assert load_domain_of(NAME, experience).name == NAME
    assert load_domain_of("webshop", experience).name == "webshop"
    with pytest.raises(UnknownDomainError, match="alfworld, miniwob, recorded, webarena, webshop"):
        load_domain("cave")


def test_what_makes_no_environment_is_told_in_a_sentence(tmp_path: Path, experience: Path):
    empty, mixed, notes = tmp_path / "empty.jsonl", tmp_path / "mixed.jsonl", tmp_path / "notes.jsonl"
    some = read_transitions(experience)[:1]
    write_transitions(empty, [])
    write_transitions(mixed, [*some, replace(some[0], domain="house")])
    notes.write_text("milk, bread\n")
    for given_, error, said in (
        ({}, KeywordError, "needs experience="),
        ({"experience": 3}, KeywordError, "takes the path of a transitions file, not int"),
        (
            {"experience": str(tmp_path / "no.jsonl")},
            ExperienceFormatError,
            r"no\.jsonl' cannot be read \(No such file",
        ),
        ({"experience": str(tmp_path)}, ExperienceFormatError, "cannot be read"),
        ({"experience": str(empty)}, ExperienceFormatError, "holds no transitions"),
        ({"experience": str(mixed)}, ExperienceFormatError, "give a file of one domain"),
        ({"experience": str(notes)}, ExperienceFormatError, "line 1 is not JSON"),
        ({"experience": str(experience), "split": "test"}, UnknownTaskError, "Say which with split="),
    ):
        with pytest.raises(error, match=said) as caught:
            gym.make(DREAM, **given_)
        assert isinstance(caught.value, DreamGymError)


# dreams


def test_a_dream_ends_as_the_recording_did(experience: Path):
    model = ScriptedWorldModel(copy_first)
    with gym.make(DREAM, experience=str(experience), replay=False, world_model=model) as env:
        _, info = env.reset(seed=0, options={"task_id": "cave/2"})
        for action in ("go  cellar", "take coin"):
            observation, reward, terminated, _, info = env.step(action)
    assert (observation, reward, terminated, info["won"], info["answered_by"]) == (
        "You take the coin.", 1.0, True, True, "model",
    )  # fmt: skip


def test_what_was_recorded_is_replayed(experience: Path):
    with gym.make(DREAM, experience=str(experience), world_model=ScriptedWorldModel(copy_first)) as env:
        env.reset(seed=0, options={"task_id": "cave/0"})
        *_, info = env.step("look")
    assert info["answered_by"] == "replay"


def test_the_embedded_model_dreams_what_it_has_not_learnt_and_says_so(
    experience: Path, caplog: pytest.LogCaptureFixture
):
    with caplog.at_level(logging.WARNING), gym.make(DREAM, experience=str(experience), replay=False) as env:
        env.reset(seed=0, options={"task_id": "cave/0"})
        observation, *_, info = env.step("go cellar")
    assert "has learnt nothing of" in caplog.text and "--base embedded" in caplog.text
    assert info["answered_by"] == "model" and not info["failure"]
    assert observation.startswith("-= cellar =-") and observation.endswith("Find the lamp.")


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """Recorded steps of the shop, in a file that says so."""
    known = read_transitions(load_domain("webshop").seed_experience())
    path = tmp_path / "shop.jsonl.gz"
    write_transitions(path, known[:300])
    return path


def test_a_file_of_a_benchmark_is_one_like_any_other(shop: Path):
    """Nothing on the way is special to it: neither the name nor its pages."""
    with gym.make(DREAM, experience=str(shop), replay=False, world_model=ScriptedWorldModel(copy_first)) as env:
        domain = env.unwrapped.domain
        assert isinstance(domain, Recorded) and domain.name == "webshop"
        task = domain.task(domain.task_ids("train")[0])
        assert PLACEHOLDER in domain.segment(task.initial_state, task.instruction)
        _, info = env.reset(seed=0, options={"task_id": task.id})
        observation, *_, info = env.step(info["available_actions"][0])
        assert info["memories"] and task.instruction in observation


def test_two_domains_of_one_name_share_no_index(shop: Path):
    """They split pages otherwise, so that what is the same page to one is none to the other."""
    step = next(step for step in read_transitions(shop) if step.state.count("[SEP]") > 8)
    for domain in (load_domain("webshop"), Recorded(shop)):
        with ReplayBuffer(domain, seed_experience=shop) as buffer:
            (memories,) = buffer.retrieve([replace(step.question(), episode="")], 1)
            assert memories[0].similarity == pytest.approx(1.0, abs=1e-3)


def test_a_buffer_in_a_folder_takes_a_domain_of_any_name(tmp_path: Path, cave: Recorded, experience: Path):
    steps: list[Transition] = read_transitions(experience)
    with ReplayBuffer(cave, tmp_path / "buffer", seed_experience=False) as buffer:
        assert buffer.add(steps) > 0
    with ReplayBuffer(cave, tmp_path / "buffer", seed_experience=False, read_only=True) as buffer:
        assert buffer.recorded([steps[0].question()])[0] is not None
