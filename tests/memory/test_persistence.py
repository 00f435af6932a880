"""A buffer in a folder: nothing is lost, one writer at a time, and what is not a buffer is left alone (promise 6)."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from toy_domain import ToyHouse
from toy_experience import HOUSE, dream, query_of, walk

from dreamgym_env.errors import BufferLockedError, ReplayBufferError
from dreamgym_env.memory import HashingEmbedder, KeyWeights, ReplayBuffer
from dreamgym_env.memory import store as store_module
from dreamgym_env.types import Source

TESTS = Path(__file__).parents[1]


def open_buffer(folder: Path, **options: object) -> ReplayBuffer:
    return ReplayBuffer(HOUSE, folder, seed_experience=False, **options)  # type: ignore[arg-type]


def start(program: str, *arguments: object) -> subprocess.Popen[str]:
    """Run a program in another process that can import what these tests import."""
    path = os.pathsep.join([str(TESTS), str(TESTS / "memory")])
    return subprocess.Popen(
        [sys.executable, "-c", program, *map(str, arguments)],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": path},
    )


WRITER = """
import sys
from toy_experience import HOUSE, dream, walk
from dreamgym_env.memory import ReplayBuffer
buffer = ReplayBuffer(HOUSE, sys.argv[1], seed_experience=False, flush_every=50)
number = 0
while True:
    buffer.add([dream(number)])
    number += 1
    if buffer.stats()["pending"] == 0:
        print(number, flush=True)
    if number == 120:
        buffer.add(walk())
        print("real", flush=True)
"""

READER = """
import sys
from toy_experience import HOUSE, query_of, walk
from dreamgym_env.memory import ReplayBuffer
with ReplayBuffer(HOUSE, sys.argv[1], seed_experience=False, read_only=True) as buffer:
    for _ in range(20):
        found = buffer.retrieve([query_of(step) for step in walk()], k=2)
        assert [memories[0].transition.next_state for memories in found] == [step.next_state for step in walk()]
    print(len(buffer), flush=True)
"""


def test_a_closed_buffer_opens_with_everything(tmp_path: Path) -> None:
    experience = [*walk(), dream(1), dream(2)]
    with open_buffer(tmp_path / "buffer") as buffer:
        buffer.add(experience)
    with open_buffer(tmp_path / "buffer") as buffer:
        assert list(buffer.experience()) == experience
        assert buffer.add(experience) == 0
        assert buffer.recorded([query_of(walk()[2])])[0] is not None
        assert buffer.retrieve([query_of(dream(2))], k=1)[0][0].transition == dream(2)


def test_the_bound_on_dreams_holds_over_sessions(tmp_path: Path) -> None:
    for number in range(5):
        with open_buffer(tmp_path / "buffer", max_dream=3) as buffer:
            buffer.add([dream(number)])
    with open_buffer(tmp_path / "buffer") as buffer:
        assert [step.action for step in buffer.experience()] == ["say word2", "say word3", "say word4"]


def test_a_forgotten_buffer_is_written_all_the_same(tmp_path: Path) -> None:
    program = """
import sys
from toy_experience import HOUSE, dream
from dreamgym_env.memory import ReplayBuffer
buffer = ReplayBuffer(HOUSE, sys.argv[1], seed_experience=False)
buffer.add([dream(1)])
"""
    assert start(program, tmp_path / "buffer").wait() == 0
    with open_buffer(tmp_path / "buffer") as buffer:
        assert list(buffer.experience()) == [dream(1)]


def test_a_killed_writer_loses_at_most_its_last_batch_of_dreams(tmp_path: Path) -> None:
    writer = start(WRITER, tmp_path / "buffer")
    assert writer.stdout is not None
    lines = iter(writer.stdout.readline, "")
    for line in lines:
        if line.strip() == "real":
            break
    flushed = int(next(lines))  # whatever it does now, this much is written
    writer.send_signal(signal.SIGKILL)
    writer.wait()
    with open_buffer(tmp_path / "buffer") as buffer:
        assert buffer.count(Source.REAL) == len(walk())
        assert buffer.count(Source.DREAM) >= flushed
        kept = [step for step in buffer.experience() if step.source is Source.DREAM]
        assert kept == [dream(number) for number in range(len(kept))]
        assert buffer.retrieve([query_of(dream(flushed - 1))], k=1)[0][0].transition == dream(flushed - 1)
        assert buffer.add([dream(99_999)]) == 1


@pytest.fixture
def written(tmp_path: Path) -> Path:
    """The folder of a buffer with one episode."""
    with open_buffer(tmp_path / "buffer") as buffer:
        buffer.add(walk())
    return tmp_path / "buffer"


def test_a_second_writer_is_refused_and_told_what_to_do(written: Path) -> None:
    with (
        open_buffer(written) as buffer,
        pytest.raises(BufferLockedError, match=r"read_only=True.*Chroma server"),
    ):
        open_buffer(written)
    with open_buffer(written) as buffer:
        assert len(buffer) == len(walk())


def test_a_writer_in_another_process_is_noticed(tmp_path: Path) -> None:
    writer = start(WRITER, tmp_path / "buffer")
    try:
        assert writer.stdout is not None
        writer.stdout.readline()
        with pytest.raises(BufferLockedError):
            open_buffer(tmp_path / "buffer")
        with open_buffer(tmp_path / "buffer", read_only=True) as reader:
            assert reader.count(Source.DREAM) >= 50
    finally:
        writer.kill()
        writer.wait()


def test_many_processes_read_at_once(written: Path) -> None:
    readers = [start(READER, written) for _ in range(3)]
    assert [reader.communicate()[0].strip() for reader in readers] == [str(len(walk()))] * 3
    assert [reader.returncode for reader in readers] == [0, 0, 0]
    with open_buffer(written) as buffer:
        assert list(buffer.experience()) == walk()


def test_a_reader_that_opens_again_sees_what_the_writer_added(written: Path) -> None:
    news = walk(1, actions=("say news",))
    with open_buffer(written, read_only=True) as early, open_buffer(written) as writer:
        assert len(early.retrieve([query_of(walk()[0])], k=50)[0]) == len(walk())
        writer.add(news)
        with open_buffer(written, read_only=True) as late:
            assert late.retrieve([query_of(news[0])], k=1)[0][0].transition.action == "say news"


def test_read_only_means_read_only(written: Path) -> None:
    with open_buffer(written, read_only=True) as reader:
        with pytest.raises(ReplayBufferError, match="read_only"):
            reader.add(walk(1))
        with open_buffer(written) as writer:
            writer.add(walk(1))


def test_read_only_creates_nothing(tmp_path: Path) -> None:
    with pytest.raises(ReplayBufferError, match="no replay buffer to read"):
        open_buffer(tmp_path / "missing", read_only=True)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"embedder": HashingEmbedder(64)}, "indexed with 'hash-128-v1"),
        ({"weights": KeyWeights(state=0.5, action=0.5)}, "that embedder and those weights"),
    ],
)
def test_another_key_space_is_refused(written: Path, options: dict[str, object], reason: str) -> None:
    with pytest.raises(ReplayBufferError, match=reason):
        open_buffer(written, **options)
    with open_buffer(written) as buffer:  # and the refusal holds no lock
        assert len(buffer) == len(walk())


def test_another_schema_version_is_refused(written: Path) -> None:
    spec = store_module.StoreSpec(HOUSE.name, "keys", 3, version=2)
    with pytest.raises(ReplayBufferError, match=r"schema version 1, this library writes version 2.*import the file"):
        store_module.Store(spec, written, read_only=False)


def test_another_domain_is_refused(written: Path) -> None:
    class Barn(ToyHouse):
        name = "barn"

    with pytest.raises(ReplayBufferError, match="buffer of the domain 'toyhouse', not 'barn'"):
        ReplayBuffer(Barn(), written, seed_experience=False)


def test_a_folder_that_is_not_a_buffer_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(ReplayBufferError, match=r"not empty.*thesis\.txt"):
        open_buffer(tmp_path)
    with pytest.raises(ReplayBufferError, match="is a file"):
        open_buffer(tmp_path / "thesis.txt")
    assert [entry.name for entry in tmp_path.iterdir()] == ["thesis.txt"]


@pytest.mark.parametrize(
    ("marker", "reason"), [("{", "damaged"), (json.dumps({"format": "x"}), "another kind"), ("[]", "another kind")]
)
def test_a_strange_marker_is_refused(written: Path, marker: str, reason: str) -> None:
    (written / "dreamgym_buffer.json").write_text(marker)
    with pytest.raises(ReplayBufferError, match=reason):
        open_buffer(written)


def test_a_creation_that_was_killed_early_is_completed(tmp_path: Path) -> None:
    (tmp_path / "dreamgym_buffer.lock").touch()
    (tmp_path / "dreamgym_buffer.json.draft").touch()
    with open_buffer(tmp_path) as buffer:
        assert buffer.add(walk()) == len(walk())


def test_more_rows_than_chroma_takes_at_once(tmp_path: Path) -> None:
    many = [dream(number) for number in range(5_600)]
    with open_buffer(tmp_path / "buffer", flush_every=100_000, embedder=HashingEmbedder(8)) as buffer:
        assert buffer.add(many) == len(many)
    with open_buffer(tmp_path / "buffer", read_only=True, embedder=HashingEmbedder(8)) as buffer:
        assert len(buffer) == len(many)


def test_folders_and_memory_live_side_by_side(tmp_path: Path) -> None:
    folders = [tmp_path / "one", tmp_path / "two"]
    with (
        open_buffer(folders[0]) as one,
        open_buffer(folders[1]) as two,
        ReplayBuffer(HOUSE, seed_experience=False) as three,
    ):
        for number, buffer in enumerate((one, two, three)):
            buffer.add(walk(number))
        for number, buffer in enumerate((one, two, three)):
            assert [step.task_id for step in buffer.experience()] == [f"toyhouse/train/{number}"] * len(walk())


def test_what_no_encoding_can_hold_survives_a_folder(tmp_path: Path) -> None:
    odd = replace(walk()[0], action="\ud800 \0 \u202e", next_state="\udfff" * 3, episode="odd")
    with open_buffer(tmp_path / "buffer") as buffer:
        buffer.add([odd])
    with open_buffer(tmp_path / "buffer") as buffer:
        assert list(buffer.experience()) == [odd]
