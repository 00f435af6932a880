"""A house as a task's hidden facts tell it, and the shortest walk in it to the task's goal.

It follows actions that worked, so that a walk can be planned anew after any of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from dreamgym_env.domains.alfworld.affordances import APPLIANCES, CONDITION_AFTER
from dreamgym_env.domains.alfworld.verifier import VERB_OF, Goal

__all__ = ["House"]

_OPPOSITE = {"hot": "cool", "cool": "hot"}
"""Condition -> the one that it ends."""


@dataclass(slots=True)
class House:
    """Where everything is now."""

    contents: dict[str, list[str]]
    """Receptacle -> objects in it."""
    closed: set[str]
    place_of: Mapping[str, int]
    """Receptacle -> number of the place that one stands at; receptacles may share it."""
    conditions: dict[str, set[str]]
    """``clean``, ``hot``, ``cool``, ``lit`` -> objects."""
    fixed: frozenset[str]
    """Objects that cannot be taken."""
    classes: Mapping[str, str]
    """Class of each thing whose name says another."""
    place: int = -1
    """Where the agent is; -1 in the middle of the room."""
    hand: str = ""
    """What it holds."""

    @classmethod
    def of(cls, facts: Mapping[str, Any]) -> House:
        """Return the house at a task's start, from its facts (:meth:`..problem.Problem.facts`)."""
        contents = {name: list(things) for name, things in facts.get("contents", {}).items()}
        place_of = {name: number for number, name in enumerate(contents)}
        for group in facts.get("together", ()):
            place_of.update(dict.fromkeys(group, place_of[group[0]]))
        start = facts.get("start", ())
        return cls(
            contents=contents,
            closed=set(facts.get("doors", ())) - set(facts.get("open", ())),
            place_of=place_of,
            conditions={name: set(facts.get(name, ())) for name in ("clean", "hot", "cool", "lit")},
            fixed=frozenset(facts.get("fixed", ())),
            classes=facts.get("classes", {}),
            place=place_of[start[0]] if start else -1,
        )

    def follow(self, action: str) -> None:
        """Change the house as an action does that worked; anything that changes nothing is ignored."""
        verb, _, rest = action.partition(" ")
        match verb:
            case "go":
                self.place = self.place_of.get(rest.removeprefix("to "), self.place)
            case "open":
                self.closed.discard(rest)
            case "close":
                self.closed.add(rest)
            case "take":
                thing, _, receptacle = rest.partition(" from ")
                if thing in self.contents.get(receptacle, ()):
                    self.contents[receptacle].remove(thing)
                self.hand = thing
            case "move":
                thing, _, receptacle = rest.partition(" to ")
                self.contents.setdefault(receptacle, []).append(thing)
                self.hand = ""
            case "use":
                self.conditions["lit"].add(rest)
            case "clean" | "heat" | "cool":
                self._treat(verb, rest.partition(" with ")[0])

    def walk(self, goal: Goal) -> list[str] | None:
        """Return the actions of the shortest walk to a goal, from here; None where nothing leads there.

        An object in the hand that is not wanted is kept: putting it down first is the agent's to decide.
        """
        if goal.type == "look_at_obj_in_light":
            walks = self._walks_into_light(goal)
        elif goal.count == 2:
            walks = self._walks_for_two(goal)
        else:
            walks = (walk for _, walk in self._walks_for_one(goal))
        return min(walks, key=len, default=None)

    def _treat(self, verb: str, thing: str) -> None:
        condition = CONDITION_AFTER[verb]
        self.conditions[condition].add(thing)
        if condition in _OPPOSITE:
            self.conditions[_OPPOSITE[condition]].discard(thing)

    def _walks_for_one(self, goal: Goal) -> Iterator[tuple[str, list[str]]]:
        """Yield (target, walk) of bringing one object of the goal to each receptacle of its class."""
        for target in self._of_class(goal.receptacle):
            for thing in self._things(goal.object):
                treated = not goal.condition or thing in self.conditions[goal.condition]
                if treated and thing in self.contents[target]:
                    yield target, []
                    continue
                for walk, place in self._in_hand(thing):
                    if treated:
                        yield target, [*walk, *self._to(target, place), f"move {thing} to {target}"]
                        continue
                    verb = VERB_OF[goal.type]
                    for appliance in self._of_class(APPLIANCES[verb]):
                        there = [*walk, *self._towards(appliance, place), f"{verb} {thing} with {appliance}"]
                        home = self._to(target, self.place_of[appliance])
                        yield target, [*there, *home, f"move {thing} to {target}"]

    def _walks_for_two(self, goal: Goal) -> Iterator[list[str]]:
        """Yield walks that bring as many objects as are missing to a receptacle; one after the other."""
        for target in self._of_class(goal.receptacle):
            there = [thing for thing in self.contents[target] if self._class(thing) == goal.object]
            missing = goal.count - len(set(there))
            if missing <= 0:
                yield []
                continue
            single: list[list[str]] = []
            for thing in self._things(goal.object):
                if thing in there:
                    continue
                walks = [
                    [*walk, *self._to(target, place), f"move {thing} to {target}"]
                    for walk, place in self._in_hand(thing)
                ]
                if walks:
                    single.append(min(walks, key=len))
            single.sort(key=lambda walk: (self.hand not in walk[-1] if self.hand else False, len(walk)))
            if len(single) >= missing:
                yield self._joined(single[:missing], target)

    def _joined(self, walks: list[list[str]], target: str) -> list[str]:
        """Return walks that all end at a target one after the other, without what the first did for the next."""
        joined: list[str] = []
        for walk in walks:
            for action in walk:
                place = self._place_after(joined)
                known = action == f"open {target}" and action in joined
                needless = action.startswith("go to ") and self.place_of[action.removeprefix("go to ")] == place
                if not known and not needless:
                    joined.append(action)
        return joined

    def _place_after(self, actions: list[str]) -> int:
        went = [action.removeprefix("go to ") for action in actions if action.startswith("go to ")]
        return self.place_of[went[-1]] if went else self.place

    def _walks_into_light(self, goal: Goal) -> Iterator[list[str]]:
        """Yield walks that take an object to a lamp and switch it on."""
        for lamp in self._things(goal.lamp, fixed=True):
            for stand in self._holders(lamp):
                for thing in self._things(goal.object):
                    for walk, place in self._in_hand(thing):
                        light = [] if lamp in self.conditions["lit"] else [f"use {lamp}"]
                        yield [*walk, *self._towards(stand, place), *light]

    def _in_hand(self, thing: str) -> Iterator[tuple[list[str], int]]:
        """Yield walks after which a thing is held, and where they end."""
        if self.hand == thing:
            yield [], self.place
            return
        for receptacle in self._holders(thing):
            walk = [*self._to(receptacle, self.place), f"take {thing} from {receptacle}"]
            yield walk, self.place_of[receptacle]

    def _towards(self, receptacle: str, place: int) -> list[str]:
        return [] if self.place_of[receptacle] == place else [f"go to {receptacle}"]

    def _to(self, receptacle: str, place: int) -> list[str]:
        """Return what lets one use a receptacle from a place: going there and opening it."""
        return [*self._towards(receptacle, place), *([f"open {receptacle}"] if receptacle in self.closed else [])]

    def _of_class(self, kind: str) -> list[str]:
        return [name for name in self.contents if self._class(name) == kind]

    def _holders(self, thing: str) -> list[str]:
        return [name for name, things in self.contents.items() if thing in things]

    def _things(self, kind: str, *, fixed: bool = False) -> list[str]:
        """Return the things of a class that can be taken (or those that cannot), each once."""
        names = [self.hand, *(thing for things in self.contents.values() for thing in things)]
        return [name for name in dict.fromkeys(names) if self._class(name) == kind and (name in self.fixed) == fixed]

    def _class(self, name: str) -> str:
        return self.classes.get(name) or name.partition(" ")[0]
