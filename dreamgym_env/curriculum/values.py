"""What episodes of a task came to, and what the task is worth for learning.

With r_1 ... r_n the returns of the latest n episodes of a task, the value is their variance (arXiv 2511.03773,
section 4.2, on generating tasks by a curriculum): V = (1/n) sum (r_i - r_mean)^2.  It is largest where the agent
succeeds about half of the time, and 0 where it always or never does.

The paper's rule takes a task that never succeeds for one that teaches nothing, although it may be nearly done.  Here
such a task counts as *hard*, where its graded scores s_i in [0, 1] say that something of it was achieved: one more
attempt is thought of as succeeding with the chance s_mean, so that p = s_mean / (n + 1) estimates how often the task
will succeed, and the value is the variance of such outcomes, p (1 - p).  It grows with s_mean, it is 0 where every
score is, and it is below the value of any task with one success in as many attempts: p < 1/n <= 1/2.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

__all__ = ["TaskResult", "TaskValues", "hard_task_value", "return_variance", "value_of"]

_FEWEST = 2
"""Episodes that a value needs: one alone varies from nothing."""


@dataclass(frozen=True, slots=True)
class TaskResult:
    """What an episode of a task came to."""

    task_id: str
    total_reward: float
    """Sum of its rewards."""
    task_score: float
    """The domain's graded score at its end, in [0, 1]."""
    won: bool
    failure: str = ""
    """Why a model or an engine cut it short; such an episode says nothing of the agent. Empty where none did."""

    @classmethod
    def from_info(cls, info: Mapping[str, Any], total_reward: float) -> TaskResult:
        """Return the result of an episode from the ``info`` of its last step, which has all but its reward's sum."""
        return cls(
            str(info["task_id"]),
            float(total_reward),
            float(info["task_score"]),
            bool(info["won"]),
            str(info["failure"]),
        )


def return_variance(returns: Sequence[float]) -> float:
    """Return V = (1/n) sum (r_i - r_mean)^2 of n returns; exactly 0 where they are equal, or there are none."""
    if not returns or min(returns) == max(returns):
        return 0.0
    mean = math.fsum(returns) / len(returns)
    return math.fsum((value - mean) ** 2 for value in returns) / len(returns)


def hard_task_value(scores: Sequence[float]) -> float:
    """Return the value p (1 - p), p = s_mean / (n + 1), of a task that n attempts with these scores have not solved."""
    chance = math.fsum(scores) / len(scores) / (len(scores) + 1) if scores else 0.0
    return chance * (1 - chance)


def value_of(results: Sequence[TaskResult]) -> float:
    """Return what results of one task, or of tasks that are alike, say of its value; 0 for fewer than two."""
    if len(results) < _FEWEST:
        return 0.0
    variance = return_variance([result.total_reward for result in results])
    if variance > 0 or any(result.won for result in results):
        return variance
    return hard_task_value([result.task_score for result in results])


class TaskValues:
    """The latest results of each task, or of each cluster of tasks, and the values that follow from them."""

    def __init__(self, window: int = 8) -> None:
        """Begin without results.

        Args:
            window: how many of the latest results count; the size of a group where episodes begin in groups.

        Raises:
            ValueError: ``window`` is no whole number of at least 2.
        """
        if isinstance(window, bool) or not isinstance(window, int) or window < _FEWEST:
            raise ValueError(f"window must be a whole number of at least {_FEWEST}, not {window!r}.")
        self.window = window
        self._results: dict[str, deque[TaskResult]] = {}
        self._values: dict[str, float] = {}

    def add(self, unit: str, result: TaskResult) -> None:
        """Note a result of a unit: a task, or a cluster of tasks."""
        self._results.setdefault(unit, deque(maxlen=self.window)).append(result)
        self._values[unit] = value_of(list(self._results[unit]))

    def value(self, unit: str) -> float:
        """Return a unit's value; 0 where nothing is known of it."""
        return self._values.get(unit, 0.0)

    def count(self, unit: str) -> int:
        """Return how many results of a unit count now."""
        return len(self._results.get(unit, ()))

    def tasks(self, unit: str) -> tuple[str, ...]:
        """Return the tasks whose results of a unit count now, each once."""
        return tuple(dict.fromkeys(result.task_id for result in self._results.get(unit, ())))

    def valuable(self) -> dict[str, float]:
        """Return the units of a value above 0, in the order in which they were first noted."""
        return {unit: value for unit, value in self._values.items() if value > 0}

    def forget(self, units: Iterable[str]) -> None:
        """Forget what is known of some units."""
        for unit in units:
            self._results.pop(unit, None)
            self._values.pop(unit, None)

    def to_json(self) -> dict[str, list[list[Any]]]:
        """Return the results that count: unit -> rows of task id, reward, score and success."""
        return {
            unit: [[one.task_id, one.total_reward, one.task_score, one.won] for one in results]
            for unit, results in self._results.items()
        }

    def restore(self, rows: Mapping[str, Sequence[Sequence[Any]]]) -> None:
        """Take over what :meth:`to_json` returned. Raises ValueError where it is none of that."""
        self._results, self._values = {}, {}
        for unit, results in rows.items():
            for task_id, reward, score, won in results:
                self.add(unit, TaskResult(str(task_id), float(reward), float(score), bool(won)))
