"""verifiers plays episodes: its own rollout, traces and rewards around one shared environment."""

from __future__ import annotations

import asyncio
import re

import pytest

vf = pytest.importorskip("verifiers.v1", reason='needs verifiers: pip install "dreamgym_env[verifiers]"')

import dreamgym_verifiers  # noqa: E402
from dreamgym_env.integrations.verifiers import DreamEnv, DreamEnvConfig, DreamHarness  # noqa: E402
from dreamgym_env.testing.openai_server import LoopbackServer, completion_reply  # noqa: E402


def environment(**taskset):
    settings = taskset.pop("settings", {"max_episode_steps": 3})
    chosen = {"id": "dreamgym-verifiers", "env_id": "DreamGymReal/WebShop-v0", "settings": settings, **taskset}
    return vf.load_environment(DreamEnvConfig(taskset=chosen))


def play(env, answer, rollouts=1):
    """Play all tasks, with a model that answers what a function says of the conversation's texts."""

    async def play_all(server):
        context = vf.ModelContext("scripted", vf.EvalClientConfig(base_url=server.url, api_key_var="NO_KEY"))
        async with env.serving():
            slots = [slot for task in env.taskset for slot in env.slots(task, rollouts)]
            return await asyncio.gather(*(env.run_slot(slot, context) for slot in slots))

    def reply(call):
        return completion_reply(call, answer([message["content"] for message in call.body["messages"]]))

    with LoopbackServer(reply) as server:
        return asyncio.run(play_all(server)), server.calls


@pytest.fixture(autouse=True)
def no_key(monkeypatch):
    monkeypatch.setenv("NO_KEY", "none")


def test_the_plugin_is_found_by_its_id():
    env = environment(tasks=2)
    assert type(env) is DreamEnv is dreamgym_verifiers.DreamEnv
    assert vf.default_harness_id("dreamgym-verifiers") == "dreamgym-verifiers"
    assert isinstance(vf.load_harness(env._default_harness), DreamHarness)


def test_tasks_are_those_of_the_split():
    tasks = list(environment(split="test", tasks=3).taskset)
    assert [task.key for task in tasks] == [f"webshop/test/{number}" for number in range(3)]
    assert "Action:" in tasks[0].data.system_prompt and tasks[0].data.prompt is None and tasks[0].data.instruction


def test_rollouts_are_conversations_that_end_with_their_episodes():
    episodes, calls = play(environment(tasks=2), lambda said: "I look.\nAction: search[shoes]", rollouts=2)
    assert len(episodes) == 4 and all(episode.ok and not episode.errors for episode in episodes)
    for episode in episodes:
        (trace,) = episode.traces
        assert trace.num_turns == 3 and trace.rewards["success"].score == 0.0
        assert trace.metrics == {"task_score": 0.0, "well_formed": 1.0}
    first = calls[0].body["messages"]
    assert [message["role"] for message in first] == ["system", "user"] and "# Task" in first[1]["content"]
    longest = max((call.body["messages"] for call in calls), key=len)
    assert [message["role"] for message in longest] == ["system", *["user", "assistant"] * 2, "user"]


def test_what_is_bought_is_scored():
    def shop(said):
        offered = re.findall(r"click\[b0\w+\]", said[-1])
        if "click[buy now]" in said[-1]:
            return "Action: click[buy now]"
        return f"Action: {offered[0]}" if offered else "Hm." if len(said) == 2 else "Action: search[cable]"

    episodes, _ = play(environment(tasks=1, settings={"max_episode_steps": 9}), shop)
    (trace,) = episodes[0].traces
    assert trace.metrics["well_formed"] == 0.75 and 0 < trace.metrics["task_score"] <= 1
    assert trace.rewards["success"].score == float(trace.metrics["task_score"] == 1)


def test_verifiers_own_limits_end_a_rollout():
    env = vf.load_environment(
        DreamEnvConfig(
            taskset={"id": "dreamgym-verifiers", "env_id": "DreamGymReal/WebShop-v0", "tasks": 1},
            agent={"max_turns": 2},
        )
    )
    episodes, _ = play(env, lambda said: "Action: search[shoes]")
    (trace,) = episodes[0].traces
    assert trace.num_turns == 2 and episodes[0].ok and trace.stop_condition == "max_turns"


def test_a_model_that_cannot_be_reached_is_an_error_of_the_rollout():
    env = environment(tasks=1)

    async def run():
        context = vf.ModelContext("m", vf.EvalClientConfig(base_url="http://127.0.0.1:9/v1", api_key_var="NO_KEY"))
        async with env.serving():
            (slot,) = [slot for task in env.taskset for slot in env.slots(task)]
            return await env.run_slot(slot, context)

    episode = asyncio.run(run())
    assert not episode.ok and episode.traces[0].errors
