"""One collection together with what is known of it: the rows not written yet, the catalogue, decoded episodes."""

from __future__ import annotations

import itertools
import json
from collections import OrderedDict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

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
            cached_transitions: about how many decoded transitions are kept in memory.
        """
        self.store = store
        self._cached_transitions = cached_transitions
        self._catalogue: Catalogue | None = None
        self._pending: dict[str, _Row] = {}
        self._episodes: OrderedDict[str, dict[str, Transition]] = OrderedDict()
        self._cached = 0
        self._latest: OrderedDict[str, tuple[str, Transition]] = OrderedDict()

    def __len__(self) -> int:
        return len(self.store) + len(self._pending)

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
        if row.episode in self._episodes:
            self._episodes[row.episode][name] = transition
            self._cached += 1

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
        for episode in {RowId.parse(row).episode for row in evicted}:
            self._latest.pop(episode, None)
            self._cached -= len(self._episodes.pop(episode, ()))
        return len(evicted)

    def search(self, keys: npt.NDArray[np.float32], count: int) -> list[list[tuple[float, str]]]:
        """Return for each key the (cosine similarity, id) of about the ``count`` nearest rows, pending ones included."""
        found = self.store.search(keys, count) if len(self.store) else [[] for _ in keys]
        if self._pending:
            names = list(self._pending)
            similarities = keys @ np.stack([row.key for row in self._pending.values()]).T
            best = np.argsort(-similarities, axis=1, kind="stable")[:, :count]
            for near, columns, values in zip(found, best.tolist(), similarities, strict=True):
                near.extend((float(values[column]), names[column]) for column in columns)
                near.sort(key=lambda row: -row[0])
        return found

    def transitions(self, rows: Iterable[str]) -> dict[str, Transition]:
        """Return transitions by id, in one call to the store for those not in memory. A row that is gone is left out."""
        wanted: dict[str, str] = {row: RowId.parse(row).episode for row in rows}
        missing = {episode for row, episode in wanted.items() if row not in self._episodes.get(episode, ())}
        if missing:
            self._load(missing)
        found = {}
        for row, episode in wanted.items():
            if (transition := self._episodes.get(episode, {}).get(row)) is not None:
                self._episodes.move_to_end(episode)
                found[row] = transition
        self._trim()
        return found

    def all(self) -> Iterator[Transition]:
        """Yield all transitions, in the order in which they were added (pending ones last)."""
        waiting = ((name, row.body) for name, row in self._pending.items())
        for _, transition in _decode(itertools.chain(self.store.rows(), waiting), self.store.where):
            yield transition

    def close(self) -> None:
        """Write what is pending and let go of the store; calling it twice is allowed."""
        try:
            self.flush()
        finally:
            self.store.close()

    def _load(self, episodes: set[str]) -> None:
        rows = self.store.episodes(sorted(episodes))
        rows.extend((name, row.body) for name, row in self._pending.items() if row.id.episode in episodes)
        rows.sort(key=lambda row: RowId.parse(row[0]).step)
        for name, transition in _decode(rows, self.store.where):
            episode = self._episodes.setdefault(RowId.parse(name).episode, {})
            self._cached += name not in episode
            episode[name] = transition

    def _trim(self) -> None:
        while self._cached > self._cached_transitions and len(self._episodes) > 1:
            _, rows = self._episodes.popitem(last=False)
            self._cached -= len(rows)


def _decode(rows: Iterable[tuple[str, str]], where: str) -> Iterator[tuple[str, Transition]]:
    """Decode (id, body) pairs, predecessors before what hangs on them."""
    decoded: dict[str, Transition] = {}
    for name, body in rows:
        record = json.loads(body)
        try:
            decoded[name] = from_record(record, decoded.get(record.get("after", "")))
        except ValueError as error:
            raise ReplayBufferError(f"The row {name} of the replay buffer {where} cannot be read: {error}.") from error
        yield name, decoded[name]
