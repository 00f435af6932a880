"""The bundled tasks as :class:`~dreamgym_env.types.Task`, with what their start pages show.

``data/first_pages.json`` holds title, URL and lines of each start page, so that a dream needs no browser.
``python -m dreamgym_env.domains.webarena.first_pages [FILE]`` reads them from the real sites again (seconds).
"""

from __future__ import annotations

import functools
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dreamgym_env.domains.browser.texts import PageText
from dreamgym_env.domains.webarena.tasks import WebTask, bundled_ids, bundled_task, resolve_url
from dreamgym_env.domains.webarena.tasks.shipped import SPLITS
from dreamgym_env.types import Task

__all__ = ["FIRST_PAGES_FILE", "bundled_tasks", "look_up_first_pages", "task_of"]

FIRST_PAGES_FILE = Path(__file__).with_name("data") / "first_pages.json"


@functools.cache
def bundled_tasks() -> Mapping[str, Task]:
    """Return the bundled tasks by id, in order."""
    tasks = [task_of(bundled_task(task_id)) for split in SPLITS for task_id in bundled_ids(split)]
    return {task.id: task for task in tasks}


def look_up_first_pages() -> dict[str, dict[str, Any]]:
    """Return the file's content, read from the real sites.

    Raises:
        MissingDependencyError: the extra ``webarena`` or Chromium is not installed.
    """
    from dreamgym_env.domains.webarena.domain import WebArena
    from dreamgym_env.domains.webarena.real import RealWebArena, bundled_browser_task

    first: dict[str, str] = {}
    for split in SPLITS:
        for task_id in bundled_ids(split):
            first.setdefault(bundled_task(task_id).start_url, task_id)
    real = RealWebArena(WebArena(), workers=1)
    try:
        shown = real.look([bundled_browser_task(task_id) for task_id in first.values()])
    finally:
        real.close()
    return {
        url: {"title": page.title, "url": page.url, "lines": page.lines}
        for url, (_, page) in zip(first, shown, strict=True)
    }


@functools.cache
def _first_pages() -> dict[str, PageText]:
    pages = json.loads(FIRST_PAGES_FILE.read_text(encoding="utf-8")) if FIRST_PAGES_FILE.is_file() else {}
    return {url: PageText(page["title"], page["url"], tuple(page["lines"])) for url, page in pages.items()}


def task_of(task: WebTask) -> Task:
    """Return a task on the bundled sites as the library knows tasks."""
    page = _first_pages().get(task.start_url) or PageText("", resolve_url(task.start_url), ())
    return Task(
        id=task.id,
        domain="webarena",
        instruction=task.intent,
        initial_state=page.write(task.intent),
        split=task.split,
        goal={"sites": list(task.sites), "start_url": task.start_url, "eval": dict(task.eval)},
    )


if __name__ == "__main__":
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else FIRST_PAGES_FILE
    target.write_text(json.dumps(look_up_first_pages(), ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
