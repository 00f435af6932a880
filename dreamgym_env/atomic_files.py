"""Writing a file wholly or not at all: who interrupts it finds the old one, or none."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

__all__ = ["write_atomically"]


def write_atomically(path: Path, text: str) -> None:
    r"""Write a text as UTF-8, in a file beside it that takes its place in the end; its folder is made.

    Halves of characters, which UTF-8 cannot say, are written as JSON says them (``\ud800``).  A link, such as
    ``/dev/stdout``, and what is no regular file are written to as they are; so is a file in a folder that takes no
    other.

    Raises:
        OSError: it cannot be written; a file that was there is as it was.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    data = text.encode("utf-8", "backslashreplace")
    if path.is_symlink() or (path.exists() and not (path.is_file() and os.access(path.parent, os.W_OK))):
        path.write_bytes(data)
        return
    partial = path.with_name(f".part-{os.getpid()}")
    try:
        partial.write_bytes(data)
        if path.exists():
            partial.chmod(path.stat().st_mode & 0o777)
        partial.replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            partial.unlink()
        raise
