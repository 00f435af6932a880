"""The vector environment: n episodes, one batched model call a step (README: "one batched model call a step")."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np
import pytest
from gymnasium.error import ResetNeeded
from gymnasium.vector import AutoresetMode, SyncVectorEnv
from gymnasium.vector.utils import create_empty_array
from scripted import ScriptedWorldModel, failing_model, house_model, simulator
from toy_domain import NOTHING, RealToyHouse, ToyHouse

from dreamgym_env.envs.text_env import TextEnv
from dreamgym_env.envs.text_vector_env import TextVectorEnv
from dreamgym_env.errors import InvalidActionError, ResetOptionError, UnknownTaskError, WorldModelError
from dreamgym_env.types import Prediction, Task

NEXT_STEP, SAME_STEP, DISABLED = AutoresetMode.NEXT_STEP, AutoresetMode.SAME_STEP, AutoresetMode.DISABLED
every_mode = pytest.mark.parametrize("mode", list(AutoresetMode))
MakeVec = Callable[..., TextVectorEnv]


def of_lane(infos: dict[str, Any], lane: int) -> dict[str, Any]:
    """One lane's info, as a single environment would have given it; without the time that it took."""
    info = {key: infos[key][lane] for key in infos if not key.startswith("_") and infos[f"_{key}"][lane]}
    info.pop("seconds", None)
    return info


def tasks(infos: dict[str, Any]) -> list[str]:
    return list(infos["task_id"])


class TestStep:
    def test_a_step_is_one_call_of_the_model(self, make_vec: MakeVec):
        model = house_model()
        envs = make_vec(8, model)
        envs.reset(seed=0)
        for step in range(5):
            envs.step(["look", "go kitchen"] * 4)
            assert len(model.batches) == step + 1
        assert all(len(batch) <= 8 for batch in model.batches)

    def test_a_step_without_questions_calls_nobody(self, make_vec: MakeVec):
        model = house_model()
        envs = make_vec(4, model)
        envs.reset(seed=0)
        observations, *_ = envs.step(["fly"] * 4)
        assert observations == (NOTHING,) * 4 and model.batches == []

    def test_lanes_are_what_single_environments_with_the_next_seeds_are(self, make_vec: MakeVec):
        """Lane i with seed s equals a single environment with seed s + i: observations, rewards, ends, infos."""
        envs = make_vec(4, memo=False)
        domain = ToyHouse()
        singles = [TextEnv(domain, simulator(domain=domain, memo=False)) for _ in range(4)]
        observations, infos = envs.reset(seed=40)
        for lane, single in enumerate(singles):
            assert single.reset(seed=40 + lane) == (observations[lane], of_lane(infos, lane))
        plan = [["look", "go kitchen", "fly", "leave"], ["go kitchen", "take key", "take lamp", "go hall"]]
        plan += [["say x", "", "look", "go cellar"], ["leave", "go cellar", "take coin", "take rope"]]
        over = [False] * 4
        for actions in plan * 3:
            observations, rewards, terminations, truncations, infos = envs.step(actions)
            for lane, single in enumerate(singles):
                if over[lane]:
                    observation, begun = single.reset()
                    expected = (observation, 0.0, False, False)
                    assert of_lane(infos, lane) == begun
                else:
                    *expected_step, info = single.step(actions[lane])
                    expected = tuple(expected_step)
                    info.pop("seconds")
                    assert of_lane(infos, lane) == info
                got_step = (observations[lane], rewards[lane], terminations[lane], truncations[lane])
                assert got_step == expected
                over[lane] = bool(terminations[lane] or truncations[lane])
        for single in singles:
            single.close()

    def test_the_same_seed_and_actions_give_the_same_everything(self, make_vec: MakeVec):
        traces = []
        for _ in range(2):
            envs = make_vec(3, autoreset_mode=SAME_STEP)
            trace = [repr(envs.reset(seed=5))]
            for actions in (["look"] * 3, ["leave", "go kitchen", "go cellar"], ["take key"] * 3, ["leave"] * 3):
                step = envs.step(actions)
                step[-1].pop("seconds", None)
                step[-1].get("final_info", {}).pop("seconds", None)
                trace.append(repr(step))
            traces.append(trace)
        assert traces[0] == traces[1]

    def test_actions_may_be_any_sequence_of_texts(self, make_vec: MakeVec):
        envs = make_vec(2)
        envs.reset(seed=0)
        for actions in (["look", "look"], ("look", "look"), np.array(["look", "look"]), envs.action_space.sample()):
            observations = envs.step(actions)[0]
            assert observations in envs.observation_space

    @pytest.mark.parametrize("actions", [["look"], ["look"] * 3, "lo", [], None, {"a": 1, "b": 2}])
    def test_another_number_of_actions_is_refused(self, make_vec: MakeVec, actions: Any):
        envs = make_vec(2)
        envs.reset(seed=0)
        with pytest.raises(ValueError, match="2 actions"):
            envs.step(actions)

    def test_an_action_that_is_no_text_is_refused_and_nothing_changes(self, make_vec: MakeVec):
        envs = make_vec(2)
        envs.reset(seed=0)
        with pytest.raises(InvalidActionError, match="text"):
            envs.step(["go kitchen", 7])  # type: ignore[list-item]
        assert envs.step(["look", "look"])[0][0].startswith("Room: hall")

    def test_a_failing_model_truncates_its_lanes_without_reward(self, make_vec: MakeVec):
        envs = make_vec(2, failing_model("Garbage."))
        envs.reset(seed=0)
        _, rewards, terminations, truncations, infos = envs.step(["look", "fly"])
        assert list(rewards) == [0.0, 0.0] and not terminations.any()
        assert list(truncations) == [True, False]
        assert list(infos["failure"]) == ["Garbage.", ""]

    def test_a_vanished_engine_leaves_all_lanes_as_they_were(self, make_vec: MakeVec):
        model = house_model()
        envs = make_vec(3, model)
        envs.reset(seed=0)
        envs.step(["leave", "look", "look"])

        def vanish(*question: Any) -> Prediction:
            raise WorldModelError("The server stays away.")

        answer, model.answer = model.answer, vanish
        with pytest.raises(WorldModelError, match="stays away"):
            envs.step(["go kitchen"] * 3)
        model.answer = answer
        observations, *_, infos = envs.step(["go kitchen"] * 3)
        assert list(infos["_answered_by"]) == [False, True, True], "lane 0 begins anew only now"
        assert observations[1].startswith("Room: kitchen") and observations[2].startswith("Room: kitchen")

    def test_a_closed_environment_may_be_closed_again(self, make_vec: MakeVec):
        model = house_model()
        envs = make_vec(2, model)
        envs.close()
        envs.close()
        assert model.closed >= 1

    def test_spaces_hold_what_is_seen_and_batch_without_copying_alphabets(self, make_vec: MakeVec):
        envs = make_vec(2)
        observations, _ = envs.reset(seed=0)
        assert observations in envs.observation_space
        assert len(create_empty_array(envs.single_observation_space, 2)) == 2

    def test_a_batch_is_not_rendered_and_not_empty(self, make_vec: MakeVec):
        with pytest.raises(ValueError, match="not rendered"):
            make_vec(2, render_mode="ansi")
        with pytest.raises(ValueError, match="at least 1"):
            make_vec(0)


class TestAutoreset:
    """All three modes keep the final observation and info."""

    def test_next_step_shows_the_end_then_begins_anew_without_acting(self, make_vec: MakeVec):
        envs = make_vec(2, autoreset_mode="NextStep")
        envs.reset(seed=0)
        observations, _, terminations, _, infos = envs.step(["leave", "look"])
        assert observations[0].startswith("End") and list(terminations) == [True, False]
        assert infos["stop_reason"][0] == "failure"
        observations, rewards, terminations, truncations, infos = envs.step(["leave", "look"])
        assert observations[0].startswith("Room: hall"), "the action of a lane that begins anew is ignored"
        assert (rewards[0], terminations[0], truncations[0]) == (0.0, False, False)
        assert list(infos["_task_id"]) == [True, True] and list(infos["_reasoning"]) == [False, True]
        assert envs.step(["leave", "look"])[2][0]

    def test_same_step_begins_anew_at_once_and_keeps_the_end(self, make_vec: MakeVec):
        envs = make_vec(2, autoreset_mode="SameStep")
        _, begun = envs.reset(seed=0)
        observations, _, terminations, _, infos = envs.step(["leave", "look"])
        assert list(terminations) == [True, False]
        assert observations[0].startswith("Room: hall")
        assert infos["final_obs"][0].startswith("End") and infos["final_obs"][1] is None
        assert list(infos["_final_obs"]) == [True, False] == list(infos["_final_info"])
        assert infos["final_info"]["stop_reason"][0] == "failure"
        assert infos["final_info"]["task_id"][0] == tasks(begun)[0]
        assert infos["task_id"][0] in ToyHouse().task_ids("train")
        assert not envs.step(["look", "look"])[2].any()

    def test_disabled_refuses_until_the_ended_lanes_are_reset(self, make_vec: MakeVec):
        envs = make_vec(3, autoreset_mode="Disabled")
        envs.reset(seed=0)
        observations, *_ = envs.step(["leave", "look", "leave"])
        assert observations[0].startswith("End")
        with pytest.raises(ResetNeeded, match=r"lanes \[0, 2\]"):
            envs.step(["look"] * 3)
        mask = np.array([True, False, True])
        observations, infos = envs.reset(options={"reset_mask": mask})
        assert list(infos["_task_id"]) == [True, False, True]
        assert [text[:4] for text in observations] == ["Room"] * 3
        assert not envs.step(["look"] * 3)[2].any()

    @every_mode
    def test_step_before_reset_is_refused(self, make_vec: MakeVec, mode: AutoresetMode):
        with pytest.raises(ResetNeeded, match="reset"):
            make_vec(2, autoreset_mode=mode).step(["look"] * 2)

    @every_mode
    @pytest.mark.parametrize(("limit", "steps"), [(None, 6), (2, 2), (9, 9)])
    def test_episodes_are_truncated_at_the_limit(
        self, make_vec: MakeVec, mode: AutoresetMode, limit: int | None, steps: int
    ):
        """At the domain's own limit (here 6), or at the one that the user gives."""
        envs = make_vec(2, autoreset_mode=mode, max_episode_steps=limit)
        envs.reset(seed=0)
        ends = [envs.step(["look", "fly"])[3].tolist() for _ in range(steps)]
        assert ends == [[False, False]] * (steps - 1) + [[True, True]]

    @every_mode
    def test_the_mode_is_announced(self, make_vec: MakeVec, mode: AutoresetMode):
        assert make_vec(1, autoreset_mode=mode).metadata["autoreset_mode"] is mode


class TestReset:
    def test_seeds_may_be_one_or_many(self, make_vec: MakeVec):
        envs = make_vec(3)
        one, _ = envs.reset(seed=7)
        assert envs.reset(seed=[7, 8, 9])[0] == one
        assert envs.reset(seed=[9, 8, 7])[0] == one[::-1]
        with pytest.raises(ValueError, match="2 seeds"):
            envs.reset(seed=[1, 2])

    def test_without_a_seed_lanes_go_on_drawing(self, make_vec: MakeVec):
        envs = make_vec(4)
        drawn = [tasks(envs.reset(seed=1)[1]), tasks(envs.reset()[1]), tasks(envs.reset()[1])]
        again = [tasks(envs.reset(seed=1)[1]), tasks(envs.reset()[1]), tasks(envs.reset()[1])]
        assert drawn == again and len({*map(tuple, drawn)}) > 1

    def test_only_the_masked_lanes_are_reset(self, make_vec: MakeVec):
        envs = make_vec(3)
        envs.reset(seed=0)
        before = envs.step(["go kitchen"] * 3)[0]
        after, infos = envs.reset(options={"reset_mask": np.array([False, True, False])})
        assert (after[0], after[2]) == (before[0], before[2]) and after[1].startswith("Room: hall")
        assert list(infos["_task_id"]) == [False, True, False]

    def test_a_masked_reset_may_be_seeded(self, make_vec: MakeVec):
        envs = make_vec(3)
        begun, _ = envs.reset(seed=11)
        envs.step(["leave"] * 3)
        mask = np.array([False, True, False])
        assert envs.reset(seed=11, options={"reset_mask": mask})[0][1] == begun[1]

    def test_options_are_for_all_lanes_or_one_each(self, make_vec: MakeVec):
        envs = make_vec(2)
        assert tasks(envs.reset(options={"task_id": "toyhouse/test/1"})[1]) == ["toyhouse/test/1"] * 2
        ids = ["toyhouse/test/1", "toyhouse/train/3"]
        assert tasks(envs.reset(options={"task_id": ids})[1]) == ids
        assert list(envs.reset(options={"split": ["eval", "test"]})[1]["split"]) == ["eval", "test"]
        assert tasks(envs.reset(options={"task_id": np.array(ids, dtype=object)})[1]) == ids, "as an info holds them"
        own = [ToyHouse().task(task_id) for task_id in reversed(ids)]
        assert tasks(envs.reset(options={"task": own})[1]) == ids[::-1]

    def test_options_hold_for_automatic_resets_and_end_with_the_next_reset(self, make_vec: MakeVec):
        envs = make_vec(2, autoreset_mode=SAME_STEP)
        envs.reset(seed=0, options={"split": ["eval", "test"]})
        for _ in range(4):
            assert list(envs.step(["leave"] * 2)[-1]["split"]) == ["eval", "test"]
        assert list(envs.reset()[1]["split"]) == ["train", "train"]

    def test_the_default_split_may_be_another(self, make_vec: MakeVec):
        assert list(make_vec(2, split="test").reset()[1]["split"]) == ["test"] * 2
        with pytest.raises(UnknownTaskError, match="train, eval, test"):
            make_vec(2, split="dev")

    BAD_OPTIONS: ClassVar[dict[str, Any]] = {
        "unknown": ({"task_ids": ["a"]}, "task_ids"),
        "wrong type": ({"task_id": 17}, "task_id"),
        "too few": ({"task_id": ["toyhouse/train/0"]}, "1 values for 4"),
        "one wrong": ({"split": ["train", "train", 3, "train"]}, "split"),
        "no divisor": ({"group_size": 3}, "divides"),
        "zero": ({"group_size": 0}, "divides"),
        "a truth value": ({"group_size": True}, "divides"),
        "a text": ({"group_size": "2"}, "divides"),
        "a list as mask": ({"reset_mask": [True] * 4}, "reset_mask"),
        "a short mask": ({"reset_mask": np.array([True])}, "reset_mask"),
        "an int mask": ({"reset_mask": np.array([1, 0, 1, 0])}, "reset_mask"),
        "an empty mask": ({"reset_mask": np.zeros(4, bool)}, "at least one"),
        "no dictionary": ("test", "dictionary"),
        "a task without a goal": ({"task": Task("mine", "toyhouse", "Win.", "Room: hall")}, "names no 'thing'"),
    }

    @pytest.mark.parametrize(("options", "message"), BAD_OPTIONS.values(), ids=list(BAD_OPTIONS))
    def test_an_option_that_cannot_be_read_is_refused(self, make_vec: MakeVec, options: dict[str, Any], message: str):
        with pytest.raises(ResetOptionError, match=message):
            make_vec(4).reset(options=options)

    UNKNOWN: ClassVar[dict[str, Any]] = {
        "task": {"task_id": "toyhouse/train/99"},
        "split": {"split": "dev"},
        "one of many": {"task_id": ["toyhouse/train/0", "toyhouse/train/99"]},
        "one without a goal": {"task": [ToyHouse().task("toyhouse/train/0"), Task("mine", "toyhouse", "", "")]},
    }

    @pytest.mark.parametrize("options", UNKNOWN.values(), ids=list(UNKNOWN))
    def test_a_reset_that_fails_leaves_everything_as_it_was(self, make_vec: MakeVec, options: dict[str, Any]):
        envs, same = (make_vec(2, autoreset_mode=SAME_STEP) for _ in range(2))
        for twin in (envs, same):
            twin.reset(seed=3, options={"split": "eval"})
            twin.step(["go kitchen"] * 2)
        with pytest.raises((UnknownTaskError, ResetOptionError)):
            envs.reset(seed=9, options=options)
        for _ in range(3):
            got, expected = (twin.step(["leave"] * 2) for twin in (envs, same))
            assert got[0] == expected[0] and tasks(got[-1]) == tasks(expected[-1])

    def test_options_of_the_user_are_not_changed(self, make_vec: MakeVec):
        options = {"reset_mask": np.array([True, False]), "group_size": 1, "split": "eval"}
        envs = make_vec(2)
        envs.reset(seed=0)
        envs.reset(options=options)
        assert set(options) == {"reset_mask", "group_size", "split"}


class TestGroups:
    """``group_size`` G gives G identical starts, for GRPO."""

    def test_lanes_of_a_group_play_the_same_tasks_also_over_automatic_resets(self, make_vec: MakeVec):
        envs = make_vec(6, autoreset_mode=SAME_STEP)
        played = [[task] for task in tasks(envs.reset(seed=0, options={"group_size": 3})[1])]
        for step in range(12):  # lanes end at different times
            *_, infos = envs.step(["leave" if step % (lane + 1) == 0 else "look" for lane in range(6)])
            for lane in np.flatnonzero(infos["_final_info"]) if "final_info" in infos else ():
                played[lane].append(infos["task_id"][lane])
        for group in (played[:3], played[3:]):
            shortest = min(map(len, group))
            assert shortest > 1
            assert all(lane[:shortest] == group[0][:shortest] for lane in group)
        assert played[0][:3] != played[3][:3]

    def test_lanes_of_a_group_sample_differently(self, make_vec: MakeVec):
        seeds: list[int] = []

        def answer(query: Any, memories: Any, seed: int) -> Prediction:
            seeds.append(seed)
            return Prediction("", "Room: hall", 0.0, False)

        envs = make_vec(4, ScriptedWorldModel(answer, deterministic=False))
        for _ in range(2):
            envs.reset(seed=0, options={"group_size": 4})
            envs.step(["look"] * 4)
        assert len(set(seeds[:4])) == 4 and seeds[:4] == seeds[4:]

    def test_groups_without_a_seed_are_groups_too(self, make_vec: MakeVec):
        envs = make_vec(4)
        for _ in range(3):
            first, second, third, fourth = tasks(envs.reset(options={"group_size": 2})[1])
            assert first == second and third == fourth

    def test_after_groups_lanes_go_their_own_ways_again(self, make_vec: MakeVec):
        envs = make_vec(4, domain=ToyHouse({"train": 10_000}))
        envs.reset(seed=0, options={"group_size": 4})
        assert len(set(tasks(envs.reset()[1]))) == 4
        envs.reset(seed=0, options={"group_size": 4})
        first, second, third, fourth = tasks(envs.reset(options={"group_size": 2})[1])
        assert first == second != third == fourth

    def test_a_masked_reset_keeps_the_groups(self, make_vec: MakeVec):
        envs = make_vec(4, autoreset_mode=DISABLED)
        envs.reset(seed=0, options={"group_size": 2})
        envs.step(["leave"] * 4)
        first, second, third, fourth = tasks(envs.reset(options={"reset_mask": np.ones(4, bool)})[1])
        assert first == second and third == fourth


def comparable(value: Any) -> Any:
    """What two infos must agree in: keys, dtypes and values, without the time that something took."""
    if isinstance(value, dict):
        return {key: comparable(value[key]) for key in value if key.strip("_") != "seconds"}
    return (value.dtype, value.tolist()) if isinstance(value, np.ndarray) else value


class TestGymnasiumsOwn:
    """It behaves as gymnasium's ``SyncVectorEnv`` of single environments, infos and their dtypes included."""

    PLAN: ClassVar[list[list[str]]] = [
        ["look", "go kitchen", "fly"],
        ["leave", "take key", "go cellar"],
        ["say x", "look", "leave"],
        ["leave", "leave", "leave"],
        ["look", "look", "go kitchen"],
    ]

    def pair(self, make_vec: MakeVec, mode: AutoresetMode) -> tuple[SyncVectorEnv, TextVectorEnv]:
        domain = ToyHouse()
        single = [lambda: TextEnv(domain, simulator(domain=domain, memo=False))] * 3
        return SyncVectorEnv(single, autoreset_mode=mode), make_vec(3, memo=False, autoreset_mode=mode)

    @every_mode
    def test_steps_and_resets_agree(self, make_vec: MakeVec, mode: AutoresetMode):
        twins = self.pair(make_vec, mode)
        assert comparable(twins[0].reset(seed=4)[1]) == comparable(twins[1].reset(seed=4)[1])
        for actions in self.PLAN * 3:
            own, batched = (twin.step(actions) for twin in twins)
            assert own[0] == batched[0]
            for expected, got in zip(own[1:4], batched[1:4], strict=True):
                assert comparable(expected) == comparable(got)
            assert comparable(own[4]) == comparable(batched[4])
            ended = own[2] | own[3]
            if mode is DISABLED and ended.any():
                again = [twin.reset(options={"reset_mask": ended.copy()}) for twin in twins]
                assert again[0][0] == again[1][0]
                assert comparable(again[0][1]) == comparable(again[1][1])
        twins[0].close()

    def test_infos_of_a_masked_reset_agree(self, make_vec: MakeVec):
        twins = self.pair(make_vec, NEXT_STEP)
        for twin in twins:
            twin.reset(seed=4)
            twin.step(["leave", "look", "leave"])
        mask = np.array([True, True, False])
        own, batched = (twin.reset(seed=[1, 2, 3], options={"reset_mask": mask.copy()}) for twin in twins)
        assert own[0] == batched[0] and comparable(own[1]) == comparable(batched[1])
        own, batched = (twin.step(["look"] * 3) for twin in twins)
        assert own[0] == batched[0], "the lane that had ended and was not reset begins anew now"
        assert comparable(own[4]) == comparable(batched[4])
        twins[0].close()

    def test_infos_of_a_step_are_the_callers(self, make_vec: MakeVec):
        """Nothing that an earlier call returned changes later."""
        envs = make_vec(2)
        _, begun = envs.reset(seed=0)
        *_, first = envs.step(["look", "look"])
        kept = comparable({**begun, **first})
        envs.step(["leave", "go kitchen"])
        assert comparable({**begun, **first}) == kept


def test_real_environments_step_in_batches_too():
    """The same class serves ``DreamGymReal/``."""
    domain = ToyHouse()
    envs = TextVectorEnv(domain, RealToyHouse(domain), 2)
    envs.reset(seed=0, options={"task_id": ["toyhouse/train/0", "toyhouse/train/1"]})
    envs.step(["go kitchen", "go cellar"])
    _, rewards, terminations, _, infos = envs.step(["take key", "take lamp"])
    assert list(rewards) == [1.0, 1.0] and terminations.all()
    assert list(infos["answered_by"]) == ["real", "real"] and infos["won"].all()
