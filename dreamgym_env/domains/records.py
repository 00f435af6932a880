"""Files of records that are shipped: JSON Lines, packed so that the same records are the same bytes."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

__all__ = ["encode_records", "read_records", "write_records"]


def encode_records(records: Iterable[Mapping[str, Any]]) -> bytes:
    """Return the records as UTF-8 JSON Lines, uncompressed."""
    lines = (json.dumps(record, ensure_ascii=False) for record in records)
    return "".join(f"{line}\n" for line in lines).encode()


def write_records(path: Path, records: Iterable[Mapping[str, Any]]) -> None:
    """Write records, gzipped without name and time in the header: they would make every run's bytes differ."""
    content = encode_records(records)
    path.parent.mkdir(parents=True, exist_ok=True)
    with (
        path.open("wb") as file,
        gzip.GzipFile(filename="", mode="wb", compresslevel=9, fileobj=file, mtime=0) as packed,
    ):
        packed.write(content)


def read_records(path: Path) -> list[dict[str, Any]]:
    """Return the records of a file that :func:`write_records` wrote."""
    return [json.loads(line) for line in gzip.decompress(path.read_bytes()).splitlines()]
