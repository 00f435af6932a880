"""Which units of work are whose: each is accepted once, whatever happens to those who play them."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

from dreamgym_env.evaluation.rollout import EpisodePlan

__all__ = ["Ledger", "Unit"]

Unit = tuple[int, EpisodePlan]
"""A number, counted from 0 in the order of the plans, and what to play."""


class Ledger:
    """Hands out numbered units, takes back those of a holder that is lost, and accepts each once."""

    def __init__(self, plans: Iterable[EpisodePlan]) -> None:
        """Number plans as they are handed out; each must differ from all others in its task or its seed."""
        self._plans = enumerate(plans)
        self._exhausted = False
        self._again: deque[Unit] = deque()
        """Units that were lost."""
        self._held: dict[int, tuple[str, EpisodePlan]] = {}
        """Units that are being played, and by whom."""
        self._seen: set[tuple[str, int]] = set()
        self.accepted = 0
        self.reissued = 0
        """How often a unit was handed out again."""
        self.dropped = 0
        """Results that came although another one of the same unit had been accepted."""

    @property
    def finished(self) -> bool:
        """Whether every unit was accepted."""
        if not self._exhausted and not self._again and not self._held:
            self._draw()
        return self._exhausted and not self._again and not self._held

    def issue(self, holder: str, count: int) -> list[Unit]:
        """Hand out units: lost ones first, then new ones.

        Args:
            holder: who will play them.
            count: how many at most.

        Raises:
            ValueError: two plans have the same task and seed.
        """
        issued: list[Unit] = []
        while len(issued) < count and (self._again or self._draw()):
            number, plan = self._again.popleft()
            self._held[number] = (holder, plan)
            issued.append((number, plan))
        return issued

    def accept(self, number: int) -> bool:
        """Return whether the result of a unit is the first one; the others are dropped.

        A result of a holder that was given up counts like any other.
        """
        waiting = [unit for unit in self._again if unit[0] == number]
        if number in self._held or waiting:
            self._held.pop(number, None)
            for unit in waiting:
                self._again.remove(unit)
            self.accepted += 1
            return True
        self.dropped += 1
        return False

    def lost(self, holder: str) -> list[int]:
        """Take back what a holder will not play any more; return the numbers."""
        numbers = sorted(number for number, (name, _) in self._held.items() if name == holder)
        self._again.extend((number, self._held.pop(number)[1]) for number in numbers)
        self.reissued += len(numbers)
        return numbers

    def _draw(self) -> bool:
        """Number one more plan; return whether there was one."""
        unit = next(self._plans, None)
        if unit is None:
            self._exhausted = True
            return False
        name = (unit[1].task_id, unit[1].seed)
        if name in self._seen:
            raise ValueError(
                f"Two plans have the task {name[0]!r} and the seed {name[1]}, and would give two episodes of one name: "
                "give each a seed of its own, as plan_episodes does."
            )
        self._seen.add(name)
        self._again.append(unit)
        return True
