"""The bundled tasks as data, and tasks of a file of the user's own.

``../data/tasks.jsonl.gz`` holds a task a line, in the format of :mod:`.task`.  :mod:`.drawing` has drawn them; no
answer in it was written by hand.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping
from pathlib import Path

from dreamgym_env.domains.records import read_records
from dreamgym_env.domains.webarena.tasks.task import WebTask, task_from_record
from dreamgym_env.errors import UnknownTaskError, WebTaskError

__all__ = ["SPLITS", "TASKS_FILE", "bundled_ids", "bundled_task", "read_task_file"]

TASKS_FILE = Path(__file__).parents[1] / "data" / "tasks.jsonl.gz"
SPLITS = ("train", "eval", "test")
"""No template is in two of them."""


def bundled_ids(split: str) -> list[str]:
    """Return the ids of the tasks of a split, in order.

    Raises:
        UnknownTaskError: there is no such split.
    """
    if split not in SPLITS:
        raise UnknownTaskError(f"The bundled tasks have no split {split!r:.80}; they have: {', '.join(SPLITS)}.")
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
        lines = [line for line in text.splitlines() if line.strip()]
        records = json.loads(text) if text.lstrip().startswith("[") else [json.loads(line) for line in lines]
    except (OSError, ValueError) as error:
        raise WebTaskError(f"The tasks in {path} cannot be read: {error}") from error
    tasks = []
    for position, record in enumerate(records, start=1):
        try:
            tasks.append(task_from_record(record))
        except WebTaskError as error:
            raise WebTaskError(f"Task {position} of {path}: {error}") from error
    return tasks


@functools.cache
def _tasks() -> Mapping[str, WebTask]:
    """Id of a task -> the task."""
    return {record["id"]: task_from_record(record) for record in read_records(TASKS_FILE)}
