"""What a run keeps on disk, so that it can be looked at, and gone on with.

::

    run.json          what was asked for; a run goes on only with the same
    progress.json     the curve, the exact counts of transitions, and how far it is
    policy/           the policy as of the latest checkpoint: the agent policy(FOLDER/policy)
    start/            the policy that it began with
    checkpoints/N/    after N steps: policy, optimiser, and progress.json as it was then; the latest two are kept
    tensorboard/      where tensorboard is installed
    buffer/           dreamt memories, of a run that enriches
    report.html       of a run that has ended, and its figures in report.json
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from dreamgym_env.errors import TrainingError
from dreamgym_env.locking import only_writer
from dreamgym_env.training.checkpoints import differing_settings

__all__ = ["RunFolder"]

_RUN, _PROGRESS, _CHECKPOINTS, _LOCK = "run.json", "progress.json", "checkpoints", ".lock"
_REPORT = ("report.html", "report.json")
_KEPT = 2
_FORMAT, _VERSION = "dreamgym_env.run", 1


class RunFolder:
    """The folder of one run."""

    def __init__(self, path: Path) -> None:
        """Name it; nothing is read or written yet."""
        self.path = path
        self.policy, self.start = path / "policy", path / "start"
        self.tensorboard = path / "tensorboard"

    @contextlib.contextmanager
    def claimed(self, asked: Mapping[str, Any], *, overwrite: bool = False) -> Iterator[RunFolder]:
        """Hold the folder for a run, which is begun or gone on with; no other process may write here meanwhile.

        A run that never came to its first checkpoint, because of an option that was wrong, say, is begun anew.

        Args:
            asked: JSON values that the result follows from.
            overwrite: forget the run that is here.

        Raises:
            TrainingError: another process learns here, another run has learnt here, or something else lies here.
        """
        refusal = TrainingError(f"Another process is learning in {self.path}: wait for it, or name another folder.")
        with only_writer(self.path / _LOCK, refusal):
            self._claim(asked, overwrite=overwrite)
            yield self

    def _claim(self, asked: Mapping[str, Any], *, overwrite: bool) -> None:
        wanted = json.loads(json.dumps({"format": _FORMAT, "version": _VERSION, **asked}))
        if (overwrite or self.latest() is None) and self._is_run():
            for name in ("policy", "policy.partial", "start", _CHECKPOINTS, "tensorboard", "buffer"):
                shutil.rmtree(self.path / name, ignore_errors=True)
            for name in (*_REPORT, _PROGRESS, _RUN):  # while that one is there, the folder is a run's
                (self.path / name).unlink(missing_ok=True)
        if not (self.path / _RUN).exists():
            ours = (_LOCK, _partial(self.path / _RUN).name)
            others = [one.name for one in self.path.iterdir() if one.name not in ours]
            if others:
                raise TrainingError(
                    f"{self.path} is not empty, and no run of `dreamgym train`: it holds {', '.join(others[:3])}. Name "
                    "an empty folder."
                )
            _write_json(self.path / _RUN, wanted)
            return
        begun = _read_json(self.path / _RUN)
        differing = differing_settings(begun, wanted)
        if differing:
            raise TrainingError(
                f"{self.path} holds another run ({differing}). Give the same options to go on with it, "
                "another --out, or --overwrite to begin anew."
            )

    def latest(self) -> Path | None:
        """Return the folder of the latest checkpoint; None before the first."""
        whole = [
            path.parent for path in (self.path / _CHECKPOINTS).glob(f"*/{_PROGRESS}") if path.parent.name.isdigit()
        ]
        return max(whole, key=lambda path: int(path.name), default=None)

    def resume(self, checkpoint: Path) -> dict[str, Any]:
        """Make a checkpoint's policy the run's, and return what was noted at it.

        A process that was killed just after it wrote the checkpoint has left the policy of an earlier one, or none.

        Raises:
            TrainingError: it cannot be read.
        """
        progress = _read_json(checkpoint / _PROGRESS)
        _replace_folder(checkpoint / "policy", self.policy)
        return progress

    def checkpoint(self, number: int, write: Callable[[Path], object], progress: Mapping[str, Any]) -> None:
        """Write a checkpoint; it is whole or not there, however the process ends.

        Args:
            number: of the steps so far.
            write: is given an empty folder, and writes all but the progress; its folder ``policy`` becomes the run's.
            progress: JSON values.
        """
        target = self.path / _CHECKPOINTS / f"{number:09d}"
        partial = target.with_name(f"{target.name}.partial")
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        write(partial)
        _write_json(partial / _PROGRESS, progress)
        shutil.rmtree(target, ignore_errors=True)
        partial.replace(target)
        _replace_folder(target / "policy", self.policy)
        self.note(progress)
        for old in sorted((self.path / _CHECKPOINTS).iterdir())[:-_KEPT]:
            shutil.rmtree(old, ignore_errors=True)

    def note(self, progress: Mapping[str, Any]) -> None:
        """Write how far the run is."""
        _write_json(self.path / _PROGRESS, progress)

    def _is_run(self) -> bool:
        return (self.path / _RUN).is_file() and _read_json(self.path / _RUN).get("format") == _FORMAT


def _replace_folder(source: Path, target: Path) -> None:
    new = target.with_name(f"{target.name}.partial")
    shutil.rmtree(new, ignore_errors=True)
    shutil.copytree(source, new)
    shutil.rmtree(target, ignore_errors=True)
    new.replace(target)


def _write_json(path: Path, value: Mapping[str, Any]) -> None:
    partial = _partial(path)
    with partial.open("w", encoding="utf-8") as file:
        file.write(json.dumps(value, indent=2) + "\n")
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)


def _partial(path: Path) -> Path:
    return path.with_suffix(".partial")


def _read_json(path: Path) -> dict[str, Any]:
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise TrainingError(f"{path} cannot be read: {error}") from error
    if not isinstance(value, dict):
        raise TrainingError(f"{path} is not what `dreamgym train` writes: name another folder, or --overwrite.")
    return value
