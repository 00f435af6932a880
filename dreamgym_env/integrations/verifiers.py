"""verifiers on dreams and real environments (``pip install "dreamgym_env[verifiers]"``): tasks, rollout, harness.

The plugin's id is ``dreamgym-verifiers``, on command lines as in Python::

    env = vf.load_environment(DreamEnvConfig(taskset={"id": "dreamgym-verifiers", "env_id": "DreamGym/WebShop-v0"}))

A rollout is a conversation: the environment is the user.  All rollouts of a worker share one pool, and those who wait
are answered in one batch.  The reward ``success`` is 1 or 0; ``task_score`` and ``well_formed`` (the share of replies
with a readable action) are metrics.  The harness asks the model from the worker's own process, no program is started.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import gymnasium as gym

from dreamgym_env.domains import domain_keywords, load_domain
from dreamgym_env.envs.episode_pool import EpisodePool, open_pool
from dreamgym_env.evaluation.thinking import PromptBounds, agent_prompt
from dreamgym_env.integrations.conversation import Conversation, task_rows
from dreamgym_env.integrations.requirements import require

VERSIONS = ">=0.4,<0.5"
"""Of verifiers: earlier ones have another interface."""
require("verifiers", VERSIONS, "verifiers")

import httpx  # noqa: E402 - after the check of versions
import verifiers.v1 as vf  # noqa: E402
from verifiers.v1.dialects.chat import message_to_wire  # noqa: E402

__all__ = ["DreamEnv", "DreamEnvConfig", "DreamHarness", "DreamTaskset", "DreamTasksetConfig"]


class DreamTasksetConfig(vf.TasksetConfig):
    """Which environment, and which of its tasks."""

    env_id: str = "DreamGym/WebShop-v0"
    split: str = "train"
    tasks: int | None = None
    """The first so many; None for all."""
    settings: dict[str, Any] = {}  # noqa: RUF012 - pydantic copies it
    """Those of :func:`~dreamgym_env.envs.episode_pool.open_pool`, such as ``world_model`` and ``buffer``."""


class DreamTaskData(vf.TaskData):
    """A task; its ``id`` is the library's."""

    instruction: str


class DreamTask(vf.Task[DreamTaskData]):
    """What verifiers knows of a task; the environment opens the conversation."""

    @property
    def key(self) -> str:
        """The task's id."""
        return str(self.data.id)


class DreamTaskset(vf.Taskset[DreamTask, DreamTasksetConfig]):
    """The tasks of a split."""

    def load(self) -> Iterator[DreamTask]:
        """Yield them in their order. Raises UnknownTaskError for a split that is none."""
        config = self.config
        name = gym.spec(config.env_id).kwargs["domain"]
        known = domain_keywords(name, real=config.env_id.startswith("DreamGymReal/"))
        domain = load_domain(name, **{key: value for key, value in config.settings.items() if key in known})
        system = agent_prompt(domain, "", (), "", (), PromptBounds()).system
        for row in task_rows(domain, config.split, config.tasks):
            told = {"id": row["task_id"], "name": row["task_id"], "instruction": row["instruction"]}
            yield DreamTask(DreamTaskData(system_prompt=system, **told), config.task)


class DreamEnvConfig(vf.EnvConfig):
    """One agent; its model is asked from this process, so no sandbox is rented."""

    agent: vf.AgentConfig = vf.AgentConfig(runtime=vf.SubprocessConfig())


class DreamEnv(vf.Env[DreamEnvConfig]):
    """Episodes of one environment, which the worker opens when it starts to serve."""

    _pool: EpisodePool | None = None

    async def start(self) -> None:
        """Open the environment. Raises DreamGymError: it cannot be made; the message says why."""
        config = self.taskset.config
        self._pool = await asyncio.to_thread(open_pool, config.env_id, split=config.split, **config.settings)

    async def stop(self) -> None:
        """Close it."""
        if self._pool is not None:
            await asyncio.to_thread(self._pool.close)

    async def run(self, task: DreamTask, agents: vf.Agents) -> None:
        """Play an episode; what is raised here is recorded on verifiers' episode."""
        assert self._pool is not None
        conversation = Conversation(self._pool.domain, await self._pool.begin_async(task_id=task.key))
        info: dict[str, Any] = {"won": False, "task_score": 0.0}
        replies = well_formed = 0
        async with agents.agent.interaction(task) as interaction:
            segment = await interaction.turn(conversation.opening[-1]["content"])
            while not segment.terminated:
                heard = await conversation.reply_async(segment.last_reply)
                info, replies = heard.info, replies + 1
                well_formed += heard.info["well_formed"]
                if heard.done:
                    break
                segment = await interaction.turn(heard.message["content"])
        interaction.trace.record_reward("success", float(info["won"]))
        metrics = {"task_score": info["task_score"], "well_formed": well_formed / max(1, replies)}
        interaction.trace.record_metrics(metrics)


class DreamHarness(vf.Harness[vf.HarnessConfig]):
    """Asks the model for one reply a turn, in this process: no program is started for it."""

    APPENDS_SYSTEM_PROMPT = True
    SUPPORTS_RESUME = True
    EXECUTES_CODE = False
    NEEDS_CONTAINER = False

    async def launch(
        self,
        ctx: vf.ModelContext,
        trace: vf.Trace,
        runtime: vf.Runtime,
        endpoint: str,
        secret: str,
        mcp_urls: dict[str, str],
        data: vf.TaskData,
    ) -> vf.ProgramResult:
        """Send the conversation so far; verifiers records the reply."""
        system, prompt = self.resolve_prompt(data)
        said = (
            [{"role": "user", "content": prompt}] if isinstance(prompt, str) else [*map(message_to_wire, prompt or ())]
        )
        messages = [{"role": "system", "content": system}, *said] if system else said
        async with httpx.AsyncClient(timeout=None) as client:  # noqa: S113 - verifiers has timeouts
            answer = await client.post(
                f"{endpoint}/chat/completions",
                headers={"Authorization": f"Bearer {secret}"},
                json={"model": ctx.model, "messages": messages},
            )
        return vf.ProgramResult(int(answer.is_error), "", answer.text if answer.is_error else "")
