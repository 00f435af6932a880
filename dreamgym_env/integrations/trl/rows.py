"""Tasks as the rows of a data set, and the task of a row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from datasets import Dataset

from dreamgym_env.errors import TrainingError
from dreamgym_env.integrations.conversation import task_rows
from dreamgym_env.types import Domain

__all__ = ["make_dataset", "task_of"]


def make_dataset(domain: Domain, split: str = "train", n: int | None = None) -> Dataset:
    """Return the tasks of a split as TRL's trainers take them.

    A row has ``task_id`` and ``prompt``, a conversation of one message that says the instruction.  The message carries
    the task's id too, as TRL hands a ``rollout_func`` the prompts alone.

    Args:
        domain: of the environment, for example ``rollout.domain``.
        split: of the domain.
        n: how many tasks, the first ones; None for all.

    Raises:
        UnknownTaskError: no such split.
        ValueError: ``n`` is no positive number.
    """
    rows = task_rows(domain, split, n)
    return Dataset.from_list([{"prompt": [_message(row)], "task_id": row["task_id"]} for row in rows])


def task_of(prompt: Any) -> str:
    """Return the id of the task that a row's prompt is of. Raises TrainingError for a prompt of another data set."""
    last = prompt[-1] if isinstance(prompt, Sequence) and not isinstance(prompt, str) and prompt else None
    task_id = last.get("task_id") if isinstance(last, Mapping) else None
    if not isinstance(task_id, str):
        raise TrainingError(
            f"A prompt names no task ({prompt!r:.80}): train on the rows of make_dataset(), whose messages have a "
            "'task_id'."
        )
    return task_id


def _message(row: Mapping[str, Any]) -> dict[str, str]:
    return {"role": "user", "content": f"# Task\n{row['instruction']}", "task_id": row["task_id"]}
