"""A key-value cache that is written in place: one block of memory a layer for a whole batch of sequences.

transformers' ``DynamicCache`` copies all keys and values at every token; for a small model on a CPU that copy costs as
much as the model.  Here the block has room for more tokens than it holds, and is copied only when that is used up (few
answers are as long as they may be); rows of finished sequences are filled by the last ones, and groups of rows are
prefilled one after the other into their part of the block.

This module imports torch and transformers; import it where it is used.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from transformers.cache_utils import DynamicCache, DynamicLayer

__all__ = ["KeyValueSlab", "fits_slab"]

Prefix = Sequence[Sequence[torch.Tensor]]
"""Keys and values, layer by layer."""


def fits_slab(model: Any) -> bool:
    """Return whether every layer of ``model`` keeps plain keys and values of all positions (no window, no state)."""
    layers = DynamicCache(config=model.config).layers
    return bool(layers) and all(type(layer) is DynamicLayer for layer in layers)


class _SlabLayer(DynamicLayer):
    """Keys and values of one layer; the model sees only a window of them."""

    def __init__(self, rows: int, slots: int) -> None:
        super().__init__()
        self._size = (rows, slots)
        self.blocks: tuple[torch.Tensor, ...] = ()
        """Keys and values of all rows, each of shape (rows, heads, slots, head size); allocated by the first update."""
        self.rows = slice(0, rows)
        self.start = 0
        self.length = 0

    def lazy_initialization(self, key_states: torch.Tensor, value_states: torch.Tensor) -> None:
        rows, slots = self._size
        # Zeros, because a masked slot still meets a weight of 0, and 0 times what memory happens to hold may be NaN.
        self.blocks = tuple(
            states.new_zeros(rows, states.shape[1], slots, states.shape[3]) for states in (key_states, value_states)
        )
        self.keys, self.values = self.blocks
        self.is_initialized = True

    def update(
        self, key_states: torch.Tensor, value_states: torch.Tensor, *args: Any, **kwargs: Any
    ) -> tuple[torch.Tensor, torch.Tensor]:
        if not self.is_initialized:
            self.lazy_initialization(key_states, value_states)
        first = self.start + self.length
        self.length += key_states.shape[2]
        end = self.start + self.length
        if end > self.blocks[0].shape[2]:
            self._grow(end)
        for block, states in zip(self.blocks, (key_states, value_states), strict=True):
            block[self.rows, :, first:end] = states
        keys, values = (block[self.rows, :, self.start : end] for block in self.blocks)
        return keys, values

    def get_seq_length(self) -> int:
        return self.length

    def _grow(self, end: int) -> None:
        """Make room for twice as many slots as are held, all rows keeping theirs."""
        held = self.blocks[0].shape[2]
        self.blocks = tuple(torch.nn.functional.pad(block, (0, 0, 0, max(held, end - held))) for block in self.blocks)


class KeyValueSlab(DynamicCache):
    """The cache of a batch, to be handed to a model as ``past_key_values``.

    Args:
        model: a causal language model for which :func:`fits_slab` holds.
        rows: sequences in the batch.
        slots: tokens that a row has room for at first, padding included; it grows when there are more.
    """

    def __init__(self, model: Any, rows: int, slots: int) -> None:
        super().__init__(config=model.config)
        self._slab = [_SlabLayer(rows, slots) for _ in self.layers]
        self.layers = list(self._slab)

    def look_at(self, rows: slice, start: int, length: int) -> None:
        """Let the model see only ``rows``, from slot ``start``, as if they held ``length`` tokens so far."""
        for layer in self._slab:
            layer.rows, layer.start, layer.length = rows, start, length

    def copy_prefix(self, length: int) -> Prefix:
        """Return a copy of the first ``length`` slots of row 0."""
        return [[block[:1, :, :length].clone() for block in layer.blocks] for layer in self._slab]

    def write_prefix(self, prefix: Prefix, rows: slice, start: int) -> None:
        """Write a copied prefix into ``rows`` from slot ``start`` on."""
        for layer, copies in zip(self._slab, prefix, strict=True):
            for block, states in zip(layer.blocks, copies, strict=True):
                block[rows, :, start : start + states.shape[2]] = states

    def move(self, moves: Sequence[tuple[int, int]]) -> None:
        """Copy whole rows over others; ``moves`` are pairs (from row, to row)."""
        for layer in self._slab:
            end = layer.start + layer.length
            for block in layer.blocks:
                for source, target in moves:
                    block[target, :, :end] = block[source, :, :end]
