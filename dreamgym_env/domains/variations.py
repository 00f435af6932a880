"""What a domain knows of varying its tasks: the seam between a curriculum and what a domain's programs know.

A domain's rules are what the function ``variation_rules(domain)`` of the module ``variations`` in the folder of its
class returns, or of one of the classes that it is derived from.  Tasks of a domain without one cannot be varied.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any, Protocol

from dreamgym_env.domains.beside import made_beside
from dreamgym_env.domains.draws import Draws
from dreamgym_env.types import Domain, Task

__all__ = ["VariationRules", "variation_of", "variation_rules_of"]


class VariationRules(Protocol):
    """The rules of one domain."""

    def propose(self, task: Task, draws: Draws) -> Task | None:
        """Draw a variation of a task, or return None where what was drawn makes no good one.

        The variation is solvable, has a goal that the domain's verifier can check, is of the task's split and family,
        and is none of the domain's own tasks, whatever its words.

        Args:
            task: an original, or a variation that these rules proposed.
            draws: all chance comes from it.
        """
        ...

    def identity(self, task: Task) -> str:
        """Return what makes a task another one than others, its words and its id aside where the goal says all."""
        ...

    def reworded(self, task: Task, instruction: str) -> Task | None:
        """Return a proposed task in other words, or None unless a program can tell that they ask for the same."""
        ...


def variation_rules_of(domain: Domain) -> VariationRules | None:
    """Return the domain's own rules, or None where it has none."""
    rules: VariationRules | None = made_beside(domain, "variations", "variation_rules")
    return rules


def variation_of(
    task: Task, instruction: str, initial_state: str, goal: Mapping[str, Any], facts: Mapping[str, Any]
) -> Task:
    """Return a variation of a task, of its family and split; its id follows from what it is.

    Args:
        task: an original, or a variation.
        instruction: what the agent is asked to do.
        initial_state: the first observation, which tells the instruction.
        goal: by which the domain's verifier judges.
        facts: hidden from the agent.
    """
    content = json.dumps([instruction, goal, facts], sort_keys=True, ensure_ascii=False)
    digest = hashlib.blake2b(content.encode(), digest_size=6).hexdigest()
    return Task(
        id=f"{task.family}~{digest}",
        domain=task.domain,
        instruction=instruction,
        initial_state=initial_state,
        split=task.split,
        goal=goal,
        facts=facts,
        parent=task.family,
    )
