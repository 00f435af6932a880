"""Shipped experience: indexed once for all processes, then joined to every buffer."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from toy_domain import ToyHouse
from toy_experience import HOUSE, dream, query_of, walk

from dreamgym_env.errors import ExperienceFormatError, ReplayBufferError
from dreamgym_env.memory import KeyWeights, ReplayBuffer, write_transitions
from dreamgym_env.memory import seed as seed_module
from dreamgym_env.types import Source

TESTS = Path(__file__).parents[1]


@pytest.fixture
def seed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A transitions file, and a cache of its own."""
    monkeypatch.setenv("DREAMGYM_CACHE", str(tmp_path / "cache"))
    write_transitions(tmp_path / "seed.jsonl.gz", [*walk(0), *walk(1)])
    return tmp_path / "seed.jsonl.gz"


def indexes(seed: Path) -> list[Path]:
    return [entry for entry in (seed.parent / "cache" / "seeds").iterdir() if entry.is_dir()]


def test_the_seed_and_the_session_are_one_memory(seed: Path) -> None:
    with ReplayBuffer(HOUSE, seed_experience=seed) as buffer:
        own = walk(2, actions=("say news", "go kitchen"))
        buffer.add(own)
        assert buffer.retrieve([query_of(own[0])], k=1)[0][0].transition.task_id == "toyhouse/train/2"
        assert buffer.retrieve([query_of(walk(0)[2])], k=1)[0][0].transition.next_state == walk(0)[2].next_state
        assert buffer.recorded([query_of(walk(1)[3])])[0] is not None
        assert list(buffer.experience()) == [*walk(0), *walk(1), *own]
        assert (len(buffer), buffer.stats()["seed"], buffer.stats()["real"]) == (12, 10, 2)
        similarities = [memory.similarity for memory in buffer.retrieve([query_of(own[1])], k=8)[0]]
        assert similarities == sorted(similarities, reverse=True)


def test_only_the_session_is_exported(seed: Path) -> None:
    with ReplayBuffer(HOUSE, seed_experience=seed) as buffer:
        buffer.add(walk(2))
        assert buffer.export(seed.parent / "own.jsonl") == len(walk(2))


def test_a_dream_of_what_the_seed_knows_is_turned_away(seed: Path) -> None:
    known = replace(walk(0)[0], source=Source.DREAM, next_state="Room: pool | Water.", episode="dreamer")
    with ReplayBuffer(HOUSE, seed_experience=seed) as buffer:
        assert buffer.add([known, dream(1)]) == 1
        assert buffer.stats()["refused_known"] == 1


def test_leak_rules_hold_for_the_seed(seed: Path) -> None:
    with ReplayBuffer(HOUSE, seed_experience=seed) as buffer:
        memories = buffer.retrieve([query_of(walk(0)[0])], k=20, exclude_task=True)[0]
        assert {memory.transition.task_id for memory in memories} == {"toyhouse/train/1"}
        mine = buffer.retrieve([query_of(walk(1)[2], episode="walk")], k=20)[0]
        assert all(m.transition.task_id == "toyhouse/train/0" or m.transition.step < 2 for m in mine)


def test_it_is_indexed_once(seed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ReplayBuffer(HOUSE, seed_experience=seed).close()
    monkeypatch.setattr(seed_module, "_build", None)
    with ReplayBuffer(HOUSE, seed_experience=seed) as one, ReplayBuffer(HOUSE, seed_experience=seed) as two:
        assert len(one) == len(two) == 10
    assert len(indexes(seed)) == 1


def test_another_file_or_key_space_gets_another_index(seed: Path) -> None:
    ReplayBuffer(HOUSE, seed_experience=seed).close()
    with ReplayBuffer(HOUSE, seed_experience=seed, weights=KeyWeights(1, 1)) as buffer:
        assert len(buffer) == 10
    write_transitions(seed, walk(3))
    with ReplayBuffer(HOUSE, seed_experience=seed) as buffer:
        assert len(buffer) == 5
    assert len(indexes(seed)) == 3


def test_processes_that_come_first_together_share_one_index(seed: Path) -> None:
    program = """
import sys
from toy_experience import HOUSE, query_of, walk
from dreamgym_env.memory import ReplayBuffer
with ReplayBuffer(HOUSE, seed_experience=sys.argv[1]) as buffer:
    for _ in range(10):
        for step, memories in zip(walk(), buffer.retrieve([query_of(step) for step in walk()], k=2)):
            assert step.next_state in [memory.transition.next_state for memory in memories]
    print(len(buffer))
"""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(TESTS), str(TESTS / "memory")])}
    command = [sys.executable, "-c", program, str(seed)]
    readers = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) for _ in range(3)]
    assert [reader.communicate()[0].strip() for reader in readers] == ["10"] * 3
    assert len(indexes(seed)) == 1


def test_a_build_that_failed_leaves_nothing_behind(seed: Path) -> None:
    write_transitions(seed, [*walk(0), replace(walk(1)[0], domain="webshop")])
    with pytest.raises(ReplayBufferError, match="'webshop', not 'toyhouse'"):
        ReplayBuffer(HOUSE, seed_experience=seed)
    assert indexes(seed) == []


def test_a_missing_or_broken_seed_says_so(seed: Path) -> None:
    with pytest.raises(ReplayBufferError, match="no seed experience at"):
        ReplayBuffer(HOUSE, seed_experience=seed.with_name("nowhere.jsonl"))
    seed.write_bytes(b"not gzip")
    with pytest.raises(ExperienceFormatError):
        ReplayBuffer(HOUSE, seed_experience=seed)


def test_what_a_domain_ships_is_joined_by_default(seed: Path) -> None:
    class Shipped(ToyHouse):
        def seed_experience(self) -> str:
            return str(seed)

    with ReplayBuffer(Shipped()) as joined, ReplayBuffer(Shipped(), seed_experience=False) as bare:
        assert (len(joined), len(bare)) == (10, 0)
    with ReplayBuffer(HOUSE) as nothing:
        assert len(nothing) == 0


def test_a_folder_joins_the_seed_without_copying_it(seed: Path, tmp_path: Path) -> None:
    with ReplayBuffer(HOUSE, tmp_path / "buffer", seed_experience=seed) as buffer:
        buffer.add(walk(2))
    with ReplayBuffer(HOUSE, tmp_path / "buffer", seed_experience=False) as buffer:
        assert list(buffer.experience()) == walk(2)
