"""What every generator asks of a batch before it starts."""

from __future__ import annotations

from collections.abc import Sequence

from dreamgym_env.types import Prompt

__all__ = ["check_batch", "clean_text"]


def check_batch(prompts: Sequence[Prompt], seeds: Sequence[int]) -> None:
    """Raise ValueError unless there is one seed for each prompt."""
    if len(prompts) != len(seeds):
        raise ValueError(
            f"generate() got {len(prompts)} prompts and {len(seeds)} seeds; give one seed for each prompt."
        )


def clean_text(text: str) -> str:
    """Return ``text`` with lone surrogates replaced by ``?``, since neither tokenizers nor JSON can carry them."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")
