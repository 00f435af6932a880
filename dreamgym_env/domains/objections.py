"""What a program holds against a step of an episode: the seam between judging and what a domain's programs know.

A domain's rules are what the function ``judge_rules(domain)`` of the module ``judging`` in the folder of its class
returns, or of one of the classes that it is derived from.  A domain without one is judged by general rules alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from dreamgym_env.domains.beside import made_beside
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
    rules: JudgeRules | None = made_beside(domain, "judging", "judge_rules")
    return rules
