"""``ShadowReal`` for single environments."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any, SupportsFloat

import gymnasium as gym
import numpy as np
from gymnasium.error import ResetNeeded
from gymnasium.utils import RecordConstructorArgs

from dreamgym_env.envs.reading import name_of, observed_text, won
from dreamgym_env.envs.text_env import TextEnv
from dreamgym_env.errors import KeywordError, ResetOptionError
from dreamgym_env.shadow.comparison import Comparison, Segment, Step, check_bound
from dreamgym_env.types import StopReason

__all__ = ["OptionsOf", "ShadowReal"]

OptionsOf = Callable[[str, dict[str, Any]], dict[str, Any] | None]
"""From the dream's first observation and info to the ``options`` with which the real ``reset`` begins the same task."""


class ShadowReal(gym.Wrapper[str, str, str, str], RecordConstructorArgs):
    """Lets the real environment run along on the actions of a dream; ``info["shadow"]`` says how they differ.

    ``info["shadow"]`` is a dictionary, after ``reset`` and after each step
    (:class:`~dreamgym_env.shadow.comparison.Comparison` lists what is in it).  The agent sees the dream alone:
    observation, reward, end and every other info are its own, and nothing of them is the real environment's.

    Both begin the same task: a real environment of this library is given the dream's own, or the ``task_id`` in its
    info; any other the same seed and the same options as the dream, unless ``real_options`` says which.  (A ``reset``
    without a seed then draws one for both.)  Infos that name different tasks are an error.

    A real episode whose dream has ended is left where it is.  A dream whose real episode has ended goes on alone, and
    each further step counts as one that differs.  A real engine that fails is reported as ``failure``; nothing is
    counted from then on, and the dream goes on.  What a real environment raises is raised.
    """

    def __init__(
        self,
        env: gym.Env[str, str],
        real: gym.Env[str, str] | str,
        *,
        max_differing_steps: int | None = None,
        real_settings: Mapping[str, Any] | None = None,
        real_options: OptionsOf | None = None,
    ) -> None:
        """Put the real environment beside a dream.

        Args:
            env: the dream, or any environment whose observations and actions are texts; closing this wrapper closes it.
            real: the id of the real environment, which is then made here, without a step limit, and closed with this
                wrapper; or an environment, which stays the caller's to close.
            max_differing_steps: an episode is truncated at the step that makes it so many that have differed, with
                ``info["stop_reason"]`` ``"drift"``; None for never.
            real_settings: keywords with which ``real`` is made of an id.
            real_options: from the dream's first observation and info to the options of the real ``reset``.

        Raises:
            KeywordError: one of them is none of these.
            MissingDependencyError: what the real environment needs is not installed.
        """
        check_bound(max_differing_steps)
        if not isinstance(real, str | gym.Env):
            raise KeywordError(f"real takes the id of an environment, or one, not {type(real).__name__}.")
        if real_settings is not None and not isinstance(real, str):
            raise KeywordError("real_settings are for an id: this real environment is made already.")
        RecordConstructorArgs.__init__(
            self,
            _disable_deepcopy=True,  # an environment is not to be copied
            real=real,
            max_differing_steps=max_differing_steps,
            real_settings=real_settings,
            real_options=real_options,
        )
        super().__init__(env)
        self._owns_real = isinstance(real, str)
        self.real: gym.Env[str, str] = (
            gym.make(real, max_episode_steps=-1, **(real_settings or {})) if isinstance(real, str) else real
        )
        """The real environment."""
        self._env_id = name_of(self.real)
        self._bound, self._real_options = max_differing_steps, real_options
        self._seeds = np.random.default_rng()
        self._comparison: Comparison | None = None
        self._drifted = False
        self._shadow_transitions = 0

    @property
    def real_transitions(self) -> int:
        """How many transitions the real environment has taken: alongside, and in the dream's own anchors."""
        dream = self.env.unwrapped
        return self._shadow_transitions + (dream.real_transitions if isinstance(dream, TextEnv) else 0)

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[str, dict[str, Any]]:
        """Begin an episode in both.

        Raises:
            ResetOptionError: the two begin different tasks, or the real environment has no such task.
            KeywordError: one of the two shows no texts.
        """
        if seed is not None:
            self._seeds = np.random.default_rng(seed)
        common = int(self._seeds.integers(2**31)) if seed is None else seed
        is_told = self._real_options is not None or self._tasks_are_known()
        self._comparison = None
        observation, info = self.env.reset(seed=seed if is_told else common, options=options)
        began = time.perf_counter()
        shown, real_info = self.real.reset(seed=common, options=self._options(observation, info, options))
        seconds = time.perf_counter() - began
        _refuse_other_task(info, real_info)
        self._comparison = Comparison(
            self._env_id, self._segment(info), _text(self.env, observation), _text(self.real, shown), seconds
        )
        self._drifted = False
        return observation, {**info, "shadow": self._comparison.info}

    def step(self, action: str) -> tuple[str, float, bool, bool, dict[str, Any]]:
        """Take an action in both.

        Raises:
            ResetNeeded: no episode is running.
        """
        comparison = self._comparison
        if comparison is None or self._drifted:
            raise ResetNeeded("No episode is running: call reset() before step(), and again after each episode's end.")
        observation, reward, terminated, truncated, info = self.env.step(action)
        dream = _step(_text(self.env, observation), reward, terminated, truncated, info)
        began = time.perf_counter()
        real = None if comparison.ended else self._real_step(action)
        comparison.add(dream, real, 0.0 if real is None else time.perf_counter() - began)
        info = {**info, "shadow": comparison.info}
        is_far = self._bound is not None and comparison.differing >= self._bound
        if is_far and not (terminated or truncated):
            truncated = self._drifted = True
            info["stop_reason"] = str(StopReason.DRIFT)
            if "available_actions" in info:
                info["available_actions"] = ()
        return observation, float(reward), terminated, truncated, info

    def close(self) -> None:
        """Close the dream, and the real environment where it was made of an id."""
        try:
            self.env.close()
        finally:
            if self._owns_real:
                self.real.close()

    def _options(self, observation: str, info: dict[str, Any], options: dict[str, Any] | None) -> dict[str, Any] | None:
        """Return the options with which the real environment begins what the dream has begun."""
        if self._real_options is not None:
            return self._real_options(observation, info)
        dream = self.env.unwrapped
        if self._tasks_are_known() and isinstance(dream, TextEnv) and dream.episode is not None:
            return {"task": dream.episode.task}
        if isinstance(self.real.unwrapped, TextEnv) and isinstance(info.get("task_id"), str):
            return {"task_id": info["task_id"]}
        return options

    def _tasks_are_known(self) -> bool:
        """Return whether both environments are this library's, and of the same domain."""
        dream, real = self.env.unwrapped, self.real.unwrapped
        return isinstance(dream, TextEnv) and isinstance(real, TextEnv) and dream.domain.name == real.domain.name

    def _segment(self, info: dict[str, Any]) -> Segment:
        """Return how states are split: by the domain where both have the same, and else into lines."""
        dream = self.env.unwrapped
        if self._tasks_are_known() and isinstance(dream, TextEnv):
            domain, instruction = dream.domain, str(info["instruction"])
            return lambda state: domain.segment(state, instruction)
        return lambda state: tuple(state.splitlines())

    def _real_step(self, action: str) -> Step:
        shown, reward, terminated, truncated, info = self.real.step(action)
        step = _step(_text(self.real, shown), reward, terminated, truncated, info)
        self._shadow_transitions += not step.failure
        return step


def _text(env: gym.Env[str, str], observation: object) -> str:
    return observed_text(env, observation, "ShadowReal")


def _step(state: str, reward: SupportsFloat, terminated: bool, truncated: bool, info: Mapping[str, Any]) -> Step:
    """Return an answer; a success is an end with ``won``, or without such an entry one with a reward above 0."""
    success = bool(terminated) and won(float(reward), info)
    return Step(state, float(reward), bool(terminated), bool(truncated), success, str(info.get("failure") or ""))


def _refuse_other_task(dream: Mapping[str, Any], real: Mapping[str, Any]) -> None:
    names = [info.get("task_id") for info in (dream, real)]
    if None not in names and names[0] != names[1]:
        raise ResetOptionError(
            f"The real environment begins the task {names[1]!r:.80} beside the dream's {names[0]!r:.80}: tell it which "
            "by real_options=, a function of the dream's first observation and info."
        )
