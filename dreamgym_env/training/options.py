"""How long, how fast and with how much memory a world model is trained."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["TrainingOptions"]


@dataclass(frozen=True, slots=True)
class TrainingOptions:
    """Settings of a training; None leaves a choice to the base."""

    steps: int = 1000
    """Optimiser steps."""
    batch_size: int = 16
    """Examples that a device reads at once."""
    gradient_accumulation: int = 1
    """Batches that make one step."""
    learning_rate: float | None = None
    """Peak of the cosine schedule; None for 2e-3 from scratch, 5e-4 for the embedded model or another as small,
    2e-5 for any other whole model, 2e-4 for LoRA."""
    max_length: int | None = None
    """Tokens of a prompt with its answer; longer examples are left out.  It is also the context of a new model.  None
    for the size's own (new) or 4,096, but never more than the base model's context."""
    lora: int = 0
    """Rank of the LoRA adapters that are trained in place of the weights, and merged at the end; 0 for none."""
    gradient_checkpointing: bool = False
    """Whether activations are computed again rather than kept: less memory, about a third more time."""
    save_steps: int = 200
    """Steps between checkpoints; 0 for no checkpoints."""
    seed: int = 0
    """Of new weights, of the order of examples and of what they hide."""

    def __post_init__(self) -> None:
        """Check the ranges.

        Raises:
            ValueError: a number is out of its range.
        """
        for name in ("steps", "batch_size", "gradient_accumulation"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, not {getattr(self, name)!r}.")
        for name in ("lora", "save_steps", "seed"):
            if getattr(self, name) < 0:
                raise ValueError(f"{name} must be at least 0, not {getattr(self, name)!r}.")
        if self.learning_rate is not None and not 0 < self.learning_rate < 1:
            raise ValueError(f"learning_rate must lie between 0 and 1, not {self.learning_rate!r}.")
        if self.max_length is not None and self.max_length < 64:
            raise ValueError(f"max_length must be at least 64 tokens, not {self.max_length!r}.")
