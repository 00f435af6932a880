"""What ``reset`` of a vector environment is told about its lanes: which, with which seeds, tasks and groups."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from dreamgym_env.envs.tasks import TaskChoice, choice_from_options
from dreamgym_env.errors import ResetOptionError

__all__ = ["read_choices", "read_group_size", "read_mask", "read_seeds"]


def read_mask(mask: Any, lanes: int) -> list[int]:
    """Return the lanes that ``reset_mask`` selects; all where it is None. Raises ResetOptionError."""
    if mask is None:
        return list(range(lanes))
    if not isinstance(mask, np.ndarray) or mask.dtype != np.bool_ or mask.shape != (lanes,):
        raise ResetOptionError(f"reset_mask must be a bool array of shape ({lanes},).")
    if not mask.any():
        raise ResetOptionError("reset_mask must select at least one environment.")
    return [int(lane) for lane in np.flatnonzero(mask)]


def read_group_size(value: Any, lanes: int) -> int:
    """Return ``group_size``. Raises ResetOptionError unless it divides the number of lanes."""
    whole = isinstance(value, int | np.integer) and not isinstance(value, bool)
    if not whole or value < 1 or lanes % value:
        raise ResetOptionError(f"group_size must be a number that divides num_envs={lanes}, not {value!r}.")
    return int(value)


def read_choices(options: Mapping[str, Any], lanes: int) -> list[TaskChoice]:
    """Return each lane's choice of tasks, from options that are the same for all or lists of one for each.

    Raises:
        ResetOptionError: a list has another length, or an option cannot be read.
    """
    lists = {name: list(value) for name, value in options.items() if isinstance(value, list | tuple | np.ndarray)}
    for name, value in lists.items():
        if len(value) != lanes:
            raise ResetOptionError(f"The option {name!r} has {len(value)} values for {lanes} environments.")
    return [
        choice_from_options({**options, **{name: value[lane] for name, value in lists.items()}})
        for lane in range(lanes)
    ]


def read_seeds(seed: int | Sequence[int | None] | None, lanes: int) -> list[int | None]:
    """Return each lane's seed; lane i has seed s + i. Raises ValueError for a list of another length."""
    if seed is None:
        return [None] * lanes
    if isinstance(seed, (int, np.integer)):
        return [int(seed) + lane for lane in range(lanes)]
    if len(seed) != lanes:
        raise ValueError(f"{len(seed)} seeds were given for {lanes} environments.")
    return list(seed)
