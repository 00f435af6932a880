"""What the house's rules, a task's facts and the episode say against a text.

The rules in :mod:`~.answers` know the engine's answer wherever a world tells enough.  They are asked twice: of what the
episode has shown, which nobody may contradict, and of that with the task's hidden facts, which tell what there really
is.  Where neither tells (a drawer that nobody has looked into, in a house without facts), the answer's form is checked,
and that what it lists is not known to be elsewhere.

A dream whose house is made up (``facts=False``) is judged with a domain that knows no facts either.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from dreamgym_env.domains.alfworld.affordances import CLASSES
from dreamgym_env.domains.alfworld.answers import answer_of
from dreamgym_env.domains.alfworld.grammar import KINDS, ParsedAction, parse, thing_class
from dreamgym_env.domains.alfworld.known import known_of
from dreamgym_env.domains.alfworld.texts import page_kind
from dreamgym_env.domains.alfworld.tracker import NAME, NOTHING_HAPPENS, World, track
from dreamgym_env.domains.objections import CONSISTENCY, HALLUCINATION, INFORMATIVENESS, JudgeRules, Objection

if TYPE_CHECKING:
    from dreamgym_env.domains.alfworld.domain import ALFWorld
    from dreamgym_env.types import Task, Transition

__all__ = ["judge_rules"]


def judge_rules(domain: ALFWorld) -> JudgeRules:
    """Return the rules of a house; they are the same for all games."""
    return _objections


def _objections(step: Transition, task: Task) -> Iterator[Objection]:
    """Yield what speaks against a step whose action the house admits."""
    action = parse(step.action)
    if action is None:
        return
    if step.next_state.strip() == NOTHING_HAPPENS:
        yield Objection(CONSISTENCY, 0, "The action is possible here, and nothing happens.")
        yield Objection(INFORMATIVENESS, 0, "Nothing is told of what the action does.")
        return
    right = answer_of(track(step.history, step.state, known_of(task)), action)
    if _breaks_off(step.next_state, action, right):
        yield Objection(INFORMATIVENESS, 0, "The text breaks off.")
        yield Objection(CONSISTENCY, 1, "Something is missing of what follows the action.")
    if not _is_of_form(step.next_state, action):
        yield Objection(CONSISTENCY, 0, f"The text is no answer to {action.text!r}.")
        return
    if right is not None and _agree(step.next_state, right):
        return  # what is so cannot contradict what was shown: who has not looked does not know who stands beside whom
    shown = track(step.history, step.state)
    expected = answer_of(shown, action) if action.verb != "look" else None
    if expected not in (None, NOTHING_HAPPENS) and not _agree(step.next_state, expected):
        yield Objection(CONSISTENCY, 0, "The text contradicts what the episode has shown.")
    if right is not None and task.facts:
        yield from _against_facts(step.next_state, right)
    elif action.verb != "help":
        yield from _against_listed(step.next_state, action, shown)


def _breaks_off(text: str, action: ParsedAction, right: str | None) -> bool:
    """Return whether a text is but the beginning of an answer."""
    if action.verb == "help":
        return page_kind(text) == "help" and not all(
            f"\n  {verb}" in text for verb in KINDS if verb not in ("help", "invalid")
        )
    alone = text.strip() in (f"You arrive at {action.place}.", f"You open the {action.place}.")
    return alone or not text.rstrip().endswith(".") or (right is not None and text != right and right.startswith(text))


def _is_of_form(text: str, action: ParsedAction) -> bool:
    """Return whether a text is one that the engine may answer to an action."""
    place, thing = action.place, action.object
    if action.verb == "help":
        return page_kind(text) == "help"
    if action.verb == "look":
        return page_kind(text) in ("room", "place")
    if action.verb == "inventory":
        return page_kind(text) == "inventory"
    if action.verb == "examine":
        return text.startswith(
            (
                *(f"{lead} {thing}" for lead in ("On the", "The", "This", "There's nothing special about")),
                *(f"This is a{n} " for n in ("", "n")),
            )
        ) and _names_as_last(text, thing)
    starts = {
        "go": (f"You arrive at {place}. On the {place}, you see ", f"You arrive at {place}. The {place} is "),
        "open": (f"You open the {place}. The {place} is open. In it, you see ",),
        "close": (f"You close the {place}.",),
        "take": (f"You pick up the {thing} from the {place}.",),
        "move": (f"You move the {thing} to the {place}.", f"You put the {thing} in/on the {place}."),
        "use": (f"You turn on the {thing}.", f"You turn off the {thing}."),
        "slice": (f"You sliced the {thing} with the {place}.",),
    }
    return text.startswith(starts.get(action.verb, (f"You {action.verb} the {thing} using the {place}.",)))


def _names_as_last(text: str, thing: str) -> bool:
    """Return whether the first sentence of a description is about a thing."""
    return thing in NAME.findall(text.partition(".")[0].partition(", you see")[0])


def _agree(text: str, expected: str | None) -> bool:
    """Return whether two texts are the same but for the order of what they list."""
    return text == expected or (expected is not None and _parts(text) == _parts(expected))


def _parts(text: str) -> tuple[str, tuple[str, ...]]:
    head, seen, listed = text.strip().partition("you see ")
    return head + seen + ("nothing" if listed.startswith("nothing") else ""), tuple(sorted(NAME.findall(listed)))


def _against_facts(text: str, right: str) -> Iterator[Objection]:
    """Yield what speaks against a text where the house's facts say another."""
    head, listed = _parts(text)
    right_head, there = _parts(right)
    if set(listed) - set(there):
        yield Objection(HALLUCINATION, 0, "Things are listed that are not there.")
    if set(there) - set(listed):
        yield Objection(HALLUCINATION, 1, "Things that are there are not listed.")
        yield Objection(INFORMATIVENESS, 0 if not listed else 1, "Things that are there are not listed.")
    if head != right_head and not set(there) ^ set(listed):
        yield Objection(HALLUCINATION, 0, "The text describes a thing as it is not.")
    yield Objection(CONSISTENCY, 1, "What the text shows is not what this house would show.")


def _against_listed(text: str, action: ParsedAction, shown: World) -> Iterator[Objection]:
    """Yield what speaks against listed things, where nobody knows what is there."""
    for name in NAME.findall(text.partition("you see ")[2]):
        elsewhere = [place for place in shown.holders(name) if place not in (action.place, action.object)]
        if name == shown.holding or name in shown.left.get(action.place, ()):
            yield Objection(CONSISTENCY, 0, f"{name} was taken, and is there all the same.")
            yield Objection(HALLUCINATION, 0, f"{name} was taken, and is there all the same.")
        elif elsewhere:
            yield Objection(CONSISTENCY, 0, f"{name} was shown in {elsewhere[0]}, and nobody has moved it.")
            yield Objection(HALLUCINATION, 0, f"{name} was shown in {elsewhere[0]}, and nobody has moved it.")
        elif thing_class(name) not in CLASSES:
            yield Objection(HALLUCINATION, 1, f"No house has a {thing_class(name)}.")
