"""The texts of ALFWorld: what kind each is of, and how it is split into sentences."""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence

from dreamgym_env.domains.alfworld.tracker import NOTHING_HAPPENS
from dreamgym_env.domains.segments import PLACEHOLDER, escape_segment, unescape_segment

__all__ = ["TASK_LEAD", "join_sentences", "listed", "page_kind", "split_sentences"]

TASK_LEAD = "Your task is to: "
"""What stands before the instruction in a first text."""
_BREAK = re.compile(r"(?<=[.:]) (?!\n)|(?<!\n)(?=\n)")
"""Between sentences: a space, which goes, or the first of several line breaks, which stay."""
_KINDS = (
    ("-= Welcome to TextWorld", "start"),
    ("You are in the middle of a room", "room"),
    ("You are facing ", "place"),
    ("You arrive at ", "arrival"),
    ("You open the ", "opened"),
    ("You close the ", "closed"),
    ("You pick up the ", "taken"),
    ("You move the ", "moved"),
    ("You put the ", "moved"),
    ("You turn on the ", "lit"),
    ("You turn off the ", "lit"),
    ("You heat the ", "treated"),
    ("You cool the ", "treated"),
    ("You clean the ", "treated"),
    ("You sliced the ", "treated"),
    ("You are carrying", "inventory"),
    ("You are not carrying", "inventory"),
    ("On the ", "receptacle"),
    ("The ", "receptacle"),
    ("This ", "object"),
    ("There's nothing special about ", "object"),
    ("Available commands:", "help"),
)


def page_kind(state: str) -> str:
    """Return ``"nothing"`` for what no action led to, the kind of any other text, or ``"other"``."""
    if state == NOTHING_HAPPENS:
        return "nothing"
    return next((kind for start, kind in _KINDS if state.startswith(start)), "other")


def listed(names: Sequence[str]) -> str:
    """Return names as the engine lists them: ``a, b, and c``, but ``a, and b``."""
    return ", and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


@functools.lru_cache(maxsize=32_768)
def split_sentences(state: str, instruction: str) -> tuple[str, ...]:
    """Split a text into sentences, the instruction replaced by a placeholder.

    Returns:
        At least one sentence; those that begin a line keep the line breaks before them.
    """
    at = _find_instruction(state, instruction)
    if at < 0:
        return _sentences(state)
    before, after = state[: at - 1], state[at + len(instruction) :]
    # what follows begins with a space, which goes, or with a line break, before which an empty sentence is found
    rest = _sentences(after.removeprefix(" "))[after.startswith("\n") :] if after else ()
    return (*_sentences(before), PLACEHOLDER, *rest)


def join_sentences(sentences: Sequence[str], instruction: str) -> str:
    """Inverse of :func:`split_sentences`, for this or another instruction."""
    parts: list[str] = []
    for number, sentence in enumerate(sentences):
        text = instruction if sentence == PLACEHOLDER else unescape_segment(sentence)
        parts.append(text if number == 0 or sentence.startswith("\n") else f" {text}")
    return "".join(parts)


def _find_instruction(state: str, instruction: str) -> int:
    """Return where the instruction stands as the task, up to the end of a line or a sentence; or -1."""
    if not instruction:
        return -1
    at = state.find(TASK_LEAD + instruction)
    if at < 0:
        return -1
    at += len(TASK_LEAD)
    rest = state[at + len(instruction) :]
    return at if not rest or rest[0] == "\n" or (rest[0] == " " and not rest.startswith(" \n")) else -1


def _sentences(text: str) -> tuple[str, ...]:
    return tuple(escape_segment(part) for part in _BREAK.split(text))
