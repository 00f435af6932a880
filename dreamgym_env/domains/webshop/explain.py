"""Short reasons for what the shop did, by its own rules; what the embedded model learns to say first."""

from __future__ import annotations

from dreamgym_env.domains.webshop.observation import action_argument, action_kind, page_kind
from dreamgym_env.types import Transition

__all__ = ["explain"]

_WORDS = 40  # characters of the agent's own words that a reason repeats


def explain(step: Transition) -> str:
    """Say in one sentence whether the action leads on and how the shop responds."""
    if not step.valid:
        return "The page does not offer this action, so nothing changes."
    kind, name = action_kind(step.action), action_argument(step.action)[:_WORDS]
    if kind == "search":
        return "Toward the goal: the search lists the products that fit its words best."
    if kind == "item":
        return "Toward the goal: the product is listed here, so its page opens."
    if kind == "option":
        return f"Toward the goal: {name} is chosen, and the page looks the same."
    if kind == "buy":
        return _purchase(step)
    if kind == "next":
        return "The next page of the same results follows."
    if kind == "subpage":
        return f"A detour: the {name} of the product opens."
    if kind == "back":
        return "A detour: the start page with the search bar comes back."
    before = page_kind(step.next_state)
    return f"A detour: the {before} page before this one comes back."


def _purchase(step: Transition) -> str:
    if step.reward > 0:
        return "Success: the product and its options fit the task, and the order ends the episode."
    missing = "hardly fits" if step.score < 0.5 else "does not quite fit"
    return f"Failure: what is ordered {missing} the task, and the order ends the episode."
