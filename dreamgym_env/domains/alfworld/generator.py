"""Draws games: a room of the installed package, things in it, a goal that can be reached, a sentence that asks for it.

A game depends on its split and number alone, so that any of them is made when it is asked for, in a few milliseconds.
Rooms of the test split are seen in no other split.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from dreamgym_env.domains.alfworld.package_data import (
    ROOMS,
    Scene,
    affordances,
    goal_formulas,
    load_scene,
    receptacle_class,
)
from dreamgym_env.domains.alfworld.verifier import CONDITION_OF, GOAL_TYPES, Goal
from dreamgym_env.domains.alfworld.wording import sentence_of
from dreamgym_env.domains.draws import Draws

__all__ = ["SIZES", "DrawnGame", "draw_game", "scenes_of"]

SIZES: Mapping[str, int] = {"train": 3_600, "eval": 240, "test": 240}
"""Split -> how many games it has: as many of each of the six types."""

_SEED = "alfworld games 1"
_TEST_ROOMS: Mapping[str, tuple[int, ...]] = {
    "kitchen": (1, 2, 3, 4, 5, 10),
    "living room": (1, 2, 3, 4, 5, 19),
    "bedroom": (1, 2, 3, 4, 5, 8),
    "bathroom": (1, 2, 3, 4, 5, 24),
}
"""The last of each is the one that the official games of the split ``valid_unseen`` are played in."""
_EVAL_ROOMS = (6, 7, 9)

_ROOMS_OF = {
    "pick_and_place_simple": tuple(ROOMS),
    "look_at_obj_in_light": ("living room", "bedroom"),
    "pick_clean_then_place_in_recep": ("kitchen", "kitchen", "bathroom"),
    "pick_heat_then_place_in_recep": ("kitchen",),
    "pick_cool_then_place_in_recep": ("kitchen",),
    "pick_two_obj_and_place": tuple(ROOMS),
}
_ABILITY_OF = {"clean": "cleanable", "hot": "heatable", "cool": "coolable"}
_APPLIANCE_OF = {"clean": "SinkBasin", "hot": "Microwave", "cool": "Fridge"}
_LAMP_STANDS = ("Desk", "SideTable", "Dresser", "DiningTable", "CoffeeTable", "Shelf")
_APPEAL = {
    "CounterTop": 9, "DiningTable": 9, "Desk": 9, "Bed": 7, "CoffeeTable": 7, "Dresser": 6, "SideTable": 5, "Sofa": 5,
    "Toilet": 5, "Fridge": 5, "SinkBasin": 4, "GarbageCan": 3, "Microwave": 2, "Cabinet": 0.7, "Drawer": 0.7,
}  # fmt: skip
"""How much more likely than on a shelf a thing is to be there: about two thirds of all drawers are then empty."""
_DOORLESS = 0.1
"""Share of cabinets and drawers that have no door and can be looked into, as in ALFWorld's own games."""


@dataclass(frozen=True, slots=True)
class DrawnGame:
    """One generated game."""

    scene: str
    goal: Goal
    sentence: str
    """What the task asks for, with the full stop."""
    problem: str
    """PDDL."""


@dataclass(slots=True)
class _Room:
    """A room that is being furnished: ids of things -> the receptacle that each is in."""

    scene: Scene
    places: dict[str, str] = field(default_factory=dict)

    def receptacles(self, kind: str) -> list[str]:
        return [name for name in self.scene.receptacles if receptacle_class(name) == kind]

    def add(self, kind: str, receptacle: str) -> None:
        count = sum(_class(thing) == kind for thing in self.places)
        self.places[f"{kind}|{count + 1}"] = receptacle

    def things(self, kind: str) -> list[str]:
        return [thing for thing in self.places if _class(thing) == kind]


def scenes_of(split: str, room: str) -> tuple[int, ...]:
    """Return the numbers of the rooms of a kind that the games of a split are played in."""
    test = _TEST_ROOMS[room]
    evaluation = tuple(number for number in _EVAL_ROOMS if number not in test)
    train = tuple(number for number in range(1, 31) if number not in test and number not in evaluation)
    numbers = {"train": train, "eval": evaluation, "test": test}[split]
    return tuple(ROOMS[room] + number for number in numbers)


def draw_game(split: str, number: int) -> DrawnGame:
    """Draw a game.

    Args:
        split: a key of :data:`SIZES`.
        number: from 0; the six task types take turns.

    Raises:
        MissingDependencyError: the package with the rooms is not installed.
    """
    kind = GOAL_TYPES[number % len(GOAL_TYPES)]
    attempt = 0
    while True:
        draws = Draws(_SEED, split, number, attempt)
        scene = load_scene(draws.pick(scenes_of(split, draws.pick(_ROOMS_OF[kind]))))
        room = _furnished(scene, draws)
        goal = _goal(kind, room, draws)
        if goal is not None:
            written = Goal(kind, *(name.lower() for name in (goal.object, goal.receptacle, goal.lamp)))
            return DrawnGame(scene.name, written, sentence_of(written, draws), _problem(room, goal))
        attempt += 1


def _furnished(scene: Scene, draws: Draws) -> _Room:
    """Return a room with one to three things of most classes that belong in it, each where it may be."""
    room = _Room(scene)
    for kind in scene.objects:
        wanted = draws.pick((0, 1, 1, 1, 1, 2, 2, 2, 3, 3))
        for _ in range(wanted):
            room.add(kind, _somewhere(room, kind, draws))
    for kind in scene.lamps:
        stands = [name for stand in _LAMP_STANDS for name in room.receptacles(stand)]
        if stands:
            room.add(kind, draws.pick(stands))
    return room


def _somewhere(room: _Room, kind: str, draws: Draws, avoid: str = "") -> str:
    """Return a receptacle that takes things of a class, not of the class to avoid unless there is no other."""
    fitting = [name for name in room.scene.receptacles if kind in affordances().contents[receptacle_class(name)]]
    others = [name for name in fitting if receptacle_class(name) != avoid] or fitting
    weights = [_APPEAL.get(receptacle_class(name), 1) for name in others]
    at = draws.uniform() * sum(weights)
    for name, weight in zip(others, weights, strict=True):
        at -= weight
        if at < 0:
            return name
    return others[-1]


def _goal(kind: str, room: _Room, draws: Draws) -> Goal | None:
    """Return a goal of a type that the room allows and does not fulfil, its things put where they have to be sought.

    Classes are written as in ``"CounterTop"``; None where the room does not allow any.
    """
    condition = CONDITION_OF.get(kind)
    if condition is not None and not room.receptacles(_APPLIANCE_OF[condition]):
        return None
    able = affordances().abilities[_ABILITY_OF[condition]] if condition is not None else frozenset(room.scene.objects)
    objects = [name for name in room.scene.objects if name in able]
    if kind == "look_at_obj_in_light":
        lamps = [name for name in room.scene.lamps if room.things(name)]
        return _wanted(Goal(kind, draws.pick(objects), lamp=draws.pick(lamps)), room, draws) if lamps else None
    pairs = [(thing, receptacle) for thing in objects for receptacle in _targets(room, thing)]
    if not pairs:
        return None
    thing = draws.pick(sorted({thing for thing, _ in pairs}))
    receptacle = draws.pick([place for candidate, place in pairs if candidate == thing])
    return _wanted(Goal(kind, thing, receptacle), room, draws)


def _targets(room: _Room, thing: str) -> list[str]:
    """Return the classes of receptacles that a thing can be brought to, where it can also be somewhere else."""
    kinds = dict.fromkeys(receptacle_class(name) for name in room.scene.receptacles)
    fitting = [kind for kind in kinds if thing in affordances().contents[kind]]
    return fitting if len(fitting) > 1 else []


def _wanted(goal: Goal, room: _Room, draws: Draws) -> Goal:
    """Return the goal, with enough of its things in the room, none of them at the target from the start."""
    there = room.things(goal.object)
    for thing in there:
        if receptacle_class(room.places[thing]) == goal.receptacle:
            room.places[thing] = _somewhere(room, goal.object, draws, avoid=goal.receptacle)
    for _ in range(len(there), draws.between(goal.count, 3)):
        room.add(goal.object, _somewhere(room, goal.object, draws, avoid=goal.receptacle))
    return goal


def _problem(room: _Room, goal: Goal) -> str:
    """Write the PDDL problem."""
    scene, tables = room.scene, affordances()
    receptacle_classes = sorted({receptacle_class(name) for name in scene.receptacles})
    thing_classes = sorted({_class(thing) for thing in room.places})
    places = sorted({*scene.receptacles.values(), scene.start})
    lines = ["(:objects", "agent1 - agent"]
    lines += [f"{_id(thing)} - object" for thing in room.places]
    lines += [f"{name}Type - otype" for name in sorted({*thing_classes, "Knife", "ButterKnife", "Sink"})]
    # the rules name these classes, so that every problem has to declare them
    lines += [f"{name}Type - rtype" for name in sorted({*receptacle_classes, "SinkBasin", "Microwave", "Fridge"})]
    lines += [f"{_id(name)} - receptacle" for name in scene.receptacles]
    lines += [f"{_id(place)} - location" for place in places]
    lines += [")", "(:init", f"(atLocation agent1 {_id(scene.start)})"]
    for name, place in scene.receptacles.items():
        lines.append(f"(receptacleType {_id(name)} {receptacle_class(name)}Type)")
        lines.append(f"(receptacleAtLocation {_id(name)} {_id(place)})")
        if _has_door(scene, name):
            lines.append(f"(openable {_id(name)})")
    for thing, receptacle in room.places.items():
        lines += _described(thing, receptacle, scene.receptacles[receptacle])
    for name in receptacle_classes:
        takes = sorted(tables.contents[name] & set(thing_classes))
        lines += [f"(canContain {name}Type {thing}Type)" for thing in takes]
    formula = goal_formulas()[goal.type].format(obj=goal.object, recep=goal.receptacle, toggle=goal.lamp)
    head = f"(define (problem {scene.name})\n(:domain alfred)"
    return "\n".join([head, *lines, ")", " ".join(formula.split())])  # the formula closes the definition, too


def _described(thing: str, receptacle: str, place: str) -> list[str]:
    """Return what a problem says of one thing."""
    kind, name, tables = _class(thing), _id(thing), affordances()
    lines = [
        f"(objectType {name} {kind}Type)",
        f"(inReceptacle {name} {_id(receptacle)})",
        f"(objectAtLocation {name} {_id(place)})",
    ]
    if kind not in tables.abilities["toggleable"]:
        lines.append(f"(pickupable {name})")
    if kind in tables.movable_receptacles:
        lines.append(f"(isReceptacleObject {name})")
    return lines + [f"({ability} {name})" for ability, kinds in tables.abilities.items() if kind in kinds]


def _has_door(scene: Scene, receptacle: str) -> bool:
    """Return whether a receptacle can be opened: the same in every game of a room."""
    kind = receptacle_class(receptacle)
    if kind not in affordances().openable:
        return False
    return kind not in ("Cabinet", "Drawer") or not Draws(_SEED, "door", scene.name, receptacle).chance(_DOORLESS)


def _class(name: str) -> str:
    return name.partition("|")[0]


def _id(name: str) -> str:
    """Write an id as ALFWorld's problems do, whose names may hold no signs."""
    for sign, word in (("|", "_bar_"), ("-", "_minus_"), ("+", "_plus_"), (".", "_dot_")):
        name = name.replace(sign, word)
    return name
