"""An embedder that needs nothing: hashed words and word beginnings, in vectorised numpy.

The hashing trick (Weinberger et al., "Feature Hashing for Large Scale Multitask Learning", ICML 2009): every feature of
a text adds +1 or -1 to one of ``dimension`` buckets, both chosen by its hash.  Features are substrings, and the hash of
every substring [i, j) of a batch comes from one cumulative sum: with C[i] the sum of byte[m] * B**m below i, it is
(C[j] - C[i]) * B**-i modulo 2**64, so no Python loop ever runs over characters.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

__all__ = ["HashingEmbedder"]

_BASE = 0x9E3779B97F4A7C15 | 1  # odd, hence invertible modulo 2**64
_INVERSE = pow(_BASE, -1, 1 << 64)
_CHUNK_BYTES = 1 << 18
_BEGINNING = 4
"""Longer words count a second time by their first four bytes, so that inflected forms meet."""

_IS_WORD = np.zeros(256, dtype=bool)
_IS_WORD[[*range(ord("a"), ord("z") + 1), *range(ord("0"), ord("9") + 1), *range(128, 256)]] = True

UInt64 = npt.NDArray[np.uint64]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class _Chunk:
    """Some texts as one array of bytes, each text followed by a zero byte."""

    data: npt.NDArray[np.uint8]
    ends: Ints
    """Position of each text's zero byte."""
    sums: UInt64
    """C[i], one longer than ``data``."""


class HashingEmbedder:
    """Embeds texts by the words and characters they hold; deterministic, on any machine, with no model file."""

    def __init__(self, dimension: int = 128) -> None:
        """Create an embedder.

        Args:
            dimension: length of a vector, at least 8.
        """
        if dimension < 8:
            raise ValueError(f"A hashing embedder needs a dimension of at least 8, not {dimension}.")
        self._dimension = dimension
        self._powers = _powers(_BASE, 0)
        self._inverse_powers = _powers(_INVERSE, 0)

    @property
    def name(self) -> str:
        """``hash-<dimension>-v1``."""
        return f"hash-{self._dimension}-v1"

    @property
    def dimension(self) -> int:
        """Length of a vector."""
        return self._dimension

    def embed(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        """Return a float32 array of shape (n, dimension); rows of length 1, zeros for a text without content."""
        vectors = np.zeros((len(texts), self._dimension), dtype=np.float32)
        start = 0
        for encoded in _chunks(texts):
            vectors[start : start + len(encoded)] = self._embed(encoded)
            start += len(encoded)
        return vectors

    def _embed(self, encoded: list[bytes]) -> npt.NDArray[np.float64]:
        chunk = self._chunk(encoded)
        starts, stops = _words(chunk.data)
        rows = np.searchsorted(chunk.ends, starts)
        long = stops - starts > _BEGINNING
        beginnings = self._hash(chunk, starts[long], starts[long] + _BEGINNING)
        buckets = self._count(rows, self._hash(chunk, starts, stops), len(encoded))
        buckets += self._count(
            rows[long], _mix(beginnings ^ np.uint64(_INVERSE)), len(encoded)
        )  # "shoe" is not "shoe..."
        damped = np.sign(buckets) * np.sqrt(np.abs(buckets))  # a word said ten times is not ten times as telling
        vectors = damped.reshape(len(encoded), self._dimension)
        norms = np.linalg.norm(vectors, axis=1, keepdims=True)
        return vectors / np.where(norms > 0, norms, 1)

    def _chunk(self, encoded: list[bytes]) -> _Chunk:
        data = np.frombuffer(b"\0".join([*encoded, b""]), dtype=np.uint8)
        ends = np.cumsum([len(text) + 1 for text in encoded], dtype=np.int64) - 1
        if len(self._powers) < len(data):
            self._powers, self._inverse_powers = _powers(_BASE, len(data)), _powers(_INVERSE, len(data))
        sums = np.zeros(len(data) + 1, dtype=np.uint64)
        np.cumsum(data.astype(np.uint64) * self._powers[: len(data)], out=sums[1:])
        return _Chunk(data, ends, sums)

    def _hash(self, chunk: _Chunk, starts: Ints, stops: Ints) -> UInt64:
        return _mix((chunk.sums[stops] - chunk.sums[starts]) * self._inverse_powers[starts])

    def _count(self, rows: Ints, hashes: UInt64, texts: int) -> npt.NDArray[np.float64]:
        """Return the buckets of all texts, one after the other, after adding a feature each of ``rows``."""
        columns = ((hashes >> np.uint64(1)) % np.uint64(self._dimension)).astype(np.int64)
        signs = (hashes & np.uint64(1)).astype(np.float64) * 2 - 1
        places = rows * self._dimension + columns
        return np.bincount(places, weights=signs, minlength=texts * self._dimension).astype(np.float64)


def _chunks(texts: Sequence[str]) -> Iterator[list[bytes]]:
    """Encode texts in groups of bounded size; zero bytes, which end a text here, become blanks."""
    group: list[bytes] = []
    size = 0
    for text in texts:
        encoded = text.lower().encode("utf-8", "replace").replace(b"\0", b" ")
        if group and size + len(encoded) > _CHUNK_BYTES:
            yield group
            group, size = [], 0
        group.append(encoded)
        size += len(encoded) + 1
    if group:
        yield group


def _words(data: npt.NDArray[np.uint8]) -> tuple[Ints, Ints]:
    """Return where the runs of letters and digits start and stop; the last byte of ``data`` is never part of one."""
    inside = _IS_WORD[data]
    edges = np.diff(inside.astype(np.int8), prepend=0)
    return np.flatnonzero(edges == 1), np.flatnonzero(edges == -1)


def _powers(base: int, count: int) -> UInt64:
    """Return base**0, base**1, ... modulo 2**64, at least ``count`` of them."""
    steps = np.full(max(count, _CHUNK_BYTES * 2), base, dtype=np.uint64)
    steps[0] = 1
    return np.cumprod(steps)


def _mix(hashes: UInt64) -> UInt64:
    """Spread the entropy of a polynomial hash to all its bits (the finaliser of SplitMix64)."""
    hashes = (hashes ^ (hashes >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    hashes = (hashes ^ (hashes >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return hashes ^ (hashes >> np.uint64(31))
