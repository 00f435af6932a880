"""What the installed ``alfworld`` package tells of houses: its rooms, what goes where, the engine's rules and words.

The package is read, never imported: importing it makes a folder and sets ``ALFWORLD_DATA``.
"""

from __future__ import annotations

import functools
import importlib.util
import json
import runpy
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from dreamgym_env.errors import MissingDependencyError

__all__ = [
    "ROOMS",
    "Affordances",
    "Logic",
    "Scene",
    "affordances",
    "goal_formulas",
    "installed_logic",
    "load_scene",
    "receptacle_class",
    "require_package",
]

ROOMS: Mapping[str, int] = {"kitchen": 0, "living room": 200, "bedroom": 300, "bathroom": 400}
"""Kind of room -> the number before that of its first scene; there are 30 of each."""

_BURNERS = 4
_CARRIED = frozenset({"Bowl", "Box", "Cup", "Mug", "Pan", "Plate", "Pot"})
"""Receptacles of the tables that are objects, too: the engine's texts treat them as objects."""


@dataclass(frozen=True, slots=True)
class Scene:
    """One room: its furniture and the classes of things in it."""

    name: str
    """For example ``"FloorPlan201"``."""
    receptacles: Mapping[str, str]
    """Id such as ``"Drawer|+00.95|+00.22|-02.20"`` -> name of the place that one uses it from; they may share it."""
    objects: tuple[str, ...]
    """Classes of the things that can be carried."""
    lamps: tuple[str, ...]
    """Classes of lamps that stand on furniture."""
    start: str
    """Name of a place that no receptacle stands at."""


@dataclass(frozen=True, slots=True)
class Affordances:
    """What can be done with things of a class; classes are written as in ``"CounterTop"``."""

    contents: Mapping[str, frozenset[str]]
    """Class of receptacle -> classes of things that it takes."""
    openable: frozenset[str]
    abilities: Mapping[str, frozenset[str]]
    """``cleanable``, ``coolable``, ``heatable``, ``sliceable``, ``toggleable`` -> classes of things."""
    movable_receptacles: frozenset[str]
    """Classes of things that the engine describes as if they could hold others."""


@dataclass(frozen=True, slots=True)
class Logic:
    """The rules and the words by which the engine plays a game."""

    domain: str
    """PDDL domain."""
    grammar: str
    """Commands and answers, in the form of ``alfred.twl2``."""


def require_package(name: str = "alfworld") -> Path:
    """Return the folder of an installed package of the extra ``alfworld``.

    Raises:
        MissingDependencyError: it is not installed.
    """
    spec = importlib.util.find_spec(name)
    if spec is None or spec.origin is None or spec.submodule_search_locations is None:  # a script may be called so
        raise MissingDependencyError(
            "ALFWorld's engine and its rooms come with an extra that is not installed: "
            "pip install 'dreamgym_env[alfworld]' (its planner is compiled, which takes about two minutes). "
            "DreamGym/ALFWorld-v0, the dream, needs none of it."
        )
    return Path(spec.origin).parent


@functools.cache
def installed_logic() -> Logic:
    """Return the rules and words of the installed package. Raises MissingDependencyError."""
    data = require_package() / "data"
    return Logic((data / "alfred.pddl").read_text(), (data / "alfred.twl2").read_text())


@functools.cache
def affordances() -> Affordances:
    """Return the tables of the installed package. Raises MissingDependencyError."""
    constants = _module("constants")
    abilities = constants["VAL_ACTION_OBJECTS"]
    return Affordances(
        contents={
            kind: frozenset(name for name in things if not name.endswith("Sliced"))
            for kind, things in sorted(constants["VAL_RECEPTACLE_OBJECTS"].items())
            if kind not in _CARRIED
        },
        openable=frozenset(constants["OPENABLE_CLASS_LIST"]) - _CARRIED,
        abilities={name.lower(): frozenset(abilities[name]) for name in sorted(abilities)},
        movable_receptacles=frozenset(constants["MOVABLE_RECEPTACLES"]),
    )


@functools.cache
def goal_formulas() -> Mapping[str, str]:
    """Return the goals of the installed package: task type -> PDDL with the slots ``{obj}``, ``{recep}``, ``{toggle}``.

    Raises:
        MissingDependencyError: the package is not installed.
    """
    return {name: entry["pddl"].replace("#", "-") for name, entry in _module("goal_library")["gdict"].items()}


@functools.cache
def load_scene(number: int) -> Scene:
    """Read one of the 120 rooms.

    Args:
        number: 1 to 30 a kitchen, 201 to 230 a living room, 301 to 330 a bedroom, 401 to 430 a bathroom.

    Raises:
        MissingDependencyError: the package is not installed.
    """
    stem = require_package() / "gen" / "layouts" / f"FloorPlan{number}"
    views: dict[str, list[float]] = json.loads(Path(f"{stem}-openable.json").read_text())
    present = sorted(set(json.loads(Path(f"{stem}-objects.json").read_text())))
    free = _free_places(np.load(f"{stem}-layout.npy"), views)
    start = free.pop()
    receptacles = {name: _place(*views[name]) for name in sorted(views)}
    for kind in _without_view(present, receptacles):
        for at in range(_BURNERS if kind == "StoveBurner" else 1):
            receptacles[f"{kind}|{at + 1}"] = free.pop()
    tables = affordances()
    carried = set().union(*(tables.contents[receptacle_class(name)] for name in receptacles))
    return Scene(
        name=f"FloorPlan{number}",
        receptacles=receptacles,
        objects=tuple(kind for kind in present if kind in carried),
        lamps=tuple(kind for kind in present if kind == "DeskLamp"),
        start=start,
    )


def receptacle_class(name: str) -> str:
    """Return the class of a receptacle: the basin of a sink or a bathtub, else what its id begins with."""
    return name.rpartition("|")[2] if name.endswith("Basin") else name.partition("|")[0]


def _without_view(present: list[str], receptacles: Mapping[str, str]) -> list[str]:
    """Return classes of receptacles that are in a room, but that the layout tells no place of."""
    known = {receptacle_class(name) for name in receptacles}
    return [kind for kind in present if kind in affordances().contents and kind not in known]


def _free_places(floor: Any, views: Mapping[str, list[float]]) -> list[str]:
    """Return places on the floor that nothing is used from; those at the end of the list are far from each other."""
    used = {(x, z) for x, z, *_ in views.values()}
    points = sorted({(float(x), float(z)) for x, z in floor} - used)
    step = max(1, len(points) // 16)
    order = [point for offset in range(step) for point in points[offset::step]]
    return [_place(x, z, 0, 30) for x, z in reversed(order)]


def _place(x: float, z: float, rotation: float, horizon: float) -> str:
    """Return the name of a place, in the form of ALFWorld's own: steps of a quarter metre, quarter turns, degrees."""
    return f"loc|{round(x * 4)}|{round(z * 4)}|{round(rotation / 90)}|{round(horizon)}"


def _module(name: str) -> dict[str, Any]:
    """Run a module of the installed package's generator by itself, and return what it defines."""
    return runpy.run_path(str(require_package() / "gen" / f"{name}.py"))
