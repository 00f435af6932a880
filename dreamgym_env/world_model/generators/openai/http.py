"""HTTP for blocking code: an aiohttp session in an event loop in a thread of its own."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine, Mapping
from typing import Any, TypeVar
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import aiohttp

from dreamgym_env.world_model.generators.openai.protocol import RefusedError, Response
from dreamgym_env.world_model.generators.openai.retry import TryAgainError

__all__ = ["HttpThread"]

T = TypeVar("T")


class HttpThread:
    """Runs coroutines for callers of any thread, even inside another event loop, and posts for them.

    Args:
        headers: sent with every request.
        timeout: seconds until a call must be answered completely.
        connect_timeout: seconds until a connection must stand.
        max_response_bytes: the longest body that is read.
    """

    def __init__(
        self, headers: Mapping[str, str], timeout: float, connect_timeout: float, max_response_bytes: int
    ) -> None:
        self._timeout = aiohttp.ClientTimeout(total=timeout, connect=connect_timeout)
        self._max_response_bytes = max_response_bytes
        self._proxies: dict[str, str | None] = {}
        self._runner = asyncio.Runner(loop_factory=asyncio.new_event_loop)
        self._loop = self._runner.get_loop()
        self._thread = threading.Thread(target=self._serve, name="dreamgym-openai", daemon=True)
        self._thread.start()
        self._session = self.run(self._open_session({"Content-Type": "application/json", **headers}))

    @property
    def alive(self) -> bool:
        """Whether the thread runs (it does not after :meth:`close`, nor in a forked child)."""
        return self._thread.is_alive()

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Return what ``coroutine`` returns; if the caller is interrupted, it is cancelled."""
        future = asyncio.run_coroutine_threadsafe(coroutine, self._loop)
        try:
            return future.result()
        except BaseException:
            future.cancel()
            raise

    def close(self) -> None:
        """Close all connections, cancel what still runs and end the thread; calling it twice is allowed."""
        if self.alive:
            self.run(self._session.close())
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()

    async def post(self, url: str, body: bytes) -> Response:
        """Send one request and return the response, whatever its status; redirects are not followed.

        Raises:
            TryAgainError: no connection, or it broke, or what came back is not HTTP, or it took too long.
            RefusedError: the answer is longer than allowed.
        """
        try:
            try:
                return await self._exchange(url, body)
            except aiohttp.ClientConnectorError:
                raise
            except (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError):
                # Most likely the server closed an idle connection while the request was on its way.
                return await self._exchange(url, body)
        except aiohttp.ConnectionTimeoutError as error:
            raise TryAgainError(f"no connection within {self._timeout.connect:g} s") from error
        except TimeoutError as error:
            raise TryAgainError(f"no complete answer within {self._timeout.total:g} s") from error
        except aiohttp.ClientConnectorError as error:
            raise TryAgainError(str(error)) from error
        except (aiohttp.ClientConnectionError, aiohttp.ClientPayloadError) as error:
            raise TryAgainError("the server closed the connection before its answer was complete") from error
        except aiohttp.ClientError as error:
            raise TryAgainError(f"the server's answer is not HTTP ({error})") from error

    async def _exchange(self, url: str, body: bytes) -> Response:
        async with self._session.post(url, data=body, allow_redirects=False, proxy=self._proxy(url)) as response:
            content = bytearray()
            async for chunk in response.content.iter_any():
                content += chunk
                if len(content) > self._max_response_bytes:
                    response.close()
                    limit = self._max_response_bytes
                    raise RefusedError(f"sent an answer that exceeds {limit} bytes; it was not read to its end")
            return Response(response.status, response.headers, bytes(content))

    def _proxy(self, url: str) -> str | None:
        # aiohttp's trust_env would ask the environment in another thread for each call, and send what ~/.netrc holds
        # for the host as well, which collides with an API key.
        if url not in self._proxies:
            parts = urlsplit(url)
            self._proxies[url] = None if proxy_bypass(parts.netloc) else getproxies().get(parts.scheme)
        return self._proxies[url]

    async def _open_session(self, headers: Mapping[str, str]) -> aiohttp.ClientSession:
        return aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0),  # the generator bounds the calls in flight
            cookie_jar=aiohttp.DummyCookieJar(),
            headers=headers,
            timeout=self._timeout,
        )

    def _serve(self) -> None:
        with self._runner:
            self._loop.run_forever()
