"""Transitions on disk: JSON Lines, gzip-compressed where the name ends in ``.gz``.

The first line is a header, ``{"format": "dreamgym_env.transitions", "version": 1, "domain": ...}``; each other line is
one transition (see :mod:`dreamgym_env.memory.records`).  A history is written only where it does not follow from
earlier lines of the same episode, so a file grows with the number of steps, not with its square.
"""

from __future__ import annotations

import gzip
import io
import itertools
import json
import os
import tempfile
import zlib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import Any, BinaryIO, cast

from dreamgym_env.errors import ExperienceFormatError
from dreamgym_env.memory.records import dump_line, from_record, to_record
from dreamgym_env.types import Transition

__all__ = [
    "SCHEMA_VERSION",
    "TransitionWriter",
    "read_domain_transitions",
    "read_header",
    "read_transitions",
    "write_transitions",
]

SCHEMA_VERSION = 1
FORMAT = "dreamgym_env.transitions"
MAX_LINE_BYTES = 64 * 2**20
"""No transition is longer; a file with a longer line is not a transitions file, or is broken."""

_NO_HEADER: Mapping[str, Any] = MappingProxyType({})


def write_transitions(
    path: str | os.PathLike[str], transitions: Iterable[Transition], *, header: Mapping[str, Any] = _NO_HEADER
) -> int:
    """Write a transitions file; an existing one is replaced only when the new one is complete.

    The same transitions give the same bytes, compressed or not.

    Args:
        path: file to write; gzip if it ends in ``.gz``.
        transitions: steps of an episode in order; episodes may interleave.
        header: further members of the first line (JSON values), for example how it was recorded.

    Returns:
        How many transitions were written.
    """
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.", suffix=".tmp")
    try:
        with os.fdopen(handle, "wb") as raw:
            written = _write(raw, transitions, header, compress=target.suffix == ".gz")
            raw.flush()
            os.fsync(raw.fileno())
        Path(name).chmod(0o666 & ~_umask())
        Path(name).replace(target)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    return written


def read_transitions(path: str | os.PathLike[str]) -> list[Transition]:
    """Read a transitions file, all or nothing.

    Equal texts share one object, and the histories of an episode share their turns.

    Raises:
        ExperienceFormatError: it is no transitions file, of another version, or a line is broken (the message names
            the file and the line).
        FileNotFoundError: there is no such file.
    """
    path = Path(path)
    transitions: list[Transition] = []
    latest: dict[str, Transition] = {}
    for number, line in _lines(path):
        record = _parse(path, number, line)
        if number == 1:
            _check_header(path, record)
            continue
        try:
            transition = from_record(record, latest.get(str(record.get("episode"))))
        except ValueError as error:
            raise ExperienceFormatError(f"{path}, line {number}: {error}. Nothing of this file was read.") from error
        latest[transition.episode] = transition
        transitions.append(transition)
    return transitions


def read_domain_transitions(path: str | os.PathLike[str], domain: str | None = None) -> list[Transition]:
    """Read a transitions file as :func:`read_transitions` does; it must hold some, all of one domain.

    Args:
        path: the file.
        domain: name of the domain; None for that of the first transition.

    Raises:
        ExperienceFormatError: it holds none, or one of another domain, or cannot be read.
        FileNotFoundError: there is no such file.
    """
    transitions = read_transitions(path)
    if not transitions:
        raise ExperienceFormatError(f"{path} holds no transitions: record some with `dreamgym record`.")
    expected = transitions[0].domain if domain is None else domain
    others = {transition.domain for transition in transitions} - {expected}
    if others:
        raise ExperienceFormatError(
            f"{path} holds transitions of {', '.join(map(repr, sorted(others)))}, and not of {expected!r} alone: give "
            "a file of one domain."
        )
    return transitions


def read_header(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Return the first line of a transitions file: its format, version and domain, and how it was made.

    Raises:
        ExperienceFormatError: it is no transitions file, or of another version.
        FileNotFoundError: there is no such file.
    """
    path = Path(path)
    number, line = next(_lines(path))
    header = _parse(path, number, line)
    _check_header(path, header)
    return header


class TransitionWriter:
    """Appends transitions to a file as they happen; opening an existing file continues it.

    What was flushed survives the process.  A line that a killed process left half written is cut off on opening.
    """

    def __init__(self, path: str | os.PathLike[str], *, header: Mapping[str, Any] = _NO_HEADER) -> None:
        """Open ``path`` for appending, creating it (and its folder) if it does not exist.

        Args:
            path: transitions file; gzip if it ends in ``.gz``.
            header: further members of the first line of a new file.

        Raises:
            ExperienceFormatError: the file exists and is not a transitions file.
        """
        self.path = Path(path)
        self._header = header
        self._compress = self.path.suffix == ".gz"
        self._latest: dict[str, Transition] = {}
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._empty = not _keep_complete_lines(self.path)
        self._file: BinaryIO | None = self._open()

    def write(self, transition: Transition) -> None:
        """Append one transition."""
        if self._file is None:
            raise ValueError(f"{self.path} is closed: open a new TransitionWriter to continue it.")
        if self._empty:
            self._file.write(_header_line(transition.domain, self._header))
            self._empty = False
        self._file.write(_line(to_record(transition, self._latest.get(transition.episode))))
        if transition.terminated:
            self._latest.pop(transition.episode, None)
        else:
            self._latest[transition.episode] = transition

    def flush(self) -> None:
        """Make everything written so far survive the process."""
        if self._file is None:
            return
        if self._compress:  # a finished gzip member is complete by itself; the next one follows it
            self._file.close()
            self._file = self._open()
        else:
            self._file.flush()

    def close(self) -> None:
        """Flush and close; calling it twice is allowed."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def __enter__(self) -> TransitionWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _open(self) -> BinaryIO:
        if self._compress:
            return cast(BinaryIO, gzip.open(self.path, "ab", compresslevel=6))
        return self.path.open("ab")


def _write(raw: BinaryIO, transitions: Iterable[Transition], header: Mapping[str, Any], *, compress: bool) -> int:
    stream: BinaryIO = raw
    if compress:  # neither a time nor a name in the gzip header: same content, same bytes
        stream = cast(BinaryIO, gzip.GzipFile(filename="", mode="wb", fileobj=raw, compresslevel=9, mtime=0))
    iterator = iter(transitions)
    first = next(iterator, None)
    stream.write(_header_line(first.domain if first else "", header))
    latest: dict[str, Transition] = {}
    written = 0
    for transition in itertools.chain([] if first is None else [first], iterator):
        stream.write(_line(to_record(transition, latest.get(transition.episode))))
        latest[transition.episode] = transition
        written += 1
    if compress:
        stream.close()
    return written


def _header_line(domain: str, header: Mapping[str, Any]) -> bytes:
    return _line({"format": FORMAT, "version": SCHEMA_VERSION, "domain": domain, **header})


def _line(record: Mapping[str, Any]) -> bytes:
    return dump_line(record).encode() + b"\n"


def _lines(path: Path) -> Iterator[tuple[int, bytes]]:
    """Yield (line number from 1, line without its end); blank lines are passed over."""
    number = 0
    try:
        with gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb") as stream:
            while line := stream.readline(MAX_LINE_BYTES + 1):
                number += 1
                if len(line) > MAX_LINE_BYTES:
                    raise ExperienceFormatError(
                        f"{path}, line {number} is longer than {MAX_LINE_BYTES} bytes: this is not a transitions file."
                    )
                if line.strip():
                    yield number, line
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise ExperienceFormatError(
            f"{path} is not a whole gzip file: it breaks off or is damaged after line {number} ({error}). Opening it "
            "with TransitionWriter keeps the complete lines."
        ) from error
    if number == 0:
        raise ExperienceFormatError(f"{path} is empty: a transitions file begins with a header line.")


def _parse(path: Path, number: int, line: bytes) -> dict[str, Any]:
    try:
        record = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise ExperienceFormatError(
            f"{path}, line {number} is not JSON ({error}). Nothing of this file was read; mend or remove the line."
        ) from error
    if not isinstance(record, dict):
        raise ExperienceFormatError(f"{path}, line {number} is not a JSON object. Nothing of this file was read.")
    return record


def _check_header(path: Path, header: Mapping[str, Any]) -> None:
    if header.get("format") != FORMAT:
        raise ExperienceFormatError(
            f'{path}, line 1 does not say "format": "{FORMAT}": this is not a transitions file. '
            "write_transitions and RecordTransitions write such files."
        )
    if header.get("version") != SCHEMA_VERSION:
        raise ExperienceFormatError(
            f"{path} is of version {header.get('version')!r}; this library reads version {SCHEMA_VERSION}. "
            "Write it again with this version of the library, or install the one that wrote it."
        )


def _keep_complete_lines(path: Path) -> bool:
    """Cut off what a killed writer left incomplete; return whether a header is there."""
    if not path.exists() or path.stat().st_size == 0:
        return False
    content, broken = _decompressed(path) if path.suffix == ".gz" else (path.read_bytes(), False)
    whole = content[: content.rfind(b"\n") + 1]
    if not whole:
        if content[:1] not in (b"", b"{"):
            raise ExperienceFormatError(f"{path} exists and is not a transitions file: choose another name.")
        path.write_bytes(b"")
        return False
    _check_header(path, _parse(path, 1, whole[: whole.find(b"\n")]))
    if broken or len(whole) < len(content):
        rescued = path.with_name(f".{path.name}.rescued")
        rescued.write_bytes(gzip.compress(whole, mtime=0) if path.suffix == ".gz" else whole)
        rescued.replace(path)
    return True


def _decompressed(path: Path) -> tuple[bytes, bool]:
    """Return what can be read of a gzip file, and whether it breaks off."""
    content = io.BytesIO()
    try:
        with gzip.open(path, "rb") as stream:
            while block := stream.read1(1 << 20):
                content.write(block)
    except (EOFError, zlib.error, gzip.BadGzipFile):
        return content.getvalue(), True
    return content.getvalue(), False


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
