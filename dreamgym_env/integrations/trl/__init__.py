"""TRL's GRPO on dreams and real environments (``pip install "dreamgym_env[trl]"``); docs/trl.md has the recipes.

::

    from trl import GRPOConfig, GRPOTrainer
    from dreamgym_env.integrations.trl import episode_reward, make_dataset, make_rollout_func

    rollout = make_rollout_func("DreamGym/WebShop-v0", num_envs=64)  # DreamGymReal/WebShop-v0: the real one
    trainer = GRPOTrainer(
        "Qwen/Qwen2.5-3B-Instruct",
        reward_funcs=episode_reward,
        args=GRPOConfig(per_device_train_batch_size=64, num_generations=8, max_completion_length=8192),
        train_dataset=make_dataset(rollout.domain),
        rollout_func=rollout,
    )
    trainer.train()

- :class:`TextRollout`, :func:`make_rollout_func`: all episodes of a batch think, act and step together.
- :class:`EnvironmentFactory`: the same environments as tools (``search``, ``click``; ``act``), which TRL calls one
  after another.
- :func:`make_dataset`: a domain's tasks as rows; :func:`episode_reward`: the environment's verdict, and what is logged.
"""

from __future__ import annotations

from dreamgym_env.integrations.requirements import require

VERSIONS = ">=1.16,<1.17"
"""Rollout functions are an experimental interface of TRL, and change with its minor versions."""
require("trl", VERSIONS, "trl")

from dreamgym_env.integrations.trl.rewards import episode_reward  # noqa: E402
from dreamgym_env.integrations.trl.rollout import TextRollout, make_rollout_func  # noqa: E402
from dreamgym_env.integrations.trl.rows import make_dataset  # noqa: E402
from dreamgym_env.integrations.trl.tools import EnvironmentFactory, ShopTools, TextTools  # noqa: E402

__all__ = [
    "EnvironmentFactory",
    "ShopTools",
    "TextRollout",
    "TextTools",
    "episode_reward",
    "make_dataset",
    "make_rollout_func",
]
