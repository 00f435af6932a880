"""Reads a task's hidden facts as the world that an episode starts from.

Neither an agent nor its candidate actions may rest on them; the verifier and a world model may.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping
from typing import Any

from dreamgym_env.domains.alfworld.tracker import NAME, NOTHING_KNOWN, World
from dreamgym_env.errors import ResetOptionError
from dreamgym_env.types import Task

__all__ = ["known_of", "world_of_facts"]

_CONDITIONS = ("hot", "cool", "clean", "sliced", "lit")
_FACTS = ("contents", "beside", "doors", "open", "together", "start", "classes", "fixed", "vessels", *_CONDITIONS)


def known_of(task: Task) -> World:
    """Return what a task's hidden facts tell, see :func:`world_of_facts`; nothing where it has none.

    Raises:
        ResetOptionError: they cannot be read.
    """
    try:
        return world_of_facts(task.facts)
    except (TypeError, ValueError) as error:
        raise ResetOptionError(f"Task {task.id!r} has facts that cannot be read: {error}.") from error


def world_of_facts(facts: Mapping[str, Any]) -> World:
    """Return what a task's hidden facts tell of its house before the first step.

    Args:
        facts: a mapping of which these members are read, where it has them; all names are those of the texts::

            contents   receptacle -> objects in it, for every receptacle (an object may be in several)
            beside     receptacle -> objects that stand beside it, in no receptacle
            doors      receptacles that can be opened; at the start they are closed
            open       ... but for these, which are open
            together   lists of receptacles that stand at one place
            start      receptacles that the agent stands at; none in the middle of the room
            classes    thing -> its class, where its name says another
            fixed      objects that cannot be taken
            vessels    object -> objects in it, such as a pot in a pan
            hot, cool, clean, sliced, lit    objects in that condition

    Returns:
        The world; the same object for the same facts while it is remembered.

    Raises:
        ValueError: a member is not of that form; the message is the end of a sentence.
    """
    return _world_of_facts(json.dumps({name: facts[name] for name in _FACTS if name in facts}))


@functools.lru_cache(maxsize=1024)
def _world_of_facts(text: str) -> World:
    facts = json.loads(text)
    if not facts:
        return NOTHING_KNOWN
    contents, beside, vessels = (
        _checked_lists(facts.get(name, {}), name) for name in ("contents", "beside", "vessels")
    )
    opened = _checked(facts.get("open", []), "open")
    start = facts.get("start", [])
    groups = facts.get("together", [])
    if not isinstance(groups, list):
        raise ValueError(f"its fact 'together' is {groups!r:.60}, not a list of lists of names")
    for fact, names in [("start", start), *(("together", group) for group in groups)]:
        if strange := sorted(_checked(names, fact) - contents.keys()):
            raise ValueError(f"its fact {fact!r} names {strange[0]!r}, whose contents it does not tell")
    conditions = {name: _checked(facts.get(name, []), name) for name in _CONDITIONS}
    world = World(
        receptacles=tuple(contents),
        place=next(iter(start), ""),
        contents=contents,
        floor=beside,
        vessels=vessels,
        opened=opened,
        closed=_checked(facts.get("doors", []), "doors") - opened,
        classes=_checked_classes(facts.get("classes", {})),
        fixed=_checked(facts.get("fixed", []), "fixed"),
        hot=conditions["hot"],
        cool=conditions["cool"],
        clean=conditions["clean"],
        sliced=conditions["sliced"],
        lit=conditions["lit"],
    )
    for group in groups:
        for name in sorted(_checked(group, "together")):
            world = world.joined(name, group[0])
    for name in start:
        world = world.joined(name)
    return world


def _checked(names: object, fact: str) -> frozenset[str]:
    """Return names as a set. Raises ValueError for anything but a list of names."""
    if not isinstance(names, list) or not all(isinstance(name, str) and NAME.fullmatch(name) for name in names):
        raise ValueError(f"its fact {fact!r} holds {names!r:.60}, not a list of names such as 'cabinet 1'")
    return frozenset(names)


def _checked_lists(facts: object, fact: str) -> dict[str, frozenset[str]]:
    """Return names by receptacle. Raises ValueError for anything but a mapping of names to lists of names."""
    if not isinstance(facts, dict):
        raise ValueError(f"its fact {fact!r} is {facts!r:.60}, not a mapping of receptacles to lists of objects")
    _checked(list(facts), fact)
    return {receptacle: _checked(names, fact) for receptacle, names in facts.items()}


def _checked_classes(facts: object) -> dict[str, str]:
    """Return classes by name. Raises ValueError for anything but a mapping of names to words."""
    if not isinstance(facts, dict) or not all(isinstance(value, str) for value in facts.values()):
        raise ValueError(f"its fact 'classes' is {facts!r:.60}, not a mapping of names to classes")
    _checked(list(facts), "classes")
    return facts
