"""Promises of recording: it follows from its settings alone, survives an interruption, and overwrites nothing."""

from __future__ import annotations

import gzip
import itertools
import json

import numpy as np
import pytest
from filelock import FileLock

from dreamgym_env.domains import load_domain
from dreamgym_env.errors import DreamGymError, ExperienceFormatError, UnknownDomainError, UnknownTaskError
from dreamgym_env.evaluation.agents import UnknownAgentError
from dreamgym_env.memory import read_transitions
from dreamgym_env.training import record as recording
from dreamgym_env.training.record import AgentShare, parse_agent_shares, record_experience
from dreamgym_env.types import Source

MIX = parse_agent_shares("oracle:0.3,noisy-oracle:0.3,random:0.4")
EPISODES = 16


def record(path, **changes):
    settings = {"agents": MIX, "episodes": EPISODES, "split": "train", "seed": 5, "lanes": 8, "progress": False}
    return record_experience("webshop", path, **{**settings, **changes})


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A recording that nothing interrupted."""
    path = tmp_path_factory.mktemp("recording") / "whole.jsonl.gz"
    return path, record(path)


def test_the_report_counts_what_the_file_holds(whole):
    path, report = whole
    transitions = read_transitions(path)
    assert report.transitions == len(transitions) == sum(agent.transitions for agent in report.agents.values())
    assert report.episodes == EPISODES == len({step.episode for step in transitions})
    assert report.env_id == "DreamGymReal/WebShop-v0"
    assert report.bytes == path.stat().st_size
    assert report.invalid == sum(not step.valid for step in transitions)
    assert json.loads(json.dumps(report.to_json()))["agents"]["oracle"]["episodes"] == report.agents["oracle"].episodes


def test_what_is_recorded_is_whole_real_episodes_of_the_split(whole):
    path, _ = whole
    episodes = {}
    for step in read_transitions(path):
        assert (step.source, step.split) == (Source.REAL, "train")
        episodes.setdefault(step.episode, []).append(step)
    for name, steps in episodes.items():
        seed, _, agent = name.split("/")
        assert seed == "5" and agent in {share.name for share in MIX}
        assert [step.step for step in steps] == list(range(len(steps)))
        assert steps[-1].terminated or len(steps) == load_domain("webshop").max_episode_steps
        assert all(after.state == before.next_state for before, after in itertools.pairwise(steps))


@pytest.mark.parametrize("lanes", [1, 64])
def test_the_same_settings_give_the_same_bytes(whole, tmp_path, lanes):
    path = tmp_path / "again.jsonl.gz"
    record(path, lanes=lanes)
    assert path.read_bytes() == whole[0].read_bytes()


def test_another_seed_gives_another_recording(whole, tmp_path):
    record(tmp_path / "other.jsonl.gz", seed=6, episodes=4)
    assert read_transitions(tmp_path / "other.jsonl.gz")[0] != read_transitions(whole[0])[0]


def interrupt(monkeypatch, path, after):
    """Record until Ctrl-C comes, after so many episodes."""

    def interrupted(*arguments):
        for number, episode in enumerate(recording_play_each(*arguments)):
            if number == after:
                raise KeyboardInterrupt
            yield episode

    recording_play_each = recording.play_each
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(recording, "play_each", interrupted)
        record(path)


@pytest.mark.parametrize("name", ["cut.jsonl.gz", "cut.jsonl"])
@pytest.mark.parametrize("after", [0, 1, 10])
def test_an_interrupted_recording_continues_to_the_same_file(whole, tmp_path, monkeypatch, name, after):
    path = tmp_path / name
    interrupt(monkeypatch, path, after)
    assert not path.exists(), "a file that is there is complete"
    report = record(path)
    content = path.read_bytes() if name.endswith(".gz") else gzip.compress(path.read_bytes(), mtime=0)
    assert gzip.decompress(content) == gzip.decompress(whole[0].read_bytes())
    assert report.resumed_at == max(0, after - 1), "the last episode may have been cut, and is played again"
    assert list(tmp_path.iterdir()) == [path]


def test_a_line_that_was_left_half_written_is_written_again(whole, tmp_path, monkeypatch):
    path = tmp_path / "killed.jsonl.gz"
    interrupt(monkeypatch, path, after=6)
    partial = tmp_path / "killed.jsonl.gz.partial"
    content = partial.read_bytes()
    lines = content.count(b"\n")
    cuts = np.random.default_rng(0).integers(len(content), size=2)
    for cut in [0, *sorted(int(cut) for cut in cuts), len(content) - 1]:
        partial.write_bytes(content[:cut])
        record(path)
        assert path.read_bytes() == whole[0].read_bytes(), f"cut after byte {cut} of {lines} lines"
        path.unlink()


def test_a_longer_recording_begins_with_the_shorter_one(whole, tmp_path):
    path = tmp_path / "grows.jsonl.gz"
    record(path, episodes=7)
    report = record(path)
    assert report.resumed_at == 7
    assert path.read_bytes() == whole[0].read_bytes()


def test_a_complete_recording_is_left_as_it_is(whole):
    path, report = whole
    content = path.read_bytes()
    again = record(path)
    assert (again.resumed_at, again.transitions) == (EPISODES, report.transitions)
    assert path.read_bytes() == content


def test_a_file_of_other_settings_is_not_touched(whole, tmp_path):
    path = tmp_path / "kept.jsonl.gz"
    path.write_bytes(whole[0].read_bytes())
    with pytest.raises(ExperienceFormatError, match="not recorded with these settings"):
        record(path, seed=99)
    assert path.read_bytes() == whole[0].read_bytes()
    record(path, seed=99, episodes=1, resume=False)
    assert path.read_bytes() != whole[0].read_bytes()


@pytest.mark.parametrize("content", [b"hello\n", b'{"format": "other"}\n', b"\x00\x01"])
def test_a_file_of_another_kind_is_not_touched(tmp_path, content):
    path = tmp_path / "letter.jsonl"
    path.write_bytes(content)
    with pytest.raises(ExperienceFormatError, match=r"letter\.jsonl"):
        record(path)
    assert path.read_bytes() == content


def test_a_second_recorder_is_refused(tmp_path):
    path = tmp_path / "busy.jsonl"
    with FileLock(f"{path}.partial.lock"), pytest.raises(DreamGymError, match="Another process is writing"):
        record(path)


def test_wrong_names_are_refused_before_anything_is_written(tmp_path):
    path = tmp_path / "never.jsonl"
    with pytest.raises(UnknownAgentError, match="oracle"):
        record(path, agents=[AgentShare("genius", 1.0)])
    with pytest.raises(UnknownTaskError, match="train"):
        record(path, split="nowhere")
    with pytest.raises(UnknownDomainError, match="webshop"):
        record_experience("nowhere", path, agents=MIX, episodes=1)
    assert list(tmp_path.iterdir()) == []


def test_agents_play_by_their_shares(tmp_path):
    report = record(tmp_path / "shares.jsonl", agents=parse_agent_shares("oracle:3,lazy:1"), episodes=60)
    assert 35 <= report.agents["oracle"].episodes <= 55


def test_all_tasks_of_a_split_come_before_one_comes_again():
    tasks = [f"task {number}" for number in range(10)]
    plans = [plan.task_id for plan in recording._plans(tasks, MIX, 0, range(30))]
    assert all(sorted(plans[start : start + 10]) == tasks for start in (0, 10, 20))
    assert plans[:10] != plans[10:20]


def test_shares_are_read():
    assert parse_agent_shares("oracle:0.3, random") == (AgentShare("oracle", 0.3), AgentShare("random", 1.0))


@pytest.mark.parametrize(
    "text", ["", "oracle:", "oracle:x", "oracle:-1", "oracle:0", "oracle:inf", ":1", "a,,b", "a,a"]
)
def test_shares_that_cannot_be_read_are_refused(text):
    with pytest.raises(ValueError, match=r"oracle:0\.3|twice"):
        parse_agent_shares(text)
