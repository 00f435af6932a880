"""What may explain an answer by its episode alone, and what a question has in common with recorded ones."""

from __future__ import annotations

import itertools
from collections.abc import Hashable, Iterator

from dreamgym_env.domains.recorded.actions import ReadAction, read_action
from dreamgym_env.domains.recorded.explanations import UNCHANGED, Segments
from dreamgym_env.types import Query, Turn

__all__ = ["circumstances", "in_the_episode", "named_share"]

_MENTIONS = 4
"""How many of the segments that mention an argument are told by their places."""


def in_the_episode(query: Query) -> dict[str, str]:
    """Return what an answer may be by the episode alone: name of the explanation -> text."""
    action = read_action(query.action)
    said = {UNCHANGED: query.state}
    turns = [*query.history, Turn(query.state, query.action)]
    said["as at the start"] = turns[0].state
    moves = [turns[0].state]  # the first page is as good as a move's
    for turn, following in itertools.pairwise(turns):
        past = read_action(turn.action)
        said[f"as after {past.verb}"] = following.state
        if past.text == action.text:
            said["as before"] = following.state
            if turn.state == query.state:
                said["as before on this page"] = following.state
        if past.verb == action.verb:
            moves.append(following.state)
    if len(moves) > 1:
        said["back"] = moves[-2]
    return said


def circumstances(query: Query, action: ReadAction, page: Segments) -> Iterator[Hashable]:
    """Yield what a question has in common with others, the most telling first."""
    past = [read_action(turn.action) for turn in query.history]
    same_verb = next((turn.text for turn in reversed(past) if turn.verb == action.verb), "")
    handled = next((turn.verb for turn in reversed(past) if set(turn.arguments) & set(action.arguments)), "")
    latest = past[-1].verb if past else ""
    text = "\n".join([query.state, *(turn.state for turn in query.history)]).lower() if action.arguments else ""
    seen = tuple(argument.lower() in text for argument in action.arguments)
    named = named_share(action, query.task.instruction)
    mentions = tuple(
        at if 2 * at <= len(page) else at - len(page)
        for at, segment in enumerate(page)
        if any(argument.lower() in segment.lower() for argument in action.arguments)
    )
    yield "action", action.text, same_verb
    yield "handled", action.form, seen, handled, named
    yield "handled", action.form, handled
    yield "latest", action.form, latest, seen
    yield "mentions", action.form, mentions[:_MENTIONS]
    yield "seen", action.form, seen, named
    yield "form", action.form
    yield "verb", action.verb, len(action.arguments)
    yield "any", len(action.arguments)


def named_share(action: ReadAction, instruction: str) -> str:
    """Return how much of what an action is about the task names: ``all``, ``some`` or ``none``."""
    told = instruction.lower()
    named = [argument.lower() in told for argument in action.arguments]
    return "none" if not any(named) else "all" if all(named) else "some"
