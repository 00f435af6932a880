"""The folder of a persistent buffer: its marker, and the lock that keeps a second writer out.

Three processes that write to one Chroma folder at once leave a wrecked store, and none of them notices; hence the lock.
"""

from __future__ import annotations

import json
from pathlib import Path

from filelock import FileLock

from dreamgym_env.errors import BufferLockedError, ReplayBufferError
from dreamgym_env.locking import take_lock

__all__ = ["BufferFolder"]

FORMAT = "dreamgym_env.buffer"
VERSION = 1
_MARKER = "dreamgym_buffer.json"
_LOCK = "dreamgym_buffer.lock"
_DRAFT = "dreamgym_buffer.json.draft"


class BufferFolder:
    """A claim on a folder, held until :meth:`close`."""

    def __init__(self, path: Path, *, read_only: bool) -> None:
        """Claim a folder, creating it where it may be.

        Raises:
            BufferLockedError: another process (or another buffer of this one) writes to it.
            ReplayBufferError: the path is something else than a buffer's folder.
        """
        self.path = path
        self._lock: FileLock | None = None
        if path.exists() and not path.is_dir():
            raise ReplayBufferError(
                f"{path} is a file, not a buffer's folder. A transitions file is read with ReplayBuffer.import_."
            )
        if read_only:
            if not self._marked():
                raise ReplayBufferError(
                    f"{path} holds no replay buffer to read. Open it without read_only to make one."
                )
            return
        self._refuse_strange_folder()
        path.mkdir(parents=True, exist_ok=True)
        self._lock = self._acquire()
        if not self._marked():
            self._refuse_strange_folder()
            self._mark()

    def close(self) -> None:
        """Release the lock; calling it twice is allowed."""
        if self._lock is not None:
            self._lock.release()
            self._lock = None

    def _acquire(self) -> FileLock:
        refusal = BufferLockedError(
            f"Another process is writing to the replay buffer {self.path}. Open it with read_only=True to read "
            "along, wait until that process closes it, or let many processes write to one Chroma server: "
            f"`chroma run --path {self.path}` after that process ended, and ReplayBuffer(domain, "
            '"http://localhost:8000").'
        )
        return take_lock(self.path / _LOCK, refusal)

    def _mark(self) -> None:
        draft = self.path / _DRAFT
        draft.write_text(json.dumps({"format": FORMAT, "version": VERSION}) + "\n", encoding="utf-8")
        draft.replace(self.path / _MARKER)

    def _marked(self) -> bool:
        marker = self.path / _MARKER
        if not marker.is_file():
            return False
        try:
            content = json.loads(marker.read_text(encoding="utf-8"))
        except ValueError as error:
            raise ReplayBufferError(f"{marker} is damaged ({error}): the folder cannot be used as a buffer.") from error
        if not isinstance(content, dict) or content.get("format") != FORMAT or content.get("version") != VERSION:
            raise ReplayBufferError(
                f"{self.path} is a buffer folder of another kind ({content!r:.100}); this library reads version "
                f"{VERSION}. Export it with the library that wrote it and import the file into a new buffer."
            )
        return True

    def _refuse_strange_folder(self) -> None:
        if self.path.is_dir() and not self._marked():
            strangers = sorted(entry.name for entry in self.path.iterdir() if entry.name not in (_LOCK, _DRAFT))
            if strangers:
                raise ReplayBufferError(
                    f"{self.path} is not empty and holds no replay buffer (but {strangers[0]!r}): choose a new folder."
                )
