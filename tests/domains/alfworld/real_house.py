"""Plays real ALFWorld games for the tests: what the engine says, admits and judges.

``pip install alfworld==0.4.2 "textworld[pddl]"`` brings the engine; the games come with the ``real_data`` fixture.
"""

from __future__ import annotations

import collections
import gzip
import json
import random
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dreamgym_env.types import Task, Turn

Policy = Callable[[Sequence[str]], str]


@dataclass(frozen=True)
class Moment:
    """A state of an episode, with what the engine knows of it."""

    history: tuple[Turn, ...]
    state: str
    admissible: frozenset[str]
    won: bool


@dataclass(frozen=True)
class PlayedEpisode:
    """A game's task and the moments that one policy led to."""

    task: Task
    moments: tuple[Moment, ...]


def load_games(data: Path) -> list[dict[str, Any]]:
    """Return the games of the real data, in the file's order."""
    with gzip.open(data / "alfworld" / "games_train_and_seen.jsonl.gz", "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def task_of(game: dict[str, Any]) -> Task:
    """Return a game's task, with its hidden facts."""
    params = game["pddl_params"]
    goal = {
        "type": game["task_type"],
        "object": params["object_target"],
        "receptacle": params["parent_target"],
        "lamp": params["toggle_target"],
    }
    return Task(game["name"], "alfworld", game["task"], "", goal=goal, facts=facts_of(game["pddl_problem"]))


def facts_of(problem: str) -> dict[str, Any]:
    """Return what a PDDL problem says of the house at the start, under the names that the texts use."""
    objects, _, rest = problem.partition("(:init")
    found: dict[str, list[list[str]]] = collections.defaultdict(list)
    for fact in re.findall(r"\(([^()]+)\)", rest.partition("(:goal")[0]):
        predicate, *arguments = fact.split()
        found[predicate].append(arguments)
    names = _names(re.findall(r"(\w+_bar_\w+) - (?:object|receptacle)", objects))
    at: dict[str, list[str]] = collections.defaultdict(list)
    for receptacle, location in found["receptacleAtLocation"]:
        at[location].append(names[receptacle])
    contents: dict[str, list[str]] = {name: [] for group in at.values() for name in group}
    for thing, receptacle in found["inReceptacle"]:
        contents[names[receptacle]].append(names[thing])
    kept = {thing for thing, _ in found["inReceptacle"]}
    beside: dict[str, list[str]] = collections.defaultdict(list)
    for thing, location in found["objectAtLocation"]:
        if thing not in kept and location in at:
            beside[at[location][0]].append(names[thing])
    return {
        "contents": contents,
        "beside": dict(beside),
        "doors": [names[receptacle] for (receptacle,) in found["openable"]],
        "together": [group for group in at.values() if len(group) > 1],
        "classes": {
            names[thing]: kind.removesuffix("Type").lower()
            for thing, kind in (*found["receptacleType"], *found["objectType"])
            if thing in names and names[thing].partition(" ")[0] != kind.removesuffix("Type").lower()
        },
        "cool": [names[thing] for (thing,) in found["isCool"]],
    }


def play(game: dict[str, Any], data: Path, folder: Path, policies: Sequence[Policy], steps: int) -> list[PlayedEpisode]:
    """Play a game in the real engine once with each policy, at most so many steps, and return the episodes."""
    task = task_of(game)
    environment = _open(game, data, folder)
    try:
        return [PlayedEpisode(task, tuple(_moments(environment, policy, steps))) for policy in policies]
    finally:
        environment.close()


def explorer(seed: int) -> Policy:
    """Return a policy that tries things: it goes somewhere else only now and then, and repeats itself at times."""
    rng = random.Random(seed)

    def act(admissible: Sequence[str]) -> str:
        ways = [action for action in admissible if action.startswith("go ")]
        deeds = [action for action in admissible if action.split()[0] not in {"go", "look", "help", "inventory"}]
        pool = ways if rng.random() < 0.35 or not deeds else deeds
        return "look" if rng.random() < 0.05 else rng.choice(sorted(pool))

    return act


def script(actions: Sequence[str]) -> Policy:
    """Return a policy that does these actions, and then looks around."""
    left = list(actions)
    return lambda admissible: left.pop(0) if left else "look"


def _moments(environment: Any, policy: Policy, steps: int) -> Iterator[Moment]:
    answer, done = environment.reset(), False
    history: tuple[Turn, ...] = ()
    while True:
        state = answer["feedback"].strip()
        yield Moment(history, state, frozenset(answer["admissible_commands"]), bool(answer["won"]))
        if done or len(history) == steps:
            return
        action = policy(answer["admissible_commands"])
        history = (*history, Turn(state, action))
        answer, _, done = environment.step(action)


def _open(game: dict[str, Any], data: Path, folder: Path) -> Any:
    """Load a game with the engine's own rules and texts; loading overwrites ``sys.argv``, so that it is restored."""
    import alfworld
    import textworld
    from alfworld.agents.environment.alfred_tw_env import AlfredDemangler

    rules = Path(alfworld.__file__).parent / "data"
    content = {
        "pddl_domain": (rules / "alfred.pddl").read_text(encoding="utf-8"),
        "grammar": (rules / "alfred.twl2").read_text(encoding="utf-8").replace("UNKNOWN GOAL", game["task"]),
        "pddl_problem": game["pddl_problem"],
        "solvable": True,
    }
    path = folder / "game.tw-pddl"
    path.write_text(json.dumps(content), encoding="utf-8")
    arguments = sys.argv[:]
    try:
        infos = textworld.EnvInfos(admissible_commands=True, won=True, feedback=True)
        return textworld.start(str(path), infos, wrappers=[AlfredDemangler])
    finally:
        sys.argv[:] = arguments


def _names(identifiers: Sequence[str]) -> dict[str, str]:
    """Return the texts' names: of the things of one class, the first in the alphabet has the highest number."""
    classes = {
        thing: (thing.partition("_bar_")[0] + ("basin" if "Basin" in thing else "")).lower()
        for thing in sorted(identifiers)
    }
    left = collections.Counter(classes.values())
    names = {}
    for thing, name in classes.items():
        names[thing] = f"{name} {left[name]}"
        left[name] -= 1
    return names
