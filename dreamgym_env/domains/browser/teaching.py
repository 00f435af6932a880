"""Reasons for recorded steps on the web, from what changed on the page; and what of a page can be learnt."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from dreamgym_env.domains.browser.grammar import ParsedAction, parse
from dreamgym_env.domains.browser.texts import error_of, numbered, page_kind, split_lines
from dreamgym_env.types import Memory, Source, Transition

__all__ = ["explain", "teach"]

_NEUTRAL = frozenset({"noop", "scroll", "hover", "focus"})


def teach(transition: Transition, memories: Sequence[Memory]) -> Transition:
    """Return a recorded step with a reason, its own or the rules', and with as much of its page as can be known.

    What nobody has seen cannot be known, and a model that is trained to write it learns to make things up: where the
    memories hold a page that was composed for the question, that is the one to learn, with a reason of its own.
    """
    composed = next((memory.transition for memory in memories if memory.transition.source is Source.COMPOSED), None)
    if composed is None:
        return replace(transition, reasoning=transition.reasoning or explain(transition))
    known = replace(transition, next_state=composed.next_state)
    made = transition.reasoning in ("", explain(transition)) or composed.next_state != transition.next_state
    return replace(known, reasoning=_explained(known, _evidence(composed)) if made else transition.reasoning)


def explain(transition: Transition) -> str:
    """Return whether a step leads to success, and how the page responds."""
    return _explained(transition, "")


def _explained(transition: Transition, told: str) -> str:
    """Return a reason; ``told`` is what a composed memory says of how its page is known, in place of what changed."""
    action = parse(transition.action)
    error = error_of(transition.next_state, transition.instruction)
    if action is None or error:
        return "It leads nowhere: the action cannot be carried out, and the page stays as it is."
    about = _about(action, transition.state)
    if transition.terminated:
        if transition.reward > 0:
            return f"Success: {about} is what the task asks for."
        return f"Failure: {about} ends the task, which was not done."
    return f"{_bearing(action, transition, about)}: {told or _response(transition)}."


def _evidence(composed: Transition) -> str:
    """Return how a composed page is known."""
    return composed.reasoning.partition(": ")[2]


def _about(action: ParsedAction, state: str) -> str:
    """Return the action in words, with the name of what it acts on."""
    known = numbered(state)
    named = [known[number] for number in action.elements if number in known]
    if not named:
        return action.text[:80]
    return f"{action.name} on the {named[0].role} {named[0].name[:60]}".strip()


def _bearing(action: ParsedAction, transition: Transition, about: str) -> str:
    if action.name in _NEUTRAL:
        return "Neutral"
    wanted = transition.instruction.lower()
    words = [word for word in about.lower().split(" ", 3)[-1].split() if len(word) > 2]
    typed = str(action.arguments[-1]).lower() if action.name in ("fill", "select_option") else ""
    fits = (typed and typed in wanted) or any(word.strip('",.') in wanted for word in words)
    return "Toward the goal" if fits else "On the way"


def _response(transition: Transition) -> str:
    """Return what changed between two pages, in a clause."""
    before = split_lines(transition.state, transition.instruction)
    after = split_lines(transition.next_state, transition.instruction)
    if page_kind(transition.state) != page_kind(transition.next_state):
        return "another page opens"
    gone, come = len(set(before) - set(after)), len(set(after) - set(before))
    if not gone and not come:
        return "nothing changes on the page"
    if len(before) == len(after):
        return f"{come} {'line' if come == 1 else 'lines'} of the page changed, all else stays"
    return f"the page stays, with {come} new {'line' if come == 1 else 'lines'} and {gone} gone"
