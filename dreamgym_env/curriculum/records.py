"""Tasks as JSON values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from dreamgym_env.types import Task

__all__ = ["task_from_record", "task_to_record"]


def task_to_record(task: Task) -> dict[str, Any]:
    """Return all members of a task."""
    return asdict(task)


def task_from_record(record: Mapping[str, Any]) -> Task:
    """Return the task of a record. Raises TypeError where that is none."""
    return Task(**record)
