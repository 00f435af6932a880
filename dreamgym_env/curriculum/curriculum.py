"""Which tasks an agent is to play next: those of its split, and variations of those that it learns most from.

The algorithm, after DreamGym's section on generating tasks (arXiv 2511.03773, section 4.2):

1. Every result of an episode changes the value of its task (:mod:`.values`): the variance of its latest returns, or
   what its graded scores say where it never succeeds.  Without groups, tasks that read alike share one value
   (:mod:`.clusters`).
2. An iteration ends after ``iteration`` results.  Variations that have proved worthless go; the tasks of a value above
   0, the most valuable first, are varied until there are ``pool`` variations.  Variations of variations are of the
   original's family; :attr:`Curriculum.ancestors` says what each was made of.
3. Of the tasks drawn in an iteration at most the share lambda are variations, at any moment: the n-th is one as soon as
   that keeps to the share, and there is any.  So the share of all tasks drawn is at most lambda, too.

Originals are drawn uniformly; ``emphasis`` draws some of them by their values instead.  All that is random follows from
the generator that :meth:`Curriculum.draw` is given, and from the curriculum's seed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from dreamgym_env.curriculum.clusters import InstructionClusters
from dreamgym_env.curriculum.records import task_from_record, task_to_record
from dreamgym_env.curriculum.values import TaskResult, TaskValues
from dreamgym_env.curriculum.variations import RuleVariator, Screen, TaskVariator
from dreamgym_env.errors import CurriculumError, UnknownTaskError
from dreamgym_env.types import Domain, Task

__all__ = ["Curriculum", "count_variations"]

_VERSION = 1
_SEEDS = 16
"""The most valuable tasks that are varied in one iteration."""


def count_variations(drawn: Mapping[str, int], ancestors: Mapping[str, str]) -> int:
    """Return how many of the tasks drawn were variations; both are members of a curriculum, and of its state."""
    return sum(count for task_id, count in drawn.items() if task_id in ancestors)


class Curriculum:
    """A source of tasks for ``reset(options={"tasks": curriculum})``; it learns from what :meth:`observe` is told.

    It belongs to one process and one thread.
    """

    def __init__(
        self,
        domain: Domain,
        *,
        split: str = "train",
        share: float = 0.5,
        variator: TaskVariator | None = None,
        iteration: int = 128,
        pool: int = 64,
        emphasis: float = 0.0,
        values: TaskValues | None = None,
        clusters: InstructionClusters | None = None,
        seed: int = 0,
    ) -> None:
        """Begin without results.

        Args:
            domain: where originals come from.
            split: of the originals; no variation equals a task of another split.
            share: lambda, the largest share of variations among the tasks drawn, in [0, 1]; 0 for originals alone.
            variator: makes variations; the domain's rules if None.
            iteration: results after which variations are made anew.
            pool: variations there are at once, at most.
            emphasis: share of the originals that are drawn by their values, where any has one, in [0, 1].
            values: how results become values; :class:`TaskValues` with a window of 8 if None.
            clusters: gives tasks that read alike one value, for algorithms without groups; each its own if None.
            seed: of the variations.

        Raises:
            CurriculumError: a number is outside its range; or the domain knows no variations, and is to make some.
            UnknownTaskError: no such split.
        """
        for name, number in (("share", share), ("emphasis", emphasis)):
            if isinstance(number, bool) or not isinstance(number, int | float) or not 0 <= number <= 1:
                raise CurriculumError(f"{name} must be a number from 0 to 1, not {number!r:.60}.")
        for name, number in (("iteration", iteration), ("pool", pool)):
            if isinstance(number, bool) or not isinstance(number, int) or number < 1:
                raise CurriculumError(f"{name} must be a whole number of at least 1, not {number!r:.60}.")
        self._domain, self._split, self._ids = domain, split, domain.task_ids(split)
        if not self._ids:
            raise UnknownTaskError(f"The split {split!r} of {domain.name} has no tasks.")
        self._originals = frozenset(self._ids)
        self._share, self._emphasis, self._seed = float(share), float(emphasis), seed
        self._iteration_length, self._pool_size = iteration, pool
        self._variator = (variator or RuleVariator(domain)) if share > 0 else None
        self._screen = Screen(domain, split) if share > 0 else None
        self._values = values or TaskValues()
        self._clusters = clusters
        self._pool: dict[str, Task] = {}
        self._iteration = 0
        self._results = 0
        self._drawn_now = [0, 0]
        """Tasks drawn in this iteration, and variations among them."""
        self._valued: list[tuple[str, float]] | None = None
        """What :meth:`_valuable` has found; None where results have come since."""
        self.drawn: Counter[str] = Counter()
        """Id of a task -> how often it was drawn."""
        self.ancestors: dict[str, str] = {}
        """Id of every variation that was ever made -> id of the task that it was made of."""

    @property
    def variations(self) -> tuple[Task, ...]:
        """The variations that may be drawn now."""
        return tuple(self._pool.values())

    @property
    def variations_drawn(self) -> int:
        """How many of the tasks drawn so far were variations."""
        return count_variations(self.drawn, self.ancestors)

    def draw(self, rng: np.random.Generator) -> Task:
        """Return the task to play next."""
        self._drawn_now[0] += 1
        if self._pool and self._drawn_now[1] + 1 <= self._share * self._drawn_now[0]:
            self._drawn_now[1] += 1
            task = list(self._pool.values())[int(rng.integers(len(self._pool)))]
        else:
            task = self._domain.task(self._draw_original(rng))
        self.drawn[task.id] += 1
        return task

    def value(self, task_id: str) -> float:
        """Return a task's value, or that of the tasks that read like it. Raises CurriculumError for a strange task."""
        self._check(task_id)
        return self._values.value(self._unit(task_id)) if self._is_playable(task_id) else 0.0

    def observe(self, results: Iterable[TaskResult]) -> None:
        """Learn from episodes.

        Those that a model or an engine cut short are left out, and those of variations that have gone since.

        Raises:
            CurriculumError: a result is of a task that is neither of the split nor a variation that was drawn here.
            WorldModelError: a language model that makes the variations cannot answer at all.
        """
        told = list(results)
        for result in told:
            self._check(result.task_id)
        for result in told:
            if not result.failure and self._is_playable(result.task_id):
                self._values.add(self._unit(result.task_id, new=True), result)
                self._valued = None
                self._results += 1
                if self._results % self._iteration_length == 0:
                    self._begin_iteration()

    def state(self) -> dict[str, Any]:
        """Return all that was learnt, as JSON values."""
        return {
            "version": _VERSION,
            "domain": self._domain.name,
            "split": self._split,
            "iteration": self._iteration,
            "results": self._results,
            "drawn_now": list(self._drawn_now),
            "drawn": dict(self.drawn),
            "values": self._values.to_json(),
            "clusters": list(self._clusters.leaders) if self._clusters is not None else None,
            "pool": [task_to_record(task) for task in self._pool.values()],
            "ancestors": dict(self.ancestors),
            "known": list(self._screen.known) if self._screen is not None else [],
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from what :meth:`state` returned; the same draws and results then lead to the same tasks.

        Raises:
            CurriculumError: it is none, or one of another domain, split or version, or with clusters where this
                curriculum has none (or the other way round).
        """
        try:
            found = tuple(state[name] for name in ("version", "domain", "split"))
            if found != (_VERSION, self._domain.name, self._split):
                raise CurriculumError(
                    f"This is the state of a curriculum of version, domain and split {found}, not "
                    f"{(_VERSION, self._domain.name, self._split)}."
                )
            if (state["clusters"] is None) != (self._clusters is None):
                raise CurriculumError("One of the two curricula has clusters of tasks, and the other has none.")
            pool = [task_from_record(record) for record in state["pool"]]
            drawn_now = [int(number) for number in state["drawn_now"]]
            drawn = Counter({str(task_id): int(count) for task_id, count in state["drawn"].items()})
            ancestors = {str(task_id): str(ancestor) for task_id, ancestor in state["ancestors"].items()}
            iteration, results, known = int(state["iteration"]), int(state["results"]), list(state["known"])
            values = TaskValues(self._values.window)
            values.restore(state["values"])
            if self._clusters is not None:
                self._clusters.restore(state["clusters"])
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            if isinstance(error, CurriculumError):
                raise
            raise CurriculumError(f"This is no state of a curriculum, or a damaged one: {error!r:.200}.") from error
        self._pool = {task.id: task for task in pool} if self._share > 0 else {}
        self._drawn_now, self.drawn, self.ancestors = drawn_now, drawn, ancestors
        self._iteration, self._results = iteration, results
        self._values, self._valued = values, None
        if self._screen is not None:
            self._screen = Screen(self._domain, self._split, known)

    def _draw_original(self, rng: np.random.Generator) -> str:
        if self._emphasis and rng.random() < self._emphasis:
            valued = [pair for pair in self._valuable() if pair[0] in self._originals]
            if valued:
                weights = np.array([value for _, value in valued])
                return valued[int(rng.choice(len(valued), p=weights / weights.sum()))][0]
        return self._ids[int(rng.integers(len(self._ids)))]

    def _valuable(self) -> list[tuple[str, float]]:
        """Return the tasks with a value above 0 that can be played; of a cluster those that gave it its value."""
        if self._valued is None:
            units = self._values.valuable().items()
            found = {task_id: value for unit, value in units for task_id in self._values.tasks(unit)}
            self._valued = [pair for pair in found.items() if self._is_playable(pair[0])]
        return self._valued

    def _begin_iteration(self) -> None:
        self._iteration += 1
        self._drawn_now = [0, 0]
        self._valued = None
        if self._variator is None or self._screen is None:
            return
        rng = np.random.default_rng([self._seed, self._iteration])
        worthless = [task_id for task_id in self._pool if self._is_worthless(task_id)]
        wanted = self._pool_size - len(self._pool) + len(worthless)
        for made in self._variator.vary(self._seeds(rng), wanted, rng, self._screen.admits):
            self._pool[made.task.id] = made.task
            self.ancestors[made.task.id] = made.ancestor
        for task_id in worthless:
            del self._pool[task_id]
        self._values.forget(worthless)

    def _seeds(self, rng: np.random.Generator) -> list[Task]:
        """Return the most valuable tasks, the best first, of equal ones any."""
        valued = self._valuable()
        order = sorted(rng.permutation(len(valued)).tolist(), key=lambda at: -valued[at][1])
        return [self._known_task(valued[at][0]) for at in order[:_SEEDS]]

    def _is_worthless(self, task_id: str) -> bool:
        """Return whether a variation's results, as many as count, say that it teaches nothing."""
        unit = self._unit(task_id)
        return self._values.count(unit) >= self._values.window and self._values.value(unit) == 0

    def _is_playable(self, task_id: str) -> bool:
        return task_id in self._originals or task_id in self._pool

    def _known_task(self, task_id: str) -> Task:
        return self._pool.get(task_id) or self._domain.task(task_id)

    def _unit(self, task_id: str, *, new: bool = False) -> str:
        """Return what has a task's value: the task, or its cluster, which is a new one if need be and it may be."""
        if self._clusters is None:
            return task_id
        instruction = self._known_task(task_id).instruction
        return f"cluster {self._clusters.add(instruction) if new else self._clusters.find(instruction)}"

    def _check(self, task_id: str) -> None:
        if task_id not in self._originals and task_id not in self.ancestors:
            raise CurriculumError(
                f"The task {task_id!r:.80} is neither of the split {self._split!r} of {self._domain.name} nor a "
                "variation that was made here: tell a curriculum the results of the tasks that it draws, no others."
            )
