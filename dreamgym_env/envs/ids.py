"""The registered environment ids, and the classes behind them."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

from gymnasium.vector import AutoresetMode

from dreamgym_env.domains import domain_keywords, load_real
from dreamgym_env.envs.build import build_simulator, dream_keywords
from dreamgym_env.envs.keywords import blame_keywords, check_keywords
from dreamgym_env.envs.text_env import TextEnv
from dreamgym_env.envs.text_vector_env import TextVectorEnv
from dreamgym_env.simulation.episode import Backend
from dreamgym_env.simulation.simulator import Simulator
from dreamgym_env.types import Domain

__all__ = ["DreamEnv", "DreamVectorEnv", "RealEnv", "RealVectorEnv"]


class DreamEnv(TextEnv):
    """``DreamGym/...``: one episode, answered by a world model grounded in retrieved experience."""

    def __init__(self, domain: str, *, split: str = "train", render_mode: str | None = None, **settings: Any) -> None:
        """Create a dream of ``domain``; ``settings`` are those of :func:`dreamgym_env.envs.build.build_simulator`."""
        simulator = _dream(DreamEnv, domain, settings)
        with _closed_on_error(simulator):
            super().__init__(simulator.domain, simulator, split, render_mode)


class DreamVectorEnv(TextVectorEnv):
    """``gym.make_vec("DreamGym/...")``: n episodes, one batched model call a step."""

    def __init__(
        self,
        num_envs: int,
        domain: str,
        *,
        split: str = "train",
        max_episode_steps: int | None = None,
        autoreset_mode: str | AutoresetMode = AutoresetMode.NEXT_STEP,
        render_mode: str | None = None,
        **settings: Any,
    ) -> None:
        """Create n dreams of ``domain``; ``settings`` are those of :func:`dreamgym_env.envs.build.build_simulator`."""
        simulator = _dream(DreamVectorEnv, domain, settings)
        with _closed_on_error(simulator):
            super().__init__(
                simulator.domain, simulator, num_envs, split, max_episode_steps, autoreset_mode, render_mode
            )


class RealEnv(TextEnv):
    """``DreamGymReal/...``: one episode in the real environment, with the same texts and actions."""

    def __init__(self, domain: str, *, split: str = "train", render_mode: str | None = None, **settings: Any) -> None:
        """Create the real ``domain``; ``settings`` are those of :func:`dreamgym_env.domains.load_real`."""
        built, backend = _real(RealEnv, domain, settings)
        with _closed_on_error(backend):
            super().__init__(built, backend, split, render_mode)


class RealVectorEnv(TextVectorEnv):
    """``gym.make_vec("DreamGymReal/...")``: n episodes in the real environment."""

    def __init__(
        self,
        num_envs: int,
        domain: str,
        *,
        split: str = "train",
        max_episode_steps: int | None = None,
        autoreset_mode: str | AutoresetMode = AutoresetMode.NEXT_STEP,
        render_mode: str | None = None,
        **settings: Any,
    ) -> None:
        """Create n real environments; ``settings`` are those of :func:`dreamgym_env.domains.load_real`."""
        built, backend = _real(RealVectorEnv, domain, settings)
        with _closed_on_error(backend):
            super().__init__(built, backend, num_envs, split, max_episode_steps, autoreset_mode, render_mode)


def _dream(env_class: type, domain: str, settings: dict[str, Any]) -> Simulator:
    check_keywords(env_class, settings, dream_keywords(domain))
    with blame_keywords():
        return build_simulator(domain, **settings)


def _real(env_class: type, domain: str, settings: dict[str, Any]) -> tuple[Domain, Backend]:
    check_keywords(env_class, settings, domain_keywords(domain, real=True))
    with blame_keywords():
        return load_real(domain, **settings)


@contextlib.contextmanager
def _closed_on_error(backend: Backend) -> Iterator[None]:
    """Close a backend whose environment is not made after all: no lock and no engine may outlive it."""
    try:
        yield
    except BaseException:
        backend.close()
        raise
