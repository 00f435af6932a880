"""When to try again: exponential back-off with jitter, or when the server asks for it."""

from __future__ import annotations

import random
from dataclasses import dataclass

__all__ = ["RetryPolicy", "TryAgainError", "UnreachedError"]


class TryAgainError(Exception):
    """An attempt failed in a way that may pass.

    Args:
        reason: what happened.
        retry_after: seconds that the server asks to wait; 0 where it asks for nothing.
    """

    def __init__(self, reason: str, retry_after: float = 0.0) -> None:
        super().__init__(reason)
        self.retry_after = retry_after


class UnreachedError(TryAgainError):
    """No connection came about: it was refused, nobody knows the host, or nothing answered in time."""


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How often and how soon a failed call is tried again."""

    max_retries: int = 6
    """Tries after the first one."""
    max_retries_unreached: int = 3
    """The most of them while no server was ever reached, but enough to ask each: about 3 seconds by default."""
    first_delay: float = 0.5
    """Seconds before the first retry; doubled for each further one."""
    max_delay: float = 30.0
    """The longest back-off in seconds."""
    max_retry_after: float = 120.0
    """The longest wait in seconds that a server's Retry-After may ask for; a longer one is cut to this."""
    longest_rest: float = 120.0
    """The longest time in seconds that a failing server is avoided while others answer."""

    def retries(self, servers: int, *, reached: bool) -> int:
        """Return how many tries may follow the first one.

        A server that was reached before is probably being restarted; where none ever was, the URL is probably wrong.

        Args:
            servers: how many there are.
            reached: whether a connection to any of them ever stood.
        """
        return self.max_retries if reached else min(self.max_retries, max(self.max_retries_unreached, servers - 1))

    def delay(self, attempt: int, retry_after: float, dice: random.Random) -> float:
        """Return the seconds to wait after failed attempt number ``attempt`` (from 0).

        Without Retry-After it lies between half of the exponential delay and the whole; with it, it is never shorter
        than asked and up to a tenth longer, so that many clients do not come back in the same instant.
        """
        if retry_after:
            return min(retry_after, self.max_retry_after) * dice.uniform(1.0, 1.1)
        backoff = min(self.first_delay * 2.0**attempt, self.max_delay)
        return backoff * dice.uniform(0.5, 1.0)

    def rest(self, failures: int, retry_after: float) -> float:
        """Return the seconds for which to avoid a server that was rested ``failures`` times in a row before."""
        if retry_after:
            return min(retry_after, self.max_retry_after)
        return min(self.first_delay * 2.0 ** min(failures, 64), self.longest_rest)
