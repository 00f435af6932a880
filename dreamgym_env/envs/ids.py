"""The registered environment ids, and the classes behind them."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from gymnasium.vector import AutoresetMode

from dreamgym_env.domains import RECORDED, domain_keywords, load_real, load_real_of, real_keywords
from dreamgym_env.envs.build import build_simulator, dream_keywords
from dreamgym_env.envs.keywords import blame_keywords, check_keywords
from dreamgym_env.envs.text_env import TextEnv
from dreamgym_env.envs.text_vector_env import TextVectorEnv
from dreamgym_env.errors import KeywordError
from dreamgym_env.simulation.anchors import AnchoredBackend
from dreamgym_env.simulation.episode import Backend
from dreamgym_env.types import Domain

__all__ = ["DreamEnv", "DreamVectorEnv", "RealEnv", "RealVectorEnv"]


class DreamEnv(TextEnv):
    """``DreamGym/...``: one episode, answered by a world model grounded in retrieved experience."""

    def __init__(
        self,
        domain: str,
        *,
        split: str = "train",
        render_mode: str | None = None,
        anchor: float = 0.0,
        anchor_settings: Mapping[str, Any] | None = None,
        **settings: Any,
    ) -> None:
        """Create a dream of ``domain``.

        Args:
            domain: name of the domain.
            split: tasks are drawn from it unless ``reset`` is told otherwise.
            render_mode: None, ``"ansi"`` or ``"human"``.
            anchor: probability in [0, 1] that an episode is played in the real environment in place of the dream.  A
                task that the real environment does not have is then an error (ResetOptionError) where it is drawn.
            anchor_settings: keywords of that real environment, such as ALFWorld's ``workers``.
            settings: those of :func:`dreamgym_env.envs.build.build_simulator`.
        """
        built, backend = _dream(DreamEnv, domain, settings, anchor, anchor_settings)
        with _closed_on_error(backend):
            super().__init__(built, backend, split, render_mode)


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
        anchor: float = 0.0,
        anchor_settings: Mapping[str, Any] | None = None,
        **settings: Any,
    ) -> None:
        """Create n dreams of ``domain``; ``anchor``, ``anchor_settings`` and ``settings`` are :class:`DreamEnv`'s."""
        built, backend = _dream(DreamVectorEnv, domain, settings, anchor, anchor_settings)
        with _closed_on_error(backend):
            super().__init__(built, backend, num_envs, split, max_episode_steps, autoreset_mode, render_mode)


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


def _dream(
    env_class: type,
    domain: str,
    settings: dict[str, Any],
    anchor: float,
    anchor_settings: Mapping[str, Any] | None,
) -> tuple[Domain, Backend]:
    check_keywords(env_class, settings, dream_keywords(domain))
    _check_anchor(domain, anchor, anchor_settings, evaluates=bool(settings.get("evaluation")))
    with blame_keywords():
        simulator = build_simulator(domain, **settings)
        if not anchor:
            return simulator.domain, simulator
        with _closed_on_error(simulator):
            real = load_real_of(domain, simulator.domain, **(anchor_settings or {}))
            return simulator.domain, AnchoredBackend(simulator, real, float(anchor))


def _check_anchor(domain: str, anchor: Any, anchor_settings: Any, *, evaluates: bool) -> None:
    """Raise KeywordError unless a dream can have such a share of anchors."""
    is_number = isinstance(anchor, int | float | np.integer | np.floating) and not isinstance(anchor, bool)
    if not is_number or not 0 <= anchor <= 1:
        raise KeywordError(f"anchor takes a share from 0 to 1, such as 0.1, not {anchor!r:.80}.")
    if anchor_settings is not None and not isinstance(anchor_settings, Mapping):
        raise KeywordError(
            f"anchor_settings takes a dictionary of the real environment's keywords, not {anchor_settings!r:.80}."
        )
    if not anchor:
        return
    if domain == RECORDED:
        raise KeywordError(
            "A recorded environment has no anchors: its real one is yours to play. Leave anchor out, or put "
            "dreamgym_env.ShadowReal around the dream and your environment to see how they differ."
        )
    if evaluates:
        raise KeywordError(
            f"evaluation=True and anchor={anchor:g} exclude each other: a dream's figure must not be mixed with real "
            "episodes. Evaluate with anchor=0, or in DreamGymReal/."
        )
    known = real_keywords(domain)
    for name in anchor_settings or ():
        if name not in known:
            raise KeywordError(
                f"The real {domain} has no keyword {name!r:.80} of its own for anchor_settings; it has: "
                f"{', '.join(known)}. The dream's other keywords hold for its anchors too."
            )


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
