"""The decoding loop: greedy or sampled, row by row reproducible, rows leaving the batch as soon as they end.

This module imports torch and transformers; import it where it is used.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch

from dreamgym_env.world_model.generators.hf.sequence_batch import open_batch

__all__ = ["Row", "decode", "split_batches"]


@dataclass(slots=True)
class Row:
    """One sequence that is being decoded."""

    prompt: Sequence[int]
    """Token ids, at least one."""
    limit: int
    """The most tokens to append, at least one."""
    seed: int
    tokens: list[int] = field(default_factory=list)
    """What has been decoded, the end-of-sequence token included."""


def split_batches(rows: Sequence[Row], batch_tokens: int) -> list[list[Row]]:
    """Sort rows by the length of their prompts and cut them into batches.

    A batch holds as many rows as fit into ``batch_tokens`` when all are padded to its longest prompt and decoded to
    its highest limit; a row that is longer alone is a batch by itself.
    """
    batches: list[list[Row]] = []
    limit = 0
    for row in sorted(rows, key=lambda row: len(row.prompt)):
        limit = max(limit, row.limit)
        if not batches or (len(batches[-1]) + 1) * (len(row.prompt) + limit) > batch_tokens:
            batches.append([])
            limit = row.limit
        batches[-1].append(row)
    return batches


def decode(
    model: Any, rows: Sequence[Row], temperature: float, ended: Callable[[Sequence[int]], bool], prefill_tokens: int
) -> None:
    """Fill ``tokens`` of every row.

    Args:
        model: a causal language model of transformers.
        rows: the batch, shortest prompt first.
        temperature: 0 takes the likeliest token, else tokens are drawn from ``softmax(logits / temperature)``.
        ended: whether the sequence of new tokens is complete (asked after each token).
        prefill_tokens: the most prompt tokens to read in one forward pass.
    """
    active = list(rows)
    dice = [_Dice(row) for row in active] if temperature > 0 else []
    with torch.inference_mode():
        longest = max(row.limit for row in rows)
        batch = open_batch(model, [row.prompt for row in rows], longest, prefill_tokens)
        logits = batch.prefill()
        while True:
            tokens = _sample(logits, temperature, [die.roll() for die in dice]) if dice else _greedy(logits)
            for row, token in zip(active, tokens, strict=True):
                row.tokens.append(token)
            done = {index for index, row in enumerate(active) if len(row.tokens) >= row.limit or ended(row.tokens)}
            if len(done) == len(active):
                return
            if done:
                order = batch.drop(done)
                active, tokens = [active[index] for index in order], [tokens[index] for index in order]
                dice = [dice[index] for index in order] if dice else dice
            logits = batch.step(tokens)


class _Dice:
    """The random numbers of one row: they depend on its seed and on nothing else."""

    def __init__(self, row: Row) -> None:
        # Seeds of any sign and size are allowed; the generator wants them non-negative.
        self._generator = np.random.default_rng(row.seed % 2**64)

    def roll(self) -> float:
        """Return the next number in [0, 1)."""
        return float(self._generator.random(dtype=np.float32))


def _greedy(logits: torch.Tensor) -> list[int]:
    tokens: list[int] = logits.argmax(dim=-1).tolist()
    return tokens


def _sample(logits: torch.Tensor, temperature: float, rolls: Sequence[float]) -> list[int]:
    """Draw a token a row by inverting the cumulative distribution at ``rolls``, in [0, 1).

    One random number a token, drawn outside of torch, makes a row's tokens independent of the batch it is in and of
    the device's random number generator.
    """
    cumulative = torch.softmax(logits.float() / temperature, dim=-1).cumsum(dim=-1)
    total = cumulative[:, -1:]
    points = torch.tensor(rolls, device=logits.device)[:, None] * total
    points = torch.minimum(points, torch.nextafter(total, torch.zeros_like(total)))  # rounding may reach the total
    tokens: list[int] = torch.searchsorted(cumulative, points, right=True).squeeze(1).tolist()
    return tokens
