"""From a domain's name to the ids of its dream and of its real environment."""

from __future__ import annotations

from typing import Any

import gymnasium as gym

from dreamgym_env.domains import RECORDED
from dreamgym_env.envs.registration import BENCHMARKS, RECORDED_ID
from dreamgym_env.envs.text_vector_env import TextVectorEnv
from dreamgym_env.errors import UnknownDomainError

__all__ = ["environment_id", "make_lanes"]


def environment_id(domain: str, *, real: bool) -> str:
    """Return ``"DreamGym/..."``, or ``"DreamGymReal/..."`` of the same domain. Raises UnknownDomainError."""
    if domain == RECORDED:
        if real:
            raise UnknownDomainError("A recorded environment is only dreamt here: its real one is yours to play.")
        return RECORDED_ID
    names = {known: name for name, (known, _) in BENCHMARKS.items()}
    if domain not in names:
        raise UnknownDomainError(f"There is no domain {domain!r}; there are: {', '.join(sorted(names))}.")
    return f"{'DreamGymReal' if real else 'DreamGym'}/{names[domain]}"


def make_lanes(domain: str, lanes: int, *, real: bool, **settings: Any) -> TextVectorEnv:
    """Make a vector environment for rollouts.

    Args:
        domain: name of the domain.
        lanes: how many episodes run at once.
        real: the real environment, or the dream.
        settings: keywords of ``gymnasium.make_vec``, such as ``world_model`` or ``products``.

    Raises:
        UnknownDomainError: there is no such domain.
        DreamGymError: the environment cannot be made; the message says why.
    """
    env = gym.make_vec(environment_id(domain, real=real), num_envs=lanes, **settings)
    assert isinstance(env, TextVectorEnv)
    return env
