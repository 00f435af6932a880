"""Decides by program whether a household task is done, from what the episode's own texts and actions have shown.

A task's goal is a mapping of names to class names (ALFWorld's own, such as ``"DiningTable"``; case does not matter):

======================================  =============================  =================================================
``type``                                other members                  done when
======================================  =============================  =================================================
``pick_and_place_simple``               ``object``, ``receptacle``     such an object is in such a receptacle
``pick_clean_then_place_in_recep``      ``object``, ``receptacle``     such an object is there, and is clean
``pick_heat_then_place_in_recep``       ``object``, ``receptacle``     such an object is there, and is hot
``pick_cool_then_place_in_recep``       ``object``, ``receptacle``     such an object is there, and is cool
``pick_two_obj_and_place``              ``object``, ``receptacle``     two such objects are in one such receptacle
``look_at_obj_in_light``                ``object``, ``lamp``           such an object is in hand, such a lamp here is on
======================================  =============================  =================================================

For example ``{"type": "pick_heat_then_place_in_recep", "object": "Apple", "receptacle": "Fridge"}``.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dreamgym_env.domains.alfworld.affordances import (
    CONDITION_AFTER,
    CONDITIONABLE,
    FIXED,
    LAMPS,
    accepts,
    is_receptacle_class,
)
from dreamgym_env.domains.alfworld.known import known_of
from dreamgym_env.domains.alfworld.tracker import World, track
from dreamgym_env.errors import ResetOptionError
from dreamgym_env.types import Task, Turn, Verdict

__all__ = ["CONDITION_OF", "GOAL_TYPES", "VERB_OF", "ALFWorldVerifier", "Goal", "goal_of"]

VERB_OF: Mapping[str, str] = {
    "pick_clean_then_place_in_recep": "clean",
    "pick_heat_then_place_in_recep": "heat",
    "pick_cool_then_place_in_recep": "cool",
}
"""Task type -> how its object is to be treated."""
_LIGHT = "look_at_obj_in_light"
_TWO = "pick_two_obj_and_place"

GOAL_TYPES = ("pick_and_place_simple", _LIGHT, *VERB_OF, _TWO)
"""The six task types, in ALFWorld's own order."""

CONDITION_OF: Mapping[str, str] = {kind: CONDITION_AFTER[verb] for kind, verb in VERB_OF.items()}
"""Task type -> the condition in which its object is wanted."""


@dataclass(frozen=True, slots=True)
class Goal:
    """What a task asks for, in lower-case class names."""

    type: str
    """One of :data:`GOAL_TYPES`."""
    object: str
    receptacle: str = ""
    """Class of the receptacle; empty for ``look_at_obj_in_light``."""
    lamp: str = ""
    """Class of the lamp; empty for all other types."""

    @property
    def count(self) -> int:
        """How many objects are wanted."""
        return 2 if self.type == _TWO else 1

    @property
    def condition(self) -> str:
        """``clean``, ``hot`` or ``cool``, or empty where any will do."""
        return CONDITION_OF.get(self.type, "")

    def reached(self, world: World) -> bool:
        """Return whether the goal holds in a world."""
        if self.type == _LIGHT:
            lit = {thing for name in world.here() for thing in world.objects_in(name)} & world.lit
            return world.class_of(world.holding) == self.object and self.lamp in map(world.class_of, lit)
        fitting: frozenset[str] | None = getattr(world, self.condition) if self.condition else None
        return any(
            sum(world.class_of(thing) == self.object and (fitting is None or thing in fitting) for thing in things)
            >= self.count
            for name, things in world.contents.items()
            if world.class_of(name) == self.receptacle
        )


class ALFWorldVerifier:
    """Judges a household episode, dreamt or real, as the engine would; needs no engine.

    Where the task has facts in the form that :func:`~.known.world_of_facts` reads, they count too.  They are needed
    for one oddity: a mug that is in the coffee machine and on the countertop is still in the one when it was taken from
    the other, so that heating it may fulfil a task before it is put anywhere.
    """

    def check(self, task: Task) -> None:
        """Raise ResetOptionError unless the task has a goal that can be reached, and no facts that cannot be read."""
        goal_of(task)
        known_of(task)

    def verify(self, task: Task, history: Sequence[Turn], state: str, action: str, next_state: str) -> Verdict:
        """Judge the step: reaching the goal ends an episode, nothing else does.

        Raises:
            ResetOptionError: the task is none that :meth:`check` lets pass.
        """
        done = goal_of(task).reached(track((*history, Turn(state, action)), next_state, known_of(task)))
        return Verdict(done, done, float(done))


def goal_of(task: Task) -> Goal:
    """Return what a task asks for.

    Raises:
        ResetOptionError: the task has no goal, one that lacks a member or has one too many, or one that no episode can
            reach.
    """
    try:
        return _read(task.goal)
    except ValueError as error:
        raise ResetOptionError(
            f"The goal of task {task.id!r} cannot be judged: {error}. A goal holds 'type', 'object' and 'receptacle' "
            f"(or 'lamp', for {_LIGHT}), for example {{'type': 'pick_heat_then_place_in_recep', 'object': 'Apple', "
            "'receptacle': 'Fridge'}. In a dream, success='model' lets the world model judge without a goal."
        ) from error


def _read(goal: Mapping[str, Any]) -> Goal:
    """Read a goal. Raises ValueError with the end of a sentence that says what is wrong with it."""
    members = {name: value for name, value in goal.items() if value not in ("", None)}
    wrong = [name for name, value in members.items() if not isinstance(value, str)]
    if wrong:
        raise ValueError(f"its member {wrong[0]!r} is {members[wrong[0]]!r:.60}, not the name of a class")
    kind = members.get("type", "")
    if kind not in GOAL_TYPES:
        raise ValueError(f"its 'type' is {kind!r:.60}, not one of {', '.join(GOAL_TYPES)}")
    needed = {"type", "object", "lamp" if kind == _LIGHT else "receptacle"}
    if missing := sorted(needed - members.keys()):
        raise ValueError(f"a goal of type {kind} needs {missing[0]!r}")
    if unknown := sorted(members.keys() - needed):
        raise ValueError(f"a goal of type {kind} has no member {unknown[0]!r}")
    return _possible(Goal(kind, *(members.get(name, "").lower() for name in ("object", "receptacle", "lamp"))))


@functools.lru_cache(maxsize=1024)
def _possible(goal: Goal) -> Goal:
    """Return a goal that some episode can reach. Raises ValueError for any other."""
    if goal.object in FIXED:
        raise ValueError(f"no object of class {goal.object!r} can be taken")
    if goal.type == _LIGHT:
        if goal.lamp not in LAMPS:
            raise ValueError(f"its 'lamp' is {goal.lamp!r:.60}, not one of {', '.join(sorted(LAMPS))}")
        return goal
    if not is_receptacle_class(goal.receptacle):
        raise ValueError(f"its 'receptacle' is {goal.receptacle!r:.60}, which no receptacle's class is called")
    if not accepts(goal.receptacle, goal.object):
        raise ValueError(f"a receptacle of class {goal.receptacle!r} takes no object of class {goal.object!r:.60}")
    verb = VERB_OF.get(goal.type)
    if verb and goal.object not in CONDITIONABLE[verb]:
        raise ValueError(f"one cannot {verb} an object of class {goal.object!r}")
    return goal
