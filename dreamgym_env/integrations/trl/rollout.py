"""A ``rollout_func`` for TRL's trainers: all episodes of a batch act together and step together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import gymnasium as gym
import numpy as np
from gymnasium.vector import AutoresetMode, VectorEnv

from dreamgym_env.envs.text_vector_env import TextVectorEnv
from dreamgym_env.errors import KeywordError, TrainingError
from dreamgym_env.evaluation.thinking import PromptBounds
from dreamgym_env.integrations.trl.episode import EpisodeTokens, columns
from dreamgym_env.integrations.trl.player import EpisodePlayer
from dreamgym_env.integrations.trl.rows import task_of
from dreamgym_env.integrations.trl.sampling import refuse_uneven_processes
from dreamgym_env.types import Domain

if TYPE_CHECKING:
    from trl import GRPOTrainer

__all__ = ["TextRollout", "make_rollout_func"]


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
        player = EpisodePlayer(envs, trainer, self.tokens_per_turn, self._bounds)
        episodes: list[EpisodeTokens] = []
        for at in range(0, len(tasks), envs.num_envs):
            episodes += player.play(tasks[at : at + envs.num_envs], group_size, self._rng)
        return columns(episodes, told=trainer.use_vllm)

    def close(self) -> None:
        """Close the environments."""
        self.envs.close()
        if self.eval_envs is not self.envs:
            self.eval_envs.close()


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
