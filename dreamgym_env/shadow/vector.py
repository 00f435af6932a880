"""``ShadowReal`` for vector environments."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium.vector import VectorEnv, VectorWrapper

from dreamgym_env.envs.text_vector_env import TextVectorEnv
from dreamgym_env.errors import KeywordError
from dreamgym_env.shadow.backend import ShadowedBackend
from dreamgym_env.shadow.comparison import check_bound

__all__ = ["ShadowRealVector"]

_Texts = tuple[str, ...]


class ShadowRealVector(VectorWrapper[_Texts, Sequence[str], _Texts, Sequence[str], np.ndarray]):
    """Lets the real environment run along with each lane of a dream; ``infos["shadow"]`` says how they differ.

    ``infos["shadow"]`` is a dictionary of arrays (:class:`~dreamgym_env.shadow.comparison.Comparison` lists them),
    and ``infos["_shadow"]`` says which lanes have it; under ``SameStep`` that of an episode's last step is in
    ``infos["final_info"]["shadow"]``.  The agent sees the dream alone: observations, rewards and ends are its own.

    All real episodes are asked in one batch, and only those of lanes that moved.  Each begins with its dream's task
    and seed.  They have no step limit of their own; a real episode whose dream has ended is left, and a dream whose
    real episode has ended goes on alone.  ``send`` and ``recv`` of ``unwrapped`` are accompanied as well.

    It takes vector environments of this library.  For others put a :class:`~dreamgym_env.ShadowReal` around each
    environment of a ``gymnasium.vector.SyncVectorEnv``; its infos then look the same.
    """

    def __init__(
        self,
        env: VectorEnv[_Texts, Sequence[str], np.ndarray],
        real: TextVectorEnv | str,
        *,
        max_differing_steps: int | None = None,
        real_settings: Mapping[str, Any] | None = None,
    ) -> None:
        """Put the real environment beside a dream, before its first ``reset``.

        Args:
            env: a ``DreamGym/...`` vector environment; closing this wrapper closes it.
            real: the id of a real environment, which is made here and closed with this wrapper; or an environment,
                which stays the caller's to close, and whose own episodes are left alone.
            max_differing_steps: an episode is truncated at the step that makes it so many that have differed, with
                ``stop_reason`` ``"drift"``; None for never.
            real_settings: keywords with which ``real`` is made of an id.

        Raises:
            KeywordError: one of them is none of these, or the two play different domains.
            MissingDependencyError: what the real environment needs is not installed.
            ValueError: episodes of the dream have begun.
        """
        check_bound(max_differing_steps)
        super().__init__(env)
        dream = _of_this_library(env, "env")
        other, close = _made(real, env.num_envs, real_settings)
        try:
            if other.domain.name != dream.domain.name:
                raise KeywordError(
                    f"The dream is of the domain {dream.domain.name!r}, and real plays {other.domain.name!r}: name the "
                    "real environment of the same domain."
                )
            env_id = other.spec.id if other.spec is not None else type(other).__name__
            self._shadowed = ShadowedBackend(
                dream.backend, other.backend, dream.domain, env_id, max_differing_steps, close
            )
            dream.install(self._shadowed)
        except BaseException:
            close()
            raise

    @property
    def real_transitions(self) -> int:
        """How many transitions the real environment has taken: alongside, and in the dream's own anchors."""
        return self._shadowed.real_transitions + _of_this_library(self.env, "env").real_transitions


def _of_this_library(env: Any, keyword: str) -> TextVectorEnv:
    base = env.unwrapped if isinstance(env, VectorEnv) else env
    if not isinstance(base, TextVectorEnv):
        raise KeywordError(
            f"{keyword} must be a vector environment of this library, not {type(base).__name__}. For others put a "
            "ShadowReal around each environment: SyncVectorEnv([lambda: ShadowReal(dream(), real=real()), ...])."
        )
    return base


def _made(
    real: TextVectorEnv | str, num_envs: int, settings: Mapping[str, Any] | None
) -> tuple[TextVectorEnv, Callable[[], None]]:
    """Return the real environment, and what closes it where it is the wrapper's own."""
    if not isinstance(real, str):
        if settings is not None:
            raise KeywordError("real_settings are for an id: this real environment is made already.")
        return _of_this_library(real, "real"), lambda: None
    made = gym.make_vec(real, num_envs=num_envs, **(settings or {}))
    try:
        return _of_this_library(made, "real"), made.close
    except KeywordError:
        made.close()
        raise
