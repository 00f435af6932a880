"""All keys of a collection in memory, searched exactly.

An approximate index misses rows, above all where many rows are alike, and which ones depends on how its threads met
while it was built: a dream then forgets the very page that was recorded, and two runs with one seed differ.  A buffer
repeats itself, and that makes the exact search cheap: 100,000 recorded steps of WebShop hold 45,000 distinct questions,
made of 15,000 pages and 15,000 actions.  Keys are concatenated parts (see :mod:`dreamgym_env.memory.keys`), so a cosine
is the sum of the parts' products, and each distinct part is multiplied once.
"""

from __future__ import annotations

import itertools
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt

from dreamgym_env.memory.identity import RowId

__all__ = ["TIES", "KeyIndex", "KeyLayout", "Near"]

Scalar = TypeVar("Scalar", bound=np.generic)
Floats = npt.NDArray[np.float32]
Near = tuple[float, Sequence[RowId]]
"""A cosine similarity, and rows of one question and outcome that have it: real ones first, then in order of arrival."""

_BATCH = 256
"""Queries whose products with all parts are held at once."""
_BLOCK = 2**18
"""Similarities that are worked on at once: few enough for a processor's cache."""
_KEPT_PRODUCTS = 2**24
"""Numbers (of four bytes) that the latest products of a part may fill."""
TIES = 2e-3
"""Keys that are less similar than the last of the nearest by less than this are found too."""
_FOLDS = 64
_FEW = 4_096
"""Up to so many similarities are not worth folding."""


class KeyLayout(NamedTuple):
    """How the keys of a space are made."""

    widths: tuple[int, ...]
    """Length of each part."""
    by_question: bool
    """Whether a row's key follows from its page and action alone, and not from task and history too."""

    def key_name(self, row: RowId) -> str:
        """Return what rows with the same key have in common."""
        return row.question if self.by_question else str(row)


class KeyIndex:
    """Finds the rows whose keys are nearest to a query's."""

    def __init__(self, layout: KeyLayout) -> None:
        """Create an empty index."""
        self.layout = layout
        self._tables = [_PartTable(width) for width in layout.widths]
        self._ends = list(itertools.accumulate(layout.widths))[:-1]
        self._numbers: dict[str, int] = {}
        self._questions: dict[str, list[int]] = {}
        self._groups: list[dict[tuple[str, str], list[RowId]]] = []
        self._empty: set[int] = set()

    def __len__(self) -> int:
        """Return how many distinct keys have rows."""
        return len(self._groups) - len(self._empty)

    def add(self, row: RowId, key: Floats) -> None:
        """Add a row.

        Args:
            row: what the key stands for; never added before.
            key: float32 of shape (sum of the parts' widths,); where it is known already, this one is passed over.
        """
        number = self._numbers.get(self.layout.key_name(row))
        if number is None:
            number = self._numbers[self.layout.key_name(row)] = len(self._groups)
            self._groups.append({})
            self._questions.setdefault(row.question, []).append(number)
            for table, part in zip(self._tables, np.split(key, self._ends), strict=True):
                table.append(part)
        rows = self._groups[number].setdefault((row.question, row.outcome), [])
        at = len(rows)
        while row.real and at and not rows[at - 1].real:
            at -= 1
        rows.insert(at, row)
        self._empty.discard(number)

    def remove(self, rows: Iterable[RowId]) -> None:
        """Remove rows; those that are not there are passed over."""
        for row in rows:
            number = self._numbers.get(self.layout.key_name(row))
            groups = self._groups[number] if number is not None else {}
            rows_alike = groups.get((row.question, row.outcome), [])
            if number is None or row not in rows_alike:
                continue
            rows_alike.remove(row)
            if not rows_alike:
                del groups[row.question, row.outcome]
            if not groups:
                self._empty.add(number)
        if len(self._empty) > len(self):
            self._compact()

    def search(self, keys: Floats, count: int, questions: Sequence[str]) -> list[list[Near]]:
        """Return for each query the rows of the ``count`` nearest distinct keys, and of those that come close to them.

        A key whose rows had several outcomes gives several entries.  Rows of the very question that is asked are always
        there, however many others an embedder takes for the same.  What is found for a query does not depend on the
        others.

        Args:
            keys: of n queries, shape (n, dimension).
            count: how many distinct keys for each.
            questions: hashes of the queries' page and action, n.
        """
        if not self:
            return [[] for _ in keys]
        found: list[list[Near]] = []
        for similarities in self._similarities(keys):
            floors = _floors(similarities, min(count, len(self)))
            places = np.flatnonzero(similarities >= floors[:, None])  # faster than to look for rows and columns
            asked, numbers = np.divmod(places, similarities.shape[1])
            values = self._exactly(keys[len(found) + asked], numbers)
            ends = np.searchsorted(asked, np.arange(len(similarities)), side="right").tolist()
            for start, end in zip([0, *ends], ends, strict=False):
                near = dict(zip(numbers[start:end].tolist(), values[start:end].tolist(), strict=True))
                query = len(found)
                if further := [at for at in self._questions.get(questions[query], ()) if at not in near]:
                    exactly = self._exactly(keys[[query] * len(further)], np.array(further))
                    near.update(zip(further, exactly.tolist(), strict=True))
                found.append([(value, rows) for at, value in near.items() for rows in self._groups[at].values()])
        return found

    def _exactly(self, keys: Floats, numbers: npt.NDArray[np.intp]) -> npt.NDArray[np.float64]:
        """Return the similarities of n keys, shape (n, dimension), and n known ones, to the last digit.

        A product of matrices is not exact: how it is summed depends on what else is in the batch.
        """
        total = np.zeros(len(numbers))
        for table, part in zip(self._tables, np.split(keys, self._ends, axis=1), strict=True):
            total += (table.vectors(numbers) * part).sum(axis=1, dtype=np.float64)
        return total

    def _similarities(self, keys: Floats) -> Iterator[Floats]:
        """Yield the similarities of n keys to all known ones in blocks of shape (some, known keys)."""
        some = max(1, _BLOCK // len(self._groups))
        further = np.empty(len(self._groups), dtype=np.float32)
        for start in range(0, len(keys), _BATCH):
            parts = np.split(keys[start : start + _BATCH], self._ends, axis=1)
            products = [table.products(part) for table, part in zip(self._tables, parts, strict=True)]
            for first in range(0, len(parts[0]), some):
                block = np.zeros((len(parts[0][first : first + some]), len(self._groups)), dtype=np.float32)
                for at, total in enumerate(block, start=first):
                    for table, product in zip(self._tables, products, strict=True):
                        # mode="clip" spares numpy a buffer; all places are valid
                        total += product[at].take(table.places, out=further, mode="clip")
                if self._empty:
                    block[:, list(self._empty)] = -np.inf
                yield block

    def _compact(self) -> None:
        """Forget the keys that have no rows."""
        fresh = KeyIndex(self.layout)
        for number, groups in enumerate(self._groups):
            if groups:
                key = np.concatenate([table.vectors(np.array([number]))[0] for table in self._tables])
                for row in itertools.chain.from_iterable(groups.values()):
                    fresh.add(row, key)
        self.__dict__.update(fresh.__dict__)


class _PartTable:
    """One part of every key: the distinct vectors, and which of them each key has."""

    def __init__(self, width: int) -> None:
        self._vectors: Floats = np.zeros((0, width), dtype=np.float32)
        self._distinct: dict[bytes, int] = {}
        self._places = np.zeros(0, dtype=np.intp)
        self._keys = 0
        self._products: OrderedDict[bytes, Floats] = OrderedDict()

    @property
    def places(self) -> npt.NDArray[np.intp]:
        """Number of each key's vector, shape (keys,)."""
        return self._places[: self._keys]

    def vectors(self, keys: npt.NDArray[np.intp]) -> Floats:
        """Return the parts of some keys, shape (keys, width)."""
        vectors: Floats = self._vectors[self._places[keys]]
        return vectors

    def append(self, vector: Floats) -> None:
        """Add the part of one more key."""
        number = self._distinct.setdefault(_digits(vector), len(self._distinct))
        if number == len(self._vectors):
            self._vectors = _grown(self._vectors)
        if self._keys == len(self._places):
            self._places = _grown(self._places)
        if number == len(self._distinct) - 1:
            self._vectors[number] = vector
            self._products.clear()
        self._places[self._keys] = number
        self._keys += 1

    def products(self, vectors: Floats) -> list[Floats]:
        """Multiply n vectors, shape (n, width), with all distinct ones: n arrays of shape (distinct vectors,).

        Agents ask about the same pages and actions again and again: the latest products are kept.
        """
        names = [vector.tobytes() for vector in vectors]
        unknown = {name: at for at, name in enumerate(names) if name not in self._products}
        fresh = vectors[list(unknown.values())] @ self._vectors[: len(self._distinct)].T
        self._products.update((name, row.copy()) for name, row in zip(unknown, fresh, strict=True))
        for name in names:
            self._products.move_to_end(name)
        found = [self._products[name] for name in names]
        while len(self._products) * len(self._distinct) > _KEPT_PRODUCTS:
            self._products.popitem(last=False)
        return found


def _digits(vector: Floats) -> bytes:
    """Return what two writings of one vector share: Chroma normalises again what it keeps."""
    return np.round(vector * 2.0**18).astype(np.int32).tobytes()


def _grown(array: npt.NDArray[Scalar]) -> npt.NDArray[Scalar]:
    return np.concatenate([array, np.zeros((max(64, len(array)), *array.shape[1:]), dtype=array.dtype)])


def _floors(values: Floats, count: int) -> Floats:
    """Return for each row of values what its ``count`` largest exceed, and what ties with the last of them, shape (n,).

    The bound is a little lower than it need be: some more values may exceed it.
    """
    rows, length = values.shape
    columns = length // _FOLDS
    if length > _FEW and count < columns:
        # at least ``count`` values are as large as the largest of so many columns
        values, length = values[:, : columns * _FOLDS].reshape(rows, _FOLDS, columns).max(axis=1), columns
    floors: Floats = np.partition(values, length - count, axis=1)[:, length - count]
    return floors - np.float32(TIES)
