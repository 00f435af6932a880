"""Groups of tasks that read alike, for algorithms that do not begin a task several times.

Leader clustering (Hartigan, "Clustering Algorithms", 1975, chapter 3): the first instruction that is like none before
it leads a new cluster; any other belongs to the *first* leader that it is like.  So an instruction's cluster depends on
the leaders before it alone, and never changes when more are added.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from dreamgym_env.memory.hashing import HashingEmbedder
from dreamgym_env.types import Embedder

__all__ = ["DEFAULT_SIMILARITY", "InstructionClusters"]

DEFAULT_SIMILARITY = 0.6
"""By :class:`HashingEmbedder`, of 400 train tasks each: WebShop's fall into 314 clusters, where 90 % of the members
want the cluster's kind of product; the bundled sites' into 170, 98 % of its template; ALFWorld's into 102, by shared
words.  At 0.5 it is 66 % and 92 %."""


class InstructionClusters:
    """Clusters of instructions by the cosine of their embeddings; deterministic, one instruction after another."""

    def __init__(self, similarity: float = DEFAULT_SIMILARITY, embedder: Embedder | None = None) -> None:
        """Begin without clusters.

        Args:
            similarity: cosine from which an instruction is like a leader, in (0, 1].
            embedder: the library's own hashing embedder if None.

        Raises:
            ValueError: ``similarity`` is outside its range.
        """
        if not 0 < similarity <= 1:
            raise ValueError(f"similarity must be above 0 and at most 1, not {similarity!r}.")
        self._similarity = similarity
        self._embedder = embedder or HashingEmbedder()
        self._leaders: list[str] = []
        self._vectors: npt.NDArray[np.float32] = np.zeros((0, self._embedder.dimension), dtype=np.float32)

    @property
    def leaders(self) -> tuple[str, ...]:
        """The instructions that lead clusters, in order; what :meth:`restore` takes."""
        return tuple(self._leaders)

    def find(self, instruction: str) -> int | None:
        """Return the number of an instruction's cluster, or None where it is like no leader."""
        return self._find(self._embed(instruction))

    def add(self, instruction: str) -> int:
        """Return the number of an instruction's cluster; it leads a new one where it is like no leader."""
        vector = self._embed(instruction)
        found = self._find(vector)
        if found is None:
            self._leaders.append(instruction)
            self._vectors = np.vstack([self._vectors, vector])
            found = len(self._leaders) - 1
        return found

    def restore(self, leaders: Sequence[str]) -> None:
        """Take over the clusters that these instructions lead."""
        self._leaders = list(leaders)
        self._vectors = np.asarray(self._embedder.embed(self._leaders), dtype=np.float32)

    def _embed(self, instruction: str) -> npt.NDArray[np.float32]:
        vector: npt.NDArray[np.float32] = self._embedder.embed([instruction])[0]
        return vector

    def _find(self, vector: npt.NDArray[np.float32]) -> int | None:
        alike = np.flatnonzero(self._vectors @ vector >= self._similarity - 1e-6)  # float32: alike means at least
        return int(alike[0]) if len(alike) else None
