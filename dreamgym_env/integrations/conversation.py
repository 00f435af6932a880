"""An episode as a conversation between a language model and an environment, for trainers that know messages.

The model is told the rules, the task, the state and what it offers; it thinks and ends with ``Action: ...``
(:mod:`dreamgym_env.evaluation.thinking`); it is told the next state.  Messages are only ever added.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from dreamgym_env.envs.episode_pool import PooledEpisode, StepResult
from dreamgym_env.evaluation.thinking import PromptBounds, Reply, agent_prompt, following_message, read_reply, reply_end
from dreamgym_env.types import Domain

__all__ = ["Conversation", "Heard", "Message", "task_rows"]

Message = dict[str, str]
"""``role`` and ``content``."""


@dataclass(frozen=True, slots=True)
class Heard:
    """What a model is told after a reply."""

    message: Message
    """The next state, and what it offers."""
    reward: float
    """1 at success, else 0."""
    done: bool
    """Whether the episode has ended, by success, failure or its limit."""
    info: dict[str, Any]
    """Of the environment's ``step``, with the ``action`` that was read, and whether the reply was ``well_formed``."""


class Conversation:
    """One episode and what its model is told; any number of them share a pool, in threads or coroutines."""

    def __init__(self, domain: Domain, episode: PooledEpisode, bounds: PromptBounds | None = None) -> None:
        """Begin to talk about an episode that has begun.

        Args:
            domain: of the pool.
            episode: one of the pool's.
            bounds: how much of a state and of its actions a message shows.
        """
        self.episode = episode
        self._domain, self._bounds = domain, bounds or PromptBounds()

    @property
    def opening(self) -> list[Message]:
        """What the model is told before its first reply: a system message and a user's."""
        info = self.episode.info
        state, offered = self.episode.observation, info["available_actions"]
        prompt = agent_prompt(self._domain, info["instruction"], (), state, offered, self._bounds)
        return [{"role": "system", "content": prompt.system}, {"role": "user", "content": prompt.user}]

    def reply(self, text: str) -> Heard:
        """Take the action that a reply names; raises what :meth:`~.PooledEpisode.step` raises."""
        reply = self._read(text)
        return self._heard(reply, self.episode.step(reply.action))

    async def reply_async(self, text: str) -> Heard:
        """Do the same without holding up the event loop."""
        reply = self._read(text)
        return self._heard(reply, await self.episode.step_async(reply.action))

    def _read(self, text: str) -> Reply:
        return read_reply(text[: reply_end(text)], self._domain.parse_action)

    def _heard(self, reply: Reply, result: StepResult) -> Heard:
        state, reward, terminated, truncated, info = result
        told = following_message(state, info["available_actions"], self._bounds)
        info = {**info, "action": reply.action, "well_formed": reply.well_formed}
        return Heard({"role": "user", "content": told}, reward, terminated or truncated, info)


def task_rows(domain: Domain, split: str, n: int | None = None) -> Iterator[dict[str, Any]]:
    """Yield the tasks of a split as trainers' data sets hold them: ``task_id``, ``instruction`` and ``prompt``.

    The prompt is one message with the instruction; the conversation's opening, which the episode makes, replaces it.

    Args:
        domain: for example ``pool.domain``.
        split: of the domain.
        n: how many tasks, the first ones; None for all.

    Raises:
        UnknownTaskError: no such split.
        ValueError: ``n`` is no positive number.
    """
    if n is not None and n < 1:
        raise ValueError(f"n must be None or at least 1, not {n}.")
    for task_id in domain.task_ids(split)[:n]:
        instruction = domain.task(task_id).instruction
        yield {"task_id": task_id, "instruction": instruction, "prompt": [{"role": "user", "content": instruction}]}
