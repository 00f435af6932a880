"""Checkpoints of a training, and the settings that it was begun with: it is resumed only with the same."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dreamgym_env.atomic_files import write_atomically
from dreamgym_env.errors import TrainingError

__all__ = ["Checkpoints", "differing_settings", "is_first_process"]

_SETTINGS_FILE = "settings.json"
_COMPLETE = "trainer_state.json"  # the Trainer writes it last


class Checkpoints:
    """The folder ``checkpoints`` of an output folder.

    Under ``accelerate launch`` every process has one of these, and only the first process writes.
    """

    def __init__(self, out: Path) -> None:
        """Name the folder; nothing is read or written yet."""
        self.folder = out / "checkpoints"

    def claim(self, settings: Mapping[str, Any], *, overwrite: bool) -> None:
        """Begin a training with these settings, or continue one.

        Args:
            settings: JSON values from which the result follows.
            overwrite: forget what is there.

        Raises:
            TrainingError: a training with other settings was begun here.
        """
        path = self.folder / _SETTINGS_FILE
        if overwrite:
            self.remove()
        if path.is_file():
            self._check(json.loads(path.read_text(encoding="utf-8")), settings)
        elif is_first_process():
            write_atomically(path, json.dumps(settings, indent=2) + "\n")

    def latest(self) -> Path | None:
        """Return the folder of the latest complete checkpoint."""
        complete = [path.parent for path in self.folder.glob(f"checkpoint-*/{_COMPLETE}")]
        return max(complete, key=lambda path: int(path.name.rpartition("-")[2]), default=None)

    def remove(self) -> None:
        """Delete the folder."""
        if is_first_process():
            shutil.rmtree(self.folder, ignore_errors=True)

    def _check(self, begun: Mapping[str, Any], settings: Mapping[str, Any]) -> None:
        differing = differing_settings(begun, settings)
        if differing:
            raise TrainingError(
                f"{self.folder} holds checkpoints of a training with other settings ({differing}). Give the "
                "same to continue it, another --out, or --overwrite to begin anew."
            )


def differing_settings(begun: Mapping[str, Any], given: Mapping[str, Any]) -> str:
    """Say which settings differ from those that something was begun with, and how; nothing where none does."""
    return "; ".join(
        f"{name} was {begun.get(name)!r} and is {given.get(name)!r}"
        for name in sorted(begun.keys() | given.keys())
        if begun.get(name) != given.get(name)
    )


def is_first_process() -> bool:
    """Return whether this is the process that writes, of those that ``accelerate launch`` or torchrun started."""
    return os.environ.get("RANK", "0") == "0"
