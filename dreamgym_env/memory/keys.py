"""From a state-action pair to the vector by which it is found.

DreamGym retrieves by the cosine of embedded state-action pairs, d_j = Top_k(cos(phi(s_t, a_t), phi(s_i, a_i))).  Here
phi embeds the parts separately, scales each unit vector by the square root of its weight and concatenates them: the
cosine of two keys is then exactly the weighted sum of the cosines of their parts, and a short action is not drowned by
a page.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from dreamgym_env.memory.key_index import KeyLayout
from dreamgym_env.types import Domain, Embedder, Query, Transition, Turn

__all__ = ["KeyEncoder", "KeyWeights"]

_CACHED_TEXTS = 16_384
_HISTORY_ACTIONS = 8


@dataclass(frozen=True, slots=True)
class KeyWeights:
    """How much each part counts in the similarity; only the ratios matter. A part of weight 0 is no part of a key."""

    state: float = 0.2
    """The page, without the task's instruction."""
    action: float = 0.8
    """The action. It weighs more than the page: the right action on another page shows the page that it leads to, the
    right page with another action does not."""
    task: float = 0.0
    """The instruction."""
    history: float = 0.0
    """The latest actions."""

    def __post_init__(self) -> None:
        """Check that the weights can be normalised."""
        if min(self.values()) < 0 or not 0 < sum(self.values()) < float("inf"):
            raise ValueError(f"Key weights must be at least 0, and one of them above 0; they are {self}.")

    def values(self) -> tuple[float, float, float, float]:
        """Return the weights of state, action, task and history."""
        return self.state, self.action, self.task, self.history

    @property
    def label(self) -> str:
        """Short text that identifies the weights; stored with a buffer."""
        return "s{:g}-a{:g}-t{:g}-h{:g}".format(*self.values())


class KeyEncoder:
    """Turns queries and transitions into keys."""

    def __init__(self, domain: Domain, embedder: Embedder, weights: KeyWeights | None = None) -> None:
        """Create an encoder.

        Args:
            domain: separates the page from the instruction and writes actions canonically.
            embedder: embeds the parts.
            weights: what each part counts; the default where None.
        """
        self.embedder = embedder
        self.weights = weights or KeyWeights()
        self._parts = [
            _Part(embedder, float(np.sqrt(weight / sum(self.weights.values()))), text)
            for weight, text in zip(self.weights.values(), _texts(domain), strict=True)
            if weight > 0
        ]

    @property
    def dimension(self) -> int:
        """Length of a key."""
        return self.embedder.dimension * len(self._parts)

    @property
    def name(self) -> str:
        """Identifies the space of the keys: embedder and weights."""
        return f"{self.embedder.name}/{self.weights.label}"

    @property
    def layout(self) -> KeyLayout:
        """Where the parts of a key lie, and what a key follows from."""
        by_question = self.weights.task == self.weights.history == 0
        return KeyLayout((self.embedder.dimension,) * len(self._parts), by_question)

    def encode(self, items: Sequence[Query] | Sequence[Transition]) -> npt.NDArray[np.float32]:
        """Return the keys of n queries or transitions: float32 of shape (n, dimension), rows of length 1."""
        if not items:
            return np.zeros((0, self.dimension), dtype=np.float32)
        return np.concatenate([part.vectors(items) for part in self._parts], axis=1)


_TextOf = Callable[[Query | Transition], str]


class _Part:
    """One part of the key, with the vectors of the texts that were embedded lately."""

    def __init__(self, embedder: Embedder, scale: float, text: _TextOf) -> None:
        self._embedder = embedder
        self._scale = scale
        self._text = text
        self._cache: dict[str, npt.NDArray[np.float32]] = {}
        nothing = np.zeros(embedder.dimension, dtype=np.float32)
        nothing[0] = scale
        self._nothing = nothing

    def vectors(self, items: Sequence[Query] | Sequence[Transition]) -> npt.NDArray[np.float32]:
        """Return the scaled vectors of the items' texts, shape (n, dimension of the embedder)."""
        texts = [self._text(item) for item in items]
        if missing := list(dict.fromkeys(text for text in texts if text not in self._cache)):
            if len(self._cache) + len(missing) > _CACHED_TEXTS:
                self._cache.clear()
                missing = list(dict.fromkeys(texts))
            embedded = np.asarray(self._embedder.embed(missing), dtype=np.float32) * self._scale
            filled = np.any(embedded != 0, axis=1)
            for text, vector, full in zip(missing, embedded, filled.tolist(), strict=True):
                # an empty part must not shorten the key: texts without content are alike, and unlike all others
                self._cache[text] = vector if full else self._nothing
        return np.stack([self._cache[text] for text in texts])


def _texts(domain: Domain) -> tuple[_TextOf, _TextOf, _TextOf, _TextOf]:
    """Return what reads the text of the state, the action, the task and the history off a query or transition."""

    @functools.lru_cache(maxsize=_CACHED_TEXTS)
    def page(state: str, instruction: str) -> str:
        return "\n".join(domain.segment(state, instruction))

    @functools.lru_cache(maxsize=_CACHED_TEXTS)
    def canonical(action: str) -> str:
        return domain.parse_action(action) or action

    def history(turns: Sequence[Turn]) -> str:
        return "\n".join(canonical(turn.action) for turn in turns[-_HISTORY_ACTIONS:])

    return (
        lambda item: page(item.state, _instruction(item)),
        lambda item: canonical(item.action),
        _instruction,
        lambda item: history(item.history),
    )


def _instruction(item: Query | Transition) -> str:
    return item.task.instruction if isinstance(item, Query) else item.instruction
