"""``reset(options={"tasks": source})``: somebody else decides which tasks are played, such as a curriculum."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scripted import simulator
from toy_domain import ToyHouse

from dreamgym_env.envs.text_env import TextEnv
from dreamgym_env.envs.text_vector_env import TextVectorEnv
from dreamgym_env.errors import ResetOptionError, UnknownTaskError
from dreamgym_env.types import Task, TaskSource

MakeVec = Callable[..., TextVectorEnv]


class Drawing:
    """Draws test tasks by chance, remembers them, and can be moved to others, as something that learns."""

    def __init__(self, offset: int = 0) -> None:
        self.domain = ToyHouse({"train": 5, "test": 10_000})
        self.offset = offset
        self.drawn: list[str] = []

    def draw(self, rng: np.random.Generator) -> Task:
        self.drawn.append(f"toyhouse/test/{self.offset + int(rng.integers(4000))}")
        return self.domain.task(self.drawn[-1])


class Giving:
    """Gives whatever it was made with."""

    def __init__(self, what: Any) -> None:
        self.what = what

    def draw(self, rng: np.random.Generator) -> Any:
        return self.what


def tasks(infos: dict[str, Any]) -> list[str]:
    return list(infos["task_id"])


def single() -> TextEnv:
    backend = simulator()
    return TextEnv(backend.domain, backend)


class TestOneEpisode:
    def test_its_tasks_are_played_and_the_seed_decides_which(self):
        source, env = Drawing(), single()
        assert isinstance(source, TaskSource)
        played = [env.reset(seed=seed, options={"tasks": source})[1]["task_id"] for seed in range(6)]
        assert source.drawn == played and len(set(played)) == 6
        again = Drawing()
        assert [env.reset(seed=seed, options={"tasks": again})[1]["task_id"] for seed in range(6)] == played

    def test_it_does_not_change_what_follows(self):
        env, followers = single(), []
        for options in ({}, {"tasks": Drawing()}):
            env.reset(seed=3, options=options)
            followers.append([env.reset()[1]["task_id"] for _ in range(3)])
        assert followers[0] == followers[1]

    def test_a_task_asked_for_by_name_comes_before_it(self):
        source = Drawing()
        options = {"tasks": source, "task_id": "toyhouse/train/1"}
        assert single().reset(options=options)[1]["task_id"] == "toyhouse/train/1" and source.drawn == []

    @pytest.mark.parametrize(
        ("what", "error", "message"),
        [
            ("toyhouse/train/0", ResetOptionError, r"Giving\.draw must return a Task, not str"),
            (Task("a", "toyhouse", "b", None), ResetOptionError, "'initial_state' must be a text"),
            (Task("a", "webshop", "b", "c"), UnknownTaskError, "webshop.*toyhouse"),
            (Task("a", "toyhouse", "b", "c"), ResetOptionError, "'a' names no 'thing'"),
        ],
    )
    def test_what_is_no_task_is_refused(self, what: Any, error: type[Exception], message: str):
        with pytest.raises(error, match=message):
            single().reset(options={"tasks": Giving(what)})


class TestLanes:
    @pytest.mark.parametrize("mode", ["NextStep", "SameStep"])
    def test_it_is_asked_at_automatic_resets_too_until_the_next_reset(self, make_vec: MakeVec, mode: str):
        source = Drawing()
        envs = make_vec(3, autoreset_mode=mode)
        played = tasks(envs.reset(seed=0, options={"tasks": source})[1])
        for _ in range(2 if mode == "SameStep" else 4):
            *_, infos = envs.step(["leave"] * 3)
            played += tasks(infos) if mode == "SameStep" or "memories" not in infos else []
        assert source.drawn == played and len(set(played)) == 9
        assert all(task.startswith("toyhouse/train/") for task in tasks(envs.reset()[1]))

    def test_lane_i_draws_what_a_single_environment_with_the_next_seed_draws(self, make_vec: MakeVec):
        lanes = tasks(make_vec(3).reset(seed=40, options={"tasks": Drawing()})[1])
        env = single()
        assert lanes == [env.reset(seed=40 + at, options={"tasks": Drawing()})[1]["task_id"] for at in range(3)]

    def test_each_lane_may_have_its_own(self, make_vec: MakeVec):
        near, far = Drawing(), Drawing(5000)
        played = tasks(make_vec(2).reset(seed=0, options={"tasks": [near, far]})[1])
        assert (near.drawn, far.drawn) == (played[:1], played[1:])

    def test_a_refused_reset_leaves_the_lanes_as_they_were(self, make_vec: MakeVec):
        envs, same = (make_vec(2, autoreset_mode="SameStep") for _ in range(2))
        for twin in (envs, same):
            twin.reset(seed=3, options={"tasks": Drawing(), "group_size": 2})
        with pytest.raises(ResetOptionError):
            envs.reset(options={"tasks": Giving(None)})
        got, expected = (twin.step(["leave"] * 2) for twin in (envs, same))
        assert got[0] == expected[0] and tasks(got[-1]) == tasks(expected[-1])


class TestGroups:
    """Members of a group play the same task, although they begin at different times and the source learns."""

    def test_it_is_asked_once_for_each_group(self, make_vec: MakeVec):
        source = Drawing()
        envs = make_vec(6, autoreset_mode="SameStep")
        played = [[task] for task in tasks(envs.reset(seed=0, options={"tasks": source, "group_size": 3})[1])]
        for step in range(12):  # lanes end at different times
            *_, infos = envs.step(["leave" if step % (lane % 3 + 1) == 0 else "look" for lane in range(6)])
            for lane in np.flatnonzero(infos["_final_info"]) if "final_info" in infos else ():
                played[lane].append(infos["task_id"][lane])
            source.offset += 5
        for group in (played[:3], played[3:]):
            shortest = min(map(len, group))
            assert shortest > 2 and all(lane[:shortest] == group[0][:shortest] for lane in group)
        assert len(source.drawn) == len(played[0]) + len(played[3])

    def test_also_where_ended_lanes_are_reset_one_by_one(self, make_vec: MakeVec):
        source = Drawing()
        envs = make_vec(2, autoreset_mode="Disabled")
        options = {"tasks": source, "group_size": 2}
        envs.reset(seed=0, options=options)
        envs.step(["leave"] * 2)
        begun = []
        for lane in range(2):
            source.offset += 5
            mask = np.arange(2) == lane
            begun.append(tasks(envs.reset(options={"tasks": source, "reset_mask": mask})[1])[lane])
        assert begun[0] == begun[1] and source.drawn[1:] == begun[:1]
