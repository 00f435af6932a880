"""Environments as tools: what TRL's ``environment_factory`` makes, one for each rollout, all in one dream.

TRL calls the tools of a batch one after another, so each call is a batch of one for the world model.  Where that is
what takes the time, train with a :class:`~dreamgym_env.integrations.trl.rollout.TextRollout`, which asks once a turn
for all; tools are for models that were taught to call them.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium.wrappers import TimeLimit

from dreamgym_env.envs.text_env import TextEnv
from dreamgym_env.envs.text_vector_env import TextVectorEnv
from dreamgym_env.errors import KeywordError, TrainingError
from dreamgym_env.evaluation.thinking import PromptBounds, shown_state
from dreamgym_env.types import Domain

__all__ = ["EnvironmentFactory", "ShopTools", "TextTools"]


class EnvironmentFactory:
    """Makes environments of one dream; hand it to ``GRPOTrainer(environment_factory=...)``.

    They share the world model and the replay buffer.  Of WebShop they are :class:`ShopTools`, of all other domains
    :class:`TextTools`.  The reward is theirs: ``reward_funcs`` can be left out.
    """

    def __init__(
        self,
        env_id: str,
        *,
        max_episode_steps: int | None = None,
        bounds: PromptBounds | None = None,
        seed: int = 0,
        **settings: Any,
    ) -> None:
        """Make the dream.

        Args:
            env_id: ``DreamGym/...``, or ``DreamGymReal/...`` for the real one.
            max_episode_steps: calls of tools after which an episode is truncated; None for the domain's own number.
            bounds: how much of a state is shown.
            seed: of the episodes.
            settings: those of ``gymnasium.make_vec``, such as ``world_model`` and ``buffer``.

        Raises:
            KeywordError: a keyword that nobody knows, or ``anchor``.
            DreamGymError: the environment cannot be made; the message says why.
        """
        if "anchor" in settings:
            raise KeywordError(
                "Anchors are whole groups, and tools do not know of groups: use make_rollout_func(..., anchor=...)."
            )
        made = gym.make_vec(env_id, num_envs=1, **settings).unwrapped
        assert isinstance(made, TextVectorEnv)
        self._shared = made
        self._limit = max_episode_steps or made.domain.max_episode_steps
        self._bounds = bounds or PromptBounds()
        self._rng = np.random.default_rng(seed)

    @property
    def domain(self) -> Domain:
        """What is played: ``make_dataset(factory.domain)`` has its tasks."""
        return self._shared.domain

    def __call__(self) -> _Tools:
        """Make one more environment."""
        lane = TimeLimit(TextEnv(self.domain, self._shared.backend), self._limit)
        kind = _TOOLS.get(self.domain.name, TextTools)
        return kind(lane, self._bounds, np.random.default_rng(int(self._rng.integers(2**63))))

    def close(self) -> None:
        """Close the dream."""
        self._shared.close()


class _Tools:
    """An episode that is played by calling tools; public methods of subclasses are the tools."""

    def __init__(self, lane: gym.Env[str, str], bounds: PromptBounds, rng: np.random.Generator) -> None:
        self._lane, self._bounds, self._rng = lane, bounds, rng
        self._running = False
        self._return: float | None = None
        self.info: dict[str, Any] = {}
        """Of the latest step, as in Gymnasium; reward functions find it in ``environments``."""

    def reset(self, task_id: str = "", **row: Any) -> str:
        """Begin an episode; TRL calls it with a row of ``make_dataset``.

        Returns:
            What TRL puts after the row's prompt: the rules, the first state and what it offers.

        Raises:
            TrainingError: the row names no task.
            UnknownTaskError: there is no such task.
        """
        if not task_id:
            raise TrainingError("A row names no task: train on the rows of make_dataset(), which have a 'task_id'.")
        options = {"task_id": task_id}
        state, self.info = self._lane.reset(seed=int(self._rng.integers(2**31)), options=options)
        self._running, self._return = True, 0.0
        rules = self._lane.unwrapped.domain.rules  # type: ignore[attr-defined]
        return f"\n\n# How this environment behaves\n{rules}\n\n{self._shown(state)}"

    def get_reward(self) -> float | None:
        """Return the episode's return: 1 at success, else 0, None where the environment gave no verdict."""
        return None if self.info.get("failure") else self._return

    def _take(self, action: str) -> str:
        """Return what comes of an action. Raises ValueError, which TRL tells the model, after the episode's end."""
        if not self._running:
            raise ValueError("The episode has ended: call no more tools.")
        state, reward, terminated, truncated, self.info = self._lane.step(action)
        self._return = (self._return or 0.0) + float(reward)
        self._running = not (terminated or truncated)
        return self._shown(state) if self._running else f"{self._shown(state)}\n\nThe episode has ended."

    def _shown(self, state: str) -> str:
        return shown_state(state, self.info["available_actions"], self._bounds)


class ShopTools(_Tools):
    """WebShop by its two tools."""

    def search(self, keywords: str) -> str:
        """Search the shop; only a page with a search bar offers that.

        Args:
            keywords: What to search for.

        Returns:
            The page that comes next.
        """
        return self._take(f"search[{keywords}]")

    def click(self, element: str) -> str:
        """Click on a button, a link, a product or an option of the page.

        Args:
            element: The text of the element, as the page shows it.

        Returns:
            The page that comes next.
        """
        return self._take(f"click[{element}]")


class TextTools(_Tools):
    """Any other domain by one tool."""

    def act(self, action: str) -> str:
        """Take an action in the environment.

        Args:
            action: The action, exactly as it is typed.

        Returns:
            What the environment shows then.
        """
        return self._take(action)


_TOOLS: Mapping[str, type[_Tools]] = MappingProxyType({"webshop": ShopTools})
"""Domains with tools of their own."""
