"""Reasons for recorded steps, by the rules of the house: does a step lead on, and what does the house do?"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from dreamgym_env.domains.alfworld.affordances import CONDITION_AFTER
from dreamgym_env.domains.alfworld.grammar import ParsedAction, parse, thing_class
from dreamgym_env.domains.alfworld.tracker import NAME
from dreamgym_env.domains.alfworld.wording import names
from dreamgym_env.types import Memory, Source, Transition

__all__ = ["explain", "teach"]

_NEUTRAL = {
    "look": "Neutral: it tells where the agent stands.",
    "inventory": "Neutral: it tells what is in hand.",
    "help": "Neutral: it tells which commands there are.",
    "close": "A detour: the door is shut.",
    "slice": "A detour: the object is sliced, which no task asks for.",
}

_ASKED = {
    "heat": re.compile(r"\b(?:heat|hot|warm|microwave|cook)"),
    "clean": re.compile(r"\b(?:clean|wash|rinse)"),
    "cool": re.compile(r"\b(?:cool|cold|chill|refrigerate)"),
}
"""Verb -> how an instruction asks for it."""


def teach(transition: Transition, memories: Sequence[Memory]) -> Transition:
    """Return a recorded step with a reason, its own or the rules', and with as much of its text as can be known.

    What is in a place that nobody has looked into cannot be known: where the memories hold an answer that was made up
    for the house, that is the one to learn, with a reason of its own.
    """
    composed = next((memory for memory in memories if memory.transition.source is Source.COMPOSED), None)
    if composed is not None and composed.transition.next_state != transition.next_state:
        transition = replace(transition, next_state=composed.transition.next_state, reasoning="")
    return replace(transition, reasoning=transition.reasoning or explain(transition))


def explain(transition: Transition) -> str:
    """Return whether a step leads to success, and how the house responds."""
    action = parse(transition.action)
    if not transition.valid or action is None:
        return "It leads nowhere: that is not possible here, so nothing happens."
    if transition.terminated:
        return f"Success: {_response(action, transition.next_state)}, and the house is as the task wants it."
    if action.verb in _NEUTRAL:
        return _NEUTRAL[action.verb]
    return f"{_bearing(action, transition)}: {_response(action, transition.next_state)}."


def _bearing(action: ParsedAction, step: Transition) -> str:
    """Return whether what an action is about, or shows, is named by the task."""
    if action.verb in ("go", "open", "examine"):
        shown = NAME.findall(step.next_state.replace(action.place or action.object, ""))
        named = any(names(step.instruction, thing_class(name)) for name in (*shown, action.place) if name)
        return "Toward the goal" if named else "On the way"
    named = names(step.instruction, thing_class(action.object))
    if action.verb == "move":
        named = named and names(step.instruction, thing_class(action.place))
    elif action.verb in _ASKED:
        named = named and _ASKED[action.verb].search(step.instruction.lower()) is not None
    return "Toward the goal" if named else "A detour"


def _response(action: ParsedAction, text: str) -> str:
    match action.verb:
        case "go":
            return f"the agent walks there and {'finds it closed' if 'is closed.' in text else 'sees what it holds'}"
        case "open":
            return "the door opens and shows what is inside"
        case "examine":
            return "it is described, and nothing changes"
        case "take":
            return "the object leaves its place and is in hand"
        case "move":
            return "the object stays where it is put"
        case "use":
            return "the lamp is on"
        case _:
            return f"the object in hand is now {CONDITION_AFTER.get(action.verb, 'sliced')}"
