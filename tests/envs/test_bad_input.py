"""Whatever a model answers, a server does or a folder holds: a clear error or a truncation, and never a reward.

``step()`` returns a 5-tuple or raises one documented error; an answer that cannot be read truncates the
episode with ``info["failure"]``, and never becomes a reward or a memory.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gymnasium as gym
import pytest
from toy_domain import ToyHouse

from dreamgym_env.domains.webshop.domain import WebShop
from dreamgym_env.envs.text_env import TextEnv
from dreamgym_env.envs.text_vector_env import TextVectorEnv
from dreamgym_env.errors import (
    BufferLockedError,
    DreamGymError,
    ExperienceFormatError,
    KeywordError,
    ReplayBufferError,
    WorldModelError,
    WorldModelStringError,
)
from dreamgym_env.memory import HashingEmbedder, ReplayBuffer, read_transitions, write_transitions
from dreamgym_env.memory.store import Store, StoreSpec
from dreamgym_env.simulation.simulator import SimulationOptions, Simulator
from dreamgym_env.testing.openai_server import Call, LoopbackServer, Reply, completion_reply
from dreamgym_env.world_model.chat import ChatFormat
from dreamgym_env.world_model.compact import CompactFormat
from dreamgym_env.world_model.generators import ScriptedGenerator
from dreamgym_env.world_model.generators.openai import OpenAIGenerator, RetryPolicy
from dreamgym_env.world_model.language import LanguageWorldModel

DREAM = "DreamGym/WebShop-v0"
ABSENT_SERVER = "openai:model@http://127.0.0.1:9/v1"
TASK = {"task_id": "toyhouse/train/0"}
QUICK = RetryPolicy(max_retries=1, first_delay=0.01, max_delay=0.02)
GOOD = json.dumps({"reasoning": "A room.", "next_state": "Room: kitchen", "reward": 0, "terminated": False})

both_judges = pytest.mark.parametrize("success", ["verifier", "model"])


@pytest.fixture
def dream() -> Iterator[Any]:
    """Build the dreamt house around a text generator; closed after the test."""
    built: list[TextEnv] = []

    def make(generator: Any, form: Any = ChatFormat, **options: Any) -> TextEnv:
        house = ToyHouse()
        model = LanguageWorldModel(form(house), generator)
        buffer = ReplayBuffer(house, seed_experience=False)
        built.append(TextEnv(house, Simulator(house, model, buffer, SimulationOptions(enrich=True, **options))))
        return built[-1]

    yield make
    for env in built:
        env.close()


ANSWERS = {
    "garbage": "\x00\ufffd<<<>>>",
    "half a JSON": '{"reasoning": "It opens.", "next_st',
    "a reward without a page": '{"reward": 1, "terminated": true}',
    "a refusal": "I'm sorry, but I can't help with that.",
    "nothing": "",
    "a megabyte": "all work and no play " * 50_000,
    "a megabyte of JSON": '{"a": ' * 170_000,
}


@both_judges
@pytest.mark.parametrize("form", [ChatFormat, CompactFormat])
@pytest.mark.parametrize("text", ANSWERS.values(), ids=list(ANSWERS))
def test_an_answer_that_cannot_be_read_truncates_and_earns_nothing(dream: Any, text: str, form: Any, success: str):
    env = dream(ScriptedGenerator(lambda prompt: text), form, success=success)
    before, _ = env.reset(seed=0, options=TASK)
    observation, reward, terminated, truncated, info = env.step("go kitchen")
    assert (observation, reward, terminated, truncated) == (before, 0.0, False, True)
    assert (info["stop_reason"], info["won"], info["task_score"]) == ("model_failure", False, 0.0)
    assert 10 < len(info["failure"]) < 500
    assert len(env.backend.buffer) == 0, "and it is no memory"
    env.reset()


SERVERS = {
    "429": Reply(b'{"error": "slow down"}', 429),
    "500": Reply(b'{"error": "out of memory"}', 500),
    "hangs": Reply(b"", delay=30.0),
    "dies before its answer": Reply(b"{}", cut_after=0),
    "dies in the middle": Reply(json.dumps({"choices": [{"message": {"content": GOOD}}]}).encode(), cut_after=60),
    "speaks another language": Reply(b"<html>Welcome</html>"),
}


@pytest.mark.parametrize("reply", SERVERS.values(), ids=list(SERVERS))
def test_a_server_that_is_ill_is_an_error_and_the_episode_waits_for_it(dream: Any, reply: Reply):
    ill = [True]

    def answer(call: Call) -> Reply:
        return reply if ill[0] else completion_reply(call, GOOD)

    with LoopbackServer(answer) as server:
        generator = OpenAIGenerator("m", [server.url], timeout=0.3 if reply.delay else 20.0, retry=QUICK)
        env = dream(generator)
        env.reset(seed=0, options=TASK)
        with pytest.raises(WorldModelError, match="2 attempts"):
            env.step("go kitchen")
        assert len(env.backend.buffer) == 0
        ill[0] = False
        observation, reward, terminated, truncated, info = env.step("go kitchen")
        assert (observation, reward, terminated, truncated) == ("Room: kitchen", 0.0, False, False)
        assert info["answered_by"] == "model"


def test_a_server_s_megabyte_is_a_failure_of_that_episode(dream: Any):
    with LoopbackServer(lambda call: completion_reply(call, "a" * 2_000_000)) as server:
        env = dream(OpenAIGenerator("m", [server.url], retry=QUICK))
        env.reset(seed=0, options=TASK)
        _, reward, terminated, truncated, info = env.step("go kitchen")
        assert (reward, terminated, truncated) == (0.0, False, True)
        assert "exceeds 1048576 bytes" in info["failure"]


@pytest.mark.parametrize("mode", ["NextStep", "SameStep", "Disabled"])
def test_one_lane_s_garbage_costs_that_lane_only(mode: str):
    house = ToyHouse()
    generator = ScriptedGenerator(lambda prompt: "Sorry." if "say now" in prompt.user else GOOD)
    simulator = Simulator(
        house, LanguageWorldModel(ChatFormat(house), generator), ReplayBuffer(house, seed_experience=False)
    )
    envs = TextVectorEnv(house, simulator, 3, autoreset_mode=mode)
    envs.reset(seed=0)
    _, rewards, terminations, truncations, infos = envs.step(["go kitchen", "say now", "go kitchen"])
    assert rewards.tolist() == [0.0] * 3 and not terminations.any()
    assert truncations.tolist() == [False, True, False]
    ended = infos["final_info"] if mode == "SameStep" else infos
    assert ended["stop_reason"][1] == "model_failure" and not ended["won"][1]
    envs.close()


class TestMake:
    """What ``gym.make`` cannot build it refuses with one of the library's errors, and holds on to nothing."""

    @pytest.mark.parametrize("text", ["", "gpt-4", "openai:gpt-4", "transformers:", "anthropic:claude"])
    def test_a_world_model_string_that_cannot_be_read_lists_the_forms(self, text: str):
        with pytest.raises(WorldModelStringError) as caught:
            gym.make(DREAM, world_model=text)
        for form in ("transformers:ID_OR_PATH", "vllm:ID_OR_PATH", "openai:MODEL@http://host:8000/v1"):
            assert form in str(caught.value)

    @pytest.mark.parametrize("value", [None, 3, ["embedded"], object()])
    def test_a_world_model_that_is_none_says_what_one_is(self, value: Any):
        with pytest.raises(KeywordError, match=r"string such as 'embedded' or a WorldModel.*not (NoneType|int|list|o)"):
            gym.make(DREAM, world_model=value)

    def test_a_folder_that_is_no_buffer_is_left_alone(self, tmp_path: Path):
        (tmp_path / "thesis.txt").write_text("years of work")
        for settings in ({}, {"enrich": True}):
            with pytest.raises(ReplayBufferError, match="no replay buffer"):
                gym.make(DREAM, world_model=ABSENT_SERVER, buffer=str(tmp_path), **settings)
        with pytest.raises(ReplayBufferError, match="is a file"):
            gym.make(DREAM, world_model=ABSENT_SERVER, buffer=str(tmp_path / "thesis.txt"))
        assert [entry.name for entry in tmp_path.iterdir()] == ["thesis.txt"]

    def test_a_mistyped_buffer_is_no_new_one(self, tmp_path: Path):
        with pytest.raises(ReplayBufferError, match=r"no replay buffer .*bufer.*enrich=True"):
            gym.make(DREAM, buffer=str(tmp_path / "bufer"), world_model="openai:m@http://127.0.0.1:9/v1")
        assert not list(tmp_path.iterdir())

    def test_an_empty_folder_becomes_a_buffer(self, tmp_path: Path):
        gym.make(DREAM, world_model=ABSENT_SERVER, buffer=str(tmp_path), seed_experience=False).close()
        gym.make(DREAM, world_model=ABSENT_SERVER, buffer=str(tmp_path), seed_experience=False).close()

    def test_a_damaged_buffer_is_told(self, tmp_path: Path):
        ReplayBuffer(WebShop(), tmp_path / "buffer", seed_experience=False).close()
        (tmp_path / "buffer" / "chroma.sqlite3").write_bytes(b"no database" * 1000)
        with pytest.raises(ReplayBufferError, match=r"buffer.*cannot be opened"):
            ReplayBuffer(WebShop(), tmp_path / "buffer", seed_experience=False)

    def test_a_locked_folder_is_refused_to_a_second_writer_only(self, tmp_path: Path):
        settings = {"world_model": ABSENT_SERVER, "buffer": str(tmp_path / "buffer"), "seed_experience": False}
        writer = gym.make(DREAM, enrich=True, **settings)
        with pytest.raises(BufferLockedError, match="Another process is writing"):
            gym.make(DREAM, enrich=True, **settings)
        gym.make(DREAM, **settings).close()
        writer.close()
        gym.make(DREAM, enrich=True, **settings).close()

    @pytest.mark.parametrize(
        ("spec", "reason"),
        [({"version": 99}, "schema version 99"), ({"keys": "other", "dimension": 7}, "indexed with 'other'")],
    )
    def test_a_buffer_of_another_version_or_embedder_is_refused(self, tmp_path: Path, spec: Any, reason: str):
        Store(
            StoreSpec(**{"domain": "webshop", "keys": "k", "dimension": 3, **spec}), tmp_path, read_only=False
        ).close()
        with pytest.raises(ReplayBufferError, match=reason):
            gym.make(DREAM, world_model=ABSENT_SERVER, buffer=str(tmp_path), seed_experience=False)

    def test_a_refused_buffer_leaves_no_engine_running(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
        closed = []
        monkeypatch.setattr(LanguageWorldModel, "close", lambda self: closed.append(self))
        with pytest.raises(ReplayBufferError):
            gym.make(DREAM, world_model=ABSENT_SERVER, buffer=__file__)
        assert len(closed) == 1

    def test_a_transitions_file_with_a_broken_line_names_it(self, tmp_path: Path):
        shipped = read_transitions(WebShop().seed_experience())[:3]
        path = tmp_path / "mine.jsonl"
        write_transitions(path, shipped)
        lines = path.read_text().splitlines(keepends=True)
        path.write_text("".join([*lines[:2], "{broken\n", *lines[2:]]))
        with pytest.raises(ExperienceFormatError, match=r"mine\.jsonl.*line 3"):
            gym.make(DREAM, world_model=ABSENT_SERVER, seed_experience=str(path))
        with ReplayBuffer(WebShop(), seed_experience=False, embedder=HashingEmbedder(16)) as buffer:
            with pytest.raises(ExperienceFormatError, match="line 3"):
                buffer.import_(path)
            assert len(buffer) == 0

    def test_all_of_these_are_errors_of_the_library(self):
        for error in (BufferLockedError, ExperienceFormatError, KeywordError, WorldModelStringError):
            assert issubclass(error, DreamGymError)
