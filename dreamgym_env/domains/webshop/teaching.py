"""What a world model can learn from a recorded step: a short reason, and the part of the page that can be known.

The reasons follow the shop's own rules: first whether the action leads toward success, then how the shop responds.
What nobody has seen cannot be known, and a model that is trained to write it learns to make things up.  So where a page
was composed from what is known, that is the page to learn; and a text that no memory shows is left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from dreamgym_env.domains.webshop import observation
from dreamgym_env.types import Memory, Source, Transition

if TYPE_CHECKING:
    from dreamgym_env.domains.webshop.domain import WebShop

__all__ = ["explain", "teach"]


def teach(domain: WebShop, step: Transition, memories: Sequence[Memory]) -> Transition:
    """Return the step as it should be learnt when these memories are shown beside it."""
    told = replace(step, reasoning=step.reasoning or explain(step))
    composed = next((memory for memory in memories if memory.transition.source is Source.COMPOSED), None)
    if composed is not None:
        return replace(told, next_state=composed.transition.next_state)
    kind, page = domain.action_kind(step.action), domain.page_kind(step.next_state)
    if not step.valid or (kind, page) != ("subpage", "subpage") or _is_known(domain, step, memories):
        return told
    known = domain.segment(step.next_state, step.instruction)[: observation.SUB_PAGE_HEAD]
    return replace(
        told,
        next_state=domain.render(known, step.instruction),
        reasoning=f"{told.reasoning.removesuffix('.')}; only what is known of it is shown.",
    )


def explain(step: Transition) -> str:
    """Say in one sentence whether the action leads on and how the shop responds."""
    if not step.valid:
        return "The page does not offer this action, so nothing changes."
    kind = observation.action_kind(step.action)
    if kind == "buy":
        return _explain_order(step)
    if kind == "prev":
        return f"A detour: the {observation.page_kind(step.next_state)} page before this one comes back."
    return _REASONS.get(kind, "The shop answers as it always does.")


_REASONS = {
    "search": "Toward the goal: the search lists the products that fit its words best.",
    "item": "Toward the goal: the product is listed here, so its page opens.",
    "option": "Toward the goal: an option is chosen, and the page looks the same.",
    "subpage": "A detour: a page that tells more of the product opens.",
    "next": "Toward the goal: the next page of the same results follows.",
    "back": "A detour: the start page with the search bar comes back.",
}


def _explain_order(step: Transition) -> str:
    if step.reward > 0:
        return "Success: the product and its options fit the task, and the order ends the episode."
    how = "hardly fits" if step.score < 0.5 else "does not quite fit"
    return f"Failure: what is ordered {how} the task, and the order ends the episode."


def _is_known(domain: WebShop, step: Transition, memories: Sequence[Memory]) -> bool:
    """Return whether a memory shows where this action on this page leads."""
    action, page = domain.parse_action(step.action), domain.segment(step.state, step.instruction)
    return any(
        domain.parse_action(memory.transition.action) == action
        and domain.segment(memory.transition.state, memory.transition.instruction) == page
        for memory in memories
    )
