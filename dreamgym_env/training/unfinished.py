"""A transitions file in the making: it lies beside its place as ``<file>.partial`` until it is complete."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from dreamgym_env.errors import DreamGymError, ExperienceFormatError
from dreamgym_env.locking import only_writer
from dreamgym_env.memory.experience import TransitionWriter, read_header, write_transitions
from dreamgym_env.types import Transition

__all__ = ["UnfinishedFile"]


class UnfinishedFile:
    """Where a command writes a transitions file that follows from settings, and continues what was interrupted."""

    def __init__(self, path: Path, header: Mapping[str, Any], origin: str) -> None:
        """Say which file; nothing is written yet.

        Args:
            path: the complete file's place.
            header: further members of its first line (JSON values).
            origin: the member of ``header`` that holds the settings, a participle such as ``"recorded"``.
        """
        self.path = path
        self.header = header
        self._origin = origin
        self._partial = path.with_name(f"{path.name}.partial")

    @contextlib.contextmanager
    def claim(self) -> Iterator[None]:
        """Keep other processes from writing the same file; a partial file without a line is gone afterwards.

        Raises:
            DreamGymError: another process writes it.
        """
        refusal = DreamGymError(f"Another process is writing {self.path}: wait for it, or choose another name.")
        with only_writer(self._partial.with_name(f"{self._partial.name}.lock"), refusal):
            try:
                yield
            finally:
                if self._partial.exists() and self._partial.stat().st_size == 0:
                    self._partial.unlink()

    @property
    def complete(self) -> bool:
        """Whether the file is in its place and no later attempt was begun."""
        return self.path.exists() and not self._partial.exists()

    def find(self, *, resume: bool) -> Path | None:
        """Return what an earlier run left: the partial file, or the complete one; None where there is nothing.

        Args:
            resume: whether to look at all; otherwise a partial file is removed.

        Raises:
            ExperienceFormatError: what is there was made with other settings, or is something else.
        """
        if not resume:
            self._partial.unlink(missing_ok=True)
            return None
        if self._partial.exists():
            TransitionWriter(self._partial).close()  # cuts off a line that was left half written
        found = self._partial if self._partial.exists() else self.path
        if not found.exists() or found.stat().st_size == 0:
            return None
        settings = read_header(found).get(self._origin)
        if settings != self.header[self._origin]:
            made = json.dumps(settings) if settings else "it does not say with which"
            raise ExperienceFormatError(
                f"{found} is there already and was not {self._origin} with these settings ({made}): "
                "choose another name, or begin anew with resume=False (--overwrite)."
            )
        return found

    def keep(self, transitions: Sequence[Transition]) -> None:
        """Let the partial file hold just these transitions; without any, there is none."""
        if transitions:
            write_transitions(self._partial, transitions, header=self.header)
        else:
            self._partial.unlink(missing_ok=True)

    def writer(self) -> TransitionWriter:
        """Return what appends to the partial file."""
        return TransitionWriter(self._partial, header=self.header)

    def finish(self, transitions: Iterable[Transition]) -> None:
        """Write the complete file into its place and remove the partial one."""
        write_transitions(self.path, transitions, header=self.header)
        self._partial.unlink(missing_ok=True)
