"""verl-agent (the fork of verl with GiGPO) on dreams and real environments: its environment manager.

In verl-agent's ``main_ppo.py``, in place of its own ``make_envs``::

    from dreamgym_env.integrations.verl_agent import make_envs

    envs, val_envs = make_envs(config, "DreamGym/WebShop-v0", world_model="vllm:Qwen/Qwen2.5-7B-Instruct")

All episodes of a batch step together: the world model is asked once a step, for those that run.  The members of a group
(``config.env.rollout.n``) begin with the same state.  A prompt has the history in it, and a reply ends with
``Action: ...`` (:mod:`dreamgym_env.evaluation.thinking`).  The reward is 1 at success, else 0.  The manager has the
methods that verl-agent's rollout calls and imports nothing of it, as it is on no package index.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import gymnasium as gym
import numpy as np

from dreamgym_env.envs.text_vector_env import TextVectorEnv
from dreamgym_env.errors import KeywordError, ResetOptionError
from dreamgym_env.evaluation.thinking import PromptBounds, agent_prompt, read_reply
from dreamgym_env.types import Turn

__all__ = ["DreamEnvironmentManager", "make_envs"]

Infos = dict[str, Any]
Observations = dict[str, Any]
"""``text``: n prompts; ``image``: None; ``anchor``: n states, by which GiGPO finds equal ones."""


class DreamEnvironmentManager:
    """n episodes, as verl-agent's ``TrajectoryCollector`` plays them."""

    def __init__(
        self, envs: TextVectorEnv, *, group_n: int = 1, seed: int | None = None, same_tasks: bool = False
    ) -> None:
        """Take over a vector environment of ``autoreset_mode="Disabled"``; closing this closes it.

        ``group_n`` neighbours begin with the same state.  ``seed`` is that of the first ``reset``, and of all with
        ``same_tasks``, as in a validation.
        """
        if envs.autoreset_mode is not gym.vector.AutoresetMode.DISABLED:
            raise KeywordError("verl-agent resets by itself: make the environment with autoreset_mode='Disabled'.")
        self.envs = envs
        self._group_n, self._seed, self._same_tasks = group_n, seed, same_tasks
        self._histories: list[list[Turn]] = []
        self._states: list[str] = []
        self._infos: list[Infos] = []
        self._dones = np.zeros(envs.num_envs, dtype=np.bool_)

    def reset(self, kwargs: Sequence[Mapping[str, Any]] | None = None) -> tuple[Observations, list[Infos]]:
        """Begin n episodes, of the ``task_id`` of n ``env_kwargs`` or of tasks that are drawn.

        Raises ResetOptionError for ``env_kwargs`` that are not n or name no task.
        """
        options: dict[str, Any] = {"group_size": self._group_n}
        if kwargs is not None:
            if not all(isinstance(row, Mapping) and "task_id" in row for row in kwargs):
                raise ResetOptionError("Each row's env_kwargs must name a task, such as {'task_id': 'webshop/test/3'}.")
            options["task_id"] = [row["task_id"] for row in kwargs]
        states, infos = self.envs.reset(seed=self._seed, options=options)
        if not self._same_tasks:
            self._seed = None
        self._states, self._infos = list(states), [_row(infos, at) for at in range(len(states))]
        self._histories = [[] for _ in states]
        self._dones = np.zeros(len(states), dtype=np.bool_)
        return self._observations(), list(self._infos)

    def step(self, text_actions: Sequence[str]) -> tuple[Observations, np.ndarray, np.ndarray, list[Infos]]:
        """Take the actions that n replies name; those of episodes that have ended are ignored.

        Returns observations, rewards, dones and infos, whose ``is_action_valid`` says whether the reply had a readable
        action.  Raises WorldModelError where the world model as a whole cannot answer.
        """
        replies = [read_reply(text, self.envs.domain.parse_action) for text in text_actions]
        rewards = np.zeros(self.envs.num_envs, dtype=np.float32)
        running = np.flatnonzero(~self._dones).tolist()
        if running:
            self.envs.send([replies[at].action for at in running], running)
            states, paid, terminations, truncations, infos = self.envs.recv(len(running))
            rewards[running], self._dones[running] = paid, terminations | truncations
            for place, at in enumerate(running):
                self._histories[at].append(Turn(self._states[at], replies[at].action))
                self._states[at] = states[place]
                valid = np.array(replies[at].well_formed)
                self._infos[at] = {**_row(infos, place), "is_action_valid": valid}
        return self._observations(), rewards, self._dones.copy(), list(self._infos)

    def build_text_obs(self) -> list[str]:
        """Return the n prompts of the present states."""
        told = []
        for info, history, state in zip(self._infos, self._histories, self._states, strict=True):
            offered = info["available_actions"]
            prompt = agent_prompt(self.envs.domain, info["instruction"], history, state, offered, PromptBounds())
            told.append(f"{prompt.system}\n\n{prompt.user}")
        return told

    def success_evaluator(
        self, *, total_infos: list[list[Infos]], total_batch_list: list[list[Infos]], **kwargs: Any
    ) -> dict[str, np.ndarray]:
        """Return ``success_rate`` and ``task_score`` of n episodes, by the last info of each in which it ran."""
        last = [
            [info for info, item in zip(infos, items, strict=True) if item["active_masks"]][-1]
            for infos, items in zip(total_infos, total_batch_list, strict=True)
        ]
        names = {"success_rate": "won", "task_score": "task_score"}
        return {name: np.array([float(info[key]) for info in last]) for name, key in names.items()}

    def close(self) -> None:
        """Close the environment."""
        self.envs.close()

    def _observations(self) -> Observations:
        return {"text": self.build_text_obs(), "image": None, "anchor": list(self._states)}


def make_envs(
    config: Any, env_id: str, val_env_id: str | None = None, **settings: Any
) -> tuple[DreamEnvironmentManager, DreamEnvironmentManager]:
    """Make the environments of training and of validation, in the sizes that verl-agent's ``config`` says.

    ``settings`` are the training environment's, as of ``gymnasium.make_vec``, which says what is raised.  Validation is
    in the real environment unless ``val_env_id`` says otherwise, for a dream's success is no result.
    """
    real = val_env_id or env_id.replace("DreamGym/", "DreamGymReal/")
    steps, seed, group_n = int(config.env.max_steps), int(config.env.seed), max(1, int(config.env.rollout.n))

    def make(name: str, episodes: int, **options: Any) -> TextVectorEnv:
        made = gym.make_vec(name, episodes, max_episode_steps=steps, autoreset_mode="Disabled", **options)
        assert isinstance(made.unwrapped, TextVectorEnv)
        return made.unwrapped

    envs = make(env_id, int(config.data.train_batch_size) * group_n, **{"split": "train", **settings})
    try:
        val_envs = make(real, int(config.data.val_batch_size), split="test")
    except BaseException:
        envs.close()  # an engine must not outlive an environment that was never made
        raise
    val_manager = DreamEnvironmentManager(val_envs, seed=seed + 1000, same_tasks=True)
    return DreamEnvironmentManager(envs, group_n=group_n, seed=seed), val_manager


def _row(infos: Mapping[str, Any], at: int) -> Infos:
    """Return one lane's info."""
    return {key: infos[key][at] for key in infos if f"_{key}" in infos and infos[f"_{key}"][at]}
