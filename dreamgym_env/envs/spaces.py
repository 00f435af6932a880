"""A text space that accepts any Unicode text.

``gymnasium.spaces.Text`` accepts only the letters of its charset, and a charset of all Unicode takes seconds to build
and tens of megabytes to copy.  :class:`AnyText` asks only whether a value is a text of at most some length.
"""

from __future__ import annotations

from typing import Any, NoReturn

from gymnasium.spaces import Text
from gymnasium.vector.utils import create_shared_memory

__all__ = ["AnyText"]


class AnyText(Text):
    """All texts of 0 to ``max_length`` characters."""

    def __init__(self, max_length: int, *, seed: int | None = None) -> None:
        """Create the space; ``max_length`` is in characters."""
        super().__init__(max_length, min_length=0, seed=seed)

    def contains(self, x: Any) -> bool:
        """Return whether ``x`` is a text that is not too long."""
        return isinstance(x, str) and len(x) <= self.max_length

    def sample(self, mask: Any = None, probability: Any = None) -> str:
        """Return random letters and digits, at most 32 of them."""
        length = int(self.np_random.integers(1, min(self.max_length, 32) + 1))
        return super().sample(mask=(length, None))

    def __repr__(self) -> str:
        """Return the space as an expression."""
        return f"AnyText({self.max_length})"

    def __eq__(self, other: object) -> bool:
        """Return whether ``other`` is the same space."""
        return isinstance(other, AnyText) and self.max_length == other.max_length

    __hash__ = None  # type: ignore[assignment]  # spaces hold random state and are not hashable


@create_shared_memory.register(AnyText)
def _refuse_shared_memory(space: AnyText, n: int = 1, ctx: Any = None) -> NoReturn:
    """Refuse loudly: gymnasium's shared memory would turn every text into zeros."""
    raise ValueError(
        "Texts cannot be passed through AsyncVectorEnv's shared memory: create it with shared_memory=False, "
        "or use gymnasium.make_vec(id, num_envs=...), which steps all environments in one batch."
    )
