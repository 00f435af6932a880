"""Making lanes of somebody else's environments, on tasks that both sides of a comparison have."""

from __future__ import annotations

from collections.abc import Container, Mapping
from typing import Any

import gymnasium as gym

from dreamgym_env.envs.reading import name_of, named_task, observed_text, said
from dreamgym_env.envs.text_vector_env import TextVectorEnv
from dreamgym_env.errors import KeywordError, UnknownTaskError
from dreamgym_env.evaluation.foreign.backend import Env, ForeignBackend, named_error
from dreamgym_env.evaluation.foreign.domain import SPLIT, ForeignDomain
from dreamgym_env.types import Task

__all__ = ["foreign_lanes", "is_foreign"]

_TRIES = 20
"""How many seeds are tried for each task that is wanted."""


def is_foreign(env_id: str) -> bool:
    """Return whether an id names an environment that is none of this library's."""
    return env_id.rpartition(":")[2].partition("/")[0] not in ("DreamGym", "DreamGymReal")


def foreign_lanes(
    env_id: str, lanes: int, tasks: int, *, known: Container[str] | None = None, settings: Mapping[str, Any]
) -> TextVectorEnv:
    """Make lanes of an environment, after a look at what its seeds begin.

    Args:
        env_id: as ``gymnasium.make`` takes it.
        lanes: how many episodes run at once, each in an environment of its own.
        tasks: how many tasks are wanted; there may turn out to be fewer.
        known: ids of tasks that the other side has; None where it knows its tasks by their seeds, too.  A task's id is
            what ``info["task_id"]`` says, else the environment's id and a digest of the first text, as
            ``RecordTransitions`` names it.
        settings: keywords of ``gymnasium.make``.

    Raises:
        KeywordError: it cannot be made so, cannot be reset, or shows no texts.
        UnknownTaskError: no seed begins a task that the other side has.
    """

    def make() -> Env:
        try:
            return gym.make(env_id, **settings)
        except Exception as error:  # whatever somebody else's environment may raise
            told = error if isinstance(error, gym.error.Error | TypeError | ImportError) else named_error(error)
            raise KeywordError(f"{env_id} cannot be made: {told}") from error

    env = make()
    try:
        found, seeds = _look_at(env, tasks, known)
    except BaseException:
        env.close()
        raise
    limit = getattr(env.spec, "max_episode_steps", None)
    domain = ForeignDomain(name_of(env), limit or -1, found, seeds)
    made = TextVectorEnv(domain, ForeignBackend(domain, make, [env]), lanes, SPLIT, autoreset_mode="Disabled")
    made.spec = env.spec
    return made


def _look_at(env: Env, tasks: int, known: Container[str] | None) -> tuple[dict[str, Task], dict[str, int]]:
    """Return the tasks that the seeds begin, and the seed of each."""
    found: dict[str, Task] = {}
    seeds: dict[str, int] = {}
    name = name_of(env)
    tried = tasks if known is None else _TRIES * tasks
    for seed in range(tried):
        try:
            observation, info = env.reset(seed=seed)
            text = observed_text(env, observation, "a comparison")
            task_id = f"seed/{seed}" if known is None else named_task(info, name, text)
            instruction = said(info, "instruction", text)
        except KeywordError:
            raise
        except (Exception, SystemExit) as error:  # whatever somebody else's environment may raise
            raise KeywordError(
                f"{name} cannot be reset with seed={seed}: {named_error(error)}. A comparison begins every episode "
                "with reset(seed=...), which returns an observation and an info."
            ) from error
        if task_id in found or (known is not None and task_id not in known):
            continue
        found[task_id] = Task(task_id, name, instruction, text, split=SPLIT)
        seeds[task_id] = seed
        if len(found) == tasks:
            break
    if not found:
        raise UnknownTaskError(
            f"None of the seeds 0 to {tried - 1} begins a task of {name} that the other environment knows: let reset "
            'say info["task_id"] as the other one names it.'
        )
    return found, seeds
