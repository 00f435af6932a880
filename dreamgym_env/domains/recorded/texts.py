"""The texts of an environment that nobody described: what kind each is of, and how it is split into segments."""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence

from dreamgym_env.domains.segments import PLACEHOLDER, escape_segment, unescape_segment

__all__ = ["action_kind", "join_text", "page_kind", "split_text"]

_BREAK = re.compile(r"(?<!\n)(?=\n)|(?<=[.!?])(?= )|(?= \[| \|)")
"""Before a line, a sentence, and what a bracket or a bar sets apart; what separates two stays with the second."""
_WORD = re.compile(r"[^\W\d_]+")
_VERB = re.compile(r"\s*([^\s\[(]+)")
_LONGEST_KIND = 32  # characters


@functools.lru_cache(maxsize=32_768)
def split_text(state: str, instruction: str) -> tuple[str, ...]:
    """Split a text into lines and sentences, the instruction replaced by a placeholder.

    A text that is nothing but the instruction stays as it is: where none was recorded, the first observation stands for
    it, and the pages on which tasks begin would otherwise all be one.

    Returns:
        At least one segment; each holds the line breaks and the space before it, so that nothing is lost.
    """
    at = _find_instruction(state, instruction)
    if at < 0:
        return _parts(state) or ("",)
    return (*_parts(state[:at]), PLACEHOLDER, *_parts(state[at + len(instruction) :]))


def join_text(segments: Sequence[str], instruction: str) -> str:
    """Inverse of :func:`split_text`, for this or another instruction."""
    return "".join(instruction if part == PLACEHOLDER else unescape_segment(part) for part in segments)


@functools.lru_cache(maxsize=8192)
def page_kind(state: str) -> str:
    """Return the first two words of the first line that has some, or ``"empty"``."""
    words = next((found for line in state.splitlines() if (found := _WORD.findall(line))), ["empty"])
    return " ".join(words[:2]).lower()[:_LONGEST_KIND]


@functools.lru_cache(maxsize=8192)
def action_kind(action: str) -> str:
    """Return the first word, up to a bracket: ``"click"`` of ``click[buy]``; ``"invalid"`` where there is none."""
    verb = _VERB.match(action)
    return verb[1].lower()[:_LONGEST_KIND] if verb else "invalid"


def _find_instruction(state: str, instruction: str) -> int:
    """Return where the instruction stands in a text as whole words, or -1."""
    if not instruction.strip() or state == instruction:
        return -1
    at = state.find(instruction)
    while at >= 0:
        before, after = state[at - 1 : at], state[at + len(instruction) :][:1]
        if not (before.isalnum() and instruction[0].isalnum()) and not (after.isalnum() and instruction[-1].isalnum()):
            return at
        at = state.find(instruction, at + 1)
    return -1


def _parts(text: str) -> tuple[str, ...]:
    return tuple(escape_segment(part) for part in _BREAK.split(text) if part)
