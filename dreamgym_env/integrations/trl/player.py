"""Plays a batch of episodes: in each turn all that run are sampled in one call, and step in one."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from dreamgym_env.envs.text_vector_env import TextVectorEnv
from dreamgym_env.evaluation.thinking import PromptBounds, agent_prompt, following_message, read_reply
from dreamgym_env.integrations.trl.chat import ConversationEncoder
from dreamgym_env.integrations.trl.episode import OUT_OF_TOKENS, EpisodeTokens, until_stop
from dreamgym_env.integrations.trl.sampling import context_length, replies_of

if TYPE_CHECKING:
    from trl import GRPOTrainer

__all__ = ["EpisodePlayer"]

_LOG = logging.getLogger(__name__)


class EpisodePlayer:
    """Plays the episodes of one call."""

    def __init__(self, envs: TextVectorEnv, trainer: GRPOTrainer, tokens_per_turn: int, bounds: PromptBounds) -> None:
        """Get ready; arguments are those of the rollout. Raises TrainingError for a chat template of one turn."""
        self._envs, self._trainer = envs, trainer
        self._tokens, self._bounds = tokens_per_turn, bounds
        self._context = context_length(trainer)
        tokenizer = getattr(trainer.processing_class, "tokenizer", trainer.processing_class)
        self._decode = lambda ids: str(tokenizer.decode(ids, skip_special_tokens=True))
        self._encoder = ConversationEncoder(tokenizer, trainer.chat_template_kwargs, trainer.eos_token_ids)

    def play(self, tasks: Sequence[str], group_size: int, rng: np.random.Generator) -> list[EpisodeTokens]:
        """Play a task in each of the first lanes, to the end.

        Args:
            tasks: their ids, at most one for each lane.
            group_size: how many tasks next to each other are one group.
            rng: where the seeds of the episodes come from.
        """
        episodes = self._begin(tasks, group_size, rng)
        running = [lane for lane, episode in enumerate(episodes) if not episode.stop_reason]
        while running:
            replies, logprobs = replies_of(self._trainer, [episodes[lane].ids for lane in running], self._tokens)
            actions = [
                self._add_reply(episodes[lane], reply, None if logprobs is None else logprobs[at])
                for at, (lane, reply) in enumerate(zip(running, replies, strict=True))
            ]
            self._envs.send(actions, running)
            states, rewards, terminations, truncations, infos = self._envs.recv(len(running))
            for at, lane in enumerate(running):  # what is received is in rising order of lanes
                episode = episodes[lane]
                episode.episode_return += float(rewards[at])
                for name in ("won", "task_score", "failure"):
                    setattr(episode, name, infos[name][at])
                if terminations[at] or truncations[at]:
                    episode.stop_reason = infos["stop_reason"][at]
                else:
                    self._continue(episode, replies[at], states[at], infos["available_actions"][at])
            running = [lane for lane in running if not episodes[lane].stop_reason]
        for episode in episodes:
            if not episode.completion_ids:
                self._give_up(episode, episode.failure or "The model sampled nothing.")
        return episodes

    def _begin(self, tasks: Sequence[str], group_size: int, rng: np.random.Generator) -> list[EpisodeTokens]:
        idle = self._envs.num_envs - len(tasks)
        seeds = rng.integers(2**31, size=len(tasks)).tolist()
        options = {
            "task_id": [*tasks, *[tasks[0]] * idle],
            "group_size": group_size,
            "reset_mask": np.arange(self._envs.num_envs) < len(tasks),
        }
        states, infos = self._envs.reset(seed=[*seeds, *[None] * idle], options=options)
        episodes = []
        for lane, task_id in enumerate(tasks):
            offered = infos["available_actions"][lane]
            prompt = agent_prompt(
                self._envs.domain, infos["instruction"][lane], (), states[lane], offered, self._bounds
            )
            episode = EpisodeTokens(task_id, self._encoder.opening(prompt), self._trainer.max_completion_length)
            if self._context is not None:
                episode.most = min(episode.most, self._context - len(episode.prompt_ids))
            if not episode.has_room(self._tokens):
                _LOG.warning("The first prompt of %s has %d tokens.", task_id, len(episode.prompt_ids))
                self._give_up(episode, "The first prompt leaves no room for a reply in the model's context.")
            episodes.append(episode)
        return episodes

    def _add_reply(self, episode: EpisodeTokens, reply: list[int], logprobs: list[float | None] | None) -> str:
        """Add a reply, cut where the model begins to make the environment up; return its action."""
        kept, text = until_stop(reply, self._decode)
        reply[:] = kept
        read = read_reply(text, self._envs.domain.parse_action)
        episode.add_reply(reply, None if logprobs is None else logprobs[: len(reply)])
        episode.ill_formed += not read.well_formed
        episode.cut_replies += not reply or reply[-1] not in self._trainer.eos_token_ids
        return read.action

    def _continue(self, episode: EpisodeTokens, reply: list[int], state: str, offered: Sequence[str]) -> None:
        """Tell the model what came of its action, or stop where there is no room for another turn."""
        message = self._encoder.between(reply, following_message(state, offered, self._bounds))
        if episode.has_room(len(message) + self._tokens):
            episode.add_message(message)
        else:
            episode.stop_reason = OUT_OF_TOKENS

    def _give_up(self, episode: EpisodeTokens, failure: str) -> None:
        longest = len(episode.prompt_ids) if self._context is None else self._context - 1
        episode.give_up(failure, self._trainer.eos_token_ids[0], longest)
