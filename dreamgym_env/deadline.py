"""A moment until which something is waited for."""

from __future__ import annotations

import threading
import time

__all__ = ["Deadline"]


class Deadline:
    """Counts down from a timeout."""

    def __init__(self, timeout: float | None) -> None:
        """Start counting; ``timeout`` in seconds, None for no end."""
        self._ends_at = None if timeout is None else time.monotonic() + min(timeout, threading.TIMEOUT_MAX / 2)

    def left(self) -> float | None:
        """Return the seconds that are left, at least 0; None for no end."""
        return None if self._ends_at is None else max(0.0, self._ends_at - time.monotonic())
