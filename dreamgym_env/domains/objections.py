"""What a program holds against a step of an episode: the seam between judging and what a domain's programs know.

A domain's rules are what the function ``judge_rules(domain)`` of the module ``judging`` in the folder of its class
returns, or of one of the classes that it is derived from.  A domain without one is judged by general rules alone.
"""

from __future__ import annotations

import functools
import importlib
import importlib.util
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol

from dreamgym_env.types import Domain, Task, Transition

__all__ = ["CONSISTENCY", "HALLUCINATION", "INFORMATIVENESS", "JudgeRules", "Objection", "judge_rules_of"]

CONSISTENCY = "causal_consistency"
"""Whether the answer follows from the action and from what the episode has shown."""
INFORMATIVENESS = "informativeness"
"""Whether the answer tells what the real environment would tell there, and lets the agent go on."""
HALLUCINATION = "hallucination"
"""Whether the answer makes something up."""


@dataclass(frozen=True, slots=True)
class Objection:
    """Something that speaks against a step."""

    criterion: str
    """:data:`CONSISTENCY`, :data:`INFORMATIVENESS` or :data:`HALLUCINATION`."""
    mark: int
    """The best mark that the step can have with it: 0, or 1 for a slip."""
    reason: str
    """A sentence."""


class JudgeRules(Protocol):
    """The rules of one domain."""

    def __call__(self, step: Transition, task: Task) -> Iterator[Objection]:
        """Yield what speaks against a step.

        Args:
            step: to be judged; its history and state are taken for what the episode has shown.
            task: the step's, as the domain knows it; without goal and facts where it does not.
        """
        ...


def judge_rules_of(domain: Domain) -> JudgeRules | None:
    """Return the domain's own rules, or None where it has none."""
    for kind in type(domain).__mro__:
        make = _maker_beside(kind.__module__)
        if make is not None:
            return make(domain)
    return None


@functools.cache
def _maker_beside(module: str) -> Callable[[Any], JudgeRules] | None:
    """Return ``judge_rules`` of the module ``judging`` beside a module, or None."""
    package = module.rpartition(".")[0]
    if not package or importlib.util.find_spec(f"{package}.judging") is None:
        return None
    make: Callable[[Any], JudgeRules] | None = getattr(
        importlib.import_module(f"{package}.judging"), "judge_rules", None
    )
    return make
