"""What a judge says of a step, and what a judge is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from dreamgym_env.evaluation.judging.rubric import Rubric
from dreamgym_env.types import Domain, Transition

__all__ = ["Invalid", "Judge", "Judgement"]


@dataclass(frozen=True, slots=True)
class Judgement:
    """The marks of one step."""

    marks: Mapping[str, int]
    """Criterion -> 0, 1 or 2.  A language model marks all; rules leave out diversity where they have no reference."""
    reason: str
    """Why, in a sentence or two."""


@dataclass(frozen=True, slots=True)
class Invalid:
    """No judgement: the judge's answer could not be read.  It counts as such, and never as a mark."""

    reason: str


@runtime_checkable
class Judge(Protocol):
    """Marks steps."""

    name: str
    """As reports call it; without secrets."""
    rubric: Rubric

    def judge(self, domain: Domain, transitions: Sequence[Transition]) -> list[Judgement | Invalid]:
        """Mark a sample of steps, in order.

        Args:
            domain: of the steps.
            transitions: any number; diversity may be judged over all of them at once.

        Raises:
            WorldModelError: the judge as a whole cannot answer.
        """
        ...

    def close(self) -> None:
        """Release what the judge holds; calling it twice is allowed."""
        ...
