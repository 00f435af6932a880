"""One Chroma collection of rows (id, key, body), opened in memory, in a folder or on a server.

Chroma's own habits end here: its limit of rows per call, its silence about ids that exist, its shared in-memory state,
its telemetry, and its inability to notice a second writer (see :mod:`dreamgym_env.memory.folder`).
"""

from __future__ import annotations

import logging
import os
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import numpy as np
import numpy.typing as npt

from dreamgym_env.errors import ReplayBufferError
from dreamgym_env.memory.folder import BufferFolder
from dreamgym_env.memory.identity import plain_name

if TYPE_CHECKING:
    from chromadb.api import ClientAPI
    from chromadb.api.models.Collection import Collection

__all__ = ["SCHEMA_VERSION", "Store", "StoreSpec"]

logger = logging.getLogger(__name__)

SCHEMA_VERSION = 1
_COLLECTION = "dreamgym.transitions"
_ROWS_PER_ADD = 5_000  # Chroma takes 5,461
_ROWS_PER_GET = 5_000
_EPISODES_PER_GET = 500
_INDEX: Any = {"hnsw": {"space": "cosine", "ef_construction": 100, "max_neighbors": 16, "ef_search": 48}}


@dataclass(frozen=True, slots=True)
class StoreSpec:
    """What must agree between a collection and who opens it."""

    domain: str
    keys: str
    """Embedder and weights (``KeyEncoder.name``)."""
    dimension: int
    """Length of a key."""
    version: int = SCHEMA_VERSION

    def check(self, found: Mapping[str, Any] | None, where: str) -> None:
        """Raise ReplayBufferError, saying what to do, where a collection was made by another spec."""
        found = found or {}
        if found.get("version") is None:
            raise ReplayBufferError(f"{where} holds a Chroma collection that is not a replay buffer: choose another.")
        if found["version"] != self.version:
            raise ReplayBufferError(
                f"{where} is a buffer of schema version {found['version']}, this library writes version "
                f"{self.version}. Export it with the library that wrote it (ReplayBuffer.export) and import the file "
                "into a new buffer."
            )
        if found.get("domain") != self.domain:
            raise ReplayBufferError(
                f"{where} is a buffer of the domain {found.get('domain')!r}, not {self.domain!r}: choose another one."
            )
        if (found.get("keys"), found.get("dimension")) != (self.keys, self.dimension):
            raise ReplayBufferError(
                f"{where} was indexed with {found.get('keys')!r} ({found.get('dimension')} dimensions), and you are "
                f"opening it with {self.keys!r} ({self.dimension}). Open it with that embedder and those weights, or "
                "export it and import the file into a new buffer."
            )


_opened_in: int | None = None
"""The process that loaded Chroma's engine first, this one or one that it was forked from."""


def _check_not_forked() -> None:
    """Raise ReplayBufferError where Chroma was loaded before this process was forked: its engine would wait forever."""
    global _opened_in
    if _opened_in not in (None, os.getpid()):
        raise ReplayBufferError(
            "A replay buffer cannot be opened in a process that was forked from one that has opened another: Chroma's "
            'engine does not survive a fork. Start processes by "spawn", for example gymnasium.make_vec(..., '
            'vectorization_mode="async", vector_kwargs={"shared_memory": False, "context": "spawn"}), or leave '
            "vectorization_mode out: that is one process, and one batched model call a step."
        )
    _opened_in = os.getpid()


class Store:
    """Rows in one collection. Not thread-safe."""

    def __init__(self, spec: StoreSpec, location: str | Path | None, *, read_only: bool) -> None:
        """Open or create a collection.

        Args:
            spec: what the collection must be (or is made).
            location: None for memory, ``"http://host:port"`` for a Chroma server, else a folder.
            read_only: open what is there, without the lock.

        Raises:
            BufferLockedError: another process writes to the folder.
            ReplayBufferError: there is no buffer, it is of another spec, the server does not answer, or this process
                was forked from one that has opened a buffer.
        """
        self.spec = spec
        self.read_only = read_only
        self.where = "memory" if location is None else str(location)
        self.shared = is_url(location)
        """Whether rows of other processes may appear in a search."""
        self._folder: BufferFolder | None = None
        self._temporary = location is None
        # clients in memory share their state within a process: each buffer gets a name of its own
        name = f"{_COLLECTION}.{uuid.uuid4().hex if self._temporary else plain_name(spec.domain)}"
        if not is_url(location):
            _check_not_forked()
        if not is_url(location) and location is not None:
            self._folder = BufferFolder(Path(location), read_only=read_only)
        try:
            self._client: ClientAPI | None = self._connect(location)
            self._collection = self._open(self._client, name)
        except BaseException:
            self.close()
            raise

    def __len__(self) -> int:
        return int(self._ask("count"))

    def add(
        self, ids: Sequence[str], keys: npt.NDArray[np.float32], episodes: Sequence[str], bodies: Sequence[str]
    ) -> None:
        """Write rows; when it returns they survive the process. An id that exists is left as it is."""
        for start in range(0, len(ids), _ROWS_PER_ADD):
            part = slice(start, start + _ROWS_PER_ADD)
            self._ask(
                "add",
                ids=list(ids[part]),
                embeddings=keys[part],
                metadatas=[
                    {"episode": episode, "body": body}
                    for episode, body in zip(episodes[part], bodies[part], strict=True)
                ],
            )

    def delete(self, ids: Sequence[str]) -> None:
        """Remove rows."""
        for start in range(0, len(ids), _ROWS_PER_ADD):
            self._ask("delete", ids=list(ids[start : start + _ROWS_PER_ADD]))

    def search(self, keys: npt.NDArray[np.float32], count: int) -> list[list[tuple[float, str]]]:
        """Return for each key the (cosine similarity, id) of about the ``count`` nearest rows, nearest first."""
        if not len(keys):
            return []
        answer = self._ask("query", query_embeddings=keys, n_results=count, include=["distances"])
        distances = answer["distances"] or []
        return [
            [(1.0 - distance, row) for distance, row in zip(near, rows, strict=True)]
            for near, rows in zip(distances, answer["ids"], strict=True)
        ]

    def keys(self, ids: Sequence[str]) -> Iterator[tuple[str, npt.NDArray[np.float32]]]:
        """Yield the (id, key) of some rows; those that do not exist are left out."""
        for start in range(0, len(ids), _ROWS_PER_GET):
            answer = self._ask("get", ids=list(ids[start : start + _ROWS_PER_GET]), include=["embeddings"])
            yield from zip(answer["ids"], np.asarray(answer["embeddings"], dtype=np.float32), strict=True)

    def ids(self) -> list[str]:
        """Return all ids, in the order in which they were added."""
        return list(self._ask("get", include=[])["ids"])

    def get(self, ids: Sequence[str]) -> list[tuple[str, str]]:
        """Return the (id, body) of some rows; those that do not exist are left out."""
        rows: list[tuple[str, str]] = []
        for start in range(0, len(ids), _ROWS_PER_GET):
            wanted = list(ids[start : start + _ROWS_PER_GET])
            rows.extend(_rows(self._ask("get", ids=wanted, include=["metadatas"])))
        return rows

    def episodes(self, episodes: Sequence[str]) -> list[tuple[str, str]]:
        """Return the (id, body) of all rows of some episodes (by their hash)."""
        rows: list[tuple[str, str]] = []
        for start in range(0, len(episodes), _EPISODES_PER_GET):
            wanted: Any = {"episode": {"$in": list(episodes[start : start + _EPISODES_PER_GET])}}
            rows.extend(_rows(self._ask("get", where=wanted, include=["metadatas"])))
        return rows

    def rows(self) -> Iterator[tuple[str, str]]:
        """Yield the (id, body) of every row, in the order in which they were added."""
        for start in range(0, len(self), _ROWS_PER_GET):
            yield from _rows(self._ask("get", limit=_ROWS_PER_GET, offset=start, include=["metadatas"]))

    def _ask(self, method: str, **arguments: Any) -> Any:
        """Call a method of the collection; its engine, or what carries the call to a server, may fail in any way."""
        try:
            return getattr(self._collection, method)(**arguments)
        except Exception as error:
            hint = "Check that the server runs" if self.shared else "Check the disk and the folder's files"
            raise ReplayBufferError(
                f"The replay buffer in {self.where} does not answer ({method}: {error}). {hint}, and open it again."
            ) from error

    def close(self) -> None:
        """Let go of the client and the lock; a collection in memory ends here. Calling it twice is allowed."""
        client, self._client = getattr(self, "_client", None), None
        if client is not None:
            if self._temporary:
                client.delete_collection(self._collection.name)
            client.close()
        if self._folder is not None:
            self._folder.close()

    def _connect(self, location: str | Path | None) -> ClientAPI:
        import chromadb
        from chromadb.config import Settings

        settings = Settings(anonymized_telemetry=False)
        if location is None:
            return chromadb.EphemeralClient(settings=settings)
        if not is_url(location):
            try:
                return chromadb.PersistentClient(path=str(Path(location).resolve()), settings=settings)
            except Exception as error:  # Chroma passes on whatever its engine says
                raise ReplayBufferError(
                    f"The buffer in {location} cannot be opened ({error}). If its files are damaged, put back a copy "
                    "of the folder, or import what was exported (ReplayBuffer.export) into a new one."
                ) from error
        address = urlsplit(str(location))
        secure = address.scheme == "https"
        try:
            port = address.port or (443 if secure else 8000)
        except ValueError:
            raise ReplayBufferError(
                f"{location} is no address of a Chroma server; write for example http://localhost:8000."
            ) from None  # the cause would show what stands in the port's place, a password perhaps
        try:
            return chromadb.HttpClient(
                host=address.hostname or "localhost",
                port=port,
                ssl=secure,
                settings=settings,
            )
        except Exception as error:  # Chroma raises a bare ValueError, or what its HTTP library raised
            raise ReplayBufferError(
                f"No Chroma server answers at {location} ({error}). Start one with `chroma run --path FOLDER "
                f"--port {port}`, or give a folder."
            ) from error

    def _open(self, client: ClientAPI, name: str) -> Collection:
        from chromadb.errors import NotFoundError

        if self._folder is not None:
            for other in client.list_collections():
                if other.name.startswith(_COLLECTION):
                    self.spec.check(other.metadata, self.where)
        if self.read_only:
            try:
                collection = client.get_collection(name, embedding_function=None)
            except NotFoundError as error:
                raise ReplayBufferError(
                    f"{self.where} holds no replay buffer to read. Open it for writing once."
                ) from error
        else:
            collection = client.get_or_create_collection(
                name, metadata=asdict(self.spec), configuration=_INDEX, embedding_function=None
            )
        self.spec.check(collection.metadata, self.where)
        return collection


def is_url(location: str | Path | None) -> bool:
    """Return whether a location names a Chroma server."""
    return isinstance(location, str) and location.startswith(("http://", "https://"))


def _rows(answer: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for row, metadata in zip(answer["ids"], answer["metadatas"] or [], strict=True):
        yield row, metadata["body"]
