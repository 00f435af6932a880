"""``anchor=``: a share of a dream's episodes is played in the real environment (README: "Shadow and anchors")."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from broken_house import LOST, BrokenHouse
from free_running import ACTIONS, by_send, by_step
from gymnasium.envs.registration import EnvSpec
from gymnasium.vector import AutoresetMode
from scripted import ScriptedWorldModel, house_model, simulator
from toy_domain import ToyHouse

from dreamgym_env.envs.text_env import TextEnv
from dreamgym_env.envs.text_vector_env import TextVectorEnv
from dreamgym_env.errors import KeywordError, MissingDependencyError, WorldModelError
from dreamgym_env.simulation.anchors import AnchoredBackend
from dreamgym_env.simulation.seeds import episode_seed, group_draw
from dreamgym_env.types import Prediction

ABSENT_SERVER = "openai:model@http://127.0.0.1:9/v1"
MakeVec = Callable[..., TextVectorEnv]


def anchored(share: float, model: ScriptedWorldModel | None = None) -> AnchoredBackend:
    """A dreamt house of which a share of the episodes is real."""
    domain = ToyHouse()
    return AnchoredBackend(simulator(model, domain, memo=False), BrokenHouse(domain), share)


@pytest.fixture
def make_vec() -> Iterator[MakeVec]:
    built: list[TextVectorEnv] = []

    def make(num_envs: int, share: float, model: ScriptedWorldModel | None = None, **settings: Any) -> TextVectorEnv:
        built.append(TextVectorEnv(ToyHouse(), anchored(share, model), num_envs, **settings))
        return built[-1]

    yield make
    for envs in built:
        envs.close()


class TestDraw:
    """Which episodes are anchors follows from their seeds alone."""

    def test_the_share_is_what_was_asked_for(self):
        seeds = [episode_seed(entropy, 0) for entropy in range(4_000)]
        for share in (0.0, 0.1, 0.5, 1.0):
            anchors = sum(group_draw(seed, "anchor") < share for seed in seeds)
            assert abs(anchors - share * len(seeds)) <= 4 * (len(seeds) * share * (1 - share)) ** 0.5

    def test_members_of_a_group_share_the_draw_and_not_the_seed(self):
        for entropy in range(50):
            seeds = [episode_seed(entropy, member) for member in range(8)]
            assert len(set(seeds)) == 8
            assert len({group_draw(seed, "anchor") for seed in seeds}) == 1

    def test_it_does_not_depend_on_the_number_of_lanes(self, make_vec: MakeVec):
        _, few = make_vec(3, 0.4).reset(seed=7)
        _, many = make_vec(40, 0.4).reset(seed=7)
        assert list(few["anchor"]) == list(many["anchor"][:3])
        env = TextEnv(ToyHouse(), anchored(0.4))
        assert [env.reset(seed=7 + lane)[1]["anchor"] for lane in range(40)] == list(many["anchor"])
        assert 5 < sum(many["anchor"]) < 30

    def test_a_greater_share_keeps_the_anchors_of_a_smaller_one(self, make_vec: MakeVec):
        _, less = make_vec(60, 0.2).reset(seed=1)
        _, more = make_vec(60, 0.6).reset(seed=1)
        assert not (less["anchor"] & ~more["anchor"]).any() and sum(less["anchor"]) < sum(more["anchor"])

    @pytest.mark.parametrize("mode", [AutoresetMode.NEXT_STEP, AutoresetMode.SAME_STEP])
    def test_a_group_is_all_dream_or_all_real_also_in_later_episodes(self, make_vec: MakeVec, mode: AutoresetMode):
        envs = make_vec(24, 0.5, autoreset_mode=mode)
        _, infos = envs.reset(seed=3, options={"group_size": 4})
        seen = set()
        for _ in range(8):
            groups = infos["anchor"].reshape(6, 4)
            assert (groups == groups[:, :1]).all()
            assert (infos["task_id"].reshape(6, 4) == infos["task_id"].reshape(6, 4)[:, :1]).all()
            seen.update(groups[:, 0].tolist())
            *_, infos = envs.step(["leave"] * 24)
        assert seen == {True, False}


class TestEpisodes:
    def test_anchors_are_answered_by_the_real_environment_and_say_so(self, make_vec: MakeVec):
        model = house_model()
        envs = make_vec(30, 0.5, model)
        _, infos = envs.reset(seed=0)
        anchor = infos["anchor"]
        assert anchor.dtype == np.bool_ and 5 < anchor.sum() < 25
        *_, infos = envs.step(["look"] * 30)
        assert list(infos["anchor"]) == list(anchor)
        assert [said == "real" for said in infos["answered_by"]] == list(anchor)
        assert model.asked == (~anchor).sum(), "no model is asked about an anchor"
        assert all(not memories for memories, real in zip(infos["memories"], anchor, strict=True) if real)

    def test_each_side_is_asked_in_one_batch_a_step(self, make_vec: MakeVec):
        model = house_model()
        envs = make_vec(30, 0.5, model)
        _, infos = envs.reset(seed=0)
        real = envs.backend.real  # type: ignore[attr-defined]
        for step in range(1, 4):
            envs.step(["look"] * 30)
            assert len(model.batches) == step == len(real.batches)
        assert set(real.batches) == {infos["anchor"].sum()}

    def test_real_transitions_are_counted_exactly(self, make_vec: MakeVec):
        envs, single = make_vec(12, 0.5), TextEnv(ToyHouse(), anchored(0.5))
        assert envs.real_transitions == 0 == single.real_transitions
        envs.reset(seed=0)
        expected = 0
        for step in range(40):
            *_, infos = envs.step([ACTIONS[(step + lane) % len(ACTIONS)] for lane in range(12)])
            expected += sum(infos["answered_by"] == "real")
            assert envs.real_transitions == expected
        expected = 0
        for seed in range(12):
            single.reset(seed=seed)
            expected += single.step("look")[4]["answered_by"] == "real"
        assert single.real_transitions == expected > 0

    def test_without_anchors_nothing_is_real_and_with_all_everything_is(self, make_vec: MakeVec):
        for share in (0.0, 1.0):
            envs = make_vec(5, share)
            envs.reset(seed=0)
            *_, infos = envs.step(["look"] * 5)
            assert infos["anchor"].tolist() == [bool(share)] * 5
            assert envs.real_transitions == 5 * share

    def test_a_lost_engine_ends_its_episode_without_reward_and_is_no_transition(self, make_vec: MakeVec):
        envs = make_vec(3, 1.0)
        envs.reset(seed=0)
        _, rewards, terminations, truncations, infos = envs.step(["look", "say crash", "look"])
        assert rewards.tolist() == [0.0] * 3 and not terminations.any()
        assert truncations.tolist() == [False, True, False]
        assert infos["failure"].tolist() == ["", LOST, ""] and infos["stop_reason"][1] == "engine_failure"
        assert envs.real_transitions == 2

    def test_a_world_model_that_stays_away_leaves_anchors_as_they_were(self, make_vec: MakeVec):
        model = house_model()
        envs = make_vec(12, 0.5, model)
        _, infos = envs.reset(seed=0)
        anchor = infos["anchor"]

        def vanish(*question: Any) -> Prediction:
            raise WorldModelError("The server stays away.")

        answer, model.answer = model.answer, vanish
        with pytest.raises(WorldModelError):
            envs.step(["go kitchen"] * 12)
        assert envs.real_transitions == 0
        model.answer = answer
        observations, *_ = envs.step(["go kitchen"] * 12)
        assert all(text.startswith("Room: kitchen") for text in observations)
        assert envs.real_transitions == anchor.sum()

    @pytest.mark.parametrize("mode", list(AutoresetMode))
    def test_the_same_seed_gives_the_same_everything(self, make_vec: MakeVec, mode: AutoresetMode):
        def play() -> list[str]:
            envs = make_vec(6, 0.5, autoreset_mode=mode)
            seen = [repr(envs.reset(seed=5, options={"group_size": 2}))]
            for step in range(25):
                taken = envs.step([ACTIONS[(step + lane) % len(ACTIONS)] for lane in range(6)])
                for infos in (taken[-1], taken[-1].get("final_info", {})):
                    infos.pop("seconds", None)
                seen.append(repr(taken))
                ended = taken[2] | taken[3]
                if mode is AutoresetMode.DISABLED and ended.any():
                    seen.append(repr(envs.reset(options={"reset_mask": ended})))
            return seen

        assert play() == play()

    def test_lanes_are_what_single_environments_with_the_next_seeds_are(self, make_vec: MakeVec):
        envs = make_vec(10, 0.5)
        observations, infos = envs.reset(seed=20)
        steps = [envs.step([action] * 10) for action in ("look", "go kitchen", "take key")]
        for lane in range(10):
            single = TextEnv(ToyHouse(), anchored(0.5))
            observation, info = single.reset(seed=20 + lane)
            assert (observation, info["anchor"]) == (observations[lane], infos["anchor"][lane])
            for action, step in zip(("look", "go kitchen", "take key"), steps, strict=True):
                *_, taken = single.step(action)
                assert taken["answered_by"] == step[-1]["answered_by"][lane]


class TestSendAndRecv:
    @pytest.mark.parametrize("mode", [AutoresetMode.NEXT_STEP, AutoresetMode.SAME_STEP])
    @pytest.mark.parametrize("min_envs", [1, 4, 8])
    def test_lanes_see_what_they_see_in_lockstep(self, make_vec: MakeVec, mode: AutoresetMode, min_envs: int):
        def row(results: tuple[Any, ...], at: int) -> tuple[Any, ...]:
            observations, rewards, terminations, truncations, infos = results
            told = infos["anchor"][at], infos["task_id"][at]
            return (observations[at], rewards[at], terminations[at], truncations[at], *told)

        lockstep, free = make_vec(8, 0.5, autoreset_mode=mode), make_vec(8, 0.5, autoreset_mode=mode)
        lockstep.reset(seed=2)
        free.reset(seed=2)
        expected = by_step(lockstep, 20, row)
        assert by_send(free, 20, min_envs, row) == expected
        assert free.real_transitions == lockstep.real_transitions > 0

    def test_a_world_model_that_stays_away_loses_no_real_transition(self, make_vec: MakeVec):
        model = house_model()
        envs = make_vec(12, 0.5, model)
        _, infos = envs.reset(seed=0)
        anchors = np.flatnonzero(infos["anchor"]).tolist()

        def vanish(*question: Any) -> Prediction:
            raise WorldModelError("The server stays away.")

        answer, model.answer = model.answer, vanish
        envs.send(["go kitchen"] * 12)
        *_, infos = envs.recv(len(anchors))
        assert infos["env_id"].tolist() == anchors and envs.real_transitions == len(anchors)
        with pytest.raises(WorldModelError):
            envs.recv(12)
        model.answer = answer
        dreams = [lane for lane in range(12) if lane not in anchors]
        envs.send(["go kitchen"] * len(dreams), dreams)
        observations, *_, infos = envs.recv(12)
        assert infos["env_id"].tolist() == dreams and envs.real_transitions == len(anchors)
        assert all(text.startswith("Room: kitchen") for text in observations)


class TestKeywords:
    """``gym.make("DreamGym/...", anchor=0.1)``."""

    @pytest.mark.parametrize("anchor", [float("nan"), "0.1", -1, 2, True, None, 1.0001, [0.1]])
    @pytest.mark.parametrize("vector", [False, True])
    def test_a_share_that_is_none_is_refused(self, anchor: Any, vector: bool):
        with pytest.raises(KeywordError, match="anchor takes a share from 0 to 1"):
            if vector:
                gym.make_vec("DreamGym/WebShop-v0", 2, world_model=ABSENT_SERVER, anchor=anchor)
            else:
                gym.make("DreamGym/WebShop-v0", world_model=ABSENT_SERVER, anchor=anchor)

    def test_an_evaluation_has_no_anchors(self):
        with pytest.raises(KeywordError, match="must not be mixed with real episodes"):
            gym.make("DreamGym/WebShop-v0", world_model=ABSENT_SERVER, anchor=0.1, evaluation=True)

    def test_a_recorded_environment_has_none(self):
        with pytest.raises(KeywordError, match="its real one is yours to play"):
            gym.make("DreamGym/Recorded-v0", experience="any.jsonl", world_model=ABSENT_SERVER, anchor=0.1)

    def test_keywords_of_the_real_environment_are_checked(self):
        for settings, said in (({"workers": 2}, "observation_mode"), ("text", "takes a dictionary")):
            with pytest.raises(KeywordError, match=said):
                gym.make("DreamGym/WebShop-v0", world_model=ABSENT_SERVER, anchor=0.1, anchor_settings=settings)

    def test_a_missing_real_environment_is_an_error_when_the_dream_is_made(self, monkeypatch: pytest.MonkeyPatch):
        monkeypatch.setenv("DREAMGYM_CHROMIUM", "/nowhere/chromium")
        with pytest.raises(MissingDependencyError):
            gym.make("DreamGym/MiniWoB-v0", world_model=ABSENT_SERVER, seed_experience=False, anchor=0.01)

    def test_webshops_anchors_are_its_real_episodes(self):
        env = gym.make("DreamGym/WebShop-v0", world_model=ABSENT_SERVER, seed_experience=False, anchor=1.0)
        real = gym.make("DreamGymReal/WebShop-v0")
        actions = ("search[red shoes]", "dance", "click[next >]", "click[back to search]")
        seen = []
        for one in (env, real):
            observation, info = one.reset(seed=4)
            steps = [one.step(action) for action in actions]
            assert one.get_wrapper_attr("real_transitions") == 4
            seen.append((observation, info["task_id"], [(*step[:4], step[4]["available_actions"]) for step in steps]))
        assert seen[0] == seen[1]
        again = gym.make(EnvSpec.from_json(env.spec.to_json()))  # type: ignore[union-attr]
        assert again.reset(seed=4)[1]["anchor"] is True
        for one in (env, real, again):
            one.close()

    def test_closing_closes_both_sides(self):
        backend = anchored(0.5, model := house_model())
        env = TextEnv(ToyHouse(), backend)
        env.close()
        assert model.closed == 1 and backend.real.closed == 1  # type: ignore[attr-defined]
