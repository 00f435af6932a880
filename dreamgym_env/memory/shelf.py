"""One collection together with what is known of it: rows not written yet, catalogue, keys, decoded transitions."""

from __future__ import annotations

import itertools
import json
from collections import OrderedDict
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from dreamgym_env.errors import ReplayBufferError
from dreamgym_env.memory.catalogue import Catalogue
from dreamgym_env.memory.identity import RowId
from dreamgym_env.memory.key_index import KeyIndex, KeyLayout, Near
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

    def __init__(self, store: Store, layout: KeyLayout, *, cached_transitions: int = 100_000) -> None:
        """Wrap a store.

        Args:
            store: where the rows are; closed with the shelf.
            layout: how its keys are made.
            cached_transitions: how many decoded transitions are kept in memory.
        """
        self.store = store
        self._layout = layout
        # A shared store grows without our knowing and is searched by Chroma itself; only what waits is indexed here.
        self._index: KeyIndex | None = KeyIndex(layout) if store.shared else None
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
        if self._index is not None:
            self._index.add(row, key)
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
            if self.store.shared:
                self._index = KeyIndex(self._layout)

    def evict_dreams(self, bound: int) -> int:
        """Remove the oldest dream episodes until at most ``bound`` dream transitions are left; return how many went."""
        evicted = self.catalogue.evict_dreams(bound)
        written = [row for row in evicted if self._pending.pop(row, None) is None]
        if written:
            self.store.delete(written)
        if self._index is not None:
            self._index.remove(map(RowId.parse, evicted))
        for row in evicted:
            self._latest.pop(RowId.parse(row).episode, None)
            self._cache.pop(row, None)
        return len(evicted)

    def search(self, keys: npt.NDArray[np.float32], count: int, questions: Sequence[str]) -> list[list[Near]]:
        """Return for each query what is nearest to it, as :meth:`KeyIndex.search` does.

        Written and pending rows are found alike; in a shared store, those of other processes too, where the server's
        approximate index finds them.
        """
        if self._index is None:
            self._index = self._read_keys()
        found = self._index.search(keys, count, questions)
        if not self.store.shared:
            return found
        written = self.store.search(keys, count)
        for name in (name for near in written for _, name in near):
            self.catalogue.add(name)
        return [
            [*near, *((similarity, (RowId.parse(name),)) for similarity, name in further)]
            for near, further in zip(found, written, strict=True)
        ]

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

    def ids(self) -> Iterator[RowId]:
        """Yield the ids of all transitions, also those of other processes in a shared store; no body is read."""
        others = self.store.ids() if self.store.shared else ()
        yield from map(RowId.parse, dict.fromkeys(itertools.chain(self.catalogue, others)))

    def all(self) -> Iterator[Transition]:
        """Yield all transitions with their histories, in the order in which they were added (pending ones last)."""
        waiting = ((name, row.body) for name, row in self._pending.items())
        for name, transition in _decode(itertools.chain(self.store.rows(), waiting), self.store.where):
            if name not in self._cache and len(self._cache) < self._cached_transitions:
                self._cache[name] = replace(transition, history=())
            yield transition

    def close(self) -> None:
        """Write what is pending and let go of the store; calling it twice is allowed."""
        try:
            self.flush()
        finally:
            self.store.close()

    def _read_keys(self) -> KeyIndex:
        """Return an index of all rows; the store is asked for one key of those that share it."""
        index = KeyIndex(self._layout)
        rows = {name: RowId.parse(name) for name in self.catalogue}
        written = (name for name in rows if name not in self._pending)
        leaders: dict[str, str] = {}
        for name in sorted(written, key=lambda name: not rows[name].real):  # real rows are never evicted meanwhile
            leaders.setdefault(self._layout.key_name(rows[name]), name)
        keys = {self._layout.key_name(rows[name]): key for name, key in self.store.keys(list(leaders.values()))}
        keys.update((self._layout.key_name(row.id), row.key) for row in self._pending.values())
        for row in rows.values():
            key = keys.get(self._layout.key_name(row))
            if key is not None:  # else the folder's writer evicted it since the catalogue was read
                index.add(row, key)
        return index


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
