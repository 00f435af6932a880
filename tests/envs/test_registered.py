"""Every registered id keeps every promise: a new id is tested the day it is registered (README: "ids")."""

from __future__ import annotations

import functools
import importlib.util
import itertools
import json
import pickle
import re
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from browsers import needs_browser
from gymnasium.envs.registration import EnvSpec
from gymnasium.error import ClosedEnvironmentError, ResetNeeded
from gymnasium.utils.env_checker import check_env
from gymnasium.vector import AutoresetMode
from toy_domain import ToyHouse, record

from dreamgym_env.domains import load_domain
from dreamgym_env.envs.registration import RECORDED_ID
from dreamgym_env.envs.text_env import TextEnv
from dreamgym_env.envs.text_vector_env import TextVectorEnv
from dreamgym_env.errors import InvalidActionError, KeywordError, UnknownTaskError, WorldModelError
from dreamgym_env.evaluation.agents import agent_factories
from dreamgym_env.memory import write_transitions
from dreamgym_env.types import Domain, Prompt
from dreamgym_env.world_model.build import EMBEDDED_PATH
from dreamgym_env.world_model.compact import CompactFormat
from dreamgym_env.world_model.generators.scripted import ScriptedGenerator
from dreamgym_env.world_model.language import LanguageWorldModel

IDS = sorted(name for name in gym.registry if name.startswith(("DreamGym/", "DreamGymReal/")))
REAL_KEYS = {"task_id", "instruction", "split", "parent", "available_actions", "anchor"}
STEP_KEYS = REAL_KEYS | {
    "reasoning", "answered_by", "memories", "valid", "won", "task_score", "tokens", "completion_tokens", "seconds",
    "stop_reason", "failure",
}  # fmt: skip
ABSENT_SERVER = "openai:model@http://127.0.0.1:9/v1"
"""A world model that serialises and costs nothing until it is asked."""

needs_alfworld = pytest.mark.skipif(
    importlib.util.find_spec("alfworld") is None, reason="needs ALFWorld: pip install 'dreamgym_env[alfworld]'"
)


MARKS = {
    "DreamGymReal/ALFWorld-v0": needs_alfworld,
    "DreamGymReal/MiniWoB-v0": needs_browser,
    "DreamGymReal/WebArenaLite-v0": needs_browser,
}
"""What ids need, for which they are skipped where it is missing."""
BROWSERS = {name for name, mark in MARKS.items() if mark is needs_browser}


def params(ids: list[str]) -> list[Any]:
    """Return ids as parameters; those that need an extra are skipped where it is missing."""
    return [pytest.param(name, marks=MARKS[name]) if name in MARKS else name for name in ids]


every_id = pytest.mark.parametrize("env_id", params(IDS))
every_light_id = pytest.mark.parametrize("env_id", params([name for name in IDS if name not in BROWSERS]))
"""All but those that start a browser for each environment: what these tests are about is the same code for all."""


def first_memory(prompt: Prompt) -> str:
    """Answer with the first memory's page, or with the current one."""
    return f"As before.<|state|>{'M1' if '<|memory|>M1' in prompt.user else 'C'}<|outcome|>continue"


@functools.cache
def recorded_file() -> tuple[tempfile.TemporaryDirectory[str], str]:
    """A folder, and the path of a file in it: what a recorded environment is made of."""
    folder = tempfile.TemporaryDirectory()
    path = Path(folder.name) / "house.jsonl.gz"
    house = ToyHouse({"train": 60, "eval": 3, "test": 4})
    ids = [task_id for split in house.splits() for task_id in house.task_ids(split)]
    walks = (("look", "go kitchen", "go hall", "say <words>", "leave"), ("dance",) * 3)  # the second replays, unasked
    steps = (record(task_id, walk, episode=walk[0], domain=house) for task_id in ids for walk in walks)
    write_transitions(path, itertools.chain.from_iterable(steps))
    return folder, str(path)


def needed(env_id: str) -> dict[str, str]:
    """Keywords without which an id cannot be made."""
    return {"experience": recorded_file()[1]} if env_id == RECORDED_ID else {}


def domain_of(env_id: str) -> Domain:
    return load_domain(gym.spec(env_id).kwargs["domain"], **needed(env_id))


def settings(env_id: str) -> dict[str, Any]:
    """What makes an id cheap and deterministic: a scripted generator in place of a language model."""
    if env_id.startswith("DreamGymReal/"):
        return {}
    model = LanguageWorldModel(CompactFormat(domain_of(env_id)), ScriptedGenerator(first_memory))
    return {"world_model": model, **needed(env_id)}


def strings(env_id: str) -> dict[str, str]:
    """The like, of values that JSON can hold."""
    return {} if env_id.startswith("DreamGymReal/") else {"world_model": ABSENT_SERVER, **needed(env_id)}


@pytest.fixture
def made() -> Iterator[list[Any]]:
    """Environments that are closed after the test."""
    environments: list[Any] = []
    yield environments
    for env in environments:
        env.close()


@pytest.fixture
def make(made: list[Any]) -> Any:
    def _make(env_id: str, **keywords: Any) -> gym.Env[str, str]:
        made.append(gym.make(env_id, **{**settings(env_id), **keywords}))
        return made[-1]

    return _make


@pytest.fixture
def make_vec(made: list[Any]) -> Any:
    def _make(env_id: str, num_envs: int, **keywords: Any) -> TextVectorEnv:
        made.append(gym.make_vec(env_id, num_envs, **{**settings(env_id), **keywords}))
        return made[-1]

    return _make


def enough_steps(env_id: str) -> int:
    """Return how many steps to compare; a browser takes a tenth of a second for each, or more."""
    return 6 if env_id in BROWSERS else 25


def choose(rng: np.random.Generator, info: dict[str, Any]) -> str:
    """Return one of the offered actions, free arguments filled in; now and then something else."""
    if rng.random() < 0.1 or not info["available_actions"]:
        return "dance"
    return re.sub(r"<[^>]*>", "red shoes", str(rng.choice(info["available_actions"])))


def play(env: gym.Env[str, str], seed: int, steps: int) -> list[str]:
    """Play with a seed; return everything that was seen, byte for byte, but the time that it took."""
    rng = np.random.default_rng(seed)
    observation, info = env.reset(seed=seed)
    seen = [repr((observation, info))]
    for _ in range(steps):
        observation, reward, terminated, truncated, info = env.step(choose(rng, info))
        info.pop("seconds")
        seen.append(repr((observation, reward, terminated, truncated, info)))
        if terminated or truncated:
            observation, info = env.reset()
            seen.append(repr((observation, info)))
    return seen


def test_the_ids_of_the_documentation_are_registered():
    assert {"DreamGym/WebShop-v0", "DreamGymReal/WebShop-v0"} <= set(IDS)
    assert {"DreamGym/ALFWorld-v0", "DreamGymReal/ALFWorld-v0"} <= set(IDS)
    assert {name.partition("/")[2] for name in IDS if name.startswith("DreamGymReal/")} == {
        name.partition("/")[2] for name in IDS if name.startswith("DreamGym/") and name != RECORDED_ID
    }, "every dream has its real counterpart, but that of an environment which is the user's own"


@every_id
def test_gymnasiums_checker_accepts_it_without_a_warning(make: Any, env_id: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(time, "perf_counter", lambda: 0.0)  # the checker compares all of info, the seconds too
    env = make(env_id, **({} if env_id.startswith("DreamGymReal/") else {"memo": False})).unwrapped
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        check_env(env, skip_render_check=True)
    assert [str(warning.message) for warning in caught] == []


@every_id
def test_the_same_seed_and_actions_give_the_same_episodes_byte_for_byte(make: Any, env_id: str):
    first, second = make(env_id), make(env_id)
    steps = enough_steps(env_id)
    assert play(first, 5, steps) == play(second, 5, steps)
    assert play(first, 6, steps) != play(second, 7, steps)


@every_id
def test_info_has_what_is_documented(make: Any, env_id: str):
    env = make(env_id)
    observation, info = env.reset(seed=0)
    assert set(info) == REAL_KEYS and info["instruction"] in observation
    assert isinstance(info["available_actions"], tuple) and info["available_actions"]
    *_, info = env.step(choose(np.random.default_rng(1), info))
    assert set(info) == STEP_KEYS
    assert info["answered_by"] in {"guard", "replay", "memo", "model", "real"}
    assert (info["answered_by"] == "real") == env_id.startswith("DreamGymReal/"), "a dream never passes for real"


@every_id
def test_a_task_or_a_split_can_be_asked_for(make: Any, env_id: str):
    env = make(env_id)
    domain = env.unwrapped.domain
    wanted = domain.task_ids("test")[3]
    assert env.reset(seed=0, options={"task_id": wanted})[1]["task_id"] == wanted
    assert env.reset(options={"split": "eval"})[1]["split"] == "eval"
    for options in ({"task_id": "nothing/such/1"}, {"split": "nosuchsplit"}, {"task_id": "\ud800" * 100_000}):
        with pytest.raises(UnknownTaskError) as caught:
            env.reset(options=options)
        assert len(str(caught.value).encode()) < 1000


@every_light_id
@pytest.mark.parametrize("action", ["", " ", "x" * 100_000, "a\ud800b", "\x00\x1b[2J", "<|answer|>"])
def test_any_text_is_an_action(make: Any, env_id: str, action: str):
    env = make(env_id)
    env.reset(seed=0)
    observation, reward, terminated, truncated, info = env.step(action)
    assert observation in env.observation_space
    refuses = env_id != RECORDED_ID  # recordings do not tell what cannot be done
    assert (reward, terminated, truncated, info["valid"]) == (0.0, False, False, not refuses)


@every_light_id
def test_what_is_no_text_is_refused(make: Any, env_id: str):
    env = make(env_id)
    env.reset(seed=0)
    for action in (None, 1, b"search[shoes]"):
        with pytest.raises(InvalidActionError):
            env.step(action)


@every_light_id
def test_step_before_reset_and_after_the_end_asks_for_a_reset(make: Any, env_id: str):
    env = make(env_id)
    with pytest.raises(ResetNeeded):
        env.step("look")
    with pytest.raises(ResetNeeded):
        env.unwrapped.step("look")
    observation, info = env.reset(seed=0)
    domain = env.unwrapped.domain
    known = agent_factories(domain)
    agent = next((known[name]() for name in ("lazy", "oracle") if name in known), None)
    if agent is not None:
        agent.begin(domain.task(info["task_id"]), np.random.default_rng(0))
    over = False
    while not over:
        action = "dance" if agent is None else agent.act(observation, info["available_actions"])
        observation, _, terminated, truncated, info = env.step(action)
        over = terminated or truncated
    for step in (env.step, env.unwrapped.step):
        with pytest.raises(ResetNeeded):
            step("look")


@every_light_id
@pytest.mark.parametrize("limit", [None, 1, 3, 17])
def test_episodes_are_truncated_at_the_limit(make: Any, make_vec: Any, env_id: str, limit: int | None):
    """15 steps for WebShop, 50 for ALFWorld, the longest recorded episode's for what was recorded, or what the user

    says, single and vector; and info says so.
    """
    keywords = {} if limit is None else {"max_episode_steps": limit}
    registered = limit or gym.spec(env_id).max_episode_steps
    expected = registered or domain_of(env_id).max_episode_steps
    env, envs = make(env_id, **keywords), make_vec(env_id, 2, **keywords)
    assert env.spec.max_episode_steps == registered
    env.reset(seed=0)
    envs.reset(seed=0)
    for step in range(1, expected + 1):
        *_, terminated, truncated, info = env.step("dance")
        *_, truncations, infos = envs.step(["dance"] * 2)
        stop = "step_limit" if step == expected else "running"
        assert (terminated, truncated, info["stop_reason"]) == (False, step == expected, stop)
        assert (truncations.tolist(), infos["stop_reason"].tolist()) == ([step == expected] * 2, [stop] * 2)
    assert info["available_actions"] == () == infos["available_actions"][0]
    with pytest.raises(ResetNeeded):
        env.step("dance")


@every_light_id
def test_the_limit_survives_the_specification(env_id: str, made: list[Any]):
    made.append(gym.make(env_id, max_episode_steps=2, **strings(env_id)))
    made.append(gym.make(EnvSpec.from_json(made[0].spec.to_json())))
    made.append(gym.make(pickle.loads(pickle.dumps(made[0].spec))))
    for env in made:
        env.reset(seed=0)
        assert [env.step("dance")[4]["stop_reason"] for _ in range(2)] == ["running", "step_limit"]


@every_light_id
def test_minus_one_means_no_limit(make: Any, make_vec: Any, env_id: str):
    """As in gymnasium.make, which then applies no TimeLimit, and tells nobody where an id is registered without one."""
    unlimited = 1_000 if env_id == RECORDED_ID else -1
    env, envs = make(env_id, max_episode_steps=unlimited), make_vec(env_id, 1, max_episode_steps=-1)
    env.reset(seed=0)
    envs.reset(seed=0)
    for _ in range(40):
        assert env.step("dance")[3] is False
        assert not envs.step(["dance"])[3].any()


@every_light_id
@pytest.mark.parametrize("limit", [0, -2, 1.5, "3", True])
def test_a_limit_that_is_none_is_refused(make_vec: Any, env_id: str, limit: Any):
    with pytest.raises(ValueError, match="max_episode_steps"):
        make_vec(env_id, 1, max_episode_steps=limit)


@every_light_id
def test_it_renders(make: Any, env_id: str, capsys: pytest.CaptureFixture[str]):
    for mode in ("ansi", "human"):
        env = make(env_id, render_mode=mode)
        _, info = env.reset(seed=0)
        env.step("dance")
        text = env.render() if mode == "ansi" else capsys.readouterr().out
        assert info["task_id"] in text and "> dance" in text
    assert make(env_id).render_mode is None


@every_light_id
def test_closing_twice_is_allowed_and_using_it_afterwards_is_not(make: Any, make_vec: Any, env_id: str):
    for env, action in ((make(env_id), "dance"), (make_vec(env_id, 2), ["dance"] * 2)):
        env.reset(seed=0)
        env.close()
        env.close()
        for call in (lambda env=env, action=action: env.step(action), lambda env=env: env.reset()):
            with pytest.raises(ClosedEnvironmentError, match="make another one"):
                call()


@every_light_id
def test_its_specification_survives_json_and_pickle(env_id: str, made: list[Any]):
    made.append(gym.make(env_id, split="test", **strings(env_id)))
    spec = made[0].spec
    assert spec is not None
    expected = made[0].reset(seed=4)
    for copy in (EnvSpec.from_json(spec.to_json()), pickle.loads(pickle.dumps(spec))):
        assert copy == spec
        made.append(gym.make(copy))
        assert made[-1].reset(seed=4) == expected


@every_light_id
def test_the_vector_specification_survives_json_too(env_id: str, made: list[Any]):
    made.append(gym.make_vec(env_id, 2, split="test", autoreset_mode="SameStep", **strings(env_id)))
    spec = made[0].spec
    made.append(gym.make_vec(EnvSpec.from_json(spec.to_json())))
    assert isinstance(made[1], TextVectorEnv) and made[1].num_envs == 2
    assert made[1].autoreset_mode is AutoresetMode.SAME_STEP
    assert made[1].reset(seed=4)[0] == made[0].reset(seed=4)[0]


@every_light_id
def test_it_can_be_made_without_importing_the_package(env_id: str):
    code = (
        "import sys, json, gymnasium as gym\n"
        "env = gym.make('dreamgym_env:' + sys.argv[1], **json.loads(sys.argv[2]))\n"
        "observation, info = env.reset(seed=0)\n"
        "env.step('dance')\n"
        "print(info['task_id'])\n"
        "env.close()\n"
    )
    command = [sys.executable, "-c", code, env_id, json.dumps(strings(env_id))]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip().endswith(tuple("0123456789"))


@every_id
@pytest.mark.parametrize("maker", [gym.make, gym.make_vec])
def test_unknown_keywords_are_refused_by_name(maker: Any, env_id: str):
    """With all that there are, and the nearest one."""
    with pytest.raises(
        TypeError, match=r"'colour_of_the_sky' here\. There are: .*max_episode_steps.*render_mode.* split"
    ):
        maker(env_id, colour_of_the_sky="blue", **strings(env_id))
    with pytest.raises(KeywordError, match=r"'splitt' here\. Did you mean 'split'\?"):
        maker(env_id, splitt="test", **strings(env_id))
    with pytest.raises(KeywordError, match=r"Did you mean 'max_episode_steps'\?"):
        maker(env_id, max_episode_step=5, **strings(env_id))


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ("worldmodel", "world_model"),
        ("seed_experiences", "seed_experience"),
        ("evaluate", "evaluation"),
        ("max_tokens", "max_new_tokens"),
        ("product", "products"),
    ],
)
def test_a_misspelt_keyword_of_a_dream_gets_a_suggestion(given: str, meant: str):
    with pytest.raises(KeywordError, match=rf"Did you mean '{meant}'\?"):
        gym.make("DreamGym/WebShop-v0", **{given: 1})


@every_light_id
def test_every_keyword_that_is_listed_exists(env_id: str):
    """The message's list is the truth: none of its names is refused as unknown."""
    cheap = {**strings(env_id), **({} if env_id.startswith("DreamGymReal/") else {"seed_experience": False})}
    for maker in (gym.make, gym.make_vec):
        with pytest.raises(KeywordError) as caught:
            maker(env_id, nonsense=1)
        listed = str(caught.value).partition("There are: ")[2].partition(". was raised")[0].rstrip(".").split(", ")
        assert len(listed) > 4
        for name in listed:
            try:
                maker(env_id, **{**cheap, name: object()}).close()
            except Exception as error:
                assert "There is no keyword" not in str(error)


class TestVector:
    @every_id
    def test_lanes_are_single_environments(self, make: Any, make_vec: Any, env_id: str):
        """Lane i with seed s equals a single environment with seed s + i, over automatic resets."""
        extra = {} if env_id.startswith("DreamGymReal/") else {"memo": False}
        envs = make_vec(env_id, 3, **extra)
        singles = [make(env_id, **extra) for _ in range(3)]
        observations, infos = envs.reset(seed=20)
        shown = [single.reset(seed=20 + lane) for lane, single in enumerate(singles)]
        over = [False] * 3
        rng = np.random.default_rng(0)
        for _ in range(enough_steps(env_id)):
            for lane in range(3):
                assert observations[lane] == shown[lane][0]
            actions = [choose(rng, shown[lane][1]) for lane in range(3)]
            observations, rewards, terminations, truncations, infos = envs.step(actions)
            for lane, single in enumerate(singles):
                if over[lane]:
                    shown[lane], outcome = single.reset(), (0.0, False, False)
                else:
                    observation, *end, info = single.step(actions[lane])
                    shown[lane], outcome = (observation, info), tuple(end)
                    keys = STEP_KEYS - {"seconds"}
                    assert {key: infos[key][lane] for key in keys} == {key: info[key] for key in keys}
                assert (rewards[lane], terminations[lane], truncations[lane]) == outcome
                over[lane] = bool(outcome[1] or outcome[2])

    @every_light_id
    def test_gymnasiums_own_vector_environment_works(self, made: list[Any], env_id: str):
        made.append(gym.make_vec(env_id, 2, vectorization_mode="sync", **settings(env_id)))
        made.append(gym.make_vec(env_id, 2, **settings(env_id)))
        own, batched = made
        assert own.reset(seed=3)[0] == batched.reset(seed=3)[0]
        assert own.step(["dance"] * 2)[0] == batched.step(["dance"] * 2)[0]

    @every_light_id
    def test_shared_memory_is_refused_loudly(self, env_id: str):
        with pytest.raises(ValueError, match="shared_memory=False"):
            gym.make_vec(env_id, 2, vectorization_mode="async", **strings(env_id))

    @every_light_id
    def test_processes_work_without_shared_memory(self, made: list[Any], env_id: str):
        apart_in = {"shared_memory": False, "context": "spawn"}
        made.append(gym.make_vec(env_id, 2, vectorization_mode="async", vector_kwargs=apart_in, **strings(env_id)))
        made.append(gym.make_vec(env_id, 2, **strings(env_id)))
        apart, batched = made
        assert apart.reset(seed=3)[0] == batched.reset(seed=3)[0]
        assert apart.step(["dance"] * 2)[0] == batched.step(["dance"] * 2)[0]

    def test_a_forked_process_says_that_it_cannot_open_a_buffer(self, made: list[Any], capfd: Any):
        apart_in = {"shared_memory": False, "context": "fork"}
        keywords = strings("DreamGym/WebShop-v0")
        made.append(gym.make("DreamGym/WebShop-v0", **keywords))
        with pytest.raises((EOFError, OSError)):  # Gymnasium's worker prints the error, and is gone
            gym.make_vec(
                "DreamGym/WebShop-v0", 2, vectorization_mode="async", vector_kwargs=apart_in, **keywords
            ).reset()
        assert "Chroma's engine does not survive a fork" in capfd.readouterr().err

    @every_light_id
    def test_groups_start_alike(self, make_vec: Any, env_id: str):
        envs = make_vec(env_id, 4)
        observations, infos = envs.reset(seed=0, options={"group_size": 2})
        assert observations[0] == observations[1] != observations[2] == observations[3]
        assert infos["task_id"][0] == infos["task_id"][1]


@every_light_id
def test_the_environments_are_gymnasium_environments(make: Any, env_id: str):
    assert isinstance(make(env_id).unwrapped, TextEnv)


@pytest.mark.parametrize("env_id", params([name for name in IDS if name.startswith("DreamGym/")]))
def test_the_default_dream_needs_nothing_but_the_package(made: list[Any], env_id: str):
    """No GPU, no key, no download: the embedded world model and the shipped experience."""
    if env_id == RECORDED_ID:
        with pytest.raises(KeywordError, match="needs experience="):
            gym.make(env_id)
        return
    learnt = json.loads((EMBEDDED_PATH / "dreamgym.json").read_text())["domains"]
    if gym.spec(env_id).kwargs["domain"] not in learnt:
        with pytest.raises(WorldModelError, match=f"has learnt {', '.join(learnt)}, and nothing of"):
            gym.make(env_id)
        return
    made.append(gym.make(env_id, replay=False))
    _, info = made[0].reset(seed=0)
    observation, *_, info = made[0].step(re.sub(r"<[^>]*>", "red shoes", info["available_actions"][0]))
    assert info["answered_by"] == "model" and info["memories"] and info["completion_tokens"] > 0
    assert observation in made[0].observation_space
    assert not info["failure"]
