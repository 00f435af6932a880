"""MiniWoB++: its tasks as data, its oracles, and its pages in a real browser."""

from __future__ import annotations

from collections.abc import Iterator

import gymnasium as gym
import numpy as np
import pytest
from browsers import needs_browser

from dreamgym_env.domains.miniwob.agents import OracleAgent
from dreamgym_env.domains.miniwob.domain import MiniWoB
from dreamgym_env.domains.miniwob.oracles import ORACLES
from dreamgym_env.domains.miniwob.real import RealMiniWoB, browser_task
from dreamgym_env.domains.miniwob.tasks import SEEDS
from dreamgym_env.errors import ResetOptionError, UnknownTaskError
from dreamgym_env.evaluation.agents import agent_factory
from dreamgym_env.memory.experience import read_transitions
from dreamgym_env.simulation.episode import Episode
from dreamgym_env.types import StopReason, Task

DOMAIN = MiniWoB()


@pytest.fixture(scope="module")
def backend() -> Iterator[RealMiniWoB]:
    real = RealMiniWoB(DOMAIN, workers=1)
    yield real
    real.close()


def watch(backend: RealMiniWoB, task: Task, name: str, seed: int = 0) -> Episode:
    """Let an agent play an episode."""
    (episode,) = backend.begin([task], [seed])
    agent = agent_factory(DOMAIN, name)()
    agent.begin(task, np.random.default_rng(seed))
    while episode.stop is StopReason.RUNNING:
        action = agent.act(episode.state, backend.available_actions(episode))
        backend.advance([episode], [action], DOMAIN.max_episode_steps)
    return episode


def test_every_page_has_tasks_in_every_split_and_no_seed_is_in_two():
    assert len(ORACLES) >= 20
    for split in DOMAIN.splits():
        assert len(DOMAIN.task_ids(split)) == len(ORACLES) * len(SEEDS[split])
    assert len({seed for seeds in SEEDS.values() for seed in seeds}) == sum(map(len, SEEDS.values()))


def test_a_task_tells_its_page_and_shows_its_instruction():
    task = DOMAIN.task("miniwob/test/click-button/3")
    assert task.goal == {"page": "click-button", "seed": 3} and task.split == "test"
    assert task.initial_state.startswith(f"Task:\n{task.instruction}\nPage: Click Button Task\nURL: __MINIWOB__/")
    assert DOMAIN.available_actions(task, (), task.initial_state)


def test_unknown_tasks_and_splits_are_refused_by_name():
    with pytest.raises(UnknownTaskError, match=r"no task 'miniwob/test/none/1'; it has [\d,]+, such as"):
        DOMAIN.task("miniwob/test/none/1")
    with pytest.raises(UnknownTaskError, match="it has: train, eval, test"):
        DOMAIN.task_ids("dev")


def test_an_oracle_is_not_upset_by_a_page_that_a_dream_has_got_wrong():
    for page in ORACLES:
        task = DOMAIN.task(f"miniwob/test/{page}/0")
        agent = OracleAgent()
        agent.begin(task, np.random.default_rng(0))
        for state in ("", "URL: x\n[1] button: Nothing", task.initial_state):
            assert DOMAIN.parse_action(agent.act(state, ()))


def test_the_shipped_experience_is_of_the_train_split_and_of_every_page():
    path = DOMAIN.seed_experience()
    if not path:
        pytest.skip("no experience is shipped")
    steps = read_transitions(path)
    assert {step.split for step in steps} == {"train"} and all(step.reasoning for step in steps)
    assert {step.task_id.split("/")[2] for step in steps} == set(ORACLES)
    for step in steps[:300]:
        segments = DOMAIN.segment(step.state, step.instruction)
        assert DOMAIN.render(segments, step.instruction) == step.state


@needs_browser
@pytest.mark.parametrize("page", list(ORACLES)[::4])
def test_the_oracle_solves_the_page_and_the_shipped_task_is_the_pages_own(backend: RealMiniWoB, page: str):
    task = DOMAIN.task(f"miniwob/test/{page}/2")
    episode = watch(backend, task, "oracle")
    assert episode.history[0].state == task.initial_state
    assert episode.stop is StopReason.SUCCESS, f"{[turn.action for turn in episode.history]}\n{episode.state}"


@needs_browser
def test_the_shipped_instruction_is_the_pages_own(backend: RealMiniWoB):
    shown = backend.look([browser_task(page, 2) for page in list(ORACLES)[1::12]])
    for page, (instruction, text) in zip(list(ORACLES)[1::12], shown, strict=True):
        task = DOMAIN.task(f"miniwob/test/{page}/2")
        assert (instruction, text.write(instruction)) == (task.instruction, task.initial_state)


@needs_browser
def test_agents_that_err_end_somehow(backend: RealMiniWoB):
    pages = list(ORACLES)[::24]
    for name in ("random", "noisy-oracle"):
        stops = [
            watch(backend, DOMAIN.task(f"miniwob/eval/{page}/10"), name, seed).stop for seed, page in enumerate(pages)
        ]
        assert set(stops) <= {StopReason.SUCCESS, StopReason.FAILURE, StopReason.STEP_LIMIT}


@needs_browser
def test_a_refused_action_is_answered_as_the_guard_does(backend: RealMiniWoB):
    task = DOMAIN.task("miniwob/test/enter-text/0")
    (episode,) = backend.begin([task], [0])
    for action in ("goto('http://example.org')", "click('9')", "send_msg_to_user('x')", "dance"):
        expected = DOMAIN.guard(task, episode.history, episode.state, action)
        backend.advance([episode], [action])
        assert expected == episode.state


@needs_browser
def test_a_variation_of_a_task_is_played_on_its_originals_page(backend: RealMiniWoB):
    original = DOMAIN.task("miniwob/test/enter-text/0")
    varied = Task("mine/1", "miniwob", "Type something.", "", parent=original.id)
    (episode,) = backend.begin([varied], [0])
    assert episode.state == original.initial_state.replace(original.instruction, "Type something.")
    with pytest.raises(ResetOptionError, match="plays only tasks of its pages, and 'mine/2' is none"):
        backend.begin([Task("mine/2", "miniwob", "Type something.", "")], [0])


@needs_browser
def test_lanes_share_a_browser_and_a_killed_one_is_replaced():
    import os
    import signal

    envs = gym.make_vec("DreamGymReal/MiniWoB-v0", 3, workers=1)
    first = envs.reset(seed=0)[0]
    os.kill(envs._episodes[0].session.worker.pid, signal.SIGKILL)
    *_, truncations, infos = envs.step(["noop(1)"] * 3)
    assert truncations.all() and set(infos["stop_reason"]) == {"engine_failure"}
    assert all("was killed by signal 9" in failure for failure in infos["failure"])
    assert envs.reset(seed=0)[0] == first
    envs.close()
