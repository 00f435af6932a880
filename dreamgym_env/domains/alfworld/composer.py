"""Composes what a house answers, out of its facts, of what the episode has shown, or of a house made up for the task.

Where a task has facts, they and the episode tell every answer.  Where it has none, the episode's texts tell what they
can, and the rest comes from an invented house (:mod:`~.invention`), so that it stays the same house to the end.
"""

from __future__ import annotations

import functools
import json
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from dreamgym_env.domains.alfworld.affordances import CONDITION_AFTER
from dreamgym_env.domains.alfworld.answers import answer_of
from dreamgym_env.domains.alfworld.grammar import ParsedAction, parse
from dreamgym_env.domains.alfworld.invention import RecordedHouse, invent_facts, recorded_houses
from dreamgym_env.domains.alfworld.known import known_of, world_of_facts
from dreamgym_env.domains.alfworld.tracker import NOTHING_HAPPENS, World, track
from dreamgym_env.domains.alfworld.wording import asks_for, asks_for_two, names
from dreamgym_env.domains.composed import composed_memory, recorded_answers
from dreamgym_env.domains.exclusion import Exclusion
from dreamgym_env.types import Memory, Query, Transition

if TYPE_CHECKING:
    from dreamgym_env.domains.alfworld.domain import ALFWorld

__all__ = ["HouseComposer"]

_REMEMBERED = 4096
"""How many houses that were made up are kept; any other is made up again, the same."""


class HouseComposer:
    """Knows the houses of tasks that have facts, and makes up the others."""

    def __init__(self, domain: ALFWorld, experience: Callable[[], Iterator[Transition]]) -> None:
        """Create a composer; the experience is read when a house has to be made up for the first time."""
        self._domain = domain
        self._houses: Callable[[], list[RecordedHouse]] = functools.cache(lambda: recorded_houses(experience()))
        self._invented: OrderedDict[tuple[str, str, str, Exclusion], World] = OrderedDict()

    def compose(
        self, query: Query, memories: Sequence[Memory], *, exclude_episode: bool = False, exclude_task: bool = False
    ) -> Memory | None:
        """Return the answer, certain unless it was made up; or None for ``help``, which only recordings can answer.

        Args:
            query: the question; its history says what was done to the house.
            memories: what was retrieved for it; needed for ``help`` alone.
            exclude_episode: make nothing up from the asking episode's own recordings.
            exclude_task: make nothing up from the asking task's own recordings.
        """
        action = parse(query.action)
        text = action.text if action else query.action
        if action and action.verb == "help":
            page = next(recorded_answers(self._domain, query, memories, any_page=True), None)
            return composed_memory(query, text, page, "recorded", certain=True) if page else None
        world = track(query.history, query.state, known_of(query.task))
        page = answer_of(world, action)
        origin, certain = "known of this house", True
        if page is None:
            exclusion = Exclusion.of(query, exclude_episode=exclude_episode, exclude_task=exclude_task)
            world = self._with_invention(world, query, exclusion)
            page = answer_of(world, action)
            origin, certain = "made up for this house", False
        if page is None:
            return None
        if (
            action
            and page != NOTHING_HAPPENS
            and (told := _evidence(world.after(text, page), action, query.task.instruction))
        ):
            origin = f"{origin}: {told}"
        return composed_memory(query, text, page, origin, certain=certain)

    def _with_invention(self, world: World, query: Query, exclusion: Exclusion) -> World:
        """Return the world with all that nobody has seen made up; nothing is made up that was seen elsewhere."""
        seen = {world.holding, *(thing for things in world.contents.values() for thing in things)}
        made_up = self._house(query, exclusion)
        unseen = {name: things - seen for name, things in made_up.contents.items() if name not in world.contents}
        unvisited = set(unseen) - world.closed
        return replace(world, contents={**unseen, **world.contents}, closed=world.closed | made_up.closed & unvisited)

    def _house(self, query: Query, exclusion: Exclusion) -> World:
        task, first_text = query.task, query.history[0].state if query.history else query.state
        key = (task.id, first_text, json.dumps(dict(task.goal), sort_keys=True), exclusion)
        if key not in self._invented:
            allowed = (house for house in self._houses() if exclusion.allows(house.family, house.episode))
            self._invented[key] = world_of_facts(invent_facts(task, first_text, allowed))
            if len(self._invented) > _REMEMBERED:
                self._invented.popitem(last=False)
        return self._invented[key]


def _evidence(world: World, action: ParsedAction, instruction: str) -> str:
    """Say, of the world after an action that can complete a task, what speaks for and against it; else nothing."""
    if action.verb == "move":
        thing, place = world.class_of(action.object), world.class_of(action.place)
        count = sum(world.class_of(other) == thing for other in world.objects_in(action.place))
        wanted = 2 if asks_for_two(instruction) else 1
        told = [_named(instruction, thing, "thing"), _named(instruction, place, "place")]
        told.append("enough there" if count >= wanted else "one too few there")
        for verb, condition in CONDITION_AFTER.items():
            if asks_for(instruction, verb):
                told.append(f"{'' if action.object in getattr(world, condition) else 'not '}{condition}")
        return ", ".join(told)
    if action.verb in ("take", "use"):
        lamps = {world.class_of(thing) for name in world.here() for thing in world.objects_in(name) & world.lit}
        held = _named(instruction, world.class_of(world.holding), "thing") if world.holding else "nothing"
        lit = any(names(instruction, lamp) for lamp in lamps)
        return f"{held} in hand, {'named lamp' if lit else 'other lamp' if lamps else 'no lamp'} lit here"
    return ""


def _named(instruction: str, kind: str, role: str) -> str:
    return f"{'named' if names(instruction, kind) else 'other'} {role}"
