"""Prompt-lookup decoding: guess the next tokens by copying what followed the same words in the prompt, and check them.

Saxena, "Prompt Lookup Decoding" (2023), as transformers' ``generate`` has it: greedy, one sequence at a time.  It pays
where one long answer repeats its prompt; a batch, or an answer that refers in place of repeating, gains more.

This module imports torch; import it where it is used.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Any

import torch

from dreamgym_env.world_model.generators.hf.decoding import Row

__all__ = ["decode_by_lookup"]


def decode_by_lookup(
    model: Any,
    rows: Sequence[Row],
    guesses: int,
    end_tokens: Collection[int],
    ended: Callable[[Sequence[int]], bool],
) -> None:
    """Fill ``tokens`` of every row, one row after the other.

    Args:
        model: a causal language model of transformers.
        rows: what to decode.
        guesses: how many tokens are guessed at once.
        end_tokens: ids that end a sequence.
        ended: whether a sequence of new tokens is complete.
    """
    for row in rows:
        prompt = torch.tensor([list(row.prompt)], device=model.device)

        def stops(ids: torch.Tensor, scores: Any, start: int = len(row.prompt), **kwargs: Any) -> torch.Tensor:
            done = [_complete(sequence[start:], ended) is not None for sequence in ids.tolist()]
            return torch.tensor(done, device=ids.device)

        with torch.inference_mode():
            output = model.generate(
                prompt,
                attention_mask=torch.ones_like(prompt),
                max_new_tokens=row.limit,
                do_sample=False,
                prompt_lookup_num_tokens=guesses,
                eos_token_id=sorted(end_tokens) or None,
                pad_token_id=min(end_tokens, default=0),
                stopping_criteria=[stops],
            )
        tokens = output[0, len(row.prompt) :].tolist()
        length = _complete(tokens, ended)  # several tokens are accepted at once: some may lie behind the end
        row.tokens.extend(tokens[:length] if length is not None else tokens[: row.limit])


def _complete(tokens: Sequence[int], ended: Callable[[Sequence[int]], bool]) -> int | None:
    """Return how many tokens make a complete sequence, or None where it goes on."""
    return next((length for length in range(1, len(tokens) + 1) if ended(tokens[:length])), None)
