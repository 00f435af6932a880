"""The table of environment ids; imported by ``import dreamgym_env``, so it imports only what registering needs."""

from __future__ import annotations

import gymnasium as gym

from dreamgym_env.domains import alfworld, miniwob, webarena, webshop

__all__ = ["BENCHMARKS", "register_envs"]

BENCHMARKS: dict[str, tuple[str, int]] = {
    "ALFWorld-v0": ("alfworld", alfworld.STEP_LIMIT),
    "MiniWoB-v0": ("miniwob", miniwob.STEP_LIMIT),
    "WebArenaLite-v0": ("webarena", webarena.STEP_LIMIT),
    "WebShop-v0": ("webshop", webshop.STEP_LIMIT),
}
"""Name of a benchmark -> its domain and its step limit; each is registered under DreamGym/ and DreamGymReal/."""


def register_envs() -> None:
    """Register every benchmark as a dream and as the real environment."""
    for name, (domain, step_limit) in BENCHMARKS.items():
        for namespace, kind in (("DreamGym", "Dream"), ("DreamGymReal", "Real")):
            gym.register(
                f"{namespace}/{name}",
                entry_point=f"dreamgym_env.envs.ids:{kind}Env",
                vector_entry_point=f"dreamgym_env.envs.ids:{kind}VectorEnv",
                max_episode_steps=step_limit,
                disable_env_checker=True,  # the checker warns about every text space; the tests run it
                kwargs={"domain": domain},
            )
