"""The state of the bundled sites: a SQLite database in memory that goes back to its first content in milliseconds."""

from __future__ import annotations

import functools
import sqlite3
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import Any

from dreamgym_env.domains.webarena.sites.content.code import code_records
from dreamgym_env.domains.webarena.sites.content.forum import forum_records
from dreamgym_env.domains.webarena.sites.content.region import region_records
from dreamgym_env.domains.webarena.sites.content.shop import shop_records

__all__ = ["Database", "content_records"]

_SCHEMA = Path(__file__).with_name("schema.sql")
_template_lock = threading.Lock()


def content_records() -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield the table and the row of everything that the sites show at first."""
    return chain(shop_records(), forum_records(), code_records(), region_records())


class Database:
    """One independent state of all sites; its methods may be called in any thread."""

    def __init__(self) -> None:
        """Begin with the first content."""
        self._lock = threading.RLock()
        self._connection = sqlite3.connect(":memory:", check_same_thread=False, isolation_level=None)
        self._connection.row_factory = sqlite3.Row
        self.reset()

    def reset(self) -> None:
        """Go back to the first content."""
        with self._lock, _template_lock:
            _template().backup(self._connection)

    def rows(self, sql: str, *values: object) -> list[sqlite3.Row]:
        """Return the rows of a query, or run a statement that returns none."""
        with self._lock:
            return self._connection.execute(sql, values).fetchall()

    def row(self, sql: str, *values: object) -> sqlite3.Row | None:
        """Return the first row of a query, or None."""
        return next(iter(self.rows(sql, *values)), None)

    def value(self, sql: str, *values: object) -> Any:
        """Return the first value of the first row of a query, or None."""
        row = self.row(sql, *values)
        return row[0] if row is not None else None

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Keep what is done inside together: all of it is done or, after an exception, none."""
        with self._lock:
            self._connection.execute("BEGIN")
            try:
                yield
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")

    def close(self) -> None:
        """Release the memory; closing twice is allowed."""
        with self._lock:
            self._connection.close()


@functools.cache
def _template() -> sqlite3.Connection:
    """Return the database with the first content; drawn once in a process."""
    connection = sqlite3.connect(":memory:", check_same_thread=False)
    connection.executescript(_SCHEMA.read_text())
    for table, row in content_records():
        marks = ", ".join("?" * len(row))
        statement = f"INSERT INTO {table} ({', '.join(row)}) VALUES ({marks})"
        connection.execute(statement, tuple(row.values()))
    connection.commit()
    return connection
