"""Invents a house for a task whose facts nobody tells: plausible, the same each time, and one that the task fits.

What stands where is drawn from what real experience has shown in rooms with like furniture.  What experience has shown
of this very house is kept as it was.  Where the task has a goal, the things that it asks for are somewhere.
"""

from __future__ import annotations

import contextlib
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field
from typing import Any, TypeVar

from dreamgym_env.domains.alfworld.affordances import ALWAYS_OPEN, FIXED, accepts
from dreamgym_env.domains.alfworld.grammar import thing_class
from dreamgym_env.domains.alfworld.tracker import track
from dreamgym_env.domains.alfworld.verifier import Goal, goal_of
from dreamgym_env.domains.draws import Draws
from dreamgym_env.errors import ResetOptionError
from dreamgym_env.types import Task, Transition

__all__ = ["RecordedHouse", "invent_facts", "recorded_houses"]

T = TypeVar("T")

_DONORS = 8
"""How many recorded houses an invented one is drawn from: those of the most similar furniture."""
_TAKEN = re.compile(r"You pick up the (?P<thing>[a-z]+ \d+) from the (?P<receptacle>[a-z]+ \d+)\.")
_LAMP_STANDS = ("desk", "sidetable", "dresser", "shelf", "diningtable", "coffeetable")
_SHUT = frozenset({"fridge", "microwave", "safe"})
"""Classes of receptacles that always have a door."""


@dataclass(slots=True)
class RecordedHouse:
    """What one recorded episode has shown of a house before anything was moved."""

    family: str
    """Of the episode's task, see :attr:`Transition.family`."""
    episode: str
    first_text: str
    """What the episode began with; tells two tasks of one id from different sources of games apart."""
    furniture: Counter[str]
    """Class of receptacles -> how many there are."""
    contents: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """Receptacle -> objects in it, for those that the episode has looked into."""
    doors: dict[str, bool] = field(default_factory=dict)
    """Receptacle -> whether it was closed, for those that the episode has gone to."""

    def contents_of(self, kind: str) -> Iterator[tuple[str, ...]]:
        """Yield the classes of the objects in each receptacle of a class that was looked into."""
        for name, things in self.contents.items():
            if thing_class(name) == kind:
                yield tuple(map(thing_class, things))

    def doors_of(self, kind: str) -> Iterator[bool]:
        """Yield whether it was closed for each receptacle of a class that was gone to."""
        return (closed for name, closed in self.doors.items() if thing_class(name) == kind)

    def likeness(self, furniture: Counter[str]) -> float:
        """Return how much furniture is shared, in [0, 1]."""
        return (self.furniture & furniture).total() / max(1, (self.furniture | furniture).total())


def recorded_houses(experience: Iterable[Transition]) -> list[RecordedHouse]:
    """Return what each episode has shown; steps may come in any order of episodes, but each episode's in their own."""
    houses: dict[tuple[str, str], RecordedHouse] = {}
    moved: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
    taken: defaultdict[tuple[str, str, str], set[str]] = defaultdict(set)
    for step in experience:
        episode = (step.task_id, step.episode)
        house = houses.get(episode)
        if house is None:
            first = step.history[0].state if step.history else step.state
            furniture = Counter(map(thing_class, track((), first).receptacles))
            house = houses[episode] = RecordedHouse(step.family, step.episode, first, furniture)
        seen = track((), step.next_state)
        for name in seen.closed:
            house.doors.setdefault(name, True)
        for name, things in seen.contents.items():
            house.doors.setdefault(name, name in seen.opened)
            house.contents.setdefault(name, tuple(sorted(things - moved[episode] | taken[*episode, name])))
        if found := _TAKEN.match(step.next_state):
            moved[episode].add(found["thing"])
            if found["receptacle"] not in house.contents:
                taken[*episode, found["receptacle"]].add(found["thing"])
    return list(houses.values())


def invent_facts(task: Task, first_text: str, houses: Iterable[RecordedHouse]) -> Mapping[str, Any]:
    """Return facts of a house, in the form that :func:`~.known.world_of_facts` reads.

    What the task asks for is in it, unless its goal is none that can be reached.

    Args:
        task: names the house: the same task gets the same house.
        first_text: what the episode begins with; lists the furniture.
        houses: what may be known of recorded ones.
    """
    receptacles = track((), first_text).receptacles
    draws = Draws("alfworld house", task.family, first_text)
    known = list(houses)
    own = [house for house in known if (house.family, house.first_text) == (task.family, first_text)]
    furniture = Counter(map(thing_class, receptacles))
    donors = sorted(known, key=lambda house: -house.likeness(furniture))[:_DONORS]
    numbers: Counter[str] = Counter()
    for house in own:
        for thing in (thing for things in house.contents.values() for thing in things):
            numbers[thing_class(thing)] = max(numbers[thing_class(thing)], int(thing.partition(" ")[2]))
    contents: dict[str, list[str]] = {}
    doors: list[str] = []
    for name in receptacles:
        kind = thing_class(name)
        shown = next((house for house in own if name in house.contents), None)
        if shown:
            contents[name] = list(shown.contents[name])
        else:
            drawn = _pick([things for house in donors for things in house.contents_of(kind)], draws, default=())
            contents[name] = [_numbered(thing, numbers) for thing in drawn]
        gone_to = [house.doors[name] for house in own if name in house.doors]
        closed = _pick(gone_to or [closed for house in donors for closed in house.doors_of(kind)], draws, default=True)
        if kind not in ALWAYS_OPEN and (closed or kind in _SHUT):
            doors.append(name)
    shown_before = {name for house in own for name in house.contents}
    with contextlib.suppress(ResetOptionError):  # a goal that only the world model can judge
        _provide(goal_of(task), contents, shown_before, numbers, draws)
    fixed = [thing for things in contents.values() for thing in things if thing_class(thing) in FIXED]
    return {"contents": contents, "doors": doors, "fixed": fixed}


def _pick(items: Sequence[T], draws: Draws, *, default: T) -> T:
    return draws.pick(items) if items else default


def _numbered(kind: str, numbers: Counter[str]) -> str:
    numbers[kind] += 1
    return f"{kind} {numbers[kind]}"


def _provide(
    goal: Goal, contents: dict[str, list[str]], shown_before: Set[str], numbers: Counter[str], draws: Draws
) -> None:
    """See to it that what a goal asks for is in the house, and not where it is to be brought; what was seen stays."""
    free = [name for name in contents if name not in shown_before]
    targets = [name for name in contents if thing_class(name) == goal.receptacle]
    for name in set(free) & set(targets):
        contents[name] = [thing for thing in contents[name] if thing_class(thing) != goal.object]
    elsewhere = [name for name in free if name not in targets]
    takers = [name for name in elsewhere if accepts(thing_class(name), goal.object)]
    _add_missing(goal.object, goal.count, takers or elsewhere, contents, numbers, draws)
    if goal.lamp:
        stands = [name for name in free if thing_class(name) in _LAMP_STANDS]
        _add_missing(goal.lamp, 1, stands or free, contents, numbers, draws)


def _add_missing(
    kind: str, count: int, places: Sequence[str], contents: dict[str, list[str]], numbers: Counter[str], draws: Draws
) -> None:
    """Put as many objects of a class as are missing into some of these places."""
    there = sum(thing_class(thing) == kind for things in contents.values() for thing in things)
    for _ in range(count - there if places else 0):
        contents[draws.pick(places)].append(_numbered(kind, numbers))
