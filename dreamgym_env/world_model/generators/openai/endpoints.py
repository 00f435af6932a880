"""Where calls go: pools of connections to several servers that share the load, failing ones avoided for a while."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Mapping, Sequence
from urllib.parse import urlsplit

from dreamgym_env.world_model.generators.openai.connection import Connection, Response, StaleConnectionError
from dreamgym_env.world_model.generators.openai.retry import RetryPolicy

__all__ = ["Endpoint", "Endpoints"]


class Endpoint:
    """One server.

    Args:
        base_url: for example ``"http://host:8000/v1"``.
        path: appended to it, for example ``"/chat/completions"``.
        headers: sent with every request.
        connect_timeout: seconds until a connection must stand.
        max_body_bytes: the longest answer that is read.

    Raises:
        ValueError: the URL is not an http or https URL of a host, it holds a user name or password, or a header holds
            a control character.
    """

    def __init__(
        self, base_url: str, path: str, headers: Mapping[str, str], connect_timeout: float, max_body_bytes: int
    ) -> None:
        parts = urlsplit(base_url)
        if parts.username or parts.password:
            raise ValueError("A base URL must not hold a user name or password; pass the key as api_key.")
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(f"{base_url!r} is no base URL of a server; write for example 'http://localhost:8000/v1'.")
        self.url = base_url
        self.in_flight = 0
        self._host = parts.hostname
        self._port = parts.port or (443 if parts.scheme == "https" else 80)
        self._tls = ssl.create_default_context() if parts.scheme == "https" else None
        fields = {"Host": parts.netloc, "Content-Type": "application/json", "Accept-Encoding": "identity", **headers}
        if any(ord(character) < 32 for value in fields.values() for character in value):
            raise ValueError("A header (or the API key) holds a line break or another control character; remove it.")
        lines = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
        target = f"{parts.path.rstrip('/')}{path}" + (f"?{parts.query}" if parts.query else "")
        self._head = f"POST {target} HTTP/1.1\r\n{lines}Content-Length: ".encode("latin-1")
        self._connect_timeout = connect_timeout
        self._max_body_bytes = max_body_bytes
        self._idle: list[Connection] = []
        self._failures = 0
        """Times in a row that the server was rested."""
        self.rests_until = 0.0
        """Time of the event loop's clock until which the server is avoided."""

    async def post(self, body: bytes) -> Response:
        """Send one request and return the response, whatever its status.

        Raises:
            OSError: no connection, or it broke (a ConnectionError or TimeoutError among them).
            ResponseTooLargeError: the answer exceeds the bound.
        """
        request = b"%s%d\r\n\r\n%s" % (self._head, len(body), body)
        while connection := self._take_idle():
            try:
                return await self._exchange(connection, request)
            except StaleConnectionError:
                continue
        return await self._exchange(await self._connect(), request)

    def rest(self, policy: RetryPolicy, retry_after: float | None) -> None:
        """Avoid this server for a while after a failure: longer each time, or as long as it asks for."""
        now = asyncio.get_running_loop().time()
        if now < self.rests_until:
            return  # a call that was sent before the rest began
        self.rests_until = now + policy.rest(self._failures, retry_after)
        self._failures += 1

    def recover(self) -> None:
        """Use this server fully again, unless it has still to rest (then the success is of an earlier call)."""
        if asyncio.get_running_loop().time() >= self.rests_until:
            self._failures = 0

    def is_available(self, now: float) -> bool:
        """Return whether a call may go here at ``now``: after a failure one call at a time, until one succeeds."""
        return not self._failures or (now >= self.rests_until and self.in_flight == 0)

    def close(self) -> None:
        """Drop all idle connections."""
        while self._idle:
            self._idle.pop().close()

    def _take_idle(self) -> Connection | None:
        while self._idle:
            connection = self._idle.pop()
            if connection.reusable:
                return connection
        return None

    async def _connect(self) -> Connection:
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(self._connect_timeout):
                _, connection = await loop.create_connection(
                    lambda: Connection(self._max_body_bytes), self._host, self._port, ssl=self._tls
                )
        except TimeoutError as error:
            raise TimeoutError(f"no connection within {self._connect_timeout:g} s") from error
        return connection

    async def _exchange(self, connection: Connection, request: bytes) -> Response:
        try:
            response = await connection.exchange(request)
        except BaseException:  # a cancelled call leaves half an answer on the wire, so the connection is lost as well
            connection.close()
            raise
        if connection.reusable:
            self._idle.append(connection)
        else:
            connection.close()
        return response


class Endpoints:
    """All servers of one model."""

    def __init__(self, endpoints: Sequence[Endpoint]) -> None:
        self._endpoints = tuple(endpoints)

    def choose(self) -> Endpoint:
        """Return the available server with the fewest calls in flight, else the one that rests for the shortest."""
        now = asyncio.get_running_loop().time()
        available = [endpoint for endpoint in self._endpoints if endpoint.is_available(now)]
        if available:
            return min(available, key=lambda endpoint: endpoint.in_flight)
        return min(self._endpoints, key=lambda endpoint: endpoint.rests_until)

    def any_available(self) -> bool:
        """Return whether a call may be sent without waiting."""
        now = asyncio.get_running_loop().time()
        return any(endpoint.is_available(now) for endpoint in self._endpoints)

    def close(self) -> None:
        """Drop all idle connections."""
        for endpoint in self._endpoints:
            endpoint.close()
