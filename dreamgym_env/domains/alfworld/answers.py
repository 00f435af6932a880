"""What a house answers to an action, as far as a world tells: the engine's rules in the engine's words.

A world that holds all of a task's facts answers everything, as the engine does.  One that only holds what an episode's
texts have shown leaves some answers open: what is in a drawer that nobody has looked into.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from dreamgym_env.domains.alfworld.affordances import VESSELS
from dreamgym_env.domains.alfworld.candidates import admitted
from dreamgym_env.domains.alfworld.grammar import ParsedAction, thing_class
from dreamgym_env.domains.alfworld.texts import listed
from dreamgym_env.domains.alfworld.tracker import NOTHING_HAPPENS, World

__all__ = ["answer_of", "receptacle_shown"]


def answer_of(world: World, action: ParsedAction | None) -> str | None:
    """Return the text that an action leads to, or None where the world does not tell.

    Args:
        world: what is known of the house before the action.
        action: any action; None for a text that is none of the grammar's.

    Returns:
        The engine's text.  ``help`` is never known: its text is the engine's own and tells nothing of a house.
    """
    if action is None or action not in admitted(world):
        return NOTHING_HAPPENS
    return _ANSWERS[action.verb](world, action)


def receptacle_shown(world: World, receptacle: str) -> str | None:
    """Return the sentences that describe a receptacle: closed, or what it holds; None where nobody knows."""
    if receptacle in world.closed:
        return f"The {receptacle} is closed."
    if receptacle not in world.contents:
        return None
    seen = _seen(world.contents[receptacle])
    if receptacle in world.opened:
        return f"The {receptacle} is open. In it, you see {seen}."
    return f"On the {receptacle}, you see {seen}."


def _seen(things: Iterable[str]) -> str:
    """Return what is seen somewhere, in the engine's order: by class, the highest number first."""
    ordered = sorted(things, key=lambda name: (thing_class(name), -int(name.partition(" ")[2])))
    return listed([f"a {name}" for name in ordered]) or "nothing"


def _look(world: World, action: ParsedAction) -> str:
    here = world.here()
    if not here:
        return "You are in the middle of a room. Looking quickly around you, you see nothing."
    # the engine shows what was taken from here and put down here, but elsewhere than it was
    beside = {thing for name in here for thing in world.left.get(name, ()) if world.put.get(thing) in here}
    return f"You are facing the {listed(here)}. Next to it, you see {_seen(beside)}."


def _inventory(world: World, action: ParsedAction) -> str:
    return f"You are carrying: a {world.holding}." if world.holding else "You are not carrying anything."


def _go(world: World, action: ParsedAction) -> str | None:
    shown = receptacle_shown(world, action.place)
    return f"You arrive at {action.place}. {shown}" if shown else None


def _open(world: World, action: ParsedAction) -> str | None:
    if action.place not in world.contents:
        return None
    return f"You open the {action.place}. The {action.place} is open. In it, you see " + (
        f"{_seen(world.contents[action.place])}."
    )


def _close(world: World, action: ParsedAction) -> str:
    return f"You close the {action.place}."


def _take(world: World, action: ParsedAction) -> str:
    return f"You pick up the {action.object} from the {action.place}."


def _move(world: World, action: ParsedAction) -> str:
    return f"You move the {action.object} to the {action.place}."


def _use(world: World, action: ParsedAction) -> str:
    return f"You turn on the {action.object}."


def _treat(world: World, action: ParsedAction) -> str:
    return f"You {action.verb} the {action.object} using the {action.place}."


def _slice(world: World, action: ParsedAction) -> str:
    return f"You sliced the {action.object} with the {action.place}."


def _examine(world: World, action: ParsedAction) -> str | None:
    name = action.object
    if name in world.here():
        return receptacle_shown(world, name)
    if world.class_of(name) in VESSELS:
        return f"This is a normal {name}. In it, you see {_seen(world.vessels.get(name, ()))}."
    conditions = _conditions(world, name)
    return f"This is a {conditions} {name}." if conditions else f"There's nothing special about {name}."


def _conditions(world: World, name: str) -> str:
    """Return an object's conditions as ``examine`` words them; empty for none."""
    heat = "hot" if name in world.hot else "cool" if name in world.cool else ""
    clean, sliced = "clean" * (name in world.clean), "sliced" * (name in world.sliced)
    if heat == "cool" and not clean and not sliced:
        return "cold"
    return " ".join(filter(None, [" and ".join(filter(None, [heat, clean])), sliced]))


_ANSWERS: dict[str, Callable[[World, ParsedAction], str | None]] = {
    "look": _look,
    "inventory": _inventory,
    "help": lambda world, action: None,
    "go": _go,
    "open": _open,
    "close": _close,
    "take": _take,
    "move": _move,
    "examine": _examine,
    "use": _use,
    "heat": _treat,
    "clean": _treat,
    "cool": _treat,
    "slice": _slice,
}
