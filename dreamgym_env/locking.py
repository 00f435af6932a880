"""Locks that keep a second process from writing where one writes; each lasts as long as its process at most.

The operating system releases a lock when its process ends, however that ends: what a killed process leaves is a file
that anyone can lock again.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from filelock import FileLock, Timeout

from dreamgym_env.errors import DreamGymError

__all__ = ["only_writer", "take_lock"]


def take_lock(path: Path, refusal: DreamGymError) -> FileLock:
    """Lock a file, which is created where there is none; its folder must exist.

    Args:
        path: of the lock file.
        refusal: what to raise where another process (or another part of this one) holds it.
    """
    lock = FileLock(path, timeout=0, is_singleton=False)
    try:
        lock.acquire()
    except Timeout as error:
        raise refusal from error
    return lock


@contextlib.contextmanager
def only_writer(path: Path, refusal: DreamGymError) -> Iterator[None]:
    """Hold a lock as :func:`take_lock` takes it, creating its folder; the lock file is gone afterwards."""
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = take_lock(path, refusal)
    try:
        yield
    finally:
        with contextlib.suppress(OSError):  # Windows removes no open file; it stays then
            path.unlink()
        lock.release()
