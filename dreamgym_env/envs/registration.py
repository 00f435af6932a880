"""The table of environment ids; imported by ``import dreamgym_env``, so it imports only what registering needs."""

from __future__ import annotations

import gymnasium as gym

from dreamgym_env.domains import RECORDED, alfworld, miniwob, webarena, webshop

__all__ = ["BENCHMARKS", "RECORDED_ID", "register_envs"]

BENCHMARKS: dict[str, tuple[str, int]] = {
    "ALFWorld-v0": ("alfworld", alfworld.STEP_LIMIT),
    "MiniWoB-v0": ("miniwob", miniwob.STEP_LIMIT),
    "WebArenaLite-v0": ("webarena", webarena.STEP_LIMIT),
    "WebShop-v0": ("webshop", webshop.STEP_LIMIT),
}
"""Name of a benchmark -> its domain and its step limit; each is registered under DreamGym/ and DreamGymReal/."""

RECORDED_ID = "DreamGym/Recorded-v0"
"""A dream of what a transitions file holds; its step limit is the domain's, which follows from the file."""


def register_envs() -> None:
    """Register every benchmark as a dream and as the real environment, and the dream of what was recorded."""
    for name, (domain, step_limit) in BENCHMARKS.items():
        _register(f"DreamGym/{name}", "Dream", domain, step_limit)
        _register(f"DreamGymReal/{name}", "Real", domain, step_limit)
    _register(RECORDED_ID, "Dream", RECORDED, None)


def _register(env_id: str, kind: str, domain: str, step_limit: int | None) -> None:
    gym.register(
        env_id,
        entry_point=f"dreamgym_env.envs.ids:{kind}Env",
        vector_entry_point=f"dreamgym_env.envs.ids:{kind}VectorEnv",
        max_episode_steps=step_limit,
        disable_env_checker=True,  # the checker warns about every text space; the tests run it
        kwargs={"domain": domain},
    )
