"""``ShadowReal``: the dream answers, the real environment runs along (README: "Shadow and anchors")."""

from __future__ import annotations

import json
import math
import time
import warnings
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import gymnasium as gym
import pytest
from broken_house import LOST, BrokenHouse
from foreign_env import Cave, record_cave
from gymnasium.envs.registration import EnvSpec
from gymnasium.error import ResetNeeded
from gymnasium.utils.env_checker import check_env
from gymnasium.vector import AutoresetMode, SyncVectorEnv
from gymnasium.wrappers import TimeLimit
from scripted import ScriptedWorldModel, failing_model, house_model, simulator
from toy_domain import ToyHouse

from dreamgym_env import RecordTransitions, ShadowReal
from dreamgym_env.envs.text_env import TextEnv
from dreamgym_env.errors import KeywordError, MissingDependencyError, ResetOptionError, WorldModelError
from dreamgym_env.memory import read_transitions
from dreamgym_env.simulation.episode import Episode, Outcome
from dreamgym_env.types import Memory, Prediction, Query, Task, WorldModel
from dreamgym_env.world_model.compact import CompactFormat
from dreamgym_env.world_model.generators.scripted import ScriptedGenerator
from dreamgym_env.world_model.language import LanguageWorldModel

KEYS = {
    "env_id", "compared", "state_same", "line_f1", "reward", "terminated", "truncated", "success_same",
    "steps_differing", "first_difference", "ended", "failure", "seconds",
}  # fmt: skip
SECRET = "a word that only the real house says"


def foggy_model(*, ends: bool = False) -> ScriptedWorldModel:
    """A world model that knows the house, but dreams of fog in the kitchen, and of an end in the cellar."""
    house = house_model()

    def answer(query: Query, memories: Any, seed: int) -> Prediction:
        if query.action == "go kitchen":
            return Prediction("Fog.", "Room: kitchen | Task: | fog | Exit: hall", 0.0, False)
        if query.action == "go cellar" and ends:
            return Prediction("The end.", "End | dark", 0.0, True)
        return house.answer(query, memories, seed)

    return ScriptedWorldModel(answer)


def dream(model: WorldModel | None = None, **options: Any) -> TextEnv:
    domain = ToyHouse()
    return TextEnv(domain, simulator(model, domain, memo=False, **options))


def real(backend: type[BrokenHouse] = BrokenHouse) -> TextEnv:
    domain = ToyHouse()
    return TextEnv(domain, backend(domain))


class WhisperingHouse(BrokenHouse):
    """The real house, which says one more word on every page."""

    def _advance(self, episode: Episode, action: str, step_limit: int | None) -> Outcome:
        outcome = super()._advance(episode, action, step_limit)
        episode.state = f"{outcome.transition.next_state} | {SECRET}"
        return replace(outcome, transition=replace(outcome.transition, next_state=episode.state))


@pytest.fixture
def shadow() -> Iterator[Any]:
    built: list[ShadowReal] = []

    def make(env: Any = None, other: Any = None, **settings: Any) -> ShadowReal:
        built.append(ShadowReal(env or dream(), other or real(), **settings))
        return built[-1]

    yield make
    for env in built:
        env.close()
        env.real.close()


def of(step: tuple[Any, ...]) -> dict[str, Any]:
    found: dict[str, Any] = step[-1]["shadow"]
    return found


class TestWhatInfoSays:
    def test_a_true_dream_never_differs(self, shadow: Any):
        env = shadow()
        _, info = env.reset(seed=3, options={"task_id": "toyhouse/train/0"})
        assert set(info["shadow"]) == KEYS
        assert info["shadow"]["state_same"] and info["shadow"]["env_id"] == "TextEnv"
        for action in ("look", "fly", "go kitchen", "take key"):
            step = env.step(action)
            told = of(step)
            assert set(told) == KEYS and told["compared"] and told["state_same"] and told["success_same"]
            assert (told["line_f1"], told["steps_differing"], told["first_difference"]) == (1.0, 0, -1)
            assert (told["reward"], told["terminated"]) == step[1:3] and told["ended"] == step[2]
        assert step[1] == 1.0 and step[2] is True
        assert env.real_transitions == 4

    def test_a_difference_is_told_with_its_step_and_likeness_by_the_domains_segments(self, shadow: Any):
        env = shadow(dream(foggy_model()))
        env.reset(seed=0, options={"task_id": "toyhouse/train/0"})
        assert of(env.step("look"))["steps_differing"] == 0
        told = of(env.step("go kitchen"))
        assert (told["state_same"], told["steps_differing"], told["first_difference"]) == (False, 1, 2)
        # dreamt: Room: kitchen, Task:, fog, Exit: hall; real: those but fog, instruction, Here: key, Hand: empty
        assert told["line_f1"] == pytest.approx(2 * 3 / (4 + 6))
        told = of(env.step("go hall"))
        assert (told["state_same"], told["steps_differing"], told["first_difference"]) == (True, 1, 2)
        env.reset(seed=0)
        assert of(env.step("look"))["first_difference"] == -1, "a new episode begins anew"

    def test_a_dream_whose_real_episode_has_ended_goes_on_alone_and_differs(self, shadow: Any):
        def sleepless(query: Query, memories: Any, seed: int) -> Prediction:
            return Prediction("Nobody leaves.", query.state, 0.0, False)

        env = shadow(dream(ScriptedWorldModel(sleepless)))
        env.reset(seed=0)
        told = of(env.step("leave"))
        assert told["ended"] and told["terminated"] and not told["state_same"] and told["steps_differing"] == 1
        told = of(env.step("look"))
        assert told["ended"] and not told["compared"] and math.isnan(told["line_f1"])
        assert (told["terminated"], told["reward"], told["steps_differing"], told["seconds"]) == (False, 0.0, 2, 0.0)
        assert env.real_transitions == 1

    def test_success_in_one_alone_is_told_and_stays_told(self, shadow: Any):
        blind = ScriptedWorldModel(lambda query, memories, seed: Prediction("No.", query.state, 0.0, False))
        env = shadow(dream(blind))
        env.reset(seed=0, options={"task_id": "toyhouse/train/0"})
        env.step("go kitchen")
        step = env.step("take key")
        assert step[1] == 0.0 and of(step)["reward"] == 1.0 and not of(step)["success_same"]
        assert not of(env.step("look"))["success_same"]

    def test_a_real_episode_whose_dream_has_ended_is_left(self, shadow: Any):
        env = shadow(dream(foggy_model(ends=True)))
        env.reset(seed=0, options={"task_id": "toyhouse/train/0"})
        step = env.step("go cellar")
        told = of(step)
        assert step[2] is True and not told["ended"] and not told["terminated"] and told["steps_differing"] == 1
        _, info = env.reset(seed=0)
        assert info["shadow"]["state_same"] and not info["shadow"]["ended"]

    def test_the_agent_sees_nothing_of_the_real_environment(self, shadow: Any):
        env, alone = shadow(other=real(WhisperingHouse)), dream()
        begun = [one.reset(seed=1) for one in (env, alone)]
        told = begun[0][1].pop("shadow")
        assert begun[0] == begun[1]
        for action in ("look", "go kitchen", "say x", "leave"):
            steps = [one.step(action) for one in (env, alone)]
            told = of(steps[0])
            assert told["steps_differing"] > 0 and SECRET not in repr(steps[0])
            for step in steps:
                step[4].pop("seconds")
            steps[0][4].pop("shadow")
            assert steps[0] == steps[1]

    def test_infos_of_different_steps_share_nothing(self, shadow: Any):
        env = shadow()
        infos = [env.reset(seed=0)[1], *(env.step("look")[4] for _ in range(3))]
        assert len({id(info["shadow"]) for info in infos}) == 4


class TestFailures:
    def test_a_lost_engine_is_told_and_changes_nothing_else(self, shadow: Any):
        env = shadow()
        env.reset(seed=0, options={"task_id": "toyhouse/train/0"})
        _, reward, terminated, truncated, info = env.step("say crash")
        assert (reward, terminated, truncated, info["stop_reason"], info["failure"]) == (
            0.0,
            False,
            False,
            "running",
            "",
        )
        told = info["shadow"]
        assert told["failure"] == LOST and told["ended"] and told["truncated"] and not told["compared"]
        assert (told["reward"], told["steps_differing"], told["first_difference"]) == (0.0, 0, -1)
        env.step("go kitchen")
        step = env.step("take key")
        assert step[1] == 1.0 and of(step)["failure"] == LOST and of(step)["steps_differing"] == 0
        assert of(step)["success_same"] is True, "nobody knows otherwise"
        assert env.real_transitions == 0
        assert env.reset(seed=0)[1]["shadow"]["failure"] == ""

    def test_an_engine_that_fails_does_not_reach_the_bound(self, shadow: Any):
        env = shadow(max_differing_steps=1)
        env.reset(seed=0)
        for _ in range(3):
            assert env.step("say crash")[3] is False

    def test_what_the_real_environment_raises_is_raised(self, shadow: Any):
        class Falling(Cave):
            def step(self, action: str) -> Any:
                raise RuntimeError("The cave fell in.")

        env = shadow(Cave(), Falling())
        env.reset(seed=0)
        with pytest.raises(RuntimeError, match="fell in"):
            env.step("look")

    def test_a_world_model_that_stays_away_leaves_both_as_they_were(self, shadow: Any):
        model = house_model()
        env = shadow(dream(model))
        env.reset(seed=0)

        def vanish(query: Query, memories: list[Memory], seed: int) -> Prediction:
            raise WorldModelError("The server stays away.")

        answer, model.answer = model.answer, vanish  # type: ignore[assignment]
        with pytest.raises(WorldModelError):
            env.step("go kitchen")
        model.answer = answer
        told = of(env.step("go kitchen"))
        assert told["state_same"] and env.real_transitions == 1

    def test_a_failing_world_model_truncates_as_it_does_alone(self, shadow: Any):
        env = shadow(dream(failing_model("Garbage.")))
        env.reset(seed=0)
        *_, truncated, info = env.step("look")
        assert truncated is True and info["failure"] == "Garbage." and info["shadow"]["failure"] == ""


class TestBound:
    def test_the_step_that_makes_it_so_many_truncates(self, shadow: Any):
        env = shadow(dream(foggy_model()), max_differing_steps=2)
        for _ in range(2):
            env.reset(seed=0)
            for action in ("look", "go kitchen", "go hall"):
                assert env.step(action)[3] is False
            _, reward, terminated, truncated, info = env.step("go kitchen")
            assert (reward, terminated, truncated) == (0.0, False, True)
            assert info["stop_reason"] == "drift" and info["available_actions"] == ()
            with pytest.raises(ResetNeeded):
                env.step("look")

    def test_an_end_of_the_dreams_own_keeps_its_reason(self, shadow: Any):
        env = shadow(dream(foggy_model(ends=True)), max_differing_steps=1)
        env.reset(seed=0)
        *_, terminated, truncated, info = env.step("go cellar")
        assert (terminated, truncated, info["stop_reason"]) == (True, False, "failure")

    @pytest.mark.parametrize("bound", [0, -1, 1.5, "3", True, float("nan")])
    def test_a_bound_that_is_none_is_refused(self, bound: Any):
        with pytest.raises(KeywordError, match="max_differing_steps takes"):
            ShadowReal(dream(), real(), max_differing_steps=bound)


class TestTasks:
    def test_both_begin_the_same_task_with_and_without_a_seed(self, shadow: Any):
        env = shadow()
        for seed in (None, 5, None, None, 6):
            _, info = env.reset(seed=seed)
            assert env.real.unwrapped.episode.task.id == info["task_id"] and info["shadow"]["state_same"]
        for options in ({"split": "test"}, {"task_id": "toyhouse/eval/1"}):
            _, info = env.reset(options=options)
            assert env.real.unwrapped.episode.task.id == info["task_id"] and info["shadow"]["state_same"]

    def test_a_task_of_the_users_own_is_played_in_both(self, shadow: Any):
        env = shadow()
        task = Task("mine", "toyhouse", "Take it.", "Room: hall | Task: | Take it.", goal={"thing": "key"},
                    facts={"place": "kitchen"})  # fmt: skip
        _, info = env.reset(options={"task": task})
        assert info["task_id"] == "mine" and info["shadow"]["state_same"]

    def test_the_dream_is_dreamt_as_it_is_alone(self, shadow: Any):
        env, alone = shadow(), dream()
        for seed in (4, None, None):
            assert env.reset(seed=seed)[1]["task_id"] == alone.reset(seed=seed)[1]["task_id"]

    def test_environments_of_somebody_elses_get_the_same_seed_and_options(self, shadow: Any):
        env = shadow(Cave(), Cave())
        for seed, options in ((None, None), (3, None), (None, None), (None, {"number": 1})):
            observation, info = env.reset(seed=seed, options=options)
            assert info["shadow"]["state_same"] and info["task_id"] in ("cave/0", "cave/1", "cave/2")
        assert "rope" in observation
        told = of(env.step("go cellar"))
        assert told["state_same"] and told["line_f1"] == 1.0
        assert of(env.step("take rope"))["terminated"]
        env.reset(seed=3)
        first = [env.reset()[0] for _ in range(8)]
        env.reset(seed=3)
        assert first == [env.reset()[0] for _ in range(8)] and len(set(first)) > 1

    def test_lines_are_compared_where_there_is_no_domain(self, shadow: Any):
        class Damp(Cave):
            def look(self) -> str:
                return super().look().replace("Water drips.", "Water pours.")

        env = shadow(Cave(), Damp())
        _, info = env.reset(seed=0)
        assert info["shadow"]["first_difference"] == 0 and info["shadow"]["line_f1"] == pytest.approx(2 / 3)
        assert of(env.step("look"))["first_difference"] == 0

    def test_different_tasks_are_an_error_that_names_the_way_out(self, shadow: Any, tmp_path: Path):
        path = record_cave(tmp_path / "cave.jsonl.gz")
        model = "openai:model@http://127.0.0.1:9/v1"
        dreamt = gym.make("DreamGym/Recorded-v0", experience=str(path), world_model=model)
        lost = shadow(dreamt, Cave(), real_options=lambda observation, info: {"number": 2})
        with pytest.raises(ResetOptionError, match=r"cave/2.*real_options="):
            lost.reset(seed=0, options={"task_id": "cave/1"})

    def test_a_recorded_environment_beside_its_real_one(self, shadow: Any, tmp_path: Path):
        """The dream of a file knows its tasks by id; a function says how the real environment begins them."""
        path = record_cave(tmp_path / "cave.jsonl.gz")
        dreamt = gym.make("DreamGym/Recorded-v0", experience=str(path), world_model="openai:m@http://127.0.0.1:9/v1")
        env = shadow(dreamt, Cave(), real_options=lambda _, info: {"number": int(info["task_id"].partition("/")[2])})
        _, info = env.reset(seed=0)
        assert info["shadow"]["state_same"]
        step = env.step("look")  # recorded so: replayed
        assert step[4]["answered_by"] == "replay" and of(step)["state_same"]


class TestGymnasium:
    def test_its_checker_accepts_it(self, shadow: Any, monkeypatch: pytest.MonkeyPatch):
        monkeypatch.setattr(time, "perf_counter", lambda: 0.0)  # the checker compares all of info, the seconds too
        for env in (shadow(), shadow(dream(foggy_model()), real(WhisperingHouse))):
            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always")
                check_env(env, skip_render_check=True)
            said = [str(warning.message) for warning in caught]
            assert all("different from the unwrapped" in text or "spec" in text for text in said), said

    def test_ids_make_serialise_and_close_the_real_environment(self):
        model = LanguageWorldModel(CompactFormat(ToyHouse()), ScriptedGenerator(lambda prompt: ""))
        dreamt = gym.make("DreamGym/WebShop-v0", world_model=model, seed_experience=False)
        env = ShadowReal(dreamt, "DreamGymReal/WebShop-v0", max_differing_steps=3)
        _, info = env.reset(seed=0, options={"split": "test"})
        assert info["shadow"]["env_id"] == "DreamGymReal/WebShop-v0" and info["shadow"]["state_same"]
        told = of(env.step("dance"))
        assert told["compared"] and not told["ended"]
        env.close()
        with pytest.raises(gym.error.ClosedEnvironmentError):
            env.real.unwrapped.reset()
        dreamt = gym.make("DreamGym/WebShop-v0", world_model="openai:m@http://127.0.0.1:9/v1", seed_experience=False)
        spec = ShadowReal(dreamt, "DreamGymReal/WebShop-v0", max_differing_steps=3).spec
        again = gym.make(EnvSpec.from_json(spec.to_json()))  # type: ignore[union-attr]
        assert isinstance(again, ShadowReal) and again.reset(seed=0)[1]["shadow"]["state_same"]
        json.dumps(again.reset(seed=0)[1]["shadow"])
        again.close()

    def test_an_environment_that_was_given_is_left_open(self):
        other = real()
        ShadowReal(dream(), other).close()
        assert other.reset(seed=0)

    def test_a_real_environment_that_is_missing_is_an_error_when_the_wrapper_is_made(
        self, monkeypatch: pytest.MonkeyPatch
    ):
        monkeypatch.setenv("DREAMGYM_CHROMIUM", "/nowhere/chromium")
        with pytest.raises(MissingDependencyError):
            ShadowReal(dream(), "DreamGymReal/MiniWoB-v0")

    def test_what_is_no_environment_is_refused(self):
        with pytest.raises(KeywordError, match="takes the id"):
            ShadowReal(dream(), 7)  # type: ignore[arg-type]
        with pytest.raises(KeywordError, match="made already"):
            ShadowReal(dream(), real(), real_settings={"split": "test"})
        with pytest.raises(KeywordError, match="ShadowReal needs texts"):
            ShadowReal(Cave(), gym.make("CartPole-v1")).reset(seed=0)  # type: ignore[arg-type]
        with pytest.raises(ResetNeeded):
            ShadowReal(dream(), real()).step("look")

    @pytest.mark.parametrize("mode", list(AutoresetMode))
    def test_a_vector_of_them_resets_itself_in_all_modes(self, mode: AutoresetMode):
        """Environments of somebody else's in lanes: infos are Gymnasium's arrays with their masks."""

        def lane() -> ShadowReal:
            return ShadowReal(TimeLimit(Cave(), 2), Cave(), max_differing_steps=2)

        envs = SyncVectorEnv([lane] * 2, autoreset_mode=mode)
        _, infos = envs.reset(seed=0)
        assert infos["_shadow"].all() and infos["shadow"]["_state_same"].all()
        envs.step(["look"] * 2)
        *_, truncations, infos = envs.step(["go attic"] * 2)
        assert truncations.all()
        last = infos["final_info"] if mode is AutoresetMode.SAME_STEP else infos
        assert last["shadow"]["steps_differing"].tolist() == [0, 0] == (last["shadow"]["first_difference"] + 1).tolist()
        if mode is AutoresetMode.DISABLED:
            _, infos = envs.reset(options={"reset_mask": truncations})
        elif mode is AutoresetMode.NEXT_STEP:
            *_, infos = envs.step(["look"] * 2)
        assert infos["shadow"]["state_same"].all() and not infos["shadow"]["ended"].any()
        envs.close()

    def test_a_recorder_around_it_records_the_dream(self, shadow: Any, tmp_path: Path):
        with RecordTransitions(shadow(dream(foggy_model())), tmp_path / "steps.jsonl") as env:
            env.reset(seed=0)
            env.step("go kitchen")
        (step,) = read_transitions(tmp_path / "steps.jsonl")
        assert "fog" in step.next_state and step.source == "dream"
