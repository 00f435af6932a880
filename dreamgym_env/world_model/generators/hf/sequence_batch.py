"""A batch of sequences inside a causal language model: prefilled once, advanced by one token each, shrunk as rows end.

Two ways to keep it: in a :class:`~dreamgym_env.world_model.generators.hf.kv_slab.KeyValueSlab` (models whose layers all
attend to every position; the fast way), or in the model's own cache (sliding windows, recurrent layers, models without
``position_ids``).  This module imports torch and transformers; import it where it is used.
"""

from __future__ import annotations

import inspect
from collections.abc import Collection, Sequence
from typing import Any, Protocol

import torch
from transformers.cache_utils import DynamicCache

from dreamgym_env.world_model.generators.hf.kv_slab import KeyValueSlab, Prefix, fits_slab

__all__ = ["SequenceBatch", "common_prefix_length", "open_batch"]

_SHORTEST_SHARED_PREFIX = 8
"""Tokens from which on it pays to run a common prefix by itself."""
_USUAL_ANSWER = 64
"""New tokens that a batch has room for at first."""


class SequenceBatch(Protocol):
    """What the decoding loop needs of a batch of n sequences."""

    def prefill(self) -> torch.Tensor:
        """Read the prompts; return the logits of the next token, shape (n, vocabulary)."""
        ...

    def step(self, tokens: Sequence[int]) -> torch.Tensor:
        """Append one token to each sequence; return the logits of the next one, shape (n, vocabulary)."""
        ...

    def drop(self, rows: Collection[int]) -> list[int]:
        """Forget ``rows``; return the old row of each row that is left, in the new order."""
        ...


def open_batch(model: Any, prompts: Sequence[Sequence[int]], new_tokens: int, prefill_tokens: int) -> SequenceBatch:
    """Return the fastest batch that ``model`` allows.

    Args:
        model: a causal language model of transformers.
        prompts: token ids of each prompt, none empty, shortest first.
        new_tokens: the most tokens that will be appended to any of them.
        prefill_tokens: the most tokens to read in one forward pass (a single longer prompt is read whole).
    """
    forward = _Forward(model)
    if forward.takes_positions and fits_slab(model):
        return _SlabBatch(forward, prompts, new_tokens, prefill_tokens)
    return _PlainBatch(forward, prompts, new_tokens)


def common_prefix_length(prompts: Sequence[Sequence[int]]) -> int:
    """Return how many first tokens all prompts share, at least one token of each being left over."""
    first, last = min(prompts, key=list), max(prompts, key=list)
    limit = min(len(prompt) for prompt in prompts) - 1
    shared = 0
    while shared < limit and first[shared] == last[shared]:
        shared += 1
    return shared


class _Forward:
    """Calls a model for the logits of the last position."""

    def __init__(self, model: Any) -> None:
        self._model = model
        self.model = model
        self.device: torch.device = model.device
        parameters = inspect.signature(model.forward).parameters
        self.takes_positions = "position_ids" in parameters
        self._options: dict[str, Any] = {"use_cache": True}
        # transformers renames the keyword from version to version, one architecture after the other
        self._cache_keyword = "cache" if "cache" in parameters else "past_key_values"
        if "logits_to_keep" in parameters:
            self._options["logits_to_keep"] = 1

    def __call__(
        self, tokens: torch.Tensor, mask: torch.Tensor, positions: torch.Tensor, cache: DynamicCache
    ) -> torch.Tensor:
        options: dict[str, Any] = {self._cache_keyword: cache, **self._options}
        if self.takes_positions:
            options["position_ids"] = positions
        output = self._model(input_ids=tokens, attention_mask=mask, **options)
        logits: torch.Tensor = output.logits[:, -1]
        return logits


class _SlabBatch:
    """Rows in a slab, each ``[gap | shared prefix | padding | rest of the prompt | new tokens]``."""

    def __init__(
        self, forward: _Forward, prompts: Sequence[Sequence[int]], new_tokens: int, prefill_tokens: int
    ) -> None:
        shared = common_prefix_length(prompts) if len(prompts) > 1 else 0
        self._shared = shared if shared >= _SHORTEST_SHARED_PREFIX else 0
        self._prefix = list(prompts[0][: self._shared])
        self._rests = [prompt[self._shared :] for prompt in prompts]
        self._forward = forward
        self._prefill_tokens = prefill_tokens
        self._rows = len(prompts)
        self._length = self._shared + len(self._rests[-1])
        self._cache = KeyValueSlab(forward.model, self._rows, self._length + min(new_tokens, _USUAL_ANSWER))
        self._mask = torch.zeros(self._rows, self._length + new_tokens, dtype=torch.bool, device=forward.device)
        lengths = [[self._shared + len(rest)] for rest in self._rests]
        self._positions = torch.tensor(lengths, device=forward.device)

    def prefill(self) -> torch.Tensor:
        prefix = self._read_prefix()
        logits = []
        first = 0
        while first < self._rows:
            last = self._group_end(first)
            width = len(self._rests[last - 1])
            start = self._length - width - self._shared
            if prefix:
                self._cache.write_prefix(prefix, slice(first, last), start)
            self._cache.look_at(slice(first, last), start, self._shared)
            logits.append(self._read_group(first, last, width, start))
            first = last
        self._cache.look_at(slice(0, self._rows), 0, self._length)
        return torch.cat(logits)

    def _group_end(self, first: int) -> int:
        """Return the end of the longest run of rows from ``first`` on whose padded rests fit one forward pass."""
        end = first + 1
        while end < self._rows and (end + 1 - first) * len(self._rests[end]) <= self._prefill_tokens:
            end += 1
        return end

    def _read_prefix(self) -> Prefix:
        if not self._shared:
            return []
        device = self._forward.device
        self._cache.look_at(slice(0, 1), 0, 0)
        mask = torch.ones(1, self._shared, dtype=torch.bool, device=device)
        positions = torch.arange(self._shared, device=device)[None]
        self._forward(torch.tensor([self._prefix], device=device), mask, positions, self._cache)
        return self._cache.copy_prefix(self._shared)

    def _read_group(self, first: int, last: int, width: int, start: int) -> torch.Tensor:
        tokens, mask, positions = _left_padded(self._rests[first:last], width, self._shared)
        self._mask[first:last, start : start + self._shared] = True
        self._mask[first:last, start + self._shared : self._length] = mask.to(self._mask.device)
        device = self._forward.device
        window = self._mask[first:last, start : self._length]
        return self._forward(tokens.to(device), window, positions.to(device), self._cache)

    def step(self, tokens: Sequence[int]) -> torch.Tensor:
        rows = self._rows
        self._mask[:rows, self._length] = True
        self._length += 1
        ids = torch.tensor(tokens, device=self._forward.device)[:, None]
        logits = self._forward(ids, self._mask[:rows, : self._length], self._positions[:rows], self._cache)
        self._positions[:rows] += 1
        return logits

    def drop(self, rows: Collection[int]) -> list[int]:
        left = self._rows - len(rows)
        free = sorted(row for row in rows if row < left)
        survivors = [row for row in range(left, self._rows) if row not in rows]
        moves = list(zip(survivors, free, strict=True))
        self._cache.move(moves)
        order = list(range(left))
        for source, target in moves:
            self._mask[target] = self._mask[source]
            self._positions[target] = self._positions[source]
            order[target] = source
        self._rows = left
        self._cache.look_at(slice(0, left), 0, self._length)
        return order


class _PlainBatch:
    """Rows in the model's own cache, prompts left-padded to the longest and read in one forward pass."""

    def __init__(self, forward: _Forward, prompts: Sequence[Sequence[int]], new_tokens: int) -> None:
        self._forward = forward
        self._prompts = prompts
        self._length = len(prompts[-1])
        self._cache = DynamicCache(config=forward.model.config)
        self._mask = torch.zeros(len(prompts), self._length + new_tokens, dtype=torch.long, device=forward.device)
        self._positions = torch.tensor([[len(prompt)] for prompt in prompts], device=forward.device)

    def prefill(self) -> torch.Tensor:
        tokens, mask, positions = _left_padded(self._prompts, self._length, 0)
        device = self._forward.device
        self._mask[:, : self._length] = mask.to(device)
        return self._forward(tokens.to(device), self._mask[:, : self._length], positions.to(device), self._cache)

    def step(self, tokens: Sequence[int]) -> torch.Tensor:
        self._mask[:, self._length] = 1
        self._length += 1
        ids = torch.tensor(tokens, device=self._forward.device)[:, None]
        logits = self._forward(ids, self._mask[:, : self._length], self._positions, self._cache)
        self._positions += 1
        return logits

    def drop(self, rows: Collection[int]) -> list[int]:
        order = [row for row in range(len(self._mask)) if row not in rows]
        kept: Any = torch.tensor(order, dtype=torch.long, device=self._forward.device)
        self._cache.reorder_cache(kept)  # it is an index_select, which may also leave rows out
        self._mask, self._positions = self._mask[kept], self._positions[kept]
        return order


def _left_padded(
    sequences: Sequence[Sequence[int]], width: int, first_position: int
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Return token ids, mask and positions, each of shape (n, width); padding is token 0, masked, at position 0."""
    tokens = torch.zeros(len(sequences), width, dtype=torch.long)
    mask = torch.zeros(len(sequences), width, dtype=torch.bool)
    positions = torch.zeros(len(sequences), width, dtype=torch.long)
    for row, sequence in enumerate(sequences):
        first = width - len(sequence)
        tokens[row, first:] = torch.tensor(sequence)
        mask[row, first:] = True
        positions[row, first:] = torch.arange(first_position, first_position + len(sequence))
    return tokens, mask, positions
