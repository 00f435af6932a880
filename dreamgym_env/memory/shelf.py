"""One collection together with what is known of it: the rows not written yet, the catalogue, decoded transitions."""

from __future__ import annotations

import itertools
import json
from collections import OrderedDict
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from dreamgym_env.errors import ReplayBufferError
from dreamgym_env.memory.catalogue import Catalogue
from dreamgym_env.memory.identity import RowId
from dreamgym_env.memory.records import continues, dump_line, from_record, to_record
from dreamgym_env.memory.store import Store
from dreamgym_env.types import Transition

__all__ = ["Shelf"]

_OPEN_EPISODES = 8_192


@dataclass(frozen=True, slots=True)
class _Row:
    """A transition on its way into the store."""

    id: RowId
    key: npt.NDArray[np.float32]
    body: str


class Shelf:
    """Adds, finds and returns the transitions of one store. Not thread-safe."""

    def __init__(self, store: Store, *, cached_transitions: int = 100_000) -> None:
        """Wrap a store.

        Args:
            store: where the rows are; closed with the shelf.
            cached_transitions: how many decoded transitions are kept in memory.
        """
        self.store = store
        self._cached_transitions = cached_transitions
        self._catalogue: Catalogue | None = None
        self._pending: dict[str, _Row] = {}
        self._cache: OrderedDict[str, Transition] = OrderedDict()
        self._latest: OrderedDict[str, tuple[str, Transition]] = OrderedDict()

    def __len__(self) -> int:
        return len(self.catalogue)

    @property
    def catalogue(self) -> Catalogue:
        """What the shelf holds, pending rows included; read from the store at first need."""
        if self._catalogue is None:
            self._catalogue = Catalogue(self.store.ids())
        return self._catalogue

    @property
    def pending(self) -> int:
        """How many rows are not written yet."""
        return len(self._pending)

    def put(self, row: RowId, key: npt.NDArray[np.float32], transition: Transition) -> None:
        """Take a new transition in; :meth:`flush` writes it."""
        before = self._latest.get(row.episode)
        if before is not None and continues(transition, before[1]):
            body = {**to_record(transition, before[1]), "after": before[0]}
        else:
            body = to_record(transition)
        name = str(row)
        self._pending[name] = _Row(row, key, dump_line(body))
        self.catalogue.add(name)
        self._latest[row.episode] = (name, transition)
        self._latest.move_to_end(row.episode)
        if len(self._latest) > _OPEN_EPISODES:
            self._latest.popitem(last=False)

    def flush(self) -> None:
        """Write what is pending; when it returns, it survives the process."""
        if self._pending:
            rows = list(self._pending.values())
            self.store.add(
                ids=list(self._pending),
                keys=np.stack([row.key for row in rows]),
                episodes=[row.id.episode for row in rows],
                bodies=[row.body for row in rows],
            )
            self._pending.clear()

    def evict_dreams(self, bound: int) -> int:
        """Remove the oldest dream episodes until at most ``bound`` dream transitions are left; return how many went."""
        evicted = self.catalogue.evict_dreams(bound)
        written = [row for row in evicted if self._pending.pop(row, None) is None]
        if written:
            self.store.delete(written)
        for row in evicted:
            self._latest.pop(RowId.parse(row).episode, None)
            self._cache.pop(row, None)
        return len(evicted)

    def search(self, keys: npt.NDArray[np.float32], count: int) -> list[list[tuple[float, str]]]:
        """Return for each key the (similarity, id) of the nearest rows: ``count`` written ones, ``count`` pending."""
        written = len(self.catalogue) > len(self._pending) or self.store.shared
        found = self.store.search(keys, count) if written else [[] for _ in keys]
        for near in found:
            for _, name in near:
                self.catalogue.add(name)  # another process may have written it
        if self._pending:
            names = list(self._pending)
            similarities = keys @ np.stack([row.key for row in self._pending.values()]).T
            best = np.argsort(-similarities, axis=1, kind="stable")[:, :count]
            for near, columns, values in zip(found, best.tolist(), similarities.tolist(), strict=True):
                near.extend((values[column], names[column]) for column in columns)
        return found

    def transitions(self, rows: Collection[str]) -> dict[str, Transition]:
        """Return transitions by id, **without their histories**, in one call to the store for those not in memory.

        A row that is gone is left out.
        """
        missing = [row for row in rows if row not in self._cache]
        bodies = dict(self.store.get([row for row in missing if row not in self._pending])) if missing else {}
        bodies.update((row, self._pending[row].body) for row in missing if row in self._pending)
        for name, body in bodies.items():
            self._cache[name] = _decode_one(name, {**json.loads(body), "history": []}, None, self.store.where)
        found = {}
        for row in rows:
            if (transition := self._cache.get(row)) is not None:
                self._cache.move_to_end(row)
                found[row] = transition
        while len(self._cache) > self._cached_transitions:
            self._cache.popitem(last=False)
        return found

    def whole(self, rows: Collection[str]) -> dict[str, Transition]:
        """Return transitions by id, with their histories, which lie in the rows of their episodes."""
        episodes = {RowId.parse(row).episode for row in rows}
        bodies = self.store.episodes(sorted(episodes)) if episodes else []
        bodies.extend((name, row.body) for name, row in self._pending.items() if row.id.episode in episodes)
        bodies.sort(key=lambda row: RowId.parse(row[0]).step)
        wanted = set(rows)
        return {name: transition for name, transition in _decode(bodies, self.store.where) if name in wanted}

    def all(self) -> Iterator[Transition]:
        """Yield all transitions with their histories, in the order in which they were added (pending ones last)."""
        waiting = ((name, row.body) for name, row in self._pending.items())
        for _, transition in _decode(itertools.chain(self.store.rows(), waiting), self.store.where):
            yield transition

    def close(self) -> None:
        """Write what is pending and let go of the store; calling it twice is allowed."""
        try:
            self.flush()
        finally:
            self.store.close()


def _decode(rows: Iterable[tuple[str, str]], where: str) -> Iterator[tuple[str, Transition]]:
    """Decode (id, body) pairs, predecessors before what hangs on them."""
    decoded: dict[str, Transition] = {}
    for name, body in rows:
        record = json.loads(body)
        decoded[name] = _decode_one(name, record, decoded.get(record.get("after", "")), where)
        yield name, decoded[name]


def _decode_one(name: str, record: dict[str, Any], predecessor: Transition | None, where: str) -> Transition:
    try:
        return from_record(record, predecessor)
    except ValueError as error:
        raise ReplayBufferError(f"The row {name} of the replay buffer {where} cannot be read: {error}.") from error
