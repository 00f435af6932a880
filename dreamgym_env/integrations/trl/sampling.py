"""The next replies of many conversations, from whatever engine a trainer generates with."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING

from dreamgym_env.errors import TrainingError

if TYPE_CHECKING:
    from trl import GRPOTrainer

__all__ = ["context_length", "refuse_uneven_processes", "replies_of"]


def replies_of(
    trainer: GRPOTrainer, conversations: list[list[int]], most_tokens: int
) -> tuple[list[list[int]], list[list[float | None]] | None]:
    """Sample one reply for each conversation, all in one call of the trainer's engine.

    Args:
        trainer: whose model, sampling settings and engine (transformers or vLLM) are used.
        conversations: n lists of ids.
        most_tokens: bound on the length of a reply.

    Returns:
        n lists of ids, each with the id that ended it if one did, and the log probabilities of these ids; None where
        the engine tells none (transformers: the trainer computes them anyway).
    """
    with _bounded(trainer, most_tokens):
        # what its own tool loop calls, and no rollout function can do without: it knows all engines, synchronises
        # weights, and unwraps the model
        return trainer._generate_single_turn(conversations, None, {}, num_generations=1)


def context_length(trainer: GRPOTrainer) -> int | None:
    """Return how many tokens prompt and completion may have together; None where the model does not say."""
    bounds = [getattr(trainer.model.config.get_text_config(), "max_position_embeddings", None)]
    if trainer.use_vllm:
        bounds.append(trainer.args.vllm_max_model_length)
    return min((bound for bound in bounds if bound), default=None)


def refuse_uneven_processes(trainer: GRPOTrainer) -> None:
    """Refuse engines in which all processes must ask equally often: episodes differ in their number of turns.

    Raises:
        TrainingError: several processes, and such an engine; they would wait for each other for ever.
    """
    if trainer.accelerator.num_processes == 1:
        return
    args = trainer.args
    if trainer.use_vllm:
        together = trainer.vllm_mode == "server" or args.vllm_tensor_parallel_size > 1 or args.vllm_enable_sleep_mode
    else:
        together = trainer.is_deepspeed_enabled or trainer.is_fsdp_enabled
    if together:
        raise TrainingError(
            "Several processes share this engine and must ask it equally often, which episodes of different lengths "
            "do not. Use one process, or use_vllm=True with vllm_mode='colocate', vllm_tensor_parallel_size=1 and "
            "vllm_enable_sleep_mode=False."
        )


@contextlib.contextmanager
def _bounded(trainer: GRPOTrainer, most_tokens: int) -> Iterator[None]:
    """Let the engine sample so many tokens in place of a whole completion's."""
    holder, name = (
        (trainer.vllm_generation, "max_completion_length")
        if trainer.use_vllm
        else (trainer.generation_config, "max_new_tokens")
    )
    usual = getattr(holder, name)
    setattr(holder, name, most_tokens)
    try:
        yield
    finally:
        setattr(holder, name, usual)
