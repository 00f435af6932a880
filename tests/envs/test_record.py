"""``RecordTransitions`` writes what any text environment does, real or dreamt (README: "nothing lost")."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import gymnasium as gym
import pytest
from foreign_env import NAME, Cave
from gymnasium.error import ResetNeeded
from gymnasium.spaces import Text
from scripted import failing_model, house_model
from toy_domain import NOTHING, RealToyHouse, ToyHouse, record

from dreamgym_env.envs.record import RecordTransitions
from dreamgym_env.envs.text_env import TextEnv
from dreamgym_env.errors import ExperienceFormatError, RecordingError
from dreamgym_env.memory import ReplayBuffer, read_transitions
from dreamgym_env.simulation.simulator import Simulator
from dreamgym_env.types import Source, Transition, Turn, WorldModel

TASK = {"task_id": "toyhouse/train/0"}
every_ending = pytest.mark.parametrize("name", ["experience.jsonl", "experience.jsonl.gz"])


def real() -> TextEnv:
    domain = ToyHouse()
    return TextEnv(domain, RealToyHouse(domain))


def dream(model: WorldModel) -> TextEnv:
    domain = ToyHouse()
    return TextEnv(domain, Simulator(domain, model, ReplayBuffer(domain, seed_experience=False)))


class Echo(gym.Env[str, str]):
    """A text environment that knows nothing of this library."""

    observation_space = Text(100)
    action_space = Text(100)

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[str, dict[str, Any]]:
        super().reset(seed=seed)
        return "Say something.", {}

    def step(self, action: str) -> tuple[str, float, bool, bool, dict[str, Any]]:
        return f"You said {action}.", int(action == "bye"), action == "bye", False, {}


@every_ending
def test_what_is_recorded_is_what_happened(tmp_path: Path, name: str):
    actions = ["fly", "go kitchen", "say \ud800", "take key"]
    with RecordTransitions(real(), tmp_path / name) as env:
        env.reset(seed=0, options=TASK)
        for action in actions:
            env.step(action)
    expected = record("toyhouse/train/0", [*actions[:2], "say ?", "take key"], episode="recorded/1")
    found = read_transitions(tmp_path / name)
    assert [replace(step, available_actions=()) for step in found] == expected
    assert found[1].available_actions == ("go hall", "take key", "look", "say <words>", "leave")
    assert (found[0].next_state, found[0].valid, found[-1].reward) == (NOTHING, False, 1.0)


@every_ending
def test_finished_episodes_survive_the_process(tmp_path: Path, name: str):
    env = RecordTransitions(real(), tmp_path / name)
    env.reset(seed=0)
    env.step("look")
    env.step("leave")
    assert [step.action for step in read_transitions(tmp_path / name)] == ["look", "leave"], "nothing was closed yet"


@every_ending
def test_an_unfinished_episode_is_written_by_the_next_reset_and_by_close(tmp_path: Path, name: str):
    env = RecordTransitions(real(), tmp_path / name)
    for action in ("look", "go kitchen"):
        env.reset(seed=0, options=TASK)
        env.step(action)
    env.close()
    env.close()
    found = read_transitions(tmp_path / name)
    assert [(step.episode, step.step, step.action) for step in found] == [
        ("recorded/1", 0, "look"),
        ("recorded/2", 0, "go kitchen"),
    ]


@every_ending
def test_a_file_is_continued(tmp_path: Path, name: str):
    for _ in range(2):
        with RecordTransitions(real(), tmp_path / name) as env:
            env.reset(seed=0)
            env.step("look")
    assert [step.episode for step in read_transitions(tmp_path / name)] == ["recorded/1", "recorded/2"]


def test_a_continued_file_names_no_episode_twice(tmp_path: Path):
    """Resets without a step are episodes too, though they leave no line."""
    for _ in range(2):
        with RecordTransitions(real(), tmp_path / "steps.jsonl") as env:
            env.reset(seed=0)
            env.reset(seed=0)
            env.step("look")
    assert [step.episode for step in read_transitions(tmp_path / "steps.jsonl")] == ["recorded/2", "recorded/4"]


def test_another_file_is_refused_and_left_alone(tmp_path: Path):
    notes = tmp_path / "notes.jsonl"
    notes.write_text("milk, bread\n")
    with pytest.raises(ExperienceFormatError):
        RecordTransitions(real(), notes)
    assert notes.read_text() == "milk, bread\n"


def test_a_dream_is_recorded_as_a_dream(tmp_path: Path):
    with RecordTransitions(dream(house_model()), tmp_path / "dream.jsonl") as env:
        env.reset(seed=0, options=TASK)
        env.step("go kitchen")
    (step,) = read_transitions(tmp_path / "dream.jsonl")
    assert (step.source, step.reasoning) == (Source.DREAM, "The house knows.")


def test_a_failed_step_is_no_experience(tmp_path: Path):
    with RecordTransitions(dream(failing_model()), tmp_path / "dream.jsonl") as env:
        env.reset(seed=0, options=TASK)
        env.step("fly")
        assert env.step("look")[3]
    assert [step.action for step in read_transitions(tmp_path / "dream.jsonl")] == ["fly"]


def test_any_text_environment_can_be_recorded(tmp_path: Path):
    with RecordTransitions(Echo(), tmp_path / "echo.jsonl", domain="echo") as env:
        env.reset(seed=0)
        env.step("hi")
        env.step("bye")
    hi, bye = read_transitions(tmp_path / "echo.jsonl")
    assert (hi.domain, hi.instruction, hi.source) == ("echo", "Say something.", Source.REAL)
    assert hi.task_id == bye.task_id
    assert hi.task_id.startswith("Echo/")
    assert (bye.state, bye.next_state, bye.reward, bye.terminated) == ("You said hi.", "You said bye.", 1.0, True)
    assert bye.history == (Turn("Say something.", "hi"),)


def test_a_recording_feeds_a_replay_buffer(tmp_path: Path):
    with RecordTransitions(real(), tmp_path / "experience.jsonl") as env:
        env.reset(seed=0, options=TASK)
        env.step("go kitchen")
    with ReplayBuffer(ToyHouse(), seed_experience=False) as buffer:
        assert buffer.import_(tmp_path / "experience.jsonl") == 1


def cave_steps(tmp_path: Path, *actions: str, **about: Any) -> list[Transition]:
    """Record the cave's first task, and return what was written."""
    with RecordTransitions(Cave(), tmp_path / "cave.jsonl.gz", **about) as env:
        env.reset(seed=0, options={"number": 0})
        for action in actions:
            env.step(action)
    return read_transitions(tmp_path / "cave.jsonl.gz")


def test_what_a_foreign_info_says_is_kept(tmp_path: Path):
    go, take = cave_steps(tmp_path, "go cellar", "take lamp", domain=NAME, split="test")
    assert (go.domain, go.task_id, go.instruction, go.split) == (NAME, "cave/0", "Find the lamp.", "test")
    assert go.available_actions == ("go hall", "look", "take lamp")
    assert (go.reward, go.score, go.terminated) == (0.0, 0.1, False), "a reward is for success, a score for the rest"
    assert (take.reward, take.score, take.terminated) == (1.0, 1.0, True), "5.0 is no score"


def test_what_a_foreign_info_lacks_can_be_said(tmp_path: Path):
    (step,) = cave_steps(
        tmp_path,
        "look",
        instruction=lambda observation, info: observation.rpartition(": ")[2],
        task_id="the cave",
    )
    assert (step.task_id, step.instruction, step.domain) == ("the cave", "Find the lamp.", "Cave")


def test_success_can_be_said_too(tmp_path: Path):
    (*_, end) = cave_steps(
        tmp_path, "go cellar", "take lamp", success=lambda observation, reward, info: "coin" in observation
    )
    assert (end.terminated, end.reward) == (True, 0.0)


def test_an_end_without_a_word_of_success_succeeds_by_its_reward(tmp_path: Path):
    with RecordTransitions(Echo(), tmp_path / "echo.jsonl") as env:
        env.reset()
        env.step("bye")
    assert read_transitions(tmp_path / "echo.jsonl")[0].reward == 1.0


class Pixels(Echo):
    """Shows no text."""

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        return [0, 1], {}


def test_an_environment_without_texts_is_refused(tmp_path: Path):
    with (
        RecordTransitions(Pixels(), tmp_path / "pixels.jsonl") as env,
        pytest.raises(RecordingError, match=r"Pixels shows list .*ObservationWrapper"),
    ):
        env.reset()


def test_a_second_recorder_of_a_file_is_refused(tmp_path: Path):
    path = tmp_path / "cave.jsonl"
    with RecordTransitions(Cave(), path), pytest.raises(RecordingError, match="is being recorded by another"):
        RecordTransitions(Cave(), path)
    RecordTransitions(Cave(), path).close()
    assert [file.name for file in tmp_path.iterdir()] == ["cave.jsonl"], "no lock is left"


def test_a_step_before_or_after_an_episode_is_refused(tmp_path: Path):
    with RecordTransitions(Cave(), tmp_path / "cave.jsonl") as env:
        with pytest.raises(ResetNeeded):
            env.step("look")
        env.reset(seed=0, options={"number": 0})
        env.step("go cellar")
        env.step("take lamp")
        with pytest.raises(ResetNeeded):
            env.step("look")
    assert len(read_transitions(tmp_path / "cave.jsonl")) == 2


def test_it_is_imported_from_the_top():
    import dreamgym_env

    assert dreamgym_env.RecordTransitions is RecordTransitions
    with pytest.raises(AttributeError, match="no attribute 'Recorder'"):
        dreamgym_env.Recorder  # noqa: B018


class Loose(Cave):
    """An environment whose info is legal and unlike ours."""

    domain = "kitchen"

    def step(self, action: str) -> tuple[str, float, bool, bool, dict[str, Any]]:
        observation, reward, terminated, truncated, info = super().step(action)
        return observation, reward, terminated, truncated, {**info, "task_score": None, "available_actions": "look"}


def test_what_a_loose_info_holds_does_no_harm(tmp_path: Path):
    with RecordTransitions(Loose(), tmp_path / "loose.jsonl") as env:
        env.reset(seed=0, options={"number": 0})
        env.step("go cellar")
    (step,) = read_transitions(tmp_path / "loose.jsonl")
    assert (step.domain, step.available_actions, step.score) == ("Loose", ("look",), 0.1)
