"""Reads a PDDL problem of ALFWorld: the names that its texts use, what is where, and what the first text says.

The engine numbers things of a class by the order of their ids, from the last to the first, and lists what it sees in
the order of ids.  Both are followed here, so that a task's first observation is known before the engine runs.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dreamgym_env.domains.alfworld.goals import CONDITION_PREDICATES, Formula, Goal, read_goal
from dreamgym_env.domains.alfworld.texts import TASK_LEAD, listed
from dreamgym_env.errors import GameError

__all__ = ["Problem", "first_observation", "read_problem"]

_COMMENT = re.compile(r";[^\n]*")
_TOKEN = re.compile(r"[()]|[^\s()]+")
_CONDITIONS = {**CONDITION_PREDICATES, "issliced": "sliced", "istoggled": "lit"}
_NEEDED = ("atlocation", "receptacleatlocation", "receptacletype", "objecttype")
_ABOUT_ONE = ("pickupable", "sliceable", "openable", "opened", *_CONDITIONS)
_ABOUT_TWO = ("inreceptacle", "inreceptacleobject")
_ABOUT_ONE_AND_A_WORD = ("receptacleatlocation", "objectatlocation")
_THINGS_AND_WORDS = {
    **dict.fromkeys(_ABOUT_ONE, (1, 0)),
    **dict.fromkeys(_ABOUT_TWO, (2, 0)),
    **dict.fromkeys(_ABOUT_ONE_AND_A_WORD, (1, 1)),
    **dict.fromkeys(("atlocation", "receptacletype", "objecttype", "cancontain"), (0, 2)),
}
"""Predicate -> of how many things it speaks, whose names the texts use, and how many other words follow."""
_DEEPEST = 50
"""Brackets within brackets; ALFWorld's own problems have a dozen."""
_WELCOME = "-= Welcome to TextWorld, ALFRED! =-"


@dataclass(frozen=True, slots=True)
class Problem:
    """A problem's initial state and goal, in lower case, as the engine reads it."""

    statements: Mapping[str, tuple[tuple[str, ...], ...]]
    """Predicate -> arguments of what is true at the start, sorted."""
    goal: Goal
    name_of: Mapping[str, str]
    """Id -> name in the texts, such as ``"cabinet 3"``."""

    def receptacles(self, place: str = "") -> tuple[str, ...]:
        """Return the names of all receptacles, or of those at one place, in the order in which texts list them."""
        at = self.statements.get("receptacleatlocation", ())
        return tuple(self.name_of[receptacle] for receptacle, where in at if not place or where == place)

    def start(self) -> tuple[str, ...]:
        """Return the receptacles that the agent starts at; none in the middle of the room."""
        return self.receptacles(self.statements["atlocation"][0][1])

    def facts(self) -> dict[str, Any]:
        """Return what is true at the start, as JSON values; what there is none of is left out.

        All that :func:`~.known.world_of_facts` reads, and ``start``: receptacles that the agent starts at;
        ``fixed``: objects in receptacles that cannot be taken; ``vessels``: object -> objects in it.
        """
        name, statements = self.name_of, self.statements
        contents: dict[str, list[str]] = {receptacle: [] for receptacle in self.receptacles()}
        for thing, receptacle in statements.get("inreceptacle", ()):
            contents.setdefault(name[receptacle], []).append(name[thing])
        vessels: dict[str, list[str]] = {}
        for thing, holder in statements.get("inreceptacleobject", ()):
            vessels.setdefault(name[holder], []).append(name[thing])
        places = dict.fromkeys(place for _, place in statements["receptacleatlocation"])
        carried = {name[thing] for (thing,) in statements.get("pickupable", ())}
        facts = {
            "contents": contents,
            "beside": self._beside(),
            "doors": self._all_of("openable"),
            "open": self._all_of("opened"),
            "together": [list(group) for place in places if len(group := self.receptacles(place)) > 1],
            "classes": self._odd_classes(),
            "start": list(self.start()),
            "fixed": [thing for things in contents.values() for thing in things if thing not in carried],
            **{condition: self._all_of(predicate) for predicate, condition in _CONDITIONS.items()},
            "vessels": vessels,
        }
        return {key: value for key, value in facts.items() if value}

    def accepts(self, receptacle: str, thing: str) -> bool:
        """Return whether receptacles of a class take objects of a class."""
        return (f"{receptacle}type", f"{thing}type") in self.statements.get("cancontain", ())

    def _all_of(self, predicate: str) -> list[str]:
        """Return the names of all things that a predicate is true of."""
        return [self.name_of[thing] for (thing,) in self.statements.get(predicate, ())]

    def _beside(self) -> dict[str, list[str]]:
        """Return which things that can be used stand in no receptacle: receptacle at that place -> things."""
        placed = {thing for thing, _ in self.statements.get("inreceptacle", ())}
        usable = {thing for key in ("pickupable", "sliceable") for (thing,) in self.statements.get(key, ())}
        beside: dict[str, list[str]] = {}
        for thing, place in self.statements.get("objectatlocation", ()):
            near = self.receptacles(place)
            if near and thing in usable - placed:
                beside.setdefault(near[0], []).append(self.name_of[thing])
        return beside

    def _odd_classes(self) -> dict[str, str]:
        """Return the class of each thing whose name says another."""
        typed = (*self.statements["receptacletype"], *self.statements["objecttype"])
        classes = {self.name_of[thing]: kind.removesuffix("type") for thing, kind in typed if thing in self.name_of}
        return {name: kind for name, kind in classes.items() if name.partition(" ")[0] != kind}


def read_problem(text: str) -> Problem:
    """Read a PDDL problem.

    Raises:
        GameError: it is none, lacks what a game needs, or its goal is of no known type; the message says which.
    """
    sections = {
        part[0]: part for part in _parse(text)[1:] if isinstance(part, list) and part and isinstance(part[0], str)
    }
    for section in (":init", ":goal"):
        if section not in sections:
            raise GameError(f"its PDDL problem has no ({section} ...)")
    found: dict[str, set[tuple[str, ...]]] = {}
    for statement in sections[":init"][1:]:
        if isinstance(statement, list) and all(isinstance(word, str) for word in statement) and statement:
            head, *arguments = (str(word) for word in statement)
            found.setdefault(head, set()).add(tuple(arguments))
    for predicate in _NEEDED:
        if predicate not in found:
            raise GameError(f"its PDDL problem says nothing of {predicate!r}")
    statements = {head: tuple(sorted(arguments)) for head, arguments in found.items()}
    names = _names(word for arguments in statements.values() for words in arguments for word in words)
    for head, (things, words_after) in _THINGS_AND_WORDS.items():
        for words in statements.get(head, ()):
            if len(words) != things + words_after or not names.keys() >= set(words[:things]):
                raise GameError(f"its PDDL problem says '({' '.join((head, *words)):.80})', which is no statement")
    return Problem(statements, read_goal(sections[":goal"][-1]), names)


def first_observation(sentence: str, receptacles: Sequence[str], start: Sequence[str] = ()) -> str:
    """Return the first text of a game, as the engine writes it.

    Args:
        sentence: its task, with the full stop.
        receptacles: names of all of them, in the order in which texts list them.
        start: those that the agent starts at; none in the middle of the room.
    """
    if start:
        look = f"You are facing the {listed(start)}. Next to it, you see nothing."
    else:
        seen = listed([f"a {receptacle}" for receptacle in receptacles])
        look = f"You are in the middle of a room. Looking quickly around you, you see {seen}."
    return f"{_WELCOME}\n\n{look}\n\n{TASK_LEAD}{sentence}"


def _names(ids: Iterable[str]) -> dict[str, str]:
    """Return the name of each id that is one of several of its class (``cup_bar_...``), as ALFWorld numbers them."""
    classes = {thing: _class(thing) for thing in sorted(set(ids)) if "_bar_" in thing}
    left = Counter(classes.values())
    names = {}
    for thing, kind in classes.items():
        names[thing] = f"{kind} {left[kind]}"
        left[kind] -= 1
    return names


def _class(thing: str) -> str:
    return thing.split("_bar_", 1)[0] + ("basin" if "basin" in thing else "")


def _parse(text: str) -> list[Formula]:
    """Return a PDDL text as nested lists of lower-case words."""
    stack: list[list[Formula]] = [[]]
    for token in _TOKEN.findall(_COMMENT.sub("", text).lower()):
        if token == "(":  # noqa: S105 - a bracket
            stack.append([])
            if len(stack) > _DEEPEST:
                raise GameError(f"its PDDL problem has more than {_DEEPEST} brackets within each other")
        elif token != ")":  # noqa: S105
            stack[-1].append(token)
        elif len(stack) > 1:
            done = stack.pop()
            stack[-1].append(done)
    if len(stack) > 1 or not stack[0] or not isinstance(stack[0][0], list):
        raise GameError("its PDDL problem is cut off, or is none")
    return stack[0][0]
