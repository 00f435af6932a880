"""A generator that is made when it is first asked, so that creating an environment does not wait for its weights."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from dreamgym_env.errors import WorldModelError
from dreamgym_env.types import Completion, Prompt, Sampling, TextGenerator

__all__ = ["LazyGenerator"]


class LazyGenerator:
    """Stands for another generator until that is needed."""

    def __init__(self, make: Callable[[], TextGenerator]) -> None:
        """Note how the generator is made."""
        self._make = make
        self._made: TextGenerator | None = None
        self._closed = False

    def generate(self, prompts: Sequence[Prompt], sampling: Sampling, seeds: Sequence[int]) -> list[Completion]:
        """Answer every prompt, in order; the first call makes the generator.

        Raises:
            WorldModelError: the generator cannot be made or cannot answer, or was closed.
        """
        if self._closed:
            raise WorldModelError("This generator was closed: make a new one.")
        if self._made is None:
            self._made = self._make()
        return self._made.generate(prompts, sampling, seeds)

    def close(self) -> None:
        """Close the generator, if it was ever made."""
        self._closed = True
        if self._made is not None:
            self._made.close()
