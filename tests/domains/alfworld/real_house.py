"""Plays real ALFWorld games for the tests: what the engine says, admits and judges.

``pip install alfworld==0.4.2 "textworld[pddl]"`` brings the engine; the games come with the ``real_data`` fixture.
"""

from __future__ import annotations

import collections
import functools
import gzip
import json
import random
import re
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from dreamgym_env.domains.alfworld.grammar import parse
from dreamgym_env.types import Task, Turn

Policy = Callable[[Sequence[str]], str]

HEAT_MUG = ("go to microwave 1", "heat mug 1 with microwave 1")
GAMES: dict[str, tuple[str, ...]] = {
    "look_at_obj_in_light-Bowl-None-DeskLamp-316/trial_T20190908_230650_245482": (
        "go to desk 1",
        "take bowl 2 from desk 1",
        "examine bowl 2",
        "go to bed 1",
        "use desklamp 1",
        "go to desk 1",
        "use desklamp 1",
    ),
    "pick_and_place_simple-CreditCard-None-ArmChair-202/trial_T20190909_011606_013059": (
        "go to tvstand 1",
        "take creditcard 4 from tvstand 1",
        "put creditcard 4 in/on armchair 1",
        "go to armchair 1",
        "go to armchair 1",
        "look",
        "move creditcard 4 to armchair 1",
    ),
    "pick_clean_then_place_in_recep-Cloth-None-Toilet-406/trial_T20190908_102735_461565": (
        "go to cabinet 2",
        "take cloth 1 from cabinet 2",
        "open cabinet 2",
        "take cloth 1 from cabinet 2",
        "go to toilet 1",
        "move cloth 1 to toilet 1",
        "take cloth 1 from toilet 1",
        "go to sinkbasin 1",
        "clean cloth 1 with sinkbasin 1",
        "go to toilet 1",
        "move cloth 1 to toilet 1",
    ),
    "pick_cool_then_place_in_recep-Pot-None-DiningTable-21/trial_T20190909_004531_429065": (
        "go to stoveburner 4",
        "take pot 1 from stoveburner 4",
        "go to fridge 1",
        "cool pot 1 with fridge 1",
        "inventory",
        "go to diningtable 3",
        "move pot 1 to diningtable 3",
    ),
    "pick_heat_then_place_in_recep-Mug-None-SideTable-21/trial_T20190909_090729_088825": (
        "go to coffeemachine 1",
        "take mug 1 from coffeemachine 1",
        *HEAT_MUG,
        "go to fridge 1",
        "cool mug 1 with fridge 1",
        "go to sidetable 1",
        "move mug 1 to sidetable 1",
        "take mug 1 from sidetable 1",
        *HEAT_MUG,
        "examine mug 1",
        "go to sidetable 1",
        "move mug 1 to sidetable 1",
    ),
    "pick_two_obj_and_place-SprayBottle-None-GarbageCan-419/trial_T20190908_164236_518264": (
        "go to sidetable 1",
        "take spraybottle 2 from sidetable 1",
        "go to garbagecan 1",
        "move spraybottle 2 to garbagecan 1",
        "go to sidetable 1",
        "take spraybottle 1 from sidetable 1",
        "go to garbagecan 1",
        "move spraybottle 1 to garbagecan 1",
    ),
}
"""One small game of each type, and actions that fulfil its task, after detours."""


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


@functools.cache
def real_episodes(data: Path) -> tuple[PlayedEpisode, ...]:
    """Return two episodes of each of :data:`GAMES`: its own actions, and 25 random ones; skips without the engine."""
    pytest.importorskip("alfworld", reason='needs the real engine: pip install alfworld==0.4.2 "textworld[pddl]"')
    pytest.importorskip("textworld.envs.pddl", reason='needs the real engine: pip install "textworld[pddl]"')
    games = {game["name"]: game for game in load_games(data)}
    episodes = []
    for seed, (name, actions) in enumerate(GAMES.items()):
        with tempfile.TemporaryDirectory() as folder:
            policies = (script(actions), explorer(seed))
            episodes += play(games[name], Path(folder), policies, steps=25)
    return tuple(episodes)


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


def play(game: dict[str, Any], folder: Path, policies: Sequence[Policy], steps: int) -> list[PlayedEpisode]:
    """Play a game in the real engine once with each policy, at most so many steps, and return the episodes."""
    task = task_of(game)
    environment = _open(game, folder)
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
        parsed = parse(action)
        answer, _, done = environment.step(parsed.text if parsed else action)


def _open(game: dict[str, Any], folder: Path) -> Any:
    """Load a game with the engine's own rules and texts; loading overwrites ``sys.argv``, so that it is restored."""
    with pytest.MonkeyPatch.context() as patch:  # importing it makes a folder, and names it in the environment
        patch.setenv("ALFWORLD_DATA", str(folder))
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
