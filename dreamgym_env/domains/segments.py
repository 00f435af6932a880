"""Splitting a state text into segments, losslessly, with the task's instruction set apart.

A page that was recorded under one instruction then serves every other: the instruction is replaced by a placeholder,
and put back when the page is rendered for another task.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence

__all__ = ["PLACEHOLDER", "escape_segment", "join_segments", "split_segments", "unescape_segment"]

PLACEHOLDER = "{instruction}"
_ESCAPED = re.compile(r"\\*\{instruction\}\Z")


@functools.lru_cache(maxsize=32_768)
def split_segments(state: str, instruction: str, separator: str, marker: str = "") -> tuple[str, ...]:
    r"""Split ``state`` at ``separator``; the first whole segment run that is the instruction becomes the placeholder.

    Args:
        state: any text.
        instruction: the task's instruction; may itself hold the separator.
        separator: non-empty text between segments.
        marker: a segment that must stand directly before the instruction, or empty for anywhere.

    Returns:
        At least one segment. A segment that happens to read like the placeholder is escaped with a backslash.
    """
    at = _find_instruction(state, instruction, separator, marker)
    if at < 0:
        return _parts(state, separator)
    before, after = state[:at], state[at + len(instruction) :]
    return (*_parts(before, separator)[:-1], PLACEHOLDER, *_parts(after, separator)[1:])


def join_segments(segments: Sequence[str], instruction: str, separator: str) -> str:
    """Inverse of :func:`split_segments`, for this or another instruction."""
    return separator.join(
        part if not part.endswith(PLACEHOLDER) else instruction if part == PLACEHOLDER else unescape_segment(part)
        for part in segments
    )


def _find_instruction(state: str, instruction: str, separator: str, marker: str) -> int:
    """Return where the instruction stands as whole segments, or -1."""
    if not instruction:
        return -1
    lead = f"{marker}{separator}{instruction}" if marker else instruction
    at = state.find(lead)
    while at >= 0:
        start, end = at + len(lead) - len(instruction), at + len(lead)
        opens = at == 0 or state.endswith(separator, 0, at)
        closes = end == len(state) or state.startswith(separator, end)
        if opens and closes:
            return start
        at = state.find(lead, at + 1)
    return -1


@functools.lru_cache(maxsize=32_768)
def _parts(text: str, separator: str) -> tuple[str, ...]:
    """Split what stands before or after an instruction, which is the same for every task, and share the parts."""
    parts = text.split(separator)
    if PLACEHOLDER in text:
        parts = [escape_segment(part) for part in parts]
    return tuple(parts)


def escape_segment(part: str) -> str:
    """Return a text as a segment: one that reads like the placeholder gets a backslash."""
    return f"\\{part}" if _ESCAPED.match(part) else part


def unescape_segment(part: str) -> str:
    """Inverse of :func:`escape_segment`."""
    return part[1:] if part.startswith("\\") and _ESCAPED.match(part) else part
