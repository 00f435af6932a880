"""What a training starts from: a new small model, or one that exists.

``new:tiny``, ``new:small``, ``new:medium``   random weights and a tokenizer of the examples' own
``embedded``                                  the model that the package ships, to go on from what it can do
``ID_OR_PATH``                                a causal language model of the Hugging Face hub, a folder in its format,
                                              or a ``.gguf`` file
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Protocol

from transformers import PreTrainedModel, PreTrainedTokenizerBase

from dreamgym_env.training.new_base import NewBase
from dreamgym_env.training.options import TrainingOptions
from dreamgym_env.training.pretrained_base import PretrainedBase
from dreamgym_env.world_model.build import EMBEDDED_PATH

__all__ = ["Base", "open_base"]


class Base(Protocol):
    """Gives tokenizer and weights, and knows what suits them."""

    name: str
    """As it was asked for."""
    prompt_format: str
    """Name of the prompt format that suits the model."""

    def check(self, options: TrainingOptions) -> None:
        """Raise TrainingError or MissingDependencyError where the base cannot be trained with these options."""
        ...

    def learning_rate(self, options: TrainingOptions) -> float:
        """Return the learning rate that suits the base."""
        ...

    def max_length(self, options: TrainingOptions) -> int:
        """Return how many tokens a prompt with its answer may have."""
        ...

    def tokenizer(self, texts: Iterable[str], max_length: int) -> PreTrainedTokenizerBase:
        """Return the tokenizer; a new one is trained on ``texts``."""
        ...

    def model(self, tokenizer: PreTrainedTokenizerBase, max_length: int, options: TrainingOptions) -> PreTrainedModel:
        """Return the model to train; new weights follow from torch's global seed."""
        ...

    def saved_dtype(self) -> Any:
        """Return the torch dtype that the trained weights are saved in."""
        ...

    def figures(self) -> dict[str, Any]:
        """Return what the card of the trained model says of the base."""
        ...


def open_base(name: str) -> Base:
    """Return the base that a string names.

    Args:
        name: one of the forms above.

    Raises:
        TrainingError: there is no such size, or the model is no causal language model.
        WorldModelError: there is no such model.
        MissingDependencyError: it is a ``.gguf`` file and the package gguf is missing.
    """
    if name.startswith("new:"):
        return NewBase(name)
    return PretrainedBase(name, str(EMBEDDED_PATH) if name == "embedded" else name)
