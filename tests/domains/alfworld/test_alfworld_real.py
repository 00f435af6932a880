"""The real ALFWorld: its own engine, in processes that may be lost without harm to the other episodes."""

from __future__ import annotations

import gzip
import importlib.util
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pytest

if importlib.util.find_spec("alfworld") is None:
    pytest.skip("needs ALFWorld: pip install 'dreamgym_env[alfworld]'", allow_module_level=True)

from dreamgym_env.domains.alfworld.domain import ALFWorld
from dreamgym_env.domains.alfworld.real import RealALFWorld
from dreamgym_env.domains.alfworld.verifier import GOAL_TYPES
from dreamgym_env.errors import GameError, KeywordError, ResetOptionError
from dreamgym_env.evaluation.agents import agent_factory
from dreamgym_env.simulation.episode import Episode
from dreamgym_env.types import StopReason, Task

ID = "DreamGymReal/ALFWorld-v0"


@pytest.fixture(scope="module")
def domain() -> ALFWorld:
    return ALFWorld()


@pytest.fixture(scope="module")
def backend(domain: ALFWorld) -> Iterator[RealALFWorld]:
    """One process for all tests that need no more."""
    real = RealALFWorld(domain, workers=1)
    yield real
    real.close()


def begin(backend: RealALFWorld, *tasks: Task) -> list[Episode]:
    return backend.begin(tasks, list(range(len(tasks))))


def play(backend: RealALFWorld, episode: Episode, *actions: str) -> list[str]:
    """Take actions; return the texts that answer them."""
    return [backend.advance([episode], [action])[0].transition.next_state for action in actions]


def watch(backend: RealALFWorld, domain: ALFWorld, task: Task, name: str, seed: int = 0) -> Episode:
    """Let an agent play an episode of at most 50 steps."""
    (episode,) = begin(backend, task)
    agent = agent_factory(domain, name)()
    agent.begin(task, np.random.default_rng(seed))
    while episode.stop is StopReason.RUNNING:
        backend.advance([episode], [agent.act(episode.state, backend.available_actions(episode))], 50)
    return episode


@pytest.mark.parametrize("kind", GOAL_TYPES)
def test_generated_games_of_every_type_are_won_in_the_engine(backend: RealALFWorld, domain: ALFWorld, kind: str):
    for split in domain.splits():
        task = domain.task(domain.task_ids(split)[12 + GOAL_TYPES.index(kind)])
        assert task.goal["type"] == kind
        episode = watch(backend, domain, task, "oracle")
        assert episode.stop is StopReason.SUCCESS, f"{task.id}: {[turn.action for turn in episode.history]}"
        assert episode.history[0].state == task.initial_state, "the first text is known before the engine runs"


def test_an_oracle_that_errs_still_finds_its_way(backend: RealALFWorld, domain: ALFWorld):
    tasks = [domain.task(f"alfworld/eval/{number}") for number in range(6)]
    episodes = [watch(backend, domain, task, "noisy-oracle", seed) for seed, task in enumerate(tasks)]
    assert sum(episode.stop is StopReason.SUCCESS for episode in episodes) >= 5
    assert any(turn.state == "Nothing happens." for episode in episodes for turn in episode.history)


def test_the_planner_solves_what_is_generated(backend: RealALFWorld, domain: ALFWorld):
    for number in range(5):  # pairs of objects can take it half a minute
        task = domain.task(f"alfworld/test/{number}")
        (episode,) = begin(backend, task)
        plan = backend.plan(episode)
        assert plan and len(plan) <= 50
        play(backend, episode, *plan)
        assert episode.stop is StopReason.SUCCESS


def test_answers_are_the_engines(backend: RealALFWorld, domain: ALFWorld):
    (episode,) = begin(backend, domain.task("alfworld/train/0"))
    drawer = next(name for name in episode.task.facts["doors"] if name.startswith("drawer"))
    assert f"go to {drawer}" in backend.available_actions(episode)
    assert play(backend, episode, "inventory", f"go to {drawer}", f"go to {drawer}", "dance", "") == [
        "You are not carrying anything.",
        f"You arrive at {drawer}. The {drawer} is closed.",
        *["Nothing happens."] * 3,
    ]
    outcome = backend.advance([episode], ["dance"])[0]
    assert (outcome.transition.valid, outcome.transition.reward, outcome.transition.terminated) == (False, 0.0, False)
    assert f"open {drawer}" in backend.available_actions(episode)


def test_case_spaces_and_the_older_spelling_are_understood(backend: RealALFWorld, domain: ALFWorld):
    """As in the dream, whose grammar they are of."""
    (episode,) = begin(backend, domain.task("alfworld/train/0"))
    receptacle = next(name for name, things in episode.task.facts["contents"].items() if name.startswith("countertop"))
    thing = episode.task.facts["contents"][receptacle][0]
    texts = play(
        backend,
        episode,
        f"  Go to  {receptacle.upper()} ",
        f"take {thing} from {receptacle}",
        f"put {thing} in/on {receptacle}",
    )
    assert texts[1:] == [
        f"You pick up the {thing} from the {receptacle}.",
        f"You move the {thing} to the {receptacle}.",
    ]


def test_the_process_of_the_user_is_left_as_it_was(monkeypatch: pytest.MonkeyPatch):
    """The engine overwrites ``sys.argv``, and importing it sets a variable: not here."""
    arguments = ["train.py", "--lr", "1e-5", "x" * 1000]
    monkeypatch.setattr(sys, "argv", arguments)
    before = list(arguments), dict(os.environ), Path.cwd()
    env = gym.make(ID)
    _, info = env.reset(seed=0)
    env.step(info["available_actions"][0])
    env.close()
    assert sys.argv is arguments and (list(arguments), dict(os.environ), Path.cwd()) == before


def test_a_variation_of_a_task_is_played_in_its_originals_house(backend: RealALFWorld, domain: ALFWorld):
    original = domain.task("alfworld/train/0")
    varied = Task("mine/1", "alfworld", "tidy up.", "", parent=original.id, goal=original.goal, facts=original.facts)
    (episode,) = begin(backend, varied)
    assert episode.state == original.initial_state.replace(original.instruction, "tidy up.")
    with pytest.raises(ResetOptionError, match="plays only tasks of its games, and 'mine/2' is none"):
        begin(backend, Task("mine/2", "alfworld", "tidy up.", ""))


def test_a_game_that_the_engine_refuses_is_named(tmp_path: Path):
    """The planner's translator ends the process where a problem is wrong; the environment goes on."""
    from dreamgym_env.domains.alfworld.generator import draw_game

    game = draw_game("train", 0)
    lines = [{"task": "x", "pddl_problem": game.problem.replace("(:domain alfred)", "(:domain alfred) (:strange)")}]
    lines.append({"task": "put it away", "pddl_problem": game.problem})
    (tmp_path / "games.jsonl").write_text("\n".join(map(json.dumps, lines)))
    env = gym.make(ID, games=str(tmp_path / "games.jsonl"))
    with pytest.raises(GameError, match="cannot play the task 'alfworld/train/0'"):
        env.reset(options={"task_id": "alfworld/train/0"})
    assert env.reset(options={"task_id": "alfworld/train/1"})[0].endswith("put it away.")
    env.close()


def test_a_killed_process_ends_its_own_episode_alone():
    envs = gym.make_vec(ID, 3)
    envs.reset(seed=0)
    processes = [episode.session.game.worker.pid for episode in envs._episodes]
    assert len(set(processes)) == 3
    os.kill(processes[1], signal.SIGKILL)
    _, rewards, terminations, truncations, infos = envs.step(["look"] * 3)
    assert truncations.tolist() == [False, True, False] and not terminations.any() and not rewards.any()
    assert infos["stop_reason"].tolist() == ["running", "engine_failure", "running"]
    assert "was killed by signal 9" in infos["failure"][1] and infos["failure"][0] == ""
    observations, *_, infos = envs.step(["look"] * 3)
    assert observations[1].startswith("-= Welcome"), "the lane begins anew, in a new process"
    assert not envs.step(["look"] * 3)[3].any()
    processes = [episode.session.game.worker.pid for episode in envs._episodes]
    envs.close()
    for process in processes:
        with pytest.raises(ProcessLookupError):
            os.kill(process, 0)


def test_episodes_that_share_a_process_are_the_same_episodes():
    seen = []
    for workers in (1, 3):
        envs = gym.make_vec(ID, 3, workers=workers)
        observations, infos = envs.reset(seed=8)
        seen.append([observations])
        for at in (1, 5, 0):
            observations, *_, infos = envs.step([actions[at] for actions in infos["available_actions"]])
            seen[-1].append(observations)
        assert len({episode.session.game.worker.pid for episode in envs._episodes}) == workers
        envs.close()
    assert seen[0] == seen[1]


def test_a_process_that_is_lost_between_episodes_is_replaced():
    env = gym.make(ID)
    first = env.reset(seed=0)
    os.kill(env.unwrapped._episode.session.game.worker.pid, signal.SIGKILL)
    assert env.reset(seed=0) == first
    env.close()


def test_an_interrupt_leaves_no_answer_behind(monkeypatch: pytest.MonkeyPatch):
    """An answer that comes after it would pass for that of the next action."""

    def interrupted(worker: Any) -> None:
        raise KeyboardInterrupt

    env = gym.make(ID)
    first = env.reset(seed=0)
    worker = env.unwrapped._episode.session.game.worker
    with monkeypatch.context() as patch:
        patch.setattr(type(worker), "receive", interrupted)
        with pytest.raises(KeyboardInterrupt):
            env.step("look")
    assert env.step("inventory")[4]["stop_reason"] == "engine_failure"
    assert env.reset(seed=0) == first
    env.close()


@pytest.mark.parametrize("end", ["pass", "os.kill(os.getpid(), signal.SIGKILL)"])
def test_no_process_outlives_the_users(end: str):
    code = (
        "import os, signal, gymnasium as gym, dreamgym_env\n"
        f"env = gym.make('{ID}')\n"
        "env.reset(seed=0)\n"
        "print(env.unwrapped._episode.session.game.worker.pid, flush=True)\n"
        f"{end}\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60)
    for _ in range(50):
        try:
            os.kill(int(done.stdout), 0)
        except ProcessLookupError:
            return
        time.sleep(0.1)
    pytest.fail("the engine's process still runs")


@pytest.mark.parametrize("workers", [0, -1, 1.5, True, "2"])
def test_a_number_of_processes_that_is_none_is_refused(workers: Any):
    with pytest.raises(KeywordError, match="workers takes a whole number of at least 1"):
        gym.make(ID, workers=workers)


def test_official_games_by_the_installed_and_by_their_own_words(real_data: Path):
    """The first text of an official game is the engine's, its oracle wins, and older words stay what they were."""
    path = real_data / "alfworld" / "games_train_and_seen.jsonl.gz"
    with gzip.open(path, "rt") as file:
        assert json.loads(file.readline())["split"] == "valid_seen"
    installed, own = ALFWorld(path), ALFWorld(path, logic="own")
    for domain, answer in ((installed, "You move the "), (own, "You put the ")):
        real = RealALFWorld(domain, workers=1)
        task = domain.task("alfworld/valid_seen/1")
        (episode,) = begin(real, task)
        if domain is installed:
            assert episode.state == task.initial_state
            episode = watch(real, domain, task, "oracle")
            assert episode.stop is StopReason.SUCCESS
        else:
            texts = play(real, episode, *_to_the_first_thing(task))
            assert texts[-1].startswith(answer)
        real.close()


def _to_the_first_thing(task: Task) -> list[str]:
    """Return commands, in the older words, that lift a thing and put it back."""
    facts = task.facts
    receptacle, things = next(
        (name, things) for name, things in facts["contents"].items() if things and name not in facts.get("doors", ())
    )
    thing = next(thing for thing in things if thing not in facts.get("fixed", ()))
    return [f"go to {receptacle}", f"take {thing} from {receptacle}", f"put {thing} in/on {receptacle}"]
