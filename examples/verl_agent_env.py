"""Play a dream by verl-agent's environment manager, as its rollout would: a whole batch a step, in groups for GRPO.

    python examples/verl_agent_env.py --tasks 2 --group 3

To train, call ``make_envs`` of ``dreamgym_env.integrations.verl_agent`` in verl-agent's ``main_ppo.py`` in place of its
own.  This file needs nothing but this library.  Random actions stand for the model here.
"""

from __future__ import annotations

import argparse
import random
from types import SimpleNamespace
from typing import Any

import numpy as np

from dreamgym_env.integrations.verl_agent import make_envs


def reply(info: dict[str, Any], choose: random.Random) -> str:
    """Stand for the model: an offered action, with words of the task as keywords."""
    words = " ".join(info["instruction"].split()[-4:])
    action = choose.choice(info["available_actions"] or ("look",)).replace("<keywords>", words)
    return f"I try something.\nAction: {action}"


def main() -> None:
    """Read the command line, and play one batch."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--env-id", default="DreamGym/WebShop-v0")
    parser.add_argument("--tasks", type=int, default=2)
    parser.add_argument("--group", type=int, default=3)
    parser.add_argument("--max-steps", type=int, default=5)
    args = parser.parse_args()
    # what is read of verl-agent's configuration
    config = SimpleNamespace(
        data=SimpleNamespace(train_batch_size=args.tasks, val_batch_size=1),
        env=SimpleNamespace(seed=0, max_steps=args.max_steps, rollout=SimpleNamespace(n=args.group)),
    )
    envs, val_envs = make_envs(config, args.env_id)
    choose = random.Random(0)  # noqa: S311 - no secrets
    observations, infos = envs.reset(kwargs=None)
    print(observations["text"][0], "\n")
    returns, done = np.zeros(len(infos)), np.zeros(len(infos), dtype=bool)
    steps: list[tuple[Any, Any]] = []
    while not done.all():
        active = ~done
        observations, rewards, done, infos = envs.step([reply(info, choose) for info in infos])
        returns += rewards
        steps.append((active, infos))
    judged = envs.success_evaluator(
        total_infos=[[infos[lane] for _, infos in steps] for lane in range(len(infos))],
        total_batch_list=[[{"active_masks": active[lane]} for active, _ in steps] for lane in range(len(infos))],
    )
    for lane, info in enumerate(infos):
        score = judged["task_score"][lane]
        print(f"{info['task_id']}, group {lane // args.group}: return {returns[lane]:.0f}, task score {score:.2f}")
    envs.close()
    val_envs.close()


if __name__ == "__main__":
    main()
