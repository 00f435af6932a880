"""Transitions files: what is written is read; what is broken is named, and nothing of it is read."""

from __future__ import annotations

import gzip
import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from toy_experience import dream, walk

from dreamgym_env.errors import ExperienceFormatError
from dreamgym_env.memory import experience
from dreamgym_env.memory.experience import (
    TransitionWriter,
    read_domain_transitions,
    read_transitions,
    write_transitions,
)
from dreamgym_env.memory.records import dump_line, from_record, to_record
from dreamgym_env.types import Source, Transition, Turn

texts = st.text(max_size=30)  # surrogates included
turns = st.lists(st.builds(Turn, texts, texts), max_size=3).map(tuple)
transitions = st.builds(
    Transition,
    domain=texts,
    task_id=texts,
    instruction=texts,
    split=texts,
    episode=st.sampled_from(["a", "b"]),
    step=st.integers(0, 4),
    history=turns,
    state=texts,
    action=texts,
    next_state=texts,
    reward=st.sampled_from([0.0, 1.0]),
    terminated=st.booleans(),
    source=st.sampled_from([Source.REAL, Source.DREAM]),
    reasoning=texts,
    score=st.floats(0, 1),
    valid=st.booleans(),
    available_actions=st.lists(texts, max_size=3).map(tuple),
    parent=texts,
)


def interleaved() -> list[Transition]:
    """Two episodes, step by step in turn, as a vector environment records them."""
    return [step for pair in zip(walk(0, episode="a"), walk(1, episode="b"), strict=True) for step in pair]


@pytest.mark.parametrize("name", ["steps.jsonl", "steps.jsonl.gz"])
def test_what_is_written_is_read(tmp_path: Path, name: str) -> None:
    written = [*interleaved(), dream(1, reasoning="why", score=0.5, valid=False, available_actions=("look",))]
    assert write_transitions(tmp_path / name, written, header={"agent": "scripted"}) == len(written)
    assert read_transitions(tmp_path / name) == written


@given(st.lists(transitions, max_size=6))
def test_any_transitions_survive_the_file(tmp_path_factory: pytest.TempPathFactory, written: list[Transition]) -> None:
    path = tmp_path_factory.mktemp("any") / "steps.jsonl"
    write_transitions(path, written)
    assert read_transitions(path) == written


@given(transitions)
def test_any_transition_survives_a_line(transition: Transition) -> None:
    line = dump_line(to_record(transition)).encode()
    assert b"\n" not in line
    assert from_record(json.loads(line)) == transition


def test_the_same_transitions_give_the_same_bytes(tmp_path: Path) -> None:
    first, second = tmp_path / "first.jsonl.gz", tmp_path / "second.jsonl.gz"
    write_transitions(first, interleaved())
    write_transitions(second, interleaved())
    assert first.read_bytes() == second.read_bytes()


def test_an_episode_writes_no_page_once_per_later_step(tmp_path: Path) -> None:
    steps = walk(actions=["look"] * 40)
    write_transitions(tmp_path / "steps.jsonl", steps)
    assert all("history" not in json.loads(line) for line in (tmp_path / "steps.jsonl").open())
    assert read_transitions(tmp_path / "steps.jsonl") == steps


def test_equal_pages_are_one_object_in_memory(tmp_path: Path) -> None:
    write_transitions(tmp_path / "steps.jsonl", walk(actions=["look", "look", "look"]))
    first, second, third = read_transitions(tmp_path / "steps.jsonl")
    assert first.next_state is second.state is second.next_state is third.history[1].state


def test_a_failed_write_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "steps.jsonl"
    write_transitions(path, walk())

    def failing() -> object:
        yield from walk(1)
        raise RuntimeError("the recorder died")

    with pytest.raises(RuntimeError):
        write_transitions(path, failing())  # type: ignore[arg-type]
    assert read_transitions(path) == walk()
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("broken", "reason"),
    [
        ("{not json", "not JSON"),
        ("[" * 100_000, "not JSON"),
        ("[1, 2]", "not a JSON object"),
        ('{"task_id": "t"}', '"step" is missing'),
    ],
)
def test_a_broken_line_is_named_and_nothing_is_read(tmp_path: Path, broken: str, reason: str) -> None:
    path = tmp_path / "steps.jsonl"
    write_transitions(path, walk())
    lines = path.read_text().splitlines()
    path.write_text("\n".join([*lines[:3], broken, *lines[3:]]))
    with pytest.raises(ExperienceFormatError, match=rf"steps\.jsonl, line 4\b.*{reason}"):
        read_transitions(path)


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("step", -1),
        ("step", True),
        ("reward", "1"),
        pytest.param("reward", 10**400, id="reward-huge"),
        ("reward", float("nan")),
        ("terminated", 0),
        ("source", "imagined"),
        ("state", None),
        ("history", [["page"]]),
        ("available_actions", "look"),
    ],
)
def test_a_member_of_a_wrong_type_is_named(member: str, value: object) -> None:
    with pytest.raises(ValueError, match=member):
        from_record({**to_record(walk()[0]), member: value})


def test_a_line_whose_episode_is_missing_is_named(tmp_path: Path) -> None:
    path = tmp_path / "steps.jsonl"
    write_transitions(path, walk())
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join([lines[0], *lines[2:]]))
    with pytest.raises(ExperienceFormatError, match=r"line 2.*step 0 of its episode"):
        read_transitions(path)


@pytest.mark.parametrize(
    ("header", "reason"),
    [
        ('{"format": "dreamgym_env.transitions", "version": 99}', "version 99"),
        ('{"products": 3}', "not a transitions file"),
        ("", "is empty"),
    ],
)
def test_another_format_or_version_is_refused(tmp_path: Path, header: str, reason: str) -> None:
    path = tmp_path / "steps.jsonl"
    path.write_text(f"{header}\n" if header else "")
    with pytest.raises(ExperienceFormatError, match=reason):
        read_transitions(path)


def test_a_file_of_one_domain_is_told_from_others(tmp_path: Path) -> None:
    """What learns or asks about one domain refuses transitions of others, and a file without any."""
    path, steps = tmp_path / "steps.jsonl", walk()
    own = steps[0].domain
    write_transitions(path, steps)
    assert read_domain_transitions(path) == read_domain_transitions(path, own) == steps
    with pytest.raises(ExperienceFormatError, match=rf"steps\.jsonl holds transitions of '{own}', and not of 'flat'"):
        read_domain_transitions(path, "flat")
    write_transitions(path, [*steps, replace(steps[0], domain="flat")])
    with pytest.raises(ExperienceFormatError, match=f"of 'flat', and not of '{own}' alone"):
        read_domain_transitions(path)
    write_transitions(path, [])
    with pytest.raises(ExperienceFormatError, match="holds no transitions"):
        read_domain_transitions(path)


def test_an_absurdly_long_line_is_refused_before_it_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "steps.jsonl.gz"
    write_transitions(path, walk())
    monkeypatch.setattr(experience, "MAX_LINE_BYTES", 100)
    with pytest.raises(ExperienceFormatError, match="line 2 is longer"):
        read_transitions(path)


@pytest.mark.parametrize("name", ["steps.jsonl", "steps.jsonl.gz"])
def test_a_writer_appends_and_continues(tmp_path: Path, name: str) -> None:
    steps = interleaved()
    with TransitionWriter(tmp_path / name) as writer:
        for step in steps[:3]:
            writer.write(step)
        writer.flush()
        assert read_transitions(tmp_path / name) == steps[:3]
        writer.write(steps[3])
    with TransitionWriter(tmp_path / name) as writer:
        for step in steps[4:]:
            writer.write(step)
    assert read_transitions(tmp_path / name) == steps


@pytest.mark.parametrize("name", ["steps.jsonl", "steps.jsonl.gz"])
def test_a_half_written_line_is_cut_off_on_opening(tmp_path: Path, name: str) -> None:
    path, steps = tmp_path / name, walk()
    write_transitions(path, steps)
    path.write_bytes(path.read_bytes()[:-12])
    with pytest.raises(ExperienceFormatError):
        read_transitions(path)
    TransitionWriter(path).close()
    rescued = read_transitions(path)
    assert rescued == steps[: len(rescued)]
    assert len(rescued) == len(steps) - 1 or name.endswith(".gz")  # a compressed tail may hold several lines


def test_a_writer_refuses_another_file(tmp_path: Path) -> None:
    path = tmp_path / "notes.jsonl"
    path.write_text('{"note": 1}\n')
    with pytest.raises(ExperienceFormatError, match="not a transitions file"):
        TransitionWriter(path)
    assert path.read_text() == '{"note": 1}\n'


def test_a_compressed_file_is_smaller(tmp_path: Path) -> None:
    path = tmp_path / "steps.jsonl.gz"
    write_transitions(path, [replace(step, episode=str(at)) for at in range(20) for step in walk()])
    with gzip.open(path) as stream:
        assert len(stream.read()) > 4 * path.stat().st_size
