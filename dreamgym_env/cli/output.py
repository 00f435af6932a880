"""Where the commands write tables and pages."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console

__all__ = ["make_console", "write_json"]

_WIDTH = 100  # where the output is no terminal
_WIDEST = 140


def make_console() -> Console:
    """Return a console on standard output, 100 columns wide where that is a pipe or a file."""
    from rich.console import Console

    console = Console(highlight=False)
    console.width = min(console.width, _WIDEST) if console.is_terminal else _WIDTH
    return console


def write_json(value: Any, path: Path) -> None:
    """Write a value to a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
