"""New small Llama-type models.

==============  ==========  ===========================================================
``new:tiny``    0.2 M       for tests: learns nothing worth knowing, in seconds
``new:small``   6 M         the embedded model; about an hour for 1,000 steps on 2 cores
``new:medium``  15 M        three times slower to train, and about half as fast to dream
==============  ==========  ===========================================================
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

import torch
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedModel, PreTrainedTokenizerBase

from dreamgym_env.errors import TrainingError
from dreamgym_env.training.options import TrainingOptions
from dreamgym_env.training.tokenizer import train_tokenizer

__all__ = ["SIZES", "ModelSize", "NewBase"]


@dataclass(frozen=True, slots=True)
class ModelSize:
    """Shape of a Llama-type model."""

    vocabulary: int
    hidden: int
    layers: int
    heads: int
    feed_forward: int
    context: int


SIZES = {
    "tiny": ModelSize(vocabulary=1024, hidden=64, layers=2, heads=2, feed_forward=192, context=1024),
    "small": ModelSize(vocabulary=4096, hidden=256, layers=6, heads=4, feed_forward=768, context=1024),
    "medium": ModelSize(vocabulary=4096, hidden=384, layers=7, heads=6, feed_forward=1152, context=1024),
}


class NewBase:
    """A model of random weights and a tokenizer trained on the examples."""

    prompt_format = "compact"

    def __init__(self, name: str) -> None:
        """Read ``new:SIZE``. Raises TrainingError for a size that there is not."""
        self.name = name
        size = SIZES.get(name.removeprefix("new:"))
        if size is None:
            raise TrainingError(f"There is no base {name!r}; new models are: {', '.join(f'new:{s}' for s in SIZES)}.")
        self.size = size

    def check(self, options: TrainingOptions) -> None:
        """Refuse LoRA."""
        if options.lora:
            raise TrainingError("LoRA adapts a trained model; all weights of a new one are trained: leave --lora out.")

    def learning_rate(self, options: TrainingOptions) -> float:
        """Return 2e-3."""
        return 2e-3

    def max_length(self, options: TrainingOptions) -> int:
        """Return the model's context."""
        return options.max_length or self.size.context

    def tokenizer(self, texts: Iterable[str], max_length: int) -> PreTrainedTokenizerBase:
        """Train a tokenizer."""
        return train_tokenizer(texts, self.size.vocabulary, max_length)

    def model(self, tokenizer: PreTrainedTokenizerBase, max_length: int, options: TrainingOptions) -> PreTrainedModel:
        """Draw weights."""
        return LlamaForCausalLM(
            LlamaConfig(
                vocab_size=len(tokenizer),
                hidden_size=self.size.hidden,
                intermediate_size=self.size.feed_forward,
                num_hidden_layers=self.size.layers,
                num_attention_heads=self.size.heads,
                num_key_value_heads=self.size.heads,
                max_position_embeddings=max_length,
                tie_word_embeddings=True,
                bos_token_id=None,
                eos_token_id=tokenizer.eos_token_id,
                pad_token_id=tokenizer.pad_token_id,
            )
        )

    def saved_dtype(self) -> torch.dtype:
        """Return float16: half the bytes, and exact enough for weights of this range."""
        return torch.float16

    def figures(self) -> dict[str, Any]:
        """Return the shape."""
        return asdict(self.size)
