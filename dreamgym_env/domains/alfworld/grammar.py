"""The action grammar: reads what an agent types, and writes every action in one way.

Fourteen commands::

    look                      inventory                 help
    go to RECEPTACLE          open RECEPTACLE           close RECEPTACLE
    take OBJECT from RECEPTACLE                         move OBJECT to RECEPTACLE
    examine THING             use OBJECT                slice OBJECT with OBJECT
    heat OBJECT with RECEPTACLE    clean OBJECT with RECEPTACLE    cool OBJECT with RECEPTACLE

A thing's name is its class and a number, ``cabinet 13``.  The older ``put OBJECT in/on RECEPTACLE`` is the same action
as ``move OBJECT to RECEPTACLE``.  Case and spaces do not matter; anything else is no action.
"""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass

__all__ = ["KINDS", "ParsedAction", "kind", "parse", "thing_class"]

KINDS = (
    "look",
    "inventory",
    "help",
    "go",
    "open",
    "close",
    "take",
    "move",
    "examine",
    "use",
    "heat",
    "clean",
    "cool",
    "slice",
    "invalid",
)
"""Kinds of actions: the verbs of the grammar, and ``"invalid"`` for what is none of its actions."""

_LONGEST = 200
"""No action is longer than this many characters: the longest names of two things and the words between need 60."""

_THING = r"[a-z]+ [1-9][0-9]{0,3}"
_PATTERNS = tuple(
    re.compile(pattern.replace("THING", _THING))
    for pattern in (
        r"(?P<verb>look|inventory|help)",
        r"(?P<verb>go) to (?P<place>THING)",
        r"(?P<verb>open|close) (?P<place>THING)",
        r"(?P<verb>take) (?P<object>THING) from (?P<place>THING)",
        r"(?P<verb>move) (?P<object>THING) to (?P<place>THING)",
        r"(?P<verb>put) (?P<object>THING) in/on (?P<place>THING)",
        r"(?P<verb>examine|use) (?P<object>THING)",
        r"(?P<verb>heat|clean|cool|slice) (?P<object>THING) with (?P<place>THING)",
    )
)
_FORMS = {
    "go": "go to {1}",
    "open": "open {1}",
    "close": "close {1}",
    "take": "take {0} from {1}",
    "move": "move {0} to {1}",
    "examine": "examine {0}",
    "use": "use {0}",
    "heat": "heat {0} with {1}",
    "clean": "clean {0} with {1}",
    "cool": "cool {0} with {1}",
    "slice": "slice {0} with {1}",
}


@dataclass(frozen=True, slots=True)
class ParsedAction:
    """An action of the grammar."""

    verb: str
    """One of :data:`KINDS` but ``"invalid"``."""
    object: str = ""
    """Name of what is taken, moved, examined (a receptacle too), used, treated or sliced; else empty."""
    place: str = ""
    """Name of the receptacle that one goes to, opens, closes, takes from, moves to, or heats, cleans or cools with;
    of ``slice``, the knife; else empty."""

    @property
    def text(self) -> str:
        """The action's canonical text, for example ``"take apple 1 from fridge 1"``."""
        return _FORMS.get(self.verb, self.verb).format(self.object, self.place)


@functools.lru_cache(maxsize=16_384)
def _parse(action: str) -> ParsedAction | None:
    text = " ".join(action.lower().split())
    for pattern in _PATTERNS:
        if match := pattern.fullmatch(text):
            found = match.groupdict()
            verb = "move" if found["verb"] == "put" else found["verb"]
            return ParsedAction(verb, found.get("object") or "", found.get("place") or "")
    return None


def parse(action: str) -> ParsedAction | None:
    """Read an action.

    Args:
        action: any text.

    Returns:
        The action, or None where the text is none of the grammar's.
    """
    return _parse(action) if len(action) <= _LONGEST and action.isascii() else None


def kind(action: str) -> str:
    """Return the kind of an action, one of :data:`KINDS`."""
    parsed = parse(action)
    return parsed.verb if parsed else "invalid"


def thing_class(name: str) -> str:
    """Return the class of a thing by its name: ``"cabinet"`` of ``"cabinet 13"``."""
    return name.partition(" ")[0]
