"""An OpenEnv server: sessions of their own over one environment, tasks by number, errors as sentences."""

from __future__ import annotations

import asyncio
import socket
import threading
import time

import pytest

openenv = pytest.importorskip("openenv.core", reason='needs openenv: pip install "dreamgym_env[openenv]"')

import httpx  # noqa: E402
import uvicorn  # noqa: E402
from toy_domain import RealToyHouse, ToyHouse  # noqa: E402

from dreamgym_env.envs.episode_pool import EpisodePool  # noqa: E402
from dreamgym_env.envs.text_vector_env import TextVectorEnv  # noqa: E402
from dreamgym_env.integrations.openenv import create_app, serve  # noqa: E402


@pytest.fixture(scope="module")
def url():
    domain = ToyHouse()
    pool = EpisodePool(TextVectorEnv(domain, RealToyHouse(domain), 1))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = uvicorn.Server(uvicorn.Config(create_app(pool, sessions=3), port=port, log_level="warning"))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        assert thread.is_alive()
        time.sleep(0.02)
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    thread.join()
    pool.close()


async def play(url, task_id, actions):
    async with openenv.GenericEnvClient(base_url=url) as env:
        results = [await env.reset(task_id=task_id, episode_id=f"{task_id}-episode")]
        for action in actions:
            results.append(await env.step({"text": action}))
        return results, await env.state()


def test_an_episode_is_played_over_the_socket(url):
    (first, moved, last), state = asyncio.run(play(url, "toyhouse/train/0", ["go kitchen", "take key"]))
    assert first.observation["instruction"].startswith("Find the key") and not first.done and first.reward is None
    assert "go kitchen" in first.observation["available_actions"]
    assert moved.observation["valid"] and moved.observation["answered_by"] == "real" and moved.reward == 0.0
    assert last.done and last.reward == 1.0 and last.observation["won"] and last.observation["task_score"] == 1.0
    assert state["step_count"] == 2 and state["task_id"] == "toyhouse/train/0"
    assert state["episode_id"] == "toyhouse/train/0-episode"


def test_sessions_do_not_touch_each_other(url):
    async def play_two():
        return await asyncio.gather(
            play(url, "toyhouse/train/0", ["go kitchen", "look"]), play(url, "toyhouse/train/1", ["look", "look"])
        )

    (one, _), (other, _) = asyncio.run(play_two())
    assert "kitchen" in one[-1].observation["state"] and "hall" in other[-1].observation["state"]
    assert one[-1].observation["task_id"] != other[-1].observation["task_id"]


def test_the_same_seed_begins_the_same_episode(url):
    async def begin(seed):
        async with openenv.GenericEnvClient(base_url=url) as env:
            return (await env.reset(seed=seed)).observation["task_id"]

    drawn = [asyncio.run(begin(seed)) for seed in (3, 3, 4, 5)]
    assert drawn[0] == drawn[1] and len(set(drawn)) > 1


def test_tasks_are_listed_and_chosen_by_number(url):
    with httpx.Client(base_url=f"{url}/dreamgym") as http:
        assert [split["name"] for split in http.get("/splits").json()] == ["train", "eval", "test"]
        assert http.post("/num_tasks", json={"split": "test"}).json() == {"num_tasks": 4}
        task = http.post("/task", json={"split": "test", "index": 2}).json()["task"]
        assert task["id"] == "toyhouse/test/2" and task["instruction"].startswith("Find the ")
        assert http.post("/task", json={"split": "test", "index": 99}).status_code == 400
        assert "no split 'attic'" in http.post("/num_tasks", json={"split": "attic"}).json()["detail"]

    async def begin():
        async with openenv.GenericEnvClient(base_url=url) as env:
            return (await env.reset(split="test", index=2)).observation["task_id"]

    assert asyncio.run(begin()) == "toyhouse/test/2"


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"task_id": "toyhouse/train/99"}, "no task 'toyhouse/train/99'"),
        ({"split": "test", "index": 99}, "index must be a number from 0 to 3"),
        ({"colour": "red"}, "does not know the option 'colour'"),
        ({"task_id": 7}, "takes a str"),
        ({"seed": -1}, "seed must be"),
    ],
)
def test_what_cannot_be_begun_is_said_and_the_session_goes_on(url, asked, said):
    async def ask():
        async with openenv.GenericEnvClient(base_url=url) as env:
            with pytest.raises(RuntimeError, match="call reset before step"):
                await env.step({"text": "look"})
            with pytest.raises(RuntimeError, match=said):
                await env.reset(**asked)
            return await env.reset()

    assert not asyncio.run(ask()).done


def test_there_are_no_more_sessions_than_were_allowed(url):
    async def crowd():
        clients = [openenv.GenericEnvClient(base_url=url) for _ in range(4)]
        try:
            return await asyncio.gather(*(client.reset() for client in clients), return_exceptions=True)
        finally:
            await asyncio.gather(*(client.close() for client in clients), return_exceptions=True)

    told = asyncio.run(crowd())
    refused = [one for one in told if isinstance(one, Exception)]
    assert len(refused) == 1


def test_over_plain_http_errors_are_sentences_too(url):
    answer = httpx.post(f"{url}/step", json={"action": {"text": "look"}})
    assert answer.status_code == 400 and "call reset before step" in answer.json()["detail"]


def test_only_this_machine_is_served_by_default(monkeypatch):
    asked = {}
    monkeypatch.setattr(uvicorn, "run", lambda app, **settings: asked.update(settings))
    serve("DreamGymReal/WebShop-v0", port=1234)
    assert asked["host"] == "127.0.0.1" and asked["port"] == 1234
