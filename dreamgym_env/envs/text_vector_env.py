"""n episodes in one batch: the Gymnasium vector environment over any backend."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

import numpy as np
from gymnasium.error import ResetNeeded
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space

from dreamgym_env.envs.info import add_infos, reset_info, step_info
from dreamgym_env.envs.spaces import AnyText
from dreamgym_env.envs.tasks import TaskChoice, TaskSampler, choice_from_options, read_options
from dreamgym_env.envs.text_env import (
    MAX_ACTION_LENGTH,
    MAX_OBSERVATION_LENGTH,
    clean_action,
    is_truncated,
    refuse_closed,
)
from dreamgym_env.errors import ResetOptionError
from dreamgym_env.simulation.episode import Backend, Episode
from dreamgym_env.types import Domain, StopReason, Task

__all__ = ["TextVectorEnv"]

Bools = np.typing.NDArray[np.bool_]
Floats = np.typing.NDArray[np.float64]


class TextVectorEnv(VectorEnv[tuple[str, ...], Sequence[str], np.ndarray]):
    """n text environments that step together: one call of the backend a step.

    Observations: tuple of n texts. Actions: n texts. Lane i with seed s behaves as one :class:`TextEnv` with seed
    s + i. ``reset(options=)`` takes, beside those of :class:`TextEnv`, lists of n of them, ``group_size`` G (lanes
    0..G-1 play the same task, G..2G-1 the next, ...; n must be a multiple of G) and ``reset_mask`` (bool array of
    shape (n,): only these lanes are reset). Options hold for automatic resets too, until the next ``reset``.
    """

    def __init__(
        self,
        domain: Domain,
        backend: Backend,
        num_envs: int,
        split: str = "train",
        max_episode_steps: int | None = None,
        autoreset_mode: str | AutoresetMode = AutoresetMode.NEXT_STEP,
        render_mode: str | None = None,
    ) -> None:
        """Create the environment.

        Args:
            domain: where tasks come from.
            backend: what advances episodes; the environment owns it and closes it.
            num_envs: n, at least 1.
            split: tasks are drawn from it unless ``reset`` is told otherwise.
            max_episode_steps: actions after which an episode is truncated; None for the domain's own number, -1 for
                never (as in ``gymnasium.make``).
            autoreset_mode: ``"NextStep"``, ``"SameStep"`` or ``"Disabled"``.
            render_mode: must be None; a batch is not rendered.

        Raises:
            UnknownTaskError: no such split.
            ValueError: ``num_envs``, ``max_episode_steps``, ``autoreset_mode`` or ``render_mode`` is none of these.
        """
        if num_envs < 1:
            raise ValueError(f"num_envs must be at least 1, not {num_envs}.")
        if render_mode is not None:
            raise ValueError("A vector environment is not rendered; use gymnasium.make(id, render_mode=...).")
        self.domain = domain
        self.backend = backend
        self.num_envs = num_envs
        self.step_limit = _step_limit(domain.max_episode_steps if max_episode_steps is None else max_episode_steps)
        self.autoreset_mode = AutoresetMode(autoreset_mode)
        self.metadata = {"render_modes": [], "autoreset_mode": self.autoreset_mode}
        self.render_mode = None
        self.single_observation_space = AnyText(MAX_OBSERVATION_LENGTH)
        self.single_action_space = AnyText(MAX_ACTION_LENGTH)
        self.observation_space = batch_space(self.single_observation_space, num_envs)
        self.action_space = batch_space(self.single_action_space, num_envs)
        self._sampler = TaskSampler(domain, split)
        self._choices = [TaskChoice()] * num_envs
        self._group_size = 1
        self._rngs = [np.random.default_rng() for _ in range(num_envs)]
        self._episodes: list[Episode | None] = [None] * num_envs

    def reset(
        self,
        *,
        seed: int | Sequence[int | None] | None = None,
        options: dict[str, Any] | None = None,
    ) -> tuple[tuple[str, ...], dict[str, Any]]:
        """Begin episodes in all lanes, or in those of ``options["reset_mask"]``.

        Returns:
            Observations of all lanes; infos of those that were reset.

        Raises:
            UnknownTaskError: no such task or split.
            ResetOptionError: an unknown option, one of the wrong type or length, or a task whose goal cannot be
                checked.  All lanes are then unchanged.
            ClosedEnvironmentError: the environment was closed.
        """
        refuse_closed(self.closed)
        options = read_options(options)
        mask = options.pop("reset_mask", None)
        group_size = self._read_group_size(options.pop("group_size", None), partial=mask is not None)
        choices = self._read_choices(options)
        seeds = self._read_seeds(seed)
        lanes = self._masked_lanes(mask)
        rngs = self._generators(lanes, seeds, group_size, partial=mask is not None)
        drawn = [self._sampler.draw(choices[lane], rngs[lane], lane % group_size) for lane in lanes]
        infos: dict[str, Any] = {}
        self._begin(lanes, drawn, infos)
        self._group_size = group_size  # nothing is refused from here on
        for lane in lanes:
            self._choices[lane], self._rngs[lane] = choices[lane], rngs[lane]
        return self._observations(), infos

    def step(self, actions: Sequence[str]) -> tuple[tuple[str, ...], Floats, Bools, Bools, dict[str, Any]]:
        """Take one action in each lane.

        A lane that ended in the step before ignores its action and begins anew (``NextStep``), or the call is refused
        (``Disabled``); in ``SameStep`` a lane that ends begins anew at once, and ``infos["final_obs"]`` and
        ``infos["final_info"]`` keep its last observation and info.

        Raises:
            InvalidActionError: an action is not a text.
            ResetNeeded: a lane has no episode.
            ClosedEnvironmentError: the environment was closed.
            WorldModelError: the world model as a whole cannot answer; all lanes are unchanged.
        """
        refuse_closed(self.closed)
        if isinstance(actions, str) or not isinstance(actions, Sequence | np.ndarray) or len(actions) != self.num_envs:
            raise ValueError(f"step takes a sequence of {self.num_envs} actions, one for each environment.")
        running, ended = self._lanes()
        cleaned = [clean_action(actions[lane]) for lane in running]
        episodes = [episode for lane in running if (episode := self._episodes[lane]) is not None]
        outcomes = self.backend.advance(episodes, cleaned, self.step_limit)

        rewards = np.zeros(self.num_envs)
        terminations, truncations = (np.zeros(self.num_envs, dtype=np.bool_) for _ in range(2))
        rewards[running] = [outcome.transition.reward for outcome in outcomes]
        terminations[running] = [outcome.transition.terminated for outcome in outcomes]
        # as TimeLimit does it: the last step truncates even where it also ends the episode
        at_limit = [self.step_limit is not None and episode.step >= self.step_limit for episode in episodes]
        truncations[running] = [is_truncated(o.stop) or last for o, last in zip(outcomes, at_limit, strict=True)]
        rows = {
            lane: step_info(self.backend, episode, outcome)
            for lane, episode, outcome in zip(running, episodes, outcomes, strict=True)
        }
        infos: dict[str, Any] = {}
        if self.autoreset_mode is AutoresetMode.SAME_STEP:
            finished = [lane for lane in running if terminations[lane] or truncations[lane]]
            self._add_final(infos, finished, [rows.pop(lane) for lane in finished])
            ended = [*ended, *finished]
        add_infos(infos, list(rows), list(rows.values()), self.num_envs)
        drawn = [self._sampler.draw(self._choices[lane], self._rngs[lane], lane % self._group_size) for lane in ended]
        self._begin(ended, drawn, infos)
        return self._observations(), rewards, terminations, truncations, infos

    def close_extras(self, **kwargs: Any) -> None:
        """Close the backend."""
        self.backend.close()

    def _add_final(self, infos: dict[str, Any], lanes: list[int], rows: list[dict[str, Any]]) -> None:
        """Keep the last observations and infos of lanes that are about to begin anew."""
        if lanes:
            seen = self._observations()
            add_infos(infos, lanes, [{"final_obs": seen[lane], "final_info": None} for lane in lanes], self.num_envs)
            infos["final_info"] = {}
            add_infos(infos["final_info"], lanes, rows, self.num_envs)

    def _begin(self, lanes: list[int], drawn: Sequence[tuple[Task, int]], infos: dict[str, Any]) -> None:
        """Begin an episode of a task with a seed in each of the lanes and add their infos."""
        episodes = self.backend.begin([task for task, _ in drawn], [seed for _, seed in drawn])
        for lane, episode in zip(lanes, episodes, strict=True):
            self._episodes[lane] = episode
        add_infos(infos, lanes, [reset_info(self.backend, episode) for episode in episodes], self.num_envs)

    def _lanes(self) -> tuple[list[int], list[int]]:
        """Return the lanes that run, and those to begin anew."""
        running: list[int] = []
        ended: list[int] = []
        for lane, episode in enumerate(self._episodes):
            if episode is None:
                raise ResetNeeded("Call reset() before step().")
            (running if episode.stop is StopReason.RUNNING else ended).append(lane)
        if ended and self.autoreset_mode is AutoresetMode.DISABLED:
            raise ResetNeeded(
                f"The episodes of lanes {ended[:10]} have ended: call reset(options={{'reset_mask': mask}}) for them."
            )
        return running, ended

    def _observations(self) -> tuple[str, ...]:
        return tuple(episode.state if episode is not None else "" for episode in self._episodes)

    def _generators(
        self, lanes: Sequence[int], seeds: Sequence[int | None], group_size: int, *, partial: bool
    ) -> dict[int, np.random.Generator]:
        """Return new generators for the lanes of a reset; members of a group get equal ones, to draw the same tasks."""
        generators = {}
        for lane in lanes:
            leader = lane - lane % group_size
            if seeds[leader] is not None:
                generators[lane] = np.random.default_rng(seeds[leader])
                continue
            regrouped = group_size != self._group_size
            generator = copy.deepcopy(self._rngs[lane if partial and not regrouped else leader])
            if regrouped:  # lanes that were one group draw alike: tell the new groups apart
                generator = np.random.default_rng([int(generator.integers(2**63)), leader])
            generators[lane] = generator
        return generators

    def _masked_lanes(self, mask: Any) -> list[int]:
        if mask is None:
            return list(range(self.num_envs))
        if not isinstance(mask, np.ndarray) or mask.dtype != np.bool_ or mask.shape != (self.num_envs,):
            raise ResetOptionError(f"reset_mask must be a bool array of shape ({self.num_envs},).")
        if not mask.any():
            raise ResetOptionError("reset_mask must select at least one environment.")
        return [int(lane) for lane in np.flatnonzero(mask)]

    def _read_group_size(self, value: Any, *, partial: bool) -> int:
        if value is None:
            return self._group_size if partial else 1
        whole = isinstance(value, int | np.integer) and not isinstance(value, bool)
        if not whole or value < 1 or self.num_envs % value:
            raise ResetOptionError(f"group_size must be a number that divides num_envs={self.num_envs}, not {value!r}.")
        return int(value)

    def _read_choices(self, options: dict[str, Any]) -> list[TaskChoice]:
        lists = {name: list(value) for name, value in options.items() if isinstance(value, list | tuple | np.ndarray)}
        for name, value in lists.items():
            if len(value) != self.num_envs:
                raise ResetOptionError(f"The option {name!r} has {len(value)} values for {self.num_envs} environments.")
        return [
            choice_from_options({**options, **{name: value[lane] for name, value in lists.items()}})
            for lane in range(self.num_envs)
        ]

    def _read_seeds(self, seed: int | Sequence[int | None] | None) -> list[int | None]:
        if seed is None:
            return [None] * self.num_envs
        if isinstance(seed, (int, np.integer)):
            return [int(seed) + lane for lane in range(self.num_envs)]
        if len(seed) != self.num_envs:
            raise ValueError(f"{len(seed)} seeds were given for {self.num_envs} environments.")
        return list(seed)


def _step_limit(value: int) -> int | None:
    """Return a limit as backends take it. Raises ValueError."""
    if isinstance(value, bool) or not isinstance(value, int) or (value < 1 and value != -1):
        raise ValueError(f"max_episode_steps must be a whole number of at least 1, or -1 for no limit, not {value!r}.")
    return None if value == -1 else value
