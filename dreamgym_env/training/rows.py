"""From examples to token ids: what the model reads, which of it the loss counts, and in which order.

The loss is the paper's, −log P(R*|s,a,H,D) − log P(s',r|s,a,R*,H,D) (arXiv 2511.03773, section 4.1): the negative
log-likelihood of the answer's tokens, reasoning first, given the prompt, whose own tokens it leaves out.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from transformers import PreTrainedTokenizerBase
from transformers.trainer_pt_utils import get_length_grouped_indices

from dreamgym_env.training.examples import Example
from dreamgym_env.world_model.generators.batches import clean_text
from dreamgym_env.world_model.generators.prompt_encoder import PromptEncoder

__all__ = ["IGNORED", "Collator", "Row", "Schedule", "tokenise"]

IGNORED = -100
"""Label of tokens that the loss leaves out."""
_BATCH = 256


@dataclass(frozen=True, slots=True)
class Row:
    """One example in tokens."""

    ids: npt.NDArray[np.int32]
    """Prompt and answer, shape (length,)."""
    prompt_length: int


def tokenise(examples: Sequence[Example], tokenizer: PreTrainedTokenizerBase, max_length: int) -> list[Row]:
    """Tokenise prompts exactly as a generator will ask them, and answers with the token that ends them.

    Args:
        examples: questions and answers.
        tokenizer: of the model that is trained.
        max_length: tokens; longer examples are left out.

    Returns:
        At most as many rows as there are examples, in their order.
    """
    encoder = PromptEncoder(tokenizer)
    rows: list[Row] = []
    for start in range(0, len(examples), _BATCH):
        batch = examples[start : start + _BATCH]
        prompts = encoder.encode([example.prompt for example in batch])
        answers = tokenizer([clean_text(example.answer) for example in batch], add_special_tokens=False, verbose=False)
        for prompt, answer in zip(prompts, answers["input_ids"], strict=True):
            ids = [*prompt, *answer, tokenizer.eos_token_id]
            if len(ids) <= max_length:
                rows.append(Row(np.array(ids, dtype=np.int32), len(prompt)))
    return rows


class Schedule(torch.utils.data.Dataset[Row]):
    """The rows of a whole training, in the order in which they are read.

    Each pass over the rows is shuffled by the seed and its number, rows of like length next to each other.  The order
    is fixed from the beginning, so a resumed training reads what an uninterrupted one would have read.
    """

    def __init__(self, rows: Sequence[Row], total: int, batch: int, seed: int) -> None:
        """Draw the order.

        Args:
            rows: what there is, at least one.
            total: how many rows are read in all.
            batch: rows a step, among which lengths are to be alike.
            seed: decides the order.
        """
        self._rows = rows
        self._order: list[int] = []
        lengths = [len(row.ids) for row in rows]
        for epoch in itertools.count(seed):
            if len(self._order) >= total:
                break
            generator = torch.Generator().manual_seed(epoch)
            # a draw as torch's DataLoader makes one first: the order is then that of transformers' own sampler, by
            # which the embedded model was made
            torch.empty((), dtype=torch.int64).random_(generator=generator)
            self._order.extend(get_length_grouped_indices(lengths, batch, generator=generator))
        del self._order[total:]

    def __len__(self) -> int:
        return len(self._order)

    def __getitem__(self, at: int) -> Row:
        return self._rows[self._order[at]]


class Collator:
    """Pads a batch on the right."""

    def __init__(self, pad: int) -> None:
        """Create it; ``pad`` is the id of the token that fills a row."""
        self._pad = pad

    def __call__(self, rows: Sequence[Row]) -> dict[str, torch.Tensor]:
        """Return ``input_ids``, ``attention_mask`` and ``labels``, each of shape (rows, longest)."""
        shape = (len(rows), max(len(row.ids) for row in rows))
        ids = torch.full(shape, self._pad)
        mask = torch.zeros(shape, dtype=torch.long)
        labels = torch.full(shape, IGNORED)
        for at, row in enumerate(rows):
            length = len(row.ids)
            ids[at, :length] = torch.from_numpy(row.ids)
            mask[at, :length] = 1
            labels[at, row.prompt_length : length] = ids[at, row.prompt_length : length]
        return {"input_ids": ids, "attention_mask": mask, "labels": labels}
