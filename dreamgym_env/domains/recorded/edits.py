"""What an action changed on a page, in a form that can be carried over to another page.

Many environments show their whole state after each action, and little of it changes: a first line that answers, a
purse, a counter of steps.  An edit says where a page differs from the one before, and what stands there now: a text
with the action's arguments in it, or the numbers of the old line, each changed by so much.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from typing import NamedTuple

from dreamgym_env.domains.recorded.actions import Template, fill, template_of

__all__ = ["Edit", "apply_edits", "edits_of"]

Changes = tuple[str, ...]
"""For each number of a line how it changes: ``+2``, ``-1``, ``+0``; ``+a0`` or ``-a0`` as told of argument 0."""

_NUMBER = re.compile(r"(?<![\d.,])(?:0|[1-9]\d{0,8})(?![\d.,]*\d)")
_TOLD = r"\W{1,12}?(\d{1,9})(?!\d)"
"""Between what a thing is called and the number told of it: ``lamp (9 coins)``, ``lamp: 9``."""
_MOST_EDITS = 6


class Edit(NamedTuple):
    """Some segments that others take the place of."""

    at: int
    """Index of the first; in the second half of a page counted from one behind its end, and negative."""
    removed: int
    """How many."""
    added: Template
    """What stands there now; empty where :attr:`changes` says it."""
    changes: tuple[Changes, ...] = ()
    """For each removed segment how its numbers change."""


def edits_of(page: Sequence[str], answer: Sequence[str], arguments: Sequence[str]) -> tuple[Edit, ...] | None:
    """Return how an answer differs from the page before, or None where it is another page.

    Args:
        page: segments before the action.
        answer: segments after it.
        arguments: of the action.

    Returns:
        At most six edits, in order; None where less than half of the text is left, or where there would be more.
    """
    left = set(answer)
    if 2 * sum(len(segment) for segment in page if segment in left) < sum(map(len, page)):
        return None
    edits = []
    for tag, start, end, new_start, new_end in difflib.SequenceMatcher(
        None, page, answer, autojunk=False
    ).get_opcodes():
        if tag == "equal":
            continue
        old, new = page[start:end], answer[new_start:new_end]
        at = start if 2 * start <= len(page) else start - len(page) - 1
        changes = [_changes(one, other, page, arguments) for one, other in zip(old, new, strict=False)]
        if len(old) == len(new) and all(changes):
            edits.append(Edit(at, len(old), (), tuple(found for found in changes if found)))
        else:
            edits.append(Edit(at, len(old), template_of(new, arguments)))
    return tuple(edits) if len(edits) <= _MOST_EDITS else None


def apply_edits(edits: Sequence[Edit], page: Sequence[str], arguments: Sequence[str]) -> tuple[str, ...] | None:
    """Carry edits over to another page and another action; None where they do not fit."""
    segments: list[str] = []
    done = 0
    for edit in sorted(edits, key=lambda edit: edit.at if edit.at >= 0 else edit.at + len(page) + 1):
        start = edit.at if edit.at >= 0 else edit.at + len(page) + 1
        if not done <= start <= start + edit.removed <= len(page):
            return None
        segments.extend(page[done:start])
        done = start + edit.removed
        segments.extend(fill(edit.added, arguments))
        for changes, segment in zip(edit.changes, page[start:done], strict=False):
            changed = _changed(segment, changes, page, arguments)
            if changed is None:
                return None
            segments.append(changed)
    return (*segments, *page[done:])


def _changes(old: str, new: str, page: Sequence[str], arguments: Sequence[str]) -> Changes | None:
    """Return how the numbers of a line have changed, or None where more than numbers has."""
    before, after = _NUMBER.findall(old), _NUMBER.findall(new)
    if not before or len(before) != len(after) or _NUMBER.split(old) != _NUMBER.split(new):
        return None
    told = {number: f"a{at}" for at, number in reversed(list(enumerate(_told(page, arguments)))) if number}
    differences = [int(other) - int(one) for one, other in zip(before, after, strict=True)]
    return tuple(f"{'-' if by < 0 else '+'}{told.get(abs(by), abs(by))}" for by in differences)


def _changed(segment: str, changes: Changes, page: Sequence[str], arguments: Sequence[str]) -> str | None:
    """Return a line with its numbers changed, or None where it has others, or fewer."""
    numbers, told = [int(number) for number in _NUMBER.findall(segment)], _told(page, arguments)
    if len(numbers) != len(changes):
        return None
    changed = []
    for number, change in zip(numbers, changes, strict=True):
        by = told[int(change[2:])] if change[1] == "a" else int(change[1:])
        if by is None:
            return None
        changed.append(number - by if change[0] == "-" else number + by)
    if min(changed, default=0) < 0:
        return None
    following = iter(changed)
    return _NUMBER.sub(lambda _: str(next(following)), segment)


def _told(page: Sequence[str], arguments: Sequence[str]) -> list[int | None]:
    """Return for each argument the number that a page tells of it."""
    told: list[int | None] = []
    for argument in arguments:
        mention = re.compile(rf"(?<!\w){re.escape(argument)}{_TOLD}", re.IGNORECASE)
        found = next(filter(None, map(mention.search, page)), None)
        told.append(int(found[1]) if found else None)
    return told
