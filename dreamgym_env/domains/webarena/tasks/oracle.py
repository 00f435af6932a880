"""The language of scripted oracles: what to do next, by role and accessible name.

A step names an element as an accessibility tree does: ``link``, ``button``, ``textbox``, ``combobox``, ``checkbox``,
``radio``, with its accessible name (exact, after white space is normalised).  Of several elements of one role and name,
``nth`` counts in document order from 0.  A step that leads to another page waits for it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

__all__ = ["Answer", "Click", "Fill", "Goto", "Select", "Step", "steps_from_records", "steps_to_records"]


@dataclass(frozen=True, slots=True)
class Click:
    """Click an element: follow a link, press a button, tick a box."""

    role: str
    name: str
    nth: int = 0


@dataclass(frozen=True, slots=True)
class Fill:
    """Replace the text of a field."""

    role: str
    name: str
    text: str
    nth: int = 0


@dataclass(frozen=True, slots=True)
class Select:
    """Choose an option of a ``combobox`` by its text."""

    role: str
    name: str
    option: str
    nth: int = 0


@dataclass(frozen=True, slots=True)
class Goto:
    """Open a URL; it may have a placeholder (``__FORUM__/b/books``)."""

    url: str


@dataclass(frozen=True, slots=True)
class Answer:
    """Send the final message to the user; an empty one says only that the task is done."""

    text: str


Step = Click | Fill | Select | Goto | Answer

_KINDS: Mapping[str, type[Step]] = {"click": Click, "fill": Fill, "select": Select, "goto": Goto, "answer": Answer}
_NAMES = {kind: name for name, kind in _KINDS.items()}


def steps_to_records(steps: Iterable[Step]) -> list[dict[str, Any]]:
    """Return steps as JSON values: ``{"do": "click", "role": "link", "name": "Cart"}``; an ``nth`` of 0 is left out."""
    records = []
    for step in steps:
        members = {name: value for name, value in asdict(step).items() if (name, value) != ("nth", 0)}
        records.append({"do": _NAMES[type(step)], **members})
    return records


def steps_from_records(records: Iterable[Mapping[str, Any]]) -> tuple[Step, ...]:
    """Return the steps of records that :func:`steps_to_records` made.

    Raises:
        ValueError: a record is no step; the message says which.
    """
    steps: list[Step] = []
    for record in records:
        members = dict(record)
        kind = _KINDS.get(members.pop("do", ""))
        try:
            steps.append(kind(**members))  # type: ignore[misc]
        except TypeError as error:
            raise ValueError(
                f"{dict(record)!r:.200} is no step of an oracle; steps are: {', '.join(_KINDS)}."
            ) from error
    return tuple(steps)
