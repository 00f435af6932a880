"""Several servers that share the load, failing ones avoided for a while."""

from __future__ import annotations

import time
from collections.abc import Sequence
from urllib.parse import SplitResult, urlsplit

from dreamgym_env.masking import mask_secrets
from dreamgym_env.world_model.generators.openai.retry import RetryPolicy

__all__ = ["Server", "choose_server"]


class Server:
    """Where calls can go, how many are there, and whether it is well.

    Args:
        base_url: for example ``"http://host:8000/v1"``.
        path: appended to it, for example ``"/chat/completions"``.

    Raises:
        ValueError: the URL is not an http or https URL of a host, or it holds a user name or password.
    """

    def __init__(self, base_url: str, path: str) -> None:
        parts = urlsplit(base_url)
        self.base_url = mask_secrets(base_url)
        """As it may be shown."""
        if parts.username or parts.password:
            raise ValueError("A base URL must not hold a user name or password; pass the key as api_key.")
        if parts.scheme not in ("http", "https") or not parts.hostname or _port(parts) == 0:
            raise ValueError(
                f"{self.base_url!r} is no base URL of a server; write for example 'http://localhost:8000/v1'."
            )
        self.url = parts._replace(path=parts.path.rstrip("/") + path, fragment="").geturl()
        """What is called."""
        self.reached = False
        """Whether a connection to it ever stood."""
        self.in_flight = 0
        self.rests_until = 0.0
        """Time of the monotonic clock until which it is avoided."""
        self._failures = 0
        """Times in a row that it was rested."""

    def rest(self, policy: RetryPolicy, retry_after: float) -> None:
        """Avoid this server for a while after a failure: longer each time, or as long as it asks for."""
        now = time.monotonic()
        if now < self.rests_until:
            return  # a call that was sent before the rest began
        self.rests_until = now + policy.rest(self._failures, retry_after)
        self._failures += 1

    def recover(self) -> None:
        """Use this server fully again, unless it has still to rest (then the success is of an earlier call)."""
        if time.monotonic() >= self.rests_until:
            self._failures = 0

    @property
    def well(self) -> bool:
        """Whether its latest call did not fail."""
        return not self._failures

    @property
    def available(self) -> bool:
        """Whether a call may go here now: after a failure one call at a time, until one succeeds."""
        return self.well or (self.in_flight == 0 and time.monotonic() >= self.rests_until)


def _port(parts: SplitResult) -> int | None:
    """Return the port, 0 for one that is none; urllib's own error would show what stands there, perhaps a password."""
    try:
        return parts.port
    except ValueError:
        return 0


def choose_server(servers: Sequence[Server]) -> Server:
    """Return the available server with the fewest calls in flight, else the one that rests for the shortest."""
    available = [server for server in servers if server.available]
    if available:
        return min(available, key=lambda server: server.in_flight)
    return min(servers, key=lambda server: server.rests_until)
