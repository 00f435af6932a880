"""Where the commands write tables and pages."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dreamgym_env.atomic_files import write_atomically

if TYPE_CHECKING:
    from rich.console import Console

__all__ = ["check_writable", "make_console", "write_json"]

_WIDTH = 100  # where the output is no terminal
_WIDEST = 140


def make_console() -> Console:
    """Return a console on standard output, 100 columns wide where that is a pipe or a file."""
    from rich.console import Console

    console = Console(highlight=False)
    console.width = min(console.width, _WIDEST) if console.is_terminal else _WIDTH
    return console


def check_writable(path: Path) -> None:
    """Make a file's folder, and find out whether the file can be written before anything takes long.

    Raises:
        OSError: it cannot; a file that is there stays as it is.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.exists() and not (path.is_file() or path.is_dir()):
        return  # a pipe: opening it is using it
    is_new = not path.exists()
    with path.open("ab"):
        pass
    if is_new:
        path.unlink()


def write_json(value: Any, path: Path) -> None:
    """Write a value to a file, wholly or not at all. Raises OSError."""
    write_atomically(path, json.dumps(value, indent=2, ensure_ascii=False) + "\n")
