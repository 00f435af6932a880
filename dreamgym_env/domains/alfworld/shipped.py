"""The generated games as data, so that their dream needs neither the ``alfworld`` package nor its rooms.

``data/games.jsonl.gz`` holds a JSON object a line.  The line of a room comes before those of its games: ``room``, its
name, and ``facts``, which are those of each of its games but for the receptacles' contents.  The line of a game has
``id``, ``split``, ``room``, ``task`` (the sentence), ``goal``, and ``contents``: receptacle -> objects in it.

``python -m dreamgym_env.domains.alfworld.shipped [FILE]`` draws the games again in rooms of the installed package.
"""

from __future__ import annotations

import copy
import functools
import logging
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from tqdm import tqdm

from dreamgym_env.domains.alfworld.generator import SIZES, draw_game
from dreamgym_env.domains.alfworld.problem import first_observation
from dreamgym_env.domains.alfworld.tasks import task_of_problem
from dreamgym_env.domains.records import read_records, write_records
from dreamgym_env.errors import GameError
from dreamgym_env.types import Task

__all__ = ["GAMES_FILE", "draw_records", "shipped_ids", "shipped_task"]

logger = logging.getLogger(__name__)

GAMES_FILE = Path(__file__).with_name("data") / "games.jsonl.gz"


def shipped_ids() -> Mapping[str, list[str]]:
    """Return the ids of the games by split, in order."""
    ids: dict[str, list[str]] = {}
    for game_id, game in _games().items():
        ids.setdefault(game["split"], []).append(game_id)
    return ids


def shipped_task(game_id: str) -> Task:
    """Return the task of one of the games."""
    game = _games()[game_id]
    facts = copy.deepcopy(_rooms()[game["room"]])
    facts["contents"] |= copy.deepcopy(game["contents"])
    return Task(
        id=game_id,
        domain="alfworld",
        instruction=game["task"],
        initial_state=first_observation(game["task"], tuple(facts["contents"])),
        split=game["split"],
        goal=dict(game["goal"]),
        facts=facts,
    )


def draw_records() -> Iterator[dict[str, Any]]:
    """Draw the games and yield the file's records.

    Raises:
        MissingDependencyError: the extra ``alfworld`` is not installed.
        GameError: games of one room differ in more than its contents.
    """
    rooms: dict[str, dict[str, Any]] = {}
    for split, size in SIZES.items():
        for number in range(size):
            game_id, game = f"alfworld/{split}/{number}", draw_game(split, number)
            task = task_of_problem(game_id, split, game.sentence, game.problem)
            contents: Mapping[str, list[str]] = task.facts["contents"]
            room = {**task.facts, "contents": {receptacle: [] for receptacle in contents}}
            if game.scene not in rooms:
                rooms[game.scene] = room
                yield {"room": game.scene, "facts": room}
            if rooms[game.scene] != room:
                raise GameError(f"The game {game_id!r} cannot be written: {game.scene} is not as in the games before.")
            yield {
                "id": game_id,
                "split": split,
                "room": game.scene,
                "task": task.instruction,
                "goal": task.goal,
                "contents": {receptacle: things for receptacle, things in contents.items() if things},
            }


@functools.cache
def _records() -> list[dict[str, Any]]:
    return read_records(GAMES_FILE)


@functools.cache
def _rooms() -> Mapping[str, dict[str, Any]]:
    """Name of a room -> its facts."""
    return {record["room"]: record["facts"] for record in _records() if "id" not in record}


@functools.cache
def _games() -> Mapping[str, dict[str, Any]]:
    """Id of a game -> its record."""
    return {record["id"]: record for record in _records() if "id" in record}


def main() -> None:
    """Write the file named on the command line, else the package's own."""
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    path = Path(sys.argv[1]) if len(sys.argv) > 1 else GAMES_FILE
    write_records(path, tqdm(draw_records(), desc="drawing games", unit="record", disable=None))
    logger.info("%s: %d bytes", path, path.stat().st_size)


if __name__ == "__main__":
    main()
