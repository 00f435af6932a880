"""What each lane of a vector environment sees, be all stepped together or each as soon as it can."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from gymnasium.vector import VectorEnv

from dreamgym_env.envs.text_vector_env import TextVectorEnv

ACTIONS = ("look", "go kitchen", "fly", "take key", "go hall", "say x", "go cellar", "take lamp", "leave")
"""What lanes of the toy house do in turn."""
Row = Callable[[tuple[Any, ...], int], Any]
"""What is noted of the results of a step, in a place of its batch."""


def by_step(envs: VectorEnv[Any, Any, Any], steps: int, row: Row) -> list[list[Any]]:
    """Take so many steps in all lanes together; ``envs`` was reset."""
    seen: list[list[Any]] = [[] for _ in range(envs.num_envs)]
    for _ in range(steps):
        lanes = range(envs.num_envs)
        results = envs.step(_next(lanes, seen))
        for lane in lanes:
            seen[lane].append(row(results, lane))
    return seen


def by_send(envs: TextVectorEnv, steps: int, min_envs: int, row: Row) -> list[list[Any]]:
    """Take so many steps in every lane, each lane as soon as it can; ``envs`` was reset."""
    seen: list[list[Any]] = [[] for _ in range(envs.num_envs)]
    free, under_way = list(range(envs.num_envs)), 0
    while free or under_way:
        if free:
            envs.send(_next(free, seen), free)
            under_way += len(free)
        results = envs.recv(min_envs)
        lanes = results[-1]["env_id"].tolist()
        under_way -= len(lanes)
        for at, lane in enumerate(lanes):
            seen[lane].append(row(results, at))
        free = [lane for lane in lanes if len(seen[lane]) < steps]
    return seen


def _next(lanes: Sequence[int], seen: Sequence[Sequence[Any]]) -> list[str]:
    """Return an action a lane, which depends on the lane and on how often it has acted."""
    return [ACTIONS[(lane + len(seen[lane])) % len(ACTIONS)] for lane in lanes]
