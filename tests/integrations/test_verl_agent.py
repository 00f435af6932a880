"""The environment manager does what verl-agent's rollout asks of one.

verl-agent is on no package index.  :func:`rollout` asks what its ``TrajectoryCollector`` asks, in its order: a reset by
the keyword ``kwargs``, then a step for all episodes, also for those that have ended, until all have ended or the steps
are used up, and at last a judgement of who has succeeded.
"""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from houses import vector
from scripted import house_model, simulator

from dreamgym_env.envs.text_vector_env import TextVectorEnv
from dreamgym_env.errors import KeywordError, ResetOptionError
from dreamgym_env.integrations.verl_agent import DreamEnvironmentManager, make_envs

KEY_IN_KITCHEN = {"task_id": "toyhouse/train/0"}


def rollout(manager, replies, steps=6, kwargs=None):
    """Play one batch; ``replies`` says what the model answers, from a prompt, a lane and a step."""
    seen, _ = manager.reset(kwargs=kwargs)
    count = len(seen["text"])
    done = np.zeros(count, dtype=bool)
    returns = np.zeros(count, dtype=np.float32)
    items, infos = [[] for _ in range(count)], [[] for _ in range(count)]
    anchors = [list(seen["anchor"])]
    for step in range(steps):
        active = ~done
        texts = [replies(prompt, lane, step) for lane, prompt in enumerate(seen["text"])]
        seen, rewards, dones, told = manager.step(texts)
        assert rewards.shape == dones.shape == (count,) and rewards.dtype == np.float32 and dones.dtype == bool
        returns[active] += rewards[active]
        for lane in range(count):
            items[lane].append({"active_masks": active[lane], "valid": bool(told[lane]["is_action_valid"])})
            infos[lane].append(told[lane])
        anchors.append(list(seen["anchor"]))
        done |= dones
        if done.all():
            break
    lengths = np.array([sum(item["active_masks"] for item in lane) for lane in items], dtype=np.float32)
    judged = manager.success_evaluator(
        total_infos=infos, total_batch_list=items, episode_rewards=returns, episode_lengths=lengths
    )
    return SimpleNamespace(**locals())


def disabled(num_envs, **settings):
    return vector(num_envs, "Disabled", **settings)


def test_a_batch_is_played_and_judged():
    scripts = [["Action: go kitchen", "Action: take key"], ["Action: leave"], ["Hm.", "Action: look"]]
    manager = DreamEnvironmentManager(disabled(3, max_episode_steps=4))
    played = rollout(
        manager, lambda prompt, lane, step: (scripts[lane] + ["Action: look"] * 9)[step], 6, [KEY_IN_KITCHEN] * 3
    )
    assert played.returns.tolist() == [1.0, 0.0, 0.0] and played.lengths.tolist() == [2, 1, 4]
    assert played.judged["success_rate"].tolist() == [1.0, 0.0, 0.0]
    assert played.judged["task_score"].tolist() == [1.0, 0.25, 0.0]
    assert [item["valid"] for item in played.items[2]] == [False, True, True, True]
    assert played.infos[2][-1]["stop_reason"] == "step_limit" and played.infos[0][-1]["won"]
    manager.close()


def test_prompts_tell_the_task_the_rules_the_history_and_the_offer():
    manager = DreamEnvironmentManager(disabled(1))
    played = rollout(manager, lambda *_: "I look.\nAction: go kitchen", 1, [KEY_IN_KITCHEN])
    (prompt,) = played.seen["text"]
    for told in ("Find the key", "go ROOM, take THING", "Action: go kitchen", "take key", "kitchen"):
        assert told in prompt
    assert played.seen["image"] is None and played.anchors[1][0] in prompt and played.anchors[0] != played.anchors[1]


def test_the_world_model_is_asked_once_a_step_for_those_that_run():
    model = house_model()
    backend = simulator(model, guard=False, replay=False, memo=False)
    envs = TextVectorEnv(backend.domain, backend, 4, autoreset_mode="Disabled")
    manager = DreamEnvironmentManager(envs, group_n=2)
    rollout(manager, lambda prompt, lane, step: "Action: leave" if lane == 3 and step == 1 else "Action: look", 4)
    assert [len(batch) for batch in model.batches] == [4, 4, 3, 3]


def test_groups_begin_alike_and_resets_go_on_or_come_back():
    manager = DreamEnvironmentManager(disabled(6), group_n=3, seed=0)
    tasks = []
    for _ in range(3):
        seen, infos = manager.reset(kwargs=None)
        ids = [info["task_id"] for info in infos]
        assert len(set(ids[:3])) == len(set(ids[3:])) == 1 and len(set(seen["anchor"][:3])) == 1
        tasks.append(tuple(ids))
    assert len(set(tasks)) > 1
    again = DreamEnvironmentManager(disabled(6), seed=0, same_tasks=True)
    assert len({tuple(info["task_id"] for info in again.reset()[1]) for _ in range(3)}) == 1


def test_rows_may_name_the_tasks():
    manager = DreamEnvironmentManager(disabled(2))
    wanted = ["toyhouse/test/1", "toyhouse/train/3"]
    _, infos = manager.reset(kwargs=np.array([{"task_id": name} for name in wanted], dtype=object))
    assert [info["task_id"] for info in infos] == wanted
    with pytest.raises(ResetOptionError, match="must name a task"):
        manager.reset(kwargs=[{}, {}])


def test_an_environment_that_resets_by_itself_is_refused():
    with pytest.raises(KeywordError, match="Disabled"):
        DreamEnvironmentManager(vector(2, "SameStep"))


def test_both_environments_are_made_of_verl_agents_configuration():
    env = SimpleNamespace(seed=0, max_steps=3, rollout=SimpleNamespace(n=2))
    config = SimpleNamespace(env=env, data=SimpleNamespace(train_batch_size=2, val_batch_size=3))
    envs, val_envs = make_envs(config, "DreamGymReal/WebShop-v0")
    assert envs.envs.num_envs == 4 and val_envs.envs.num_envs == 3
    played = rollout(envs, lambda *_: "Action: search[shoes]", 9)
    assert played.lengths.tolist() == [3.0] * 4 and {infos[0]["split"] for infos in played.infos} == {"train"}
    assert {info["split"] for info in val_envs.reset()[1]} == {"test"}
    for manager in (envs, val_envs):
        manager.close()
