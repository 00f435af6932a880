"""SkyRL on dreams and real environments: a ``BaseTextEnv`` (``pip install "dreamgym_env[skyrl]"``).

::

    from dreamgym_env.integrations.skyrl import dataset_rows, register_dream

    register_dream("dreamgym", env_id="DreamGym/WebShop-v0", world_model="embedded")   # where SkyRL's entry point runs
    pandas.DataFrame(dataset_rows("dreamgym", "webshop", "train")).to_parquet("train.parquet")

What ``environment.skyrl_gym.dreamgym`` of SkyRL's configuration says goes before what was registered.  SkyRL makes one
environment an episode and steps them in threads (``environment.skyrl_gym.max_env_workers``); all of a process share one
pool, and those who wait are answered in one batch.  Samples of one prompt begin with the same state.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dreamgym_env.domains import load_domain
from dreamgym_env.envs.episode_pool import shared_pool
from dreamgym_env.errors import ResetOptionError
from dreamgym_env.integrations.conversation import Conversation, Message, task_rows
from dreamgym_env.integrations.requirements import require

VERSIONS = ">=0.3,<0.5"
"""Of skyrl-gym."""
require("skyrl-gym", VERSIONS, "skyrl")

import skyrl_gym  # noqa: E402 - after the check of its version
from skyrl_gym.envs.base_text_env import BaseTextEnv, BaseTextEnvStepOutput  # noqa: E402

__all__ = ["DreamTextEnv", "dataset_rows", "register_dream"]


class DreamTextEnv(BaseTextEnv):
    """One episode: the model's replies in, messages out; reward 1 at success, else 0.

    ``metadata`` is the environment's ``info``; the metrics are ``won``, ``task_score`` and ``well_formed``, the share
    of replies with a readable action.
    """

    def __init__(
        self, env_config: Mapping[str, Any] | None = None, extras: Mapping[str, Any] | None = None, **settings: Any
    ) -> None:
        """Take part in the process's pool; SkyRL calls this.

        Args:
            env_config: settings from SkyRL's configuration.
            extras: the data set's row; ``task_id`` says which task, and ``max_turns`` after how many replies SkyRL
                ends the episode.
            settings: ``env_id`` and those of :func:`~dreamgym_env.envs.episode_pool.open_pool`, as registered.

        Raises:
            ResetOptionError: the row names no task.
            DreamGymError: the environment cannot be made; the message says why.
        """
        super().__init__()
        chosen = {"env_id": "DreamGym/WebShop-v0", **settings, **dict(env_config or {})}
        self._pool = shared_pool(**{str(name): value for name, value in chosen.items()})
        row = dict(extras or {})
        if not isinstance(row.get("task_id"), str):
            raise ResetOptionError("The row names no task: make the data set of dataset_rows(), which adds 'task_id'.")
        self._task_id: str = row["task_id"]
        self.max_turns = int(row.get("max_turns") or 0)
        self._conversation: Conversation | None = None
        self._won, self._score, self._well_formed = False, 0.0, 0

    def init(self, prompt: list[Message]) -> tuple[list[Message], dict[str, Any]]:
        """Begin the episode; the prompt is replaced by the task, its state and what that offers."""
        episode = self._pool.begin(task_id=self._task_id)
        self._conversation = Conversation(self._pool.domain, episode)
        return self._conversation.opening, episode.info

    def step(self, action: str) -> BaseTextEnvStepOutput:
        """Take the action that a reply names.

        Raises:
            ResetOptionError: ``init`` was not called.
            WorldModelError: the world model as a whole cannot answer; the episode is unchanged.
        """
        if self._conversation is None:
            raise ResetOptionError("Call init() before step().")
        heard = self._conversation.reply(action)
        self.turns += 1
        self._won, self._score = heard.info["won"], heard.info["task_score"]
        self._well_formed += heard.info["well_formed"]
        done = heard.done or self.turns == self.max_turns
        return BaseTextEnvStepOutput(
            observations=[] if done else [heard.message], reward=heard.reward, done=done, metadata=heard.info
        )

    def get_metrics(self) -> dict[str, Any]:
        """Return what came of the episode."""
        share = self._well_formed / max(1, self.turns)
        return {"won": float(self._won), "task_score": self._score, "well_formed": share}

    def close(self) -> None:
        """Leave the episode; the pool stays open for the others."""
        self._conversation = None


def register_dream(name: str = "dreamgym", **settings: Any) -> None:
    """Register an environment with SkyRL, in the process that makes them.

    Args:
        name: SkyRL's ``env_class``.
        settings: as of :class:`DreamTextEnv`.

    Raises:
        skyrl_gym.error.RegistrationError: the name is taken.
    """
    skyrl_gym.register(name, f"{__name__}:{DreamTextEnv.__name__}", dict(settings))


def dataset_rows(name: str, domain: str, split: str = "train", n: int | None = None) -> list[dict[str, Any]]:
    """Return the tasks of a split as rows of SkyRL's data sets.

    Args:
        name: under which the environment was registered.
        domain: such as ``"webshop"``.
        split: of the domain.
        n: how many tasks; None for all.

    Raises:
        UnknownDomainError, UnknownTaskError: no such domain or split.
    """
    return [{**row, "env_class": name} for row in task_rows(load_domain(domain), split, n)]
