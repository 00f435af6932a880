"""A ``rollout_func`` for TRL's trainers: all episodes of a batch act together and step together."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import gymnasium as gym
import numpy as np
from gymnasium.vector import AutoresetMode, VectorEnv

from dreamgym_env.envs.text_vector_env import TextVectorEnv
from dreamgym_env.errors import KeywordError, TrainingError
from dreamgym_env.evaluation.thinking import PromptBounds, agent_prompt, following_message, read_reply
from dreamgym_env.integrations.trl.chat import ConversationEncoder
from dreamgym_env.integrations.trl.episode import OUT_OF_TOKENS, EpisodeTokens, until_stop
from dreamgym_env.integrations.trl.rows import task_of
from dreamgym_env.integrations.trl.sampling import context_length, refuse_uneven_processes, replies_of
from dreamgym_env.types import Domain

if TYPE_CHECKING:
    from trl import GRPOTrainer

__all__ = ["TextRollout", "make_rollout_func"]

_LOG = logging.getLogger(__name__)
_FIELDS = (
    *("task_id", "episode_return", "won", "task_score", "stop_reason", "failure"),
    *("turns", "ill_formed", "cut_replies"),
)
"""What reward functions are told about an episode."""


def make_rollout_func(
    env_id: str,
    num_envs: int,
    *,
    tokens_per_turn: int = 256,
    bounds: PromptBounds | None = None,
    seed: int = 0,
    **settings: Any,
) -> TextRollout:
    """Make the environments, and the ``rollout_func`` that plays them.

    Args:
        env_id: ``DreamGym/...``, or ``DreamGymReal/...`` for the same tasks, texts and actions in the real one.
        num_envs: episodes at once, a multiple of the trainer's ``num_generations``; best the batch that a process
            generates, ``per_device_train_batch_size * steps_per_generation``.
        tokens_per_turn: as in :class:`TextRollout`, like ``bounds`` and ``seed``.
        bounds: how much of a state is shown.
        seed: of the episodes.
        settings: those of ``gymnasium.make_vec``, such as ``world_model``, ``buffer``, ``anchor``,
            ``max_episode_steps``.

    Raises:
        KeywordError: a keyword that nobody knows, or ``autoreset_mode``.
        DreamGymError: the environment cannot be made; the message says why.
    """
    if "autoreset_mode" in settings:
        raise KeywordError("autoreset_mode cannot be chosen here: an episode begins when the trainer asks for it.")
    envs = gym.make_vec(env_id, num_envs=num_envs, autoreset_mode=AutoresetMode.DISABLED, **settings)
    try:
        return TextRollout(envs, tokens_per_turn=tokens_per_turn, bounds=bounds, seed=seed)
    except BaseException:
        envs.close()  # an engine must not outlive an environment that was never made
        raise


class TextRollout:
    """Plays a batch of prompts; ``GRPOTrainer(rollout_func=...)`` calls it.

    The model is prompted as the agents ``llm(...)`` are (:mod:`dreamgym_env.evaluation.thinking`), except that an
    episode is one conversation: the first message has rules, task and state, each later one the new state.  In each
    turn all running episodes sample their replies in one call, and then step in one call of the world model.

    An episode ends with the environment's, or when another turn would not fit into the trainer's
    ``max_completion_length`` (or the model's context).  A reply without a readable action is sent as it is; the
    environment says what comes of it.  Reward functions get, for each episode, ``task_id``, ``episode_return``,
    ``won``, ``task_score``, ``stop_reason``, ``failure``, ``turns``, ``ill_formed`` and ``cut_replies``:
    :func:`~dreamgym_env.integrations.trl.rewards.episode_reward` is one.
    """

    def __init__(
        self,
        envs: VectorEnv[tuple[str, ...], Sequence[str], Any],
        *,
        eval_envs: VectorEnv[tuple[str, ...], Sequence[str], Any] | None = None,
        tokens_per_turn: int = 256,
        bounds: PromptBounds | None = None,
        seed: int = 0,
    ) -> None:
        """Take over vector environments of this library; closing this closes them.

        Args:
            envs: to train in, made with ``autoreset_mode="Disabled"``.
            eval_envs: to evaluate in, such as the real environment of the same domain; None for ``envs``.
            tokens_per_turn: bound on the length of one reply.
            bounds: how much of a state is shown; its bounds on the history mean nothing here.
            seed: of the episodes; each of the trainer's processes has its own from it.

        Raises:
            KeywordError: the environments reset otherwise, are none of this library, or of two domains.
            ValueError: ``tokens_per_turn`` is below 1.
        """
        if tokens_per_turn < 1:
            raise ValueError(f"tokens_per_turn must be at least 1, not {tokens_per_turn}.")
        self.envs = _text_envs(envs)
        self.eval_envs = self.envs if eval_envs is None else _text_envs(eval_envs)
        if self.eval_envs.domain.name != self.envs.domain.name:
            raise KeywordError(
                f"eval_envs plays {self.eval_envs.domain.name} and envs {self.envs.domain.name}: the agent is trained "
                "and evaluated on one domain."
            )
        self.tokens_per_turn = tokens_per_turn
        self._bounds = bounds or PromptBounds()
        self._seed = seed
        self._rng: np.random.Generator | None = None

    @property
    def domain(self) -> Domain:
        """What is played: ``make_dataset(rollout.domain)`` has its tasks."""
        return self.envs.domain

    def __call__(self, prompts: list[Any], trainer: GRPOTrainer) -> dict[str, Any]:
        """Play one episode for each prompt.

        Args:
            prompts: of rows of :func:`~.rows.make_dataset`; a group's are next to each other.
            trainer: that asks.

        Returns:
            ``prompt_ids``, ``completion_ids``, ``env_mask``, ``logprobs`` (None where the trainer computes them), and
            what the class tells of an episode, each a list with one entry for each prompt.

        Raises:
            TrainingError: a prompt names no task, a reply does not fit into a completion, or the trainer's processes
                would wait for each other for ever.
            UnknownTaskError: the environment has no such task.
            ResetOptionError: ``num_envs`` is no multiple of the size of a group.
            WorldModelError: the world model as a whole cannot answer.
        """
        refuse_uneven_processes(trainer)
        if self.tokens_per_turn > trainer.max_completion_length:
            raise TrainingError(
                f"A reply may have {self.tokens_per_turn} tokens and a whole episode "
                f"{trainer.max_completion_length}: raise max_completion_length, or lower tokens_per_turn."
            )
        if self._rng is None:
            self._rng = np.random.default_rng([self._seed, trainer.accelerator.process_index])
        training = trainer.model.training
        envs = self.envs if training else self.eval_envs
        tasks = [task_of(prompt) for prompt in prompts]
        group_size = _group_size(tasks, trainer.num_generations if training else trainer.num_generations_eval)
        player = _Player(envs, trainer, self.tokens_per_turn, self._bounds)
        episodes: list[EpisodeTokens] = []
        for at in range(0, len(tasks), envs.num_envs):
            episodes += player.play(tasks[at : at + envs.num_envs], group_size, self._rng)
        return _columns(episodes)

    def close(self) -> None:
        """Close the environments."""
        self.envs.close()
        if self.eval_envs is not self.envs:
            self.eval_envs.close()


class _Player:
    """Plays the episodes of one call."""

    def __init__(self, envs: TextVectorEnv, trainer: GRPOTrainer, tokens_per_turn: int, bounds: PromptBounds) -> None:
        self._envs, self._trainer = envs, trainer
        self._tokens, self._bounds = tokens_per_turn, bounds
        self._context = context_length(trainer)
        tokenizer = getattr(trainer.processing_class, "tokenizer", trainer.processing_class)
        self._decode = lambda ids: str(tokenizer.decode(ids, skip_special_tokens=True))
        self._encoder = ConversationEncoder(tokenizer, trainer.chat_template_kwargs, trainer.eos_token_ids)

    def play(self, tasks: Sequence[str], group_size: int, rng: np.random.Generator) -> list[EpisodeTokens]:
        """Play a task in each of the first lanes, to the end."""
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


def _text_envs(envs: VectorEnv[Any, Any, Any]) -> TextVectorEnv:
    """Return what is to be played. Raises KeywordError."""
    found = envs.unwrapped
    if not isinstance(found, TextVectorEnv) or found.autoreset_mode is not AutoresetMode.DISABLED:
        raise KeywordError(
            "A rollout takes a vector environment of this library that does not reset by itself: make it by "
            "gymnasium.make_vec('DreamGym/...', num_envs=..., autoreset_mode='Disabled')."
        )
    return found


def _group_size(tasks: Sequence[str], asked: int) -> int:
    """Return the size of the groups of a batch; 1 where another process has the rest of one."""
    whole = len(tasks) % asked == 0
    same = all(len(set(tasks[at : at + asked])) == 1 for at in range(0, len(tasks), asked))
    return asked if whole and same else 1


def _columns(episodes: Sequence[EpisodeTokens]) -> dict[str, Any]:
    """Return what TRL takes."""
    told = any(episode.logprobs is not None for episode in episodes)
    return {
        "prompt_ids": [episode.prompt_ids for episode in episodes],
        "completion_ids": [episode.completion_ids for episode in episodes],
        "env_mask": [episode.env_mask for episode in episodes],
        "logprobs": [one.logprobs or [0.0] * len(one.completion_ids) for one in episodes] if told else None,
        **{name: [getattr(episode, name) for episode in episodes] for name in _FIELDS},
    }
