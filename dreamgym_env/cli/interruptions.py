"""Ctrl-C and SIGTERM while a command works: the first keeps what is finished, the second ends at once."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from collections.abc import Iterator
from types import FrameType, TracebackType
from typing import Any

from dreamgym_env.cli.errors import INTERRUPTED, complain

__all__ = ["Interruptions"]

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Interruptions:
    """Holds both signals for a ``with`` block; signals that the process was told to ignore stay ignored.

    The first raises KeyboardInterrupt within :meth:`allowed`; elsewhere it is remembered alone, so that what is
    finished can be written.  The second raises KeyboardInterrupt wherever it comes, and the third ends the process.
    """

    def __init__(self) -> None:
        self.seen = 0
        """How many came."""
        self._is_allowed = False
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Interruptions:
        if threading.current_thread() is threading.main_thread():  # no other may
            for number in _SIGNALS:
                if signal.getsignal(number) is not signal.SIG_IGN:
                    self._before[number] = signal.signal(number, self._note)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        while self._before:
            signal.signal(*self._before.popitem())

    @contextlib.contextmanager
    def allowed(self) -> Iterator[None]:
        """Return a ``with`` block that the first signal ends."""
        self._is_allowed = True
        try:
            yield
        finally:
            self._is_allowed = False

    def _note(self, number: int, frame: FrameType | None) -> None:
        self.seen += 1
        if self.seen > 2:
            os._exit(INTERRUPTED)
        if self.seen == 1:
            with contextlib.suppress(RuntimeError):  # it came in the middle of a print
                complain("Interrupted: what is finished is kept. Once more ends at once.")
        if self.seen > 1 or self._is_allowed:
            raise KeyboardInterrupt
