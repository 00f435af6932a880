"""A curriculum in a vector environment: groups of identical starts, automatic resets, results from infos."""

from __future__ import annotations

import gymnasium as gym
import numpy as np

import dreamgym_env  # noqa: F401 - registers the ids
from dreamgym_env.curriculum import Curriculum, TaskResult, TaskValues
from dreamgym_env.evaluation.agents import Agent, agent_factory


def test_groups_play_originals_then_variations_of_those_that_some_members_solve():
    """In each group of four, two lanes always succeed and two always fail: every task has the value 1/4."""
    envs = gym.make_vec("DreamGymReal/WebShop-v0", 8, autoreset_mode="SameStep")
    domain = envs.unwrapped.domain
    curriculum = Curriculum(domain, share=0.5, iteration=16, pool=6, values=TaskValues(4))
    observations, infos = envs.reset(seed=0, options={"tasks": curriculum, "group_size": 4})
    agents: list[Agent] = [agent_factory(domain, "oracle" if lane % 2 else "lazy")() for lane in range(8)]
    rng, rewards = np.random.default_rng(0), np.zeros(8)
    played: list[list[str]] = [[] for _ in range(8)]

    def begin(lane: int) -> None:
        episode = envs.unwrapped._episodes[lane]
        assert episode is not None
        agents[lane].begin(episode.task, rng)
        played[lane].append(episode.task.id)

    for lane in range(8):
        begin(lane)
    while min(map(len, played)) < 9:
        offered = infos["available_actions"]
        actions = [agents[lane].act(observations[lane], offered[lane]) for lane in range(8)]
        observations, reward, terminations, truncations, infos = envs.step(actions)
        rewards += reward
        for lane in np.flatnonzero(terminations | truncations):
            final = {key: infos["final_info"][key][lane] for key in ("task_id", "task_score", "won", "failure")}
            curriculum.observe([TaskResult.from_info(final, rewards[lane])])
            rewards[lane] = 0
            begin(int(lane))
    envs.close()
    for group in (played[:4], played[4:]):
        shortest = min(map(len, group))
        assert all(lane[:shortest] == group[0][:shortest] for lane in group)
    asked = [max(group, key=len) for group in (played[:4], played[4:])]
    assert sum(curriculum.drawn.values()) == sum(map(len, asked)), "once for each group"
    varied = [task_id for group in asked for task_id in group if task_id in curriculum.ancestors]
    assert 0 < len(varied) == curriculum.variations_drawn <= sum(map(len, asked)) / 2
    solved = curriculum.ancestors[varied[0]]
    assert curriculum.value(solved) == 0.25
