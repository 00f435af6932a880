"""Variations of ALFWorld's tasks: another object, another receptacle or lamp, another type of task, another room.

A variation is played in the house of its original, or in that of another game of the same split; rooms of a test are in
no other.  Its goal is reached by a walk that the house's facts tell, and is not the one that the house's own game has.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from dreamgym_env.domains.alfworld.affordances import (
    APPLIANCES,
    CLASSES,
    CONDITIONABLE,
    FIXED,
    LAMPS,
    accepts,
    is_receptacle_class,
)
from dreamgym_env.domains.alfworld.goals import goal_members
from dreamgym_env.domains.alfworld.house import House
from dreamgym_env.domains.alfworld.problem import first_observation
from dreamgym_env.domains.alfworld.verifier import GOAL_TYPES, VERB_OF, Goal, goal_of
from dreamgym_env.domains.alfworld.wording import asks_for, asks_for_two, names, sentence_of
from dreamgym_env.domains.draws import Draws
from dreamgym_env.domains.variations import variation_of
from dreamgym_env.types import Task

if TYPE_CHECKING:
    from dreamgym_env.domains.alfworld.domain import ALFWorld

__all__ = ["ALFWorldVariations", "variation_rules"]

_KEPT = 0.6
"""How often the original's type, object and place are kept, each of them, where the house has them."""
_ELSEWHERE = 0.4
"""Share of variations that are drawn in the house of another game."""
_HOUSES = 6
"""Other houses that are looked into for the original's object."""
_GOALS = 8
"""Goals drawn for a variation."""


def variation_rules(domain: ALFWorld) -> ALFWorldVariations:
    """Return the rules of a domain's games."""
    return ALFWorldVariations(domain)


class ALFWorldVariations:
    """Asks for other things in the houses of a split."""

    def __init__(self, domain: ALFWorld) -> None:
        """Know the games; they are read when they are needed."""
        self._domain = domain

    def propose(self, task: Task, draws: Draws) -> Task | None:
        """Draw a goal in a house. Raises ResetOptionError for a task without a goal."""
        wanted = goal_of(task)
        own = self._house(task, wanted, draws)
        for _ in range(_GOALS):
            goal = _draw_goal(wanted, own.facts, draws)
            if goal not in (None, goal_of(own)) and House.of(own.facts).walk(goal):
                sentence = sentence_of(goal, draws)
                return self._told(task, sentence, goal_members(goal), _with_house(own, task.family))
        return None

    def identity(self, task: Task) -> str:
        """Return the goal and where everything is."""
        return json.dumps([goal_members(goal_of(task)), task.facts.get("contents", task.family)], sort_keys=True)

    def reworded(self, task: Task, instruction: str) -> Task | None:
        """Return the task in other words, if they name its object, its place and what to do, and no other things."""
        goal, sentence = goal_of(task), " ".join(instruction.split())
        sentence += "" if sentence.endswith((".", "!", "?")) else "."
        verb, place = VERB_OF.get(goal.type), goal.receptacle or goal.lamp
        allowed = {goal.object, place, *([APPLIANCES[verb]] if verb else [])}
        named = {kind for kind in CLASSES if names(sentence, kind)}
        right = (
            {goal.object, place} <= named <= allowed
            and all(asks_for(sentence, other) == (other == verb) for other in APPLIANCES)
            and asks_for_two(sentence) == (goal.count == 2)
        )
        return self._told(task, sentence, task.goal, task.facts) if right else None

    def _house(self, task: Task, wanted: Goal, draws: Draws) -> Task:
        """Return the game in whose house to draw: where the task is played, or one that has its object, too."""
        there = str(task.facts.get("house", task.family))
        if self._domain.tells_facts and draws.chance(_ELSEWHERE):
            ids = self._domain.task_ids(task.split)
            for _ in range(_HOUSES):
                other = self._domain.told_task(draws.pick(ids))
                if wanted.object in _objects(other.facts):
                    return other
        return self._domain.told_task(there)

    def _told(self, task: Task, sentence: str, goal: Mapping[str, Any], facts: Mapping[str, Any]) -> Task:
        told = facts if self._domain.tells_facts else {}
        contents = facts["contents"] if facts else self._domain.told_task(task.family).facts["contents"]
        first = first_observation(sentence, tuple(contents), facts.get("start", ()))
        return variation_of(task, sentence, first, goal, told)


def _with_house(own: Task, family: str) -> dict[str, Any]:
    """Return a game's facts, and whose house it is where it is not the original's: the real engine has to know."""
    return {**own.facts, **({"house": own.id} if own.id != family else {})}


def _draw_goal(wanted: Goal, facts: Mapping[str, Any], draws: Draws) -> Goal | None:
    """Return a goal that the classes of things in a house allow, like a wanted one in some ways; or None."""
    classes = facts.get("classes", {})
    objects = _objects(facts)
    kind = wanted.type if draws.chance(_KEPT) else draws.pick(GOAL_TYPES)
    verb = VERB_OF.get(kind)
    if verb is not None:
        objects = [name for name in objects if name in CONDITIONABLE[verb]]
    thing = _kept_or_other(wanted.object, objects, draws)
    if thing is None:
        return None
    if kind == "look_at_obj_in_light":
        lamps = {_class(thing, classes) for there in facts["contents"].values() for thing in there} & LAMPS
        lamp = _kept_or_other(wanted.lamp, sorted(lamps), draws)
        return Goal(kind, thing, lamp=lamp) if lamp is not None else None
    receptacles = sorted({_class(name, classes) for name in facts["contents"]})
    places = [name for name in receptacles if is_receptacle_class(name) and accepts(name, thing)]
    place = _kept_or_other(wanted.receptacle, places, draws)
    return Goal(kind, thing, place) if place is not None else None


def _objects(facts: Mapping[str, Any]) -> list[str]:
    """Return the classes of things in a house that can be taken."""
    fixed = frozenset(facts.get("fixed", ()))
    things = {thing for there in facts["contents"].values() for thing in there} - fixed
    return sorted({_class(thing, facts.get("classes", {})) for thing in things} - FIXED)


def _kept_or_other(wanted: str, there: Sequence[str], draws: Draws) -> str | None:
    """Return what was wanted, where it is there, or something else; None where there is nothing."""
    keeps = draws.chance(_KEPT)
    if wanted in there and keeps:
        return wanted
    return draws.pick(there) if there else None


def _class(name: str, classes: Mapping[str, str]) -> str:
    return classes.get(name) or name.partition(" ")[0]
