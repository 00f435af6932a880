"""MiniWoB++'s tasks as data, so that their dream needs neither a browser nor the pages.

``data/tasks.jsonl.gz`` holds a JSON object a line: ``page``, ``seed``, ``split``, ``instruction``, and ``state``, the
first text without the instruction.  ``python -m dreamgym_env.domains.miniwob.tasks [FILE]`` reads them from the real
pages again (a quarter of an hour).
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from tqdm import tqdm

from dreamgym_env.domains.browser.texts import join_lines, split_lines
from dreamgym_env.domains.records import read_records, write_records
from dreamgym_env.types import Task

__all__ = ["SEEDS", "TASKS_FILE", "look_up_records", "read_tasks", "task_ids"]

TASKS_FILE = Path(__file__).with_name("data") / "tasks.jsonl.gz"
SEEDS: Mapping[str, range] = {"train": range(100, 120), "eval": range(10, 14), "test": range(8)}
"""Split -> the seeds of its tasks, the same on every page."""


@functools.cache
def read_tasks() -> Mapping[str, Task]:
    """Return the tasks by id, in order."""
    tasks = map(_task, read_records(TASKS_FILE))
    return {task.id: task for task in tasks}


@functools.cache
def task_ids() -> Mapping[str, list[str]]:
    """Return the ids of the tasks by split, in order."""
    ids: dict[str, list[str]] = {split: [] for split in SEEDS}
    for task in read_tasks().values():
        ids[task.split].append(task.id)
    return ids


def look_up_records() -> Iterator[dict[str, Any]]:
    """Read the tasks from the real pages and yield the file's records.

    Raises:
        MissingDependencyError: the extra ``miniwob`` or Chromium is not installed.
    """
    from dreamgym_env.domains.miniwob.domain import MiniWoB
    from dreamgym_env.domains.miniwob.oracles import ORACLES
    from dreamgym_env.domains.miniwob.real import RealMiniWoB, browser_task

    real = RealMiniWoB(MiniWoB(), workers=1)
    try:
        for page in tqdm(ORACLES, disable=None):
            for split, seeds in SEEDS.items():
                shown = real.look([browser_task(page, seed) for seed in seeds])
                for seed, (instruction, text) in zip(seeds, shown, strict=True):
                    state = "\n".join(split_lines(text.write(instruction), instruction))
                    yield {"page": page, "seed": seed, "split": split, "instruction": instruction, "state": state}
    finally:
        real.close()


def _task(record: Mapping[str, Any]) -> Task:
    page, seed, split, instruction = (record[key] for key in ("page", "seed", "split", "instruction"))
    state = join_lines(record["state"].split("\n"), instruction)
    return Task(
        f"miniwob/{split}/{page}/{seed}", "miniwob", instruction, state, split, goal={"page": page, "seed": seed}
    )


if __name__ == "__main__":
    write_records(Path(sys.argv[1]) if len(sys.argv) > 1 else TASKS_FILE, list(look_up_records()))
