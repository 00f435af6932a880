r"""How numbers and foreign texts are written in a report.

Pages and models can hold anything.  :func:`visible` turns what a reader could not see, or what would rearrange what he
sees, into escapes such as ``\x1b`` and ``\u202e``; it leaves line breaks and tabs.  It is no escaping for HTML.
"""

from __future__ import annotations

import re

from dreamgym_env.evaluation.report.reading import Figure

__all__ = ["NONE", "clip", "count", "decimal", "interval", "percent", "points", "visible"]

NONE = "–"
"""Stands where there is no figure."""
_MINUS = "−"
_COMBINING = "[\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]"
_UNSEEN = re.compile(
    "["
    "\x00-\x08\x0b-\x1f\x7f-\x9f"  # control characters, but for the tab and the line feed
    "\u00ad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"  # invisible, or set a direction
    "\ud800-\udfff"  # halves of characters
    "\ufffe\uffff\U000e0000-\U000e007f"
    "]"
    f"|(?<={_COMBINING * 4}){_COMBINING}"  # a tower of accents covers the lines above it
)


def visible(text: str) -> str:
    """Return a text in which everything can be seen."""
    return _UNSEEN.sub(_escape, text)


def clip(text: str, length: int) -> str:
    """Return a text, made visible, of at most ``length`` characters."""
    text = visible(text)
    return text if len(text) <= length else f"{text[: length - 1].rstrip()}…"


def percent(share: float | None) -> str:
    """Write a share in percent: ``"95.0 %"``."""
    return NONE if share is None else f"{_signed(share * 100, 1)}\u00a0%"


def points(share: float | None) -> str:
    """Write a difference of shares in percentage points, with its sign: ``"+2.0"``."""
    return NONE if share is None else _signed(share * 100, 1, plus=True)


def decimal(value: float | None, places: int = 2) -> str:
    """Write a number."""
    return NONE if value is None else _signed(value, places)


def count(value: float | None) -> str:
    """Write how many."""
    return NONE if value is None else _signed(value, 0)


def interval(estimate: Figure | None, *, scale: float = 1.0, places: int = 2, plus: bool = False) -> str:
    """Write the ends of an interval: ``"93.1 to 96.4"``; an empty text where there is none."""
    if estimate is None or estimate.low is None or estimate.high is None:
        return ""
    return " to ".join(_signed(end * scale, places, plus=plus) for end in (estimate.low, estimate.high))


def _signed(value: float, places: int, *, plus: bool = False) -> str:
    written = f"{abs(value):,.{places}f}"
    if not any(digit in written for digit in "123456789"):
        return written
    return f"{_MINUS if value < 0 else '+' if plus else ''}{written}"


def _escape(match: re.Match[str]) -> str:
    code = ord(match[0])
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
