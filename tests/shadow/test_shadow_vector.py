"""``ShadowRealVector``: the real environment beside each lane of a dream (README: "Shadow and anchors")."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from broken_house import LOST, BrokenHouse
from foreign_env import Cave
from free_running import ACTIONS, by_send, by_step
from gymnasium.vector import AutoresetMode, SyncVectorEnv
from gymnasium.wrappers import TimeLimit
from scripted import ScriptedWorldModel, house_model, simulator
from toy_domain import ToyHouse

from dreamgym_env import ShadowReal, ShadowRealVector
from dreamgym_env.envs.text_env import TextEnv
from dreamgym_env.envs.text_vector_env import TextVectorEnv
from dreamgym_env.errors import KeywordError, MissingDependencyError, WorldModelError
from dreamgym_env.simulation.anchors import AnchoredBackend
from dreamgym_env.types import Prediction, Query
from dreamgym_env.world_model.compact import CompactFormat
from dreamgym_env.world_model.generators.scripted import ScriptedGenerator
from dreamgym_env.world_model.language import LanguageWorldModel

MakeShadow = Callable[..., ShadowRealVector]
every_mode = pytest.mark.parametrize("mode", list(AutoresetMode))


def foggy_model() -> ScriptedWorldModel:
    """A world model that knows the house, but dreams of fog in the kitchen."""
    house = house_model()

    def answer(query: Query, memories: Any, seed: int) -> Prediction:
        if query.action == "go kitchen":
            return Prediction("Fog.", "Room: kitchen | Task: | fog | Exit: hall", 0.0, False)
        return house.answer(query, memories, seed)

    return ScriptedWorldModel(answer)


def dream(num_envs: int, model: ScriptedWorldModel | None = None, **settings: Any) -> TextVectorEnv:
    domain = ToyHouse()
    return TextVectorEnv(domain, simulator(model, domain, memo=False), num_envs, **settings)


def real(num_envs: int = 1) -> TextVectorEnv:
    domain = ToyHouse()
    return TextVectorEnv(domain, BrokenHouse(domain), num_envs)


@pytest.fixture
def shadow() -> Iterator[MakeShadow]:
    built: list[ShadowRealVector] = []

    def make(
        num_envs: int = 3, model: ScriptedWorldModel | None = None, bound: int | None = None, **settings: Any
    ) -> ShadowRealVector:
        built.append(ShadowRealVector(dream(num_envs, model, **settings), real(), max_differing_steps=bound))
        return built[-1]

    yield make
    for envs in built:
        envs.close()


def of_lane(infos: dict[str, Any], lane: int) -> dict[str, Any]:
    """One lane's shadow, as a single environment would have told it; without the time that it took."""
    told = infos["shadow"]
    return {key: told[key][lane] for key in told if not key.startswith("_") and key != "seconds"}


def houses(envs: ShadowRealVector) -> BrokenHouse:
    return envs.env.unwrapped.backend._real  # type: ignore[attr-defined, no-any-return]


class TestInfos:
    def test_they_are_arrays_with_masks(self, shadow: MakeShadow):
        envs = shadow(3, foggy_model())
        _, infos = envs.reset(seed=0)
        told = infos["shadow"]
        assert infos["_shadow"].tolist() == [True] * 3 == told["_state_same"].tolist()
        assert told["state_same"].dtype == np.bool_ and told["line_f1"].dtype == np.float64
        assert told["env_id"].tolist() == ["TextVectorEnv"] * 3
        *_, infos = envs.step(["look", "go kitchen", "fly"])
        told = infos["shadow"]
        assert told["state_same"].tolist() == [True, False, True]
        assert told["steps_differing"].tolist() == [0, 1, 0] and told["first_difference"].tolist() == [-1, 1, -1]
        assert told["line_f1"][0] == 1.0 > told["line_f1"][1] > 0.0

    def test_they_are_those_of_single_environments_with_the_next_seeds(self, shadow: MakeShadow):
        envs = shadow(4, foggy_model(), bound=3)
        singles = []
        for _ in range(4):
            alone = dream(1, foggy_model())
            single = TextEnv(alone.domain, alone.backend)
            house = real()
            unlimited = TimeLimit(TextEnv(house.domain, house.backend), 1_000)
            singles.append(ShadowReal(single, unlimited, max_differing_steps=3))
        _, infos = envs.reset(seed=30)
        for lane, single in enumerate(singles):
            _, info = single.reset(seed=30 + lane)
            assert infos["task_id"][lane] == info["task_id"]
        over = [False] * 4
        for step in range(40):
            actions = [ACTIONS[(step * (lane + 1)) % len(ACTIONS)] for lane in range(4)]
            observations, rewards, terminations, truncations, infos = envs.step(actions)
            for lane, single in enumerate(singles):
                if over[lane]:
                    observation, info = single.reset()
                    expected: tuple[Any, ...] = (observation, 0.0, False, False)
                else:
                    *taken, info = single.step(actions[lane])
                    expected = tuple(taken)
                assert (observations[lane], rewards[lane], terminations[lane], truncations[lane]) == expected
                told = {**info["shadow"], "env_id": "TextVectorEnv"}
                told.pop("seconds")
                np.testing.assert_equal(of_lane(infos, lane), told)
                over[lane] = bool(terminations[lane] or truncations[lane])
        assert envs.real_transitions == sum(single.real_transitions for single in singles) > 0

    def test_the_agent_sees_the_dream_alone(self, shadow: MakeShadow):
        envs, alone = shadow(3, foggy_model()), dream(3, foggy_model())
        for one in (envs, alone):
            one.reset(seed=2)
        for step in range(20):
            actions = [ACTIONS[(step + lane) % len(ACTIONS)] for lane in range(3)]
            results = [one.step(actions) for one in (envs, alone)]
            for infos in (results[0][-1], results[1][-1]):
                for name in ("seconds", "shadow", "_shadow"):
                    infos.pop(name, None)
            assert repr(results[0]) == repr(results[1])


class TestRealSide:
    def test_it_is_asked_in_one_batch_about_the_lanes_that_moved(self, shadow: MakeShadow):
        envs = shadow(4)
        envs.reset(seed=0)
        envs.step(["leave", "look", "look", "say crash"])
        envs.step(["look"] * 4)  # lane 0 begins anew, and the real house of lane 3 is lost
        envs.step(["look"] * 4)
        assert houses(envs).batches == [4, 2, 3]
        assert envs.real_transitions == 3 + 2 + 3

    def test_a_lost_engine_is_told_and_the_dream_goes_on(self, shadow: MakeShadow):
        envs = shadow(2, bound=1)
        envs.reset(seed=0)
        for _ in range(3):
            _, rewards, terminations, truncations, infos = envs.step(["say crash", "look"])
            assert infos["shadow"]["failure"].tolist() == [LOST, ""] and infos["failure"].tolist() == ["", ""]
            assert not (rewards.any() or terminations.any() or truncations.any())
            assert infos["shadow"]["steps_differing"].tolist() == [0, 0]
            assert infos["shadow"]["compared"].tolist() == [False, True]

    def test_it_has_no_step_limit_of_its_own(self, shadow: MakeShadow):
        envs = shadow(1, max_episode_steps=-1)
        envs.reset(seed=0)
        for _ in range(30):
            *_, infos = envs.step(["look"])
        assert infos["shadow"]["compared"].all() and not infos["shadow"]["ended"].any()

    def test_a_world_model_that_stays_away_leaves_both_as_they_were(self, shadow: MakeShadow):
        model = house_model()
        envs = shadow(2, model)
        envs.reset(seed=0)

        def vanish(*question: Any) -> Prediction:
            raise WorldModelError("The server stays away.")

        answer, model.answer = model.answer, vanish
        with pytest.raises(WorldModelError):
            envs.step(["go kitchen"] * 2)
        model.answer = answer
        *_, infos = envs.step(["go kitchen"] * 2)
        assert infos["shadow"]["state_same"].all() and envs.real_transitions == 2

    def test_it_runs_beside_anchors_too(self):
        domain = ToyHouse()
        backend = AnchoredBackend(simulator(foggy_model(), domain), BrokenHouse(domain), 0.5)
        envs = ShadowRealVector(TextVectorEnv(domain, backend, 12), real())
        _, infos = envs.reset(seed=0)
        anchor = infos["anchor"]
        *_, infos = envs.step(["go kitchen"] * 12)
        assert infos["shadow"]["state_same"].tolist() == anchor.tolist()
        assert envs.real_transitions == 12 + anchor.sum()
        envs.close()


class TestModes:
    """A bound truncates, and the lane begins anew as after any other end."""

    def test_next_step(self, shadow: MakeShadow):
        envs = shadow(2, foggy_model(), bound=1, autoreset_mode="NextStep")
        envs.reset(seed=0)
        observations, _, terminations, truncations, infos = envs.step(["go kitchen", "look"])
        assert truncations.tolist() == [True, False] and not terminations.any()
        assert infos["stop_reason"].tolist() == ["drift", "running"] and infos["available_actions"][0] == ()
        assert "fog" in observations[0]
        observations, rewards, _, truncations, infos = envs.step(["go kitchen", "look"])
        assert observations[0].startswith("Room: hall") and not rewards.any() and not truncations.any()
        assert infos["_shadow"].all() and infos["shadow"]["steps_differing"].tolist() == [0, 0]
        assert envs.step(["go kitchen", "look"])[3].tolist() == [True, False]

    def test_same_step(self, shadow: MakeShadow):
        envs = shadow(2, foggy_model(), bound=1, autoreset_mode="SameStep")
        envs.reset(seed=0)
        observations, _, _, truncations, infos = envs.step(["go kitchen", "look"])
        assert truncations.tolist() == [True, False]
        assert "fog" in infos["final_obs"][0] and observations[0].startswith("Room: hall")
        last = infos["final_info"]
        assert last["stop_reason"][0] == "drift" and last["shadow"]["steps_differing"][0] == 1
        assert last["_shadow"].tolist() == [True, False] == last["shadow"]["_state_same"].tolist()
        assert infos["_shadow"].all() and infos["shadow"]["steps_differing"].tolist() == [0, 0]

    def test_disabled(self, shadow: MakeShadow):
        envs = shadow(2, foggy_model(), bound=1, autoreset_mode="Disabled")
        envs.reset(seed=0)
        *_, truncations, _ = envs.step(["go kitchen", "look"])
        with pytest.raises(gym.error.ResetNeeded, match=r"lanes \[0\]"):
            envs.step(["look", "look"])
        _, infos = envs.reset(options={"reset_mask": truncations})
        assert infos["_shadow"].tolist() == [True, False] == infos["shadow"]["_state_same"].tolist()
        *_, infos = envs.step(["look", "go kitchen"])
        assert infos["shadow"]["steps_differing"].tolist() == [0, 1]

    @every_mode
    def test_the_same_seed_gives_the_same_everything(self, shadow: MakeShadow, mode: AutoresetMode):
        def play() -> list[str]:
            envs = shadow(4, foggy_model(), bound=2, autoreset_mode=mode)
            seen = [repr(timeless(envs.reset(seed=5, options={"group_size": 2})))]
            for step in range(25):
                taken = envs.step([ACTIONS[(step + lane) % len(ACTIONS)] for lane in range(4)])
                seen.append(repr(timeless(taken)))
                ended = taken[2] | taken[3]
                if mode is AutoresetMode.DISABLED and ended.any():
                    seen.append(repr(timeless(envs.reset(options={"reset_mask": ended}))))
            return seen

        assert play() == play()

    @pytest.mark.parametrize("mode", [AutoresetMode.NEXT_STEP, AutoresetMode.SAME_STEP])
    @pytest.mark.parametrize("min_envs", [1, 3])
    def test_send_and_recv_are_accompanied(self, shadow: MakeShadow, mode: AutoresetMode, min_envs: int):
        def row(results: tuple[Any, ...], at: int) -> tuple[Any, ...]:
            observations, rewards, terminations, truncations, infos = results
            return (observations[at], rewards[at], terminations[at], truncations[at], repr(of_lane(infos, at)))

        lockstep, free = (shadow(4, foggy_model(), bound=2, autoreset_mode=mode) for _ in range(2))
        lockstep.reset(seed=2)
        free.reset(seed=2)
        envs = free.unwrapped
        assert isinstance(envs, TextVectorEnv)
        expected = by_step(lockstep, 20, row)
        assert by_send(envs, 20, min_envs, row) == expected
        assert free.real_transitions == lockstep.real_transitions > 0


def timeless(results: tuple[Any, ...]) -> tuple[Any, ...]:
    """Take the times out of infos."""
    for infos in (results[-1], results[-1].get("final_info", {})):
        infos.pop("seconds", None)
        infos.get("shadow", {}).pop("seconds", None)
    return results


class TestMaking:
    def test_webshop_beside_its_engine(self):
        """The dream's model repeats pages here: wherever it does not, dream and engine agree."""
        domain_model = LanguageWorldModel(
            CompactFormat(gym.make("DreamGymReal/WebShop-v0").unwrapped.domain),  # type: ignore[attr-defined]
            ScriptedGenerator(lambda prompt: "As before.<|state|>C<|outcome|>continue"),
        )
        dreamt = gym.make_vec("DreamGym/WebShop-v0", 3, world_model=domain_model, seed_experience=False)
        envs = ShadowRealVector(dreamt, "DreamGymReal/WebShop-v0", max_differing_steps=2)
        _, infos = envs.reset(seed=0, options={"split": "test"})
        assert infos["shadow"]["state_same"].all()
        assert infos["shadow"]["env_id"][0] == "DreamGymReal/WebShop-v0"
        *_, infos = envs.step(["dance", "search[red shoes]", "search[lamp]"])
        assert infos["shadow"]["state_same"].tolist() == [True, False, False]
        *_, truncations, infos = envs.step(["dance", "search[red shoes]", "dance"])
        assert truncations.tolist() == [False, True, True]
        assert envs.real_transitions == 6
        envs.close()
        envs.close()

    def test_the_real_environment_is_closed_with_it_only_where_it_was_made_here(self):
        house = real()
        ShadowRealVector(dream(2), house).close()
        assert house.backend.closed == 0  # type: ignore[attr-defined]
        house.close()

    def test_what_does_not_fit_is_refused(self):
        foreign = SyncVectorEnv([Cave])
        for env, other in ((foreign, real()), (dream(1), foreign), (dream(1), 7)):
            with pytest.raises(KeywordError, match=r"SyncVectorEnv\(\[lambda: ShadowReal"):
                ShadowRealVector(env, other)  # type: ignore[arg-type]
        with pytest.raises(KeywordError, match="'toyhouse', and real plays 'webshop'"):
            ShadowRealVector(dream(1), "DreamGymReal/WebShop-v0")
        with pytest.raises(KeywordError, match="made already"):
            ShadowRealVector(dream(1), real(), real_settings={"workers": 1})
        with pytest.raises(KeywordError, match="max_differing_steps takes"):
            ShadowRealVector(dream(1), real(), max_differing_steps=0)
        begun = dream(1)
        begun.reset(seed=0)
        with pytest.raises(ValueError, match="before its first reset"):
            ShadowRealVector(begun, real())

    def test_a_real_environment_that_is_missing_is_an_error_when_the_wrapper_is_made(
        self, monkeypatch: pytest.MonkeyPatch
    ):
        monkeypatch.setenv("DREAMGYM_CHROMIUM", "/nowhere/chromium")
        with pytest.raises(MissingDependencyError):
            ShadowRealVector(dream(1), "DreamGymReal/MiniWoB-v0")

    def test_seconds_are_a_lanes_share(self, shadow: MakeShadow, monkeypatch: pytest.MonkeyPatch):
        envs = shadow(4)
        envs.reset(seed=0)
        ticks = iter(range(100))
        monkeypatch.setattr(time, "perf_counter", lambda: float(next(ticks)))
        *_, infos = envs.step(["look"] * 4)
        assert infos["shadow"]["seconds"].tolist() == [0.25] * 4
