"""The actions that an episode's current state admits, and the answer to one that it does not.

What is admissible follows from what the episode has shown (:class:`~.tracker.World`) and from what can be done with a
thing of each class (:mod:`~.affordances`).  What nobody has seen yet cannot be offered: a second cabinet at the place
where one stands, before a text says that it is there.
"""

from __future__ import annotations

import functools
from collections.abc import Collection, Iterator, Sequence

from dreamgym_env.domains.alfworld.affordances import (
    ALWAYS_OPEN,
    APPLIANCES,
    CONDITIONABLE,
    FIXED,
    KNIVES,
    LAMPS,
    SLICEABLE,
    accepts,
)
from dreamgym_env.domains.alfworld.grammar import ParsedAction, parse
from dreamgym_env.domains.alfworld.tracker import NOTHING_HAPPENS, NOTHING_KNOWN, World, track
from dreamgym_env.types import Turn

__all__ = ["admitted", "available_actions", "guard"]


def available_actions(history: Sequence[Turn], state: str, start: World = NOTHING_KNOWN) -> tuple[str, ...]:
    """Return the canonical texts of the actions that an episode's current state admits.

    Args:
        history: all turns of the episode before the current state, oldest first.
        state: the current state's text.
        start: what is known before the first text; with all of a task's facts the actions are exactly the engine's.

    Returns:
        The actions: what needs no object, ways to go, then what can be done where one stands.
    """
    return tuple(action.text for action in admitted(track(history, state, start)))


def guard(history: Sequence[Turn], state: str, action: str, start: World = NOTHING_KNOWN) -> str | None:
    """Return the engine's answer to an action that is not admissible, or None for one that is.

    Args:
        history: all turns of the episode before the current state, oldest first.
        state: the current state's text.
        action: any text.
        start: what is known before the first text, as for :func:`available_actions`.

    Returns:
        ``"Nothing happens."``, or None where the action is admissible.
    """
    parsed = parse(action)
    return None if parsed in admitted(track(history, state, start)) else NOTHING_HAPPENS


@functools.lru_cache(maxsize=4096)
def admitted(world: World) -> Collection[ParsedAction]:
    """Return the actions that a world admits, in order; to look one up is fast, and a step asks several times."""
    return dict.fromkeys(_admissible(world))


def _admissible(world: World) -> Iterator[ParsedAction]:
    yield from (ParsedAction(verb) for verb in ("look", "inventory", "help"))
    here = world.here()
    yield from (ParsedAction("go", place=name) for name in world.receptacles if name not in here)
    for receptacle in here:
        yield ParsedAction("examine", receptacle)
        yield from _with_door(world, receptacle)
        if world.holding:
            yield from _with_held(world, receptacle)
        elif _accessible(world, receptacle):
            yield from _takeable(world, receptacle)
    if world.holding:
        yield ParsedAction("examine", world.holding)
    yield from _switchable(world, here)
    yield from _sliceable(world, here)


def _with_door(world: World, receptacle: str) -> Iterator[ParsedAction]:
    """Yield opening or closing a receptacle; one that nobody has looked at is closed where its class has a door."""
    if receptacle in world.opened:
        yield ParsedAction("close", place=receptacle)
    elif receptacle in world.closed or not _accessible(world, receptacle):
        yield ParsedAction("open", place=receptacle)


def _accessible(world: World, receptacle: str) -> bool:
    return world.accessible(receptacle) or world.class_of(receptacle) in ALWAYS_OPEN


def _takeable(world: World, receptacle: str) -> Iterator[ParsedAction]:
    for thing in sorted(world.objects_in(receptacle)):
        if world.class_of(thing) not in FIXED and thing not in world.fixed:
            yield ParsedAction("take", thing, receptacle)


def _with_held(world: World, receptacle: str) -> Iterator[ParsedAction]:
    """Yield putting the object in hand into a receptacle, and treating it there; treating needs no open door."""
    held, place = world.class_of(world.holding), world.class_of(receptacle)
    if accepts(place, held) and _accessible(world, receptacle):
        yield ParsedAction("move", world.holding, receptacle)
    for verb, appliance in APPLIANCES.items():
        if place == appliance and held in CONDITIONABLE[verb]:
            yield ParsedAction(verb, world.holding, receptacle)


def _switchable(world: World, here: Sequence[str]) -> Iterator[ParsedAction]:
    for lamp in sorted({thing for name in here for thing in world.objects_in(name) if world.class_of(thing) in LAMPS}):
        yield ParsedAction("use", lamp)


def _sliceable(world: World, here: Sequence[str]) -> Iterator[ParsedAction]:
    """Yield slicing with the knife in hand what is here, in a receptacle (a closed one too) or beside it."""
    if world.class_of(world.holding) not in KNIVES:
        return
    near = {thing for name in here for thing in world.objects_in(name) | world.floor.get(name, frozenset())}
    for thing in sorted(near - {world.holding}):
        if world.class_of(thing) in SLICEABLE:
            yield ParsedAction("slice", thing, world.holding)
