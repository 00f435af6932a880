"""A dream and its real environment, opened together, and the tasks that both have."""

from __future__ import annotations

import contextlib
import datetime
import platform
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import gymnasium as gym
import numpy as np

from dreamgym_env import __version__
from dreamgym_env.domains import domain_keywords
from dreamgym_env.envs.build import dream_keywords
from dreamgym_env.envs.text_vector_env import TextVectorEnv
from dreamgym_env.errors import ComparisonError, KeywordError
from dreamgym_env.evaluation.environments import environment_id
from dreamgym_env.evaluation.foreign.domain import SPLIT
from dreamgym_env.evaluation.foreign.lanes import foreign_lanes, is_foreign
from dreamgym_env.simulation.simulator import Simulator
from dreamgym_env.types import Domain, Source

__all__ = ["EnvironmentPair", "draw_tasks", "known_keywords", "open_pair", "pair_ids"]

_NONE: Mapping[str, Any] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class EnvironmentPair:
    """Two vector environments that share tasks."""

    dream: TextVectorEnv
    real: TextVectorEnv
    task_ids: list[str]
    split: str
    """Of the tasks; ``"seeds"`` where both are somebody else's environments, whose tasks are seeds of ``reset``."""

    def about(self, seeds: Sequence[int]) -> dict[str, Any]:
        """Return how they are compared, as JSON values: when, on which tasks and seeds, and what the dream knows.

        Args:
            seeds: of agents and environments.
        """
        about: dict[str, Any] = {
            "date": datetime.datetime.now().astimezone().date().isoformat(),
            "machine": platform.machine(),
            "versions": {"dreamgym_env": __version__, "python": platform.python_version()},
            "domain": self.dream.domain.name,
            "split": self.split,
            "tasks": len(self.task_ids),
            "seeds": list(seeds),
        }
        if isinstance(self.dream.backend, Simulator):
            buffer = self.dream.backend.buffer
            counts = {str(source): buffer.count(source) for source in (Source.REAL, Source.DREAM)}
            sources = {source: count for source, count in counts.items() if count}
            about["memories"] = {"transitions": len(buffer), "sources": sources}
        return about


def pair_ids(domain: str | None, dream: str | None, real: str | None) -> tuple[str, str]:
    """Return the ids of both environments: those of a domain, or those that are named.

    Raises:
        ComparisonError: neither a domain nor both ids, or all of them.
        UnknownDomainError: there is no such domain.
    """
    if domain is not None and dream is None and real is None:
        return environment_id(domain, real=False), environment_id(domain, real=True)
    if domain is None and dream is not None and real is not None:
        return dream, real
    raise ComparisonError("Name a domain, such as webshop, or both environments of your own: --sim ID --real ID.")


def known_keywords(env_id: str) -> frozenset[str] | None:
    """Return the keywords that an environment of this library takes; None for one of somebody else's.

    Raises:
        KeywordError: its name begins as this library's do, and it is none of them.
    """
    if is_foreign(env_id):
        return None
    name = env_id.rpartition(":")[2]
    try:
        made_of = gym.spec(name).kwargs["domain"]
    except (gym.error.Error, KeyError) as error:
        ours = ", ".join(sorted(one for one in gym.registry if not is_foreign(one)))
        raise KeywordError(
            f"There is no environment {name!r} in this library; there are: {ours}. Register one of your own under a "
            "name that does not begin with DreamGym or DreamGymReal."
        ) from error
    real = name.startswith("DreamGymReal/")
    return frozenset(domain_keywords(made_of, real=True) if real else dream_keywords(made_of))


@contextlib.contextmanager
def open_pair(
    dream_id: str,
    real_id: str,
    *,
    tasks: int,
    lanes: int,
    split: str,
    dream_settings: Mapping[str, Any] = _NONE,
    real_settings: Mapping[str, Any] = _NONE,
) -> Iterator[EnvironmentPair]:
    """Open both environments, and close them in the end.

    Environments of this library share the tasks of a split.  One of somebody else's is reset with the seeds 0, 1, 2, …:
    beside another such one, the seed is the task; beside a dream of this library, the task is what ``info["task_id"]``
    says, else what :class:`~dreamgym_env.envs.record.RecordTransitions` calls it.

    Args:
        dream_id: of the environment that is judged.
        real_id: of the one that it is judged by; opened first, so that its lack is told at once, but for somebody
            else's beside a dream of this library, whose tasks must be known first.
        tasks: how many are wanted.
        lanes: how many episodes run at once.
        split: of the tasks.
        dream_settings: keywords of ``gymnasium.make_vec``, or of ``gymnasium.make`` for somebody else's environment.
        real_settings: likewise.

    Raises:
        ComparisonError: the two have no tasks in common.
        DreamGymError: an environment cannot be made; the message says why.
    """
    if is_foreign(dream_id) and not is_foreign(real_id):
        raise ComparisonError(f"{dream_id} cannot be judged by {real_id}: it does not know that environment's tasks.")
    with contextlib.ExitStack() as opened:

        def keep(env: TextVectorEnv) -> TextVectorEnv:
            opened.callback(env.close)
            return env

        if not is_foreign(real_id):
            real = keep(_ours(real_id, lanes, split=split, **real_settings))
            dream = keep(_ours(dream_id, lanes, split=split, evaluation=True, **dream_settings))
            wanted, played = _shared(dream.domain, real.domain, split, tasks), split
        elif is_foreign(dream_id):
            real = keep(foreign_lanes(real_id, lanes, tasks, settings=real_settings))
            dream = keep(foreign_lanes(dream_id, lanes, tasks, settings=dream_settings))
            wanted, played = list(real.domain.task_ids(SPLIT)), SPLIT
        else:
            dream = keep(_ours(dream_id, lanes, split=split, evaluation=True, **dream_settings))
            known = frozenset(dream.domain.task_ids(split))
            real = keep(foreign_lanes(real_id, lanes, min(tasks, len(known)), known=known, settings=real_settings))
            wanted, played = list(real.domain.task_ids(SPLIT)), split
        yield EnvironmentPair(dream, real, wanted, played)


def draw_tasks(domain: Domain, split: str, count: int, seed: int = 0) -> list[str]:
    """Return tasks of a split in an order that the seed shuffles; fewer than ``count`` where there are no more."""
    ids = domain.task_ids(split)
    return [ids[at] for at in np.random.default_rng(seed).permutation(len(ids))[:count]]


def _shared(dream: Domain, real: Domain, split: str, count: int) -> list[str]:
    known = set(real.task_ids(split))
    shared = [task_id for task_id in draw_tasks(dream, split, len(known)) if task_id in known]
    if not shared:
        raise ComparisonError(f"{dream.name} and {real.name} have no task of the split {split!r} in common.")
    return shared[:count]


def _ours(env_id: str, lanes: int, **settings: Any) -> TextVectorEnv:
    env = gym.make_vec(env_id, num_envs=lanes, autoreset_mode="Disabled", **settings)
    if not isinstance(env, TextVectorEnv):
        raise KeywordError(f"{env_id} is no environment of this library: register it under a name of your own.")
    return env
