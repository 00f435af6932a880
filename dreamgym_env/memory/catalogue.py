"""What one collection holds, by id: read once from Chroma, kept up to date by additions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from dreamgym_env.memory.identity import RowId
from dreamgym_env.types import Source

__all__ = ["Catalogue"]


class Catalogue:
    """Answers, without Chroma, which transitions are known, how many there are, and which dream is the oldest."""

    def __init__(self, ids: Iterable[str]) -> None:
        """Read the ids of a collection, oldest first."""
        self.counts: Counter[str] = Counter()
        self._ids: dict[str, None] = {}
        self.episodes: set[str] = set()
        """Hashes of the episodes that rows are, or were, of."""
        self._real_questions: set[str] = set()
        self._real_paths: dict[str, str] = {}
        self._dream_outcomes: Counter[tuple[str, str]] = Counter()
        self._dream_episodes: dict[str, list[str]] = {}
        for row in ids:
            self.add(row)

    def __contains__(self, row: str) -> bool:
        return row in self._ids

    def __iter__(self) -> Iterator[str]:
        return iter(self._ids)

    def __len__(self) -> int:
        return len(self._ids)

    def add(self, row: str) -> None:
        """Note a row; a known one changes nothing."""
        if row in self._ids:
            return
        self._ids[row] = None
        parts = RowId.parse(row)
        self.counts[parts.source] += 1
        self.episodes.add(parts.episode)
        if parts.source == Source.REAL:
            self._real_questions.add(parts.question)
            self._real_paths.setdefault(parts.path, row)
        else:
            self._dream_outcomes[parts.question, parts.outcome] += 1
            self._dream_episodes.setdefault(parts.episode, []).append(row)

    def recorded(self, path: str) -> str | None:
        """Return the row of a real transition with this task and these actions."""
        return self._real_paths.get(path)

    def answers(self, question: str) -> bool:
        """Return whether a real transition of this page and action is known."""
        return question in self._real_questions

    def dreamt(self, question: str, outcome: str) -> bool:
        """Return whether a dream transition of this page, action and outcome is known."""
        return (question, outcome) in self._dream_outcomes

    def evict_dreams(self, bound: int) -> list[str]:
        """Forget the oldest dream episodes until at most ``bound`` dream transitions are left; return their rows.

        Whole episodes go, because the later rows of an episode hang on the earlier ones.
        """
        evicted: list[str] = []
        while self.counts[Source.DREAM] > bound:
            rows = self._dream_episodes.pop(next(iter(self._dream_episodes)))
            for row in rows:
                parts = RowId.parse(row)
                del self._ids[row]
                self.counts[parts.source] -= 1
                self._dream_outcomes[parts.question, parts.outcome] -= 1
                if not self._dream_outcomes[parts.question, parts.outcome]:
                    del self._dream_outcomes[parts.question, parts.outcome]
            evicted.extend(rows)
        return evicted
