"""SkyRL's environment plays episodes of one shared environment."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

skyrl_gym = pytest.importorskip("skyrl_gym", reason='needs skyrl-gym: pip install "dreamgym_env[skyrl]"')

from skyrl_gym.envs.base_text_env import BaseTextEnv  # noqa: E402

from dreamgym_env.envs.episode_pool import shared_pool  # noqa: E402
from dreamgym_env.errors import ResetOptionError  # noqa: E402
from dreamgym_env.integrations.skyrl import dataset_rows, register_dream  # noqa: E402

SETTINGS = {"env_id": "DreamGymReal/WebShop-v0", "max_episode_steps": 5}


@pytest.fixture(autouse=True)
def registered():
    register_dream("shop", **SETTINGS)
    yield
    skyrl_gym.registry.pop("shop")


def make(row, max_turns=5):
    return skyrl_gym.make("shop", env_config={}, extras={**row, "max_turns": max_turns})


def test_rows_are_those_of_skyrls_data_sets():
    rows = dataset_rows("shop", "webshop", "test", 3)
    assert [row["task_id"] for row in rows] == [f"webshop/test/{number}" for number in range(3)]
    assert all(row["env_class"] == "shop" and row["prompt"][0]["role"] == "user" for row in rows)


def test_an_episode_is_played_to_its_end():
    row = dataset_rows("shop", "webshop", "train", 1)[0]
    env = make(row)
    assert isinstance(env, BaseTextEnv)
    told, info = env.init(row["prompt"])
    assert [message["role"] for message in told] == ["system", "user"] and info["task_id"] == row["task_id"]
    assert row["instruction"] in told[1]["content"]
    step = env.step("Let me look.\nAction: search[charging cable]")
    assert not step["done"] and step["reward"] == 0.0 and step["metadata"]["action"] == "search[charging cable]"
    assert step["observations"][0]["role"] == "user" and "click[" in step["observations"][0]["content"]
    item = next(one for one in step["metadata"]["available_actions"] if one.startswith("click[b0"))
    env.step(f"Action: {item}")
    env.step("I am lost.")
    last = env.step("Action: click[buy now]")
    assert last["done"] and last["observations"] == [] and last["metadata"]["stop_reason"] in ("success", "failure")
    metrics = env.get_metrics()
    assert metrics["won"] == last["reward"] and 0 <= metrics["task_score"] <= 1 and metrics["well_formed"] == 0.75
    assert type(env).aggregate_metrics([metrics, metrics]) == metrics
    env.close()


def test_skyrls_turns_end_an_episode_too():
    row = dataset_rows("shop", "webshop", "train", 1)[0]
    env = make(row, max_turns=1)
    env.init(row["prompt"])
    assert env.step("Action: search[cable]")["done"]


def test_samples_of_a_prompt_begin_alike_in_one_shared_environment():
    row = dataset_rows("shop", "webshop", "train", 1)[0]

    def play(_: int):
        env = make(row)
        told, _ = env.init(row["prompt"])
        return told, env.step("Action: search[cable]")["observations"]

    with ThreadPoolExecutor(4) as threads:
        played = list(threads.map(play, range(4)))
    assert all(one == played[0] for one in played)
    assert shared_pool(**SETTINGS) is make(row)._pool


def test_what_is_wrong_is_said():
    with pytest.raises(ResetOptionError, match="names no task"):
        skyrl_gym.make("shop", env_config={}, extras={"max_turns": 5})
    with pytest.raises(ResetOptionError, match="Call init"):
        make(dataset_rows("shop", "webshop", "train", 1)[0]).step("Action: search[cable]")
