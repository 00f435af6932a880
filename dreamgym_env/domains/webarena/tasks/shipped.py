"""The bundled tasks as data: drawn by recipes from what the sites show at first, and read without drawing.

``../data/tasks.jsonl.gz`` holds a task a line, in the format of :mod:`.task`.  No answer in it was written by hand.

``python -m dreamgym_env.domains.webarena.tasks.shipped [FILE]`` draws the tasks again.
"""

from __future__ import annotations

import functools
import json
import logging
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from dreamgym_env.domains.draws import Draws
from dreamgym_env.domains.records import read_records, write_records
from dreamgym_env.domains.webarena.sites.database import Database
from dreamgym_env.domains.webarena.tasks.oracle import steps_to_records
from dreamgym_env.domains.webarena.tasks.recipe import Draft, Recipe
from dreamgym_env.domains.webarena.tasks.recipes import (
    code,
    code_projects,
    forum,
    map,
    several,
    shop,
    shop_actions,
    shop_admin,
)
from dreamgym_env.domains.webarena.tasks.task import WebTask, task_from_record
from dreamgym_env.errors import UnknownTaskError, WebTaskError

__all__ = ["RECIPES", "TASKS_FILE", "bundled_ids", "bundled_task", "draw_records", "read_task_file"]

logger = logging.getLogger(__name__)

TASKS_FILE = Path(__file__).parents[1] / "data" / "tasks.jsonl.gz"
RECIPES: Sequence[Recipe] = tuple(
    recipe
    for module in (shop, shop_actions, shop_admin, forum, code, code_projects, map, several)
    for recipe in module.BOOK.recipes
)
_SEED = "bundled tasks 1"
_TASKS_PER_RECIPE: Mapping[str, int] = {"train": 8, "eval": 4, "test": 4}
"""Split -> how many; a recipe that can make no more makes fewer."""
_DRAWS_PER_RECIPE = 120


def bundled_ids(split: str) -> list[str]:
    """Return the ids of the tasks of a split (``train``, ``eval``, ``test``), in order.

    Raises:
        UnknownTaskError: there is no such split.
    """
    if split not in _TASKS_PER_RECIPE:
        raise UnknownTaskError(
            f"The bundled tasks have no split {split!r:.80}; they have: {', '.join(_TASKS_PER_RECIPE)}."
        )
    return [task_id for task_id, task in _tasks().items() if task.split == split]


def bundled_task(task_id: str) -> WebTask:
    """Return a task. Raises UnknownTaskError."""
    if task_id not in _tasks():
        raise UnknownTaskError(
            f"There is no bundled task {task_id!r:.80}; there are {len(_tasks())}, such as {next(iter(_tasks()))!r}."
        )
    return _tasks()[task_id]


def read_task_file(path: Path) -> list[WebTask]:
    """Return the tasks of a file: a JSON list, as WebArena's are, or JSON Lines.

    Raises:
        WebTaskError: the file cannot be read, or one of its tasks cannot; the message says which and why.
    """
    try:
        text = path.read_text(encoding="utf-8")
        records = (
            json.loads(text) if text.lstrip().startswith("[") else [json.loads(line) for line in text.splitlines()]
        )
    except (OSError, ValueError) as error:
        raise WebTaskError(f"The tasks in {path} cannot be read: {error}") from error
    tasks = []
    for position, record in enumerate(records, start=1):
        try:
            tasks.append(task_from_record(record))
        except WebTaskError as error:
            raise WebTaskError(f"Task {position} of {path}: {error}") from error
    return tasks


def draw_records() -> Iterator[dict[str, Any]]:
    """Draw the tasks and yield the file's records; templates take turns."""
    database = Database()
    drafts = {recipe.name: _drafts(recipe, database) for recipe in RECIPES}
    for split, most in _TASKS_PER_RECIPE.items():
        number = 0
        for turn in range(most):
            for position, recipe in enumerate(RECIPES):
                if recipe.split == split and turn < len(drafts[recipe.name]):
                    yield _record(recipe, position, drafts[recipe.name][turn], number)
                    number += 1
    database.close()


def _drafts(recipe: Recipe, database: Database) -> list[Draft]:
    drafts: dict[str, Draft] = {}
    for attempt in range(_DRAWS_PER_RECIPE):
        if len(drafts) == _TASKS_PER_RECIPE[recipe.split]:
            break
        draft = recipe.build(database, Draws(_SEED, recipe.name, attempt))
        if draft is not None:
            drafts.setdefault(_intent(recipe, draft), draft)
    return list(drafts.values())


def _intent(recipe: Recipe, draft: Draft) -> str:
    intent = recipe.intent
    for name, value in draft.arguments.items():
        intent = intent.replace("{{" + name + "}}", value)
    return intent


def _record(recipe: Recipe, position: int, draft: Draft, number: int) -> dict[str, Any]:
    empty = {"reference_answers": None, "reference_url": "", "program_html": []}
    return {
        "id": f"webarena/{recipe.split}/{number}",
        "split": recipe.split,
        "sites": list(recipe.sites),
        "task_id": number,
        "start_url": f"__{recipe.sites[0].upper()}__/",
        "intent_template_id": position,
        "intent_template": recipe.intent,
        "instantiation_dict": dict(draft.arguments),
        "intent": _intent(recipe, draft),
        "require_reset": True,
        "eval": {**empty, **draft.evaluation},
        "oracle": steps_to_records(draft.oracle),
    }


@functools.cache
def _tasks() -> Mapping[str, WebTask]:
    """Id of a task -> the task."""
    return {record["id"]: task_from_record(record) for record in read_records(TASKS_FILE)}


def main() -> None:
    """Write the file named on the command line, else the package's own."""
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    path = Path(sys.argv[1]) if len(sys.argv) > 1 else TASKS_FILE
    write_records(path, draw_records())
    logger.info("%s: %d bytes", path, path.stat().st_size)


if __name__ == "__main__":
    main()
