"""Follows an episode from its texts and actions alone: where the agent is, what it holds, what it has seen where.

:func:`track` folds the turns of an episode into a :class:`World`.  A world holds only what the texts have shown or what
follows from them, and what a task's facts tell where they may be used (:mod:`~.known`).  The text decides whether an
action had its effect: taking an apple takes it when the answer says that it was picked up.

Two facts of the engine shape the bookkeeping:

* Receptacles may stand at one place (two cabinets above each other).  From there the agent reaches all of them, though
  it has only gone to one.  ``look`` names them, and so does an action on another receptacle that works, or going to one
  that does not.
* An object may be in two receptacles at once (a mug in the coffee machine on the countertop).  Taking it from one
  leaves it in the other.  So contents are kept for each receptacle, and an object has no place of its own.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from dreamgym_env.domains.alfworld.affordances import is_receptacle_class
from dreamgym_env.domains.alfworld.grammar import ParsedAction, parse, thing_class
from dreamgym_env.types import Turn

__all__ = ["NAME", "NOTHING_HAPPENS", "NOTHING_KNOWN", "World", "track"]

NOTHING_HAPPENS = "Nothing happens."
"""What the engine answers to an action that is not admissible."""

NAME = re.compile(r"[a-z]+ [1-9][0-9]{0,3}")
"""A thing's name: its class and a number."""

_CONTENTS = re.compile(
    r"(?:On the (?P<top>[a-z]+ \d+)|The (?P<inside>[a-z]+ \d+) is open\. In it), you see (?P<list>[^.\n]*)"
)
_CLOSED = re.compile(r"The (?P<name>[a-z]+ \d+) is closed\.")
_FACING = re.compile(r"You are facing the (?P<here>[^.\n]*)\.(?: Next to it, you see (?P<floor>[^.\n]*))?")
_START = re.compile(r"Looking quickly around you, you see (?P<list>[^.\n]*)")
_CARRYING = re.compile(r"You are carrying: (?P<list>[^.\n]*)")
_EXAMINED = re.compile(r"This is an? (?P<words>(?:(?:hot|cool|cold|clean|sliced|and) )+)[a-z]+ \d+\.")
_VESSEL = re.compile(r"This is a normal (?P<name>[a-z]+ \d+)\. In it, you see (?P<list>[^.\n]*)")
_CHUNK = 100
"""Turns that are folded in one go; bounds the depth of recursion for episodes of any length."""


@dataclass(frozen=True, slots=True, eq=False)
class World:
    """What is known of a house at one moment of an episode; two worlds are equal if they are the same object."""

    receptacles: tuple[str, ...] = ()
    """Names of the receptacles, in the order in which they were named."""
    place: str = ""
    """The receptacle that the agent went to last; empty in the middle of the room."""
    holding: str = ""
    """The object in the agent's hand; empty for none."""
    contents: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """Receptacle -> objects in it, as far as seen; a receptacle that nobody has looked into is missing."""
    floor: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """Receptacle -> objects that were seen standing beside it, in no receptacle."""
    opened: frozenset[str] = frozenset()
    """Receptacles known to be open."""
    closed: frozenset[str] = frozenset()
    """Receptacles known to be closed; one that is in neither set cannot be opened, or was not visited."""
    groups: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """Receptacle -> receptacles known to stand at the same place, itself among them; alone where it is missing."""
    hot: frozenset[str] = frozenset()
    """Objects known to be hot."""
    cool: frozenset[str] = frozenset()
    """Objects known to be cool; none is hot and cool."""
    clean: frozenset[str] = frozenset()
    """Objects known to be clean; nothing gets dirty again."""
    sliced: frozenset[str] = frozenset()
    """Objects known to be sliced; a sliced object keeps its name."""
    lit: frozenset[str] = frozenset()
    """Lamps that were switched on; the engine never lets one go off."""
    classes: Mapping[str, str] = field(default_factory=dict)
    """Class of each thing that is of another than its name says: one official house has a bathtub that is a sink."""

    fixed: frozenset[str] = frozenset()
    """Objects that cannot be taken although others of their class can."""
    left: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """Receptacle -> objects that were taken from it and not put back."""
    put: Mapping[str, str] = field(default_factory=dict)
    """Object -> the receptacle that it was moved to last; empty once it was taken again."""
    vessels: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """Object -> objects in it, such as a pot in a pan."""

    def here(self) -> tuple[str, ...]:
        """Return the receptacles within reach, in the order in which they were named; none at the start."""
        if not self.place:
            return ()
        group = self.groups.get(self.place, frozenset({self.place}))
        return tuple(name for name in self.receptacles if name in group)

    def class_of(self, name: str) -> str:
        """Return the class of a thing."""
        return self.classes.get(name) or thing_class(name)

    def accessible(self, receptacle: str) -> bool:
        """Return whether things can be taken from a receptacle within reach: it is open, or has no door."""
        return receptacle not in self.closed and (receptacle in self.opened or receptacle in self.contents)

    def objects_in(self, receptacle: str) -> frozenset[str]:
        """Return the objects known to be in a receptacle."""
        return self.contents.get(receptacle, frozenset())

    def holders(self, thing: str) -> tuple[str, ...]:
        """Return the receptacles that an object is known to be in: at most one for most, two for some, none in hand."""
        return tuple(name for name in self.receptacles if thing in self.objects_in(name))

    def joined(self, receptacle: str, place: str = "") -> World:
        """Return the world with a receptacle known to stand at the same place as another; by default, as the agent."""
        place = place or self.place
        if not place or place == receptacle:
            return self
        group = self.groups.get(place, frozenset({place})) | self.groups.get(receptacle, frozenset({receptacle}))
        return replace(self, groups={**self.groups, **dict.fromkeys(group, group)})

    def after(self, action: str, state: str) -> World:
        """Return the world after an action that was answered with a state's text."""
        parsed = parse(action)
        if parsed is None:
            return self
        if state.strip() == NOTHING_HAPPENS:
            return _refused(self, parsed)
        effect = _EFFECTS.get(parsed.verb)
        world = effect(self, parsed, state) if effect else self
        return _seen(world, state)


NOTHING_KNOWN = World()
"""The world before an episode's first text, where nobody knows the task's hidden facts."""


def track(history: Sequence[Turn], state: str, start: World = NOTHING_KNOWN) -> World:
    """Return the world of an episode in its current state.

    Args:
        history: all turns of the episode before the current state, oldest first.
        state: the current state's text.
        start: what is known before the first text (:func:`~.known.world_of_facts`); nothing where only texts count.

    Returns:
        The world; the same object for the same episode while it is remembered, so that a step costs one fold.
    """
    turns = tuple(history)
    for count in range(0, len(turns), _CHUNK):
        _tracked(start, turns[:count], turns[count].state)
    return _tracked(start, turns, state)


@functools.lru_cache(maxsize=4096)
def _tracked(start: World, turns: tuple[Turn, ...], state: str) -> World:
    if not turns:
        return _seen(start, state)
    return _tracked(start, turns[:-1], turns[-1].state).after(turns[-1].action, state)


def _names(text: str) -> tuple[str, ...]:
    """Return the names of a list as the texts write one: ``a cup 1, and an apple 2``."""
    return tuple(dict.fromkeys(NAME.findall(text)))


def _seen(world: World, state: str) -> World:
    """Return the world with what a text shows, whatever the action was."""
    if state.startswith("You are facing"):
        world = _faced(world, state)
    if found := _START.search(state):
        world = _with_receptacles(world, _names(found["list"]))
    for found in _CONTENTS.finditer(state):
        world = _looked_into(world, found["top"] or found["inside"], found["list"], has_door=bool(found["inside"]))
    for found in _CLOSED.finditer(state):
        world = _shut(world, found["name"])
    return world


def _faced(world: World, state: str) -> World:
    """Return the world with the receptacles that stand here, and what stands beside them."""
    found = _FACING.match(state)
    if found is None:
        return world
    here = tuple(name for name in _names(found["here"]) if is_receptacle_class(thing_class(name)))
    world = _with_receptacles(world, here)
    place = world.place or next(iter(here), "")
    world = replace(world, place=place)
    for name in here:
        world = world.joined(name)
    return replace(world, floor={**world.floor, place: frozenset(_names(found["floor"] or ""))}) if place else world


def _with_receptacles(world: World, names: Sequence[str]) -> World:
    new = [name for name in dict.fromkeys(names) if name not in world.receptacles]
    return replace(world, receptacles=(*world.receptacles, *new)) if new else world


def _looked_into(world: World, receptacle: str, listed: str, *, has_door: bool) -> World:
    """Return the world with all that a receptacle holds."""
    world = _with_receptacles(world, (receptacle,))
    return replace(
        world,
        contents={**world.contents, receptacle: frozenset(_names(listed))},
        opened=world.opened | {receptacle} if has_door else world.opened - {receptacle},
        closed=world.closed - {receptacle},
    )


def _shut(world: World, receptacle: str) -> World:
    world = _with_receptacles(world, (receptacle,))
    return replace(world, opened=world.opened - {receptacle}, closed=world.closed | {receptacle})


def _refused(world: World, action: ParsedAction) -> World:
    """Return what can be learnt from "Nothing happens.": a receptacle that one cannot go to is here."""
    if action.verb == "go" and action.place in world.receptacles:
        return world.joined(action.place)
    return world


def _went(world: World, action: ParsedAction, state: str) -> World:
    if not (state.startswith("You arrive at ") or _describes(state, action.place)):
        return world
    return replace(_with_receptacles(world, (action.place,)), place=action.place)


def _describes(state: str, receptacle: str) -> bool:
    return f"On the {receptacle}, you see" in state or f"The {receptacle} is" in state


def _opened(world: World, action: ParsedAction, state: str) -> World:
    if f"You open the {action.place}." not in state:
        return world
    world = world.joined(action.place)
    return replace(world, opened=world.opened | {action.place}, closed=world.closed - {action.place})


def _closed(world: World, action: ParsedAction, state: str) -> World:
    if f"You close the {action.place}." not in state:
        return world
    return _shut(world.joined(action.place), action.place)


def _took(world: World, action: ParsedAction, state: str) -> World:
    if not state.startswith(f"You pick up the {action.object} from the {action.place}."):
        return world
    world = world.joined(action.place)
    others = world.objects_in(action.place) - {action.object}
    gone = world.left.get(action.place, frozenset()) | {action.object}
    return replace(
        world,
        holding=action.object,
        contents={**world.contents, action.place: others},
        left={**world.left, action.place: gone},
        put={**world.put, action.object: ""},
    )


def _moved(world: World, action: ParsedAction, state: str) -> World:
    moved = f"You move the {action.object} to the {action.place}."
    put = f"You put the {action.object} in/on the {action.place}."
    if not state.startswith((moved, put)):
        return world
    world = world.joined(action.place)
    holds = world.objects_in(action.place) | {action.object}
    gone = world.left.get(action.place, frozenset()) - {action.object}
    return replace(
        world,
        holding="",
        contents={**world.contents, action.place: holds},
        left={**world.left, action.place: gone},
        put={**world.put, action.object: action.place},
    )


def _examined(world: World, action: ParsedAction, state: str) -> World:
    if _describes(state, action.object):
        world = world.joined(action.object)
    if (found := _VESSEL.match(state)) and found["name"] == action.object:
        return replace(world, vessels={**world.vessels, action.object: frozenset(_names(found["list"]))})
    if not (found := _EXAMINED.match(state)):
        return _lit(world, action.object) if state.startswith(f"This {action.object} is on.") else world
    words, thing = set(found["words"].split()), {action.object}
    return replace(
        world,
        hot=world.hot | thing if "hot" in words else world.hot - thing,
        cool=world.cool | thing if words & {"cool", "cold"} else world.cool - thing,
        clean=world.clean | thing if "clean" in words else world.clean,
        sliced=world.sliced | thing if "sliced" in words else world.sliced,
    )


def _lit(world: World, lamp: str) -> World:
    return replace(world, lit=world.lit | {lamp})


def _used(world: World, action: ParsedAction, state: str) -> World:
    if not state.startswith((f"You turn on the {action.object}.", f"You turn off the {action.object}.")):
        return world
    for receptacle in world.holders(action.object)[:1]:
        world = world.joined(receptacle)
    return _lit(world, action.object)


def _treated(world: World, action: ParsedAction, state: str) -> World:
    if not state.startswith(f"You {action.verb} the {action.object} using the {action.place}."):
        return world
    world, thing = world.joined(action.place), {action.object}
    if action.verb == "clean":
        return replace(world, clean=world.clean | thing)
    hotter = action.verb == "heat"
    return replace(
        world,
        hot=world.hot | thing if hotter else world.hot - thing,
        cool=world.cool - thing if hotter else world.cool | thing,
    )


def _sliced(world: World, action: ParsedAction, state: str) -> World:
    if not state.startswith(f"You sliced the {action.object} with the {action.place}."):
        return world
    return replace(world, sliced=world.sliced | {action.object})


def _inventoried(world: World, action: ParsedAction, state: str) -> World:
    if found := _CARRYING.match(state):
        return replace(world, holding=next(iter(_names(found["list"])), ""))
    return replace(world, holding="") if state.startswith("You are not carrying anything.") else world


_EFFECTS: dict[str, Callable[[World, ParsedAction, str], World]] = {
    "go": _went,
    "open": _opened,
    "close": _closed,
    "take": _took,
    "move": _moved,
    "examine": _examined,
    "use": _used,
    "heat": _treated,
    "clean": _treated,
    "cool": _treated,
    "slice": _sliced,
    "inventory": _inventoried,
}
