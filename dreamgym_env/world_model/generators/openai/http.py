"""HTTP by libcurl: any number of posts on their way at once, all driven by one thread.

libcurl sends and receives outside Python's global lock, so that the thread that asks can go on building prompts.
"""

from __future__ import annotations

import contextlib
import select
import socket
import ssl
import sys
import time
from collections import defaultdict
from collections.abc import Mapping
from io import BytesIO
from typing import Any
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import pycurl

from dreamgym_env.world_model.generators.openai.protocol import RefusedError, Response
from dreamgym_env.world_model.generators.openai.retry import TryAgainError, UnreachedError

__all__ = ["HttpClient"]

_BLIND_WAIT = 0.005
"""Seconds between looks at connections that ``select`` cannot watch: their number is too high, or there is none yet."""
_UNREACHED = frozenset({pycurl.E_COULDNT_CONNECT, pycurl.E_COULDNT_RESOLVE_HOST, pycurl.E_COULDNT_RESOLVE_PROXY})
_CLOSED = frozenset({pycurl.E_PARTIAL_FILE, pycurl.E_GOT_NOTHING})
_NOT_HTTP = frozenset({pycurl.E_UNSUPPORTED_PROTOCOL, pycurl.E_FTP_WEIRD_SERVER_REPLY})


class HttpClient:
    """Posts JSON and returns what comes back; only :meth:`wake` may be called from another thread than the first.

    Connections are kept and used again; redirects are not followed.

    Args:
        headers: sent with every request.
        timeout: seconds until a call must be answered completely.
        connect_timeout: seconds until a connection must stand.
        max_response_bytes: the longest body that is read.
        max_idle: the most connections that are kept for later calls.
    """

    def __init__(
        self,
        headers: Mapping[str, str],
        timeout: float,
        connect_timeout: float,
        max_response_bytes: int,
        max_idle: int,
    ) -> None:
        fields = {"Content-Type": "application/json", "User-Agent": "dreamgym_env", **headers}
        self._headers = [(f"{name}: {value}" if value else f"{name};").encode() for name, value in fields.items()]
        self._headers.append(b"Expect:")  # no "100-continue" before long bodies, which costs a round trip
        self._timeout, self._connect_timeout = timeout, connect_timeout
        self._max_response_bytes = max_response_bytes
        self._multi = pycurl.CurlMulti()
        self._multi.setopt(pycurl.M_MAXCONNECTS, max_idle)
        self._idle: defaultdict[str, list[Any]] = defaultdict(list)
        """Handles for the next calls, by URL."""
        self.in_flight: dict[Any, Any] = {}
        """The tags of the calls in flight, with their handles."""
        self._woken, self._waker = socket.socketpair()
        self._woken.setblocking(False)
        self._waker.setblocking(False)

    def post(self, tag: Any, url: str, body: bytes) -> None:
        """Begin a call; ``tag`` names it, and no other call in flight may have the same."""
        idle = self._idle[url]
        curl = idle.pop() if idle else self._handle(url)
        curl.tag, curl.received = tag, BytesIO()
        curl.setopt(pycurl.POSTFIELDS, body)
        curl.setopt(pycurl.WRITEFUNCTION, curl.received.write)
        self._multi.add_handle(curl)
        self.in_flight[tag] = curl

    def cancel(self, tag: Any) -> None:
        """Forget a call in flight."""
        curl = self.in_flight.pop(tag)
        self._multi.remove_handle(curl)
        self._idle[curl.url].append(curl)

    def advance(self, seconds: float | None) -> list[tuple[Any, Response | TryAgainError | RefusedError]]:
        """Send and receive what can be, and return the calls that ended, with the response or why there is none.

        If none has ended, wait for the network, at most so many seconds (None: without a limit) or until woken.
        """
        self._multi.perform()
        ended = self._ended()
        if not ended and seconds != 0 and self._wait(seconds):
            self._multi.perform()
            ended = self._ended()
        return ended

    def wake(self) -> None:
        """Let :meth:`advance` return soon; any thread may call this."""
        with contextlib.suppress(OSError):  # there are wakes enough in the pipe, or it was closed
            self._waker.send(b"\0")

    def close(self) -> None:
        """Drop all calls and connections."""
        for tag in list(self.in_flight):
            self.cancel(tag)
        for curl in (curl for idle in self._idle.values() for curl in idle):
            curl.close()
        self._multi.close()
        self._woken.close()
        self._waker.close()

    def _wait(self, seconds: float | None) -> bool:
        """Wait as :meth:`advance` says; return whether there may be something to send or receive."""
        readable, writable, _ = self._multi.fdset()
        if len({*readable, *writable}) < len(self.in_flight):
            seconds = _BLIND_WAIT if seconds is None else min(seconds, _BLIND_WAIT)
        due = self._multi.timeout() / 1e3
        if due >= 0:
            seconds = due if seconds is None else min(seconds, due)
        try:
            ready, *_ = select.select([self._woken, *readable], writable, [], seconds)
        except ValueError:  # more connections than select takes
            time.sleep(_BLIND_WAIT)
            return True
        if self._woken in ready:
            self._woken.recv(4096)
        return ready != [self._woken]

    def _ended(self) -> list[tuple[Any, Response | TryAgainError | RefusedError]]:
        _, answered, failed = self._multi.info_read()
        ended: list[tuple[Any, Response | TryAgainError | RefusedError]] = []
        ended.extend((curl.tag, _response(curl)) for curl in answered)
        ended.extend((curl.tag, self._failure(curl, code, said)) for curl, code, said in failed)
        for tag, _ in ended:
            self.cancel(tag)
        return ended

    def _failure(self, curl: Any, code: int, said: str) -> TryAgainError | RefusedError:
        if code == pycurl.E_FILESIZE_EXCEEDED:
            limit = self._max_response_bytes
            return RefusedError(f"sent an answer that exceeds {limit} bytes; it was not read to its end")
        if code == pycurl.E_OPERATION_TIMEDOUT:
            if curl.getinfo(pycurl.REQUEST_SIZE):
                return TryAgainError(f"no complete answer within {self._timeout:g} s")
            return UnreachedError(f"no connection within {min(self._connect_timeout, self._timeout):g} s")
        if code in _UNREACHED:
            return UnreachedError(said)
        if code in _CLOSED:
            return TryAgainError("the server closed the connection before its answer was complete")
        return TryAgainError(f"the server's answer is not HTTP ({said})" if code in _NOT_HTTP else said)

    def _handle(self, url: str) -> Any:
        curl = pycurl.Curl()
        curl.url = url
        curl.setopt(pycurl.URL, url.encode())
        curl.setopt(pycurl.HTTP_VERSION, pycurl.CURL_HTTP_VERSION_1_1)
        curl.setopt(pycurl.HTTPHEADER, self._headers)
        curl.setopt(pycurl.POST, 1)
        curl.setopt(pycurl.PROXY, _proxy(url))
        curl.setopt(pycurl.TIMEOUT_MS, _milliseconds(self._timeout))
        curl.setopt(pycurl.CONNECTTIMEOUT_MS, _milliseconds(self._connect_timeout))
        curl.setopt(pycurl.MAXFILESIZE_LARGE, self._max_response_bytes)
        curl.setopt(pycurl.NOSIGNAL, 1)
        if url.startswith("https:"):
            _trust(curl)
        return curl


def _response(curl: Any) -> Response:
    status, body = curl.getinfo(pycurl.RESPONSE_CODE), curl.received.getvalue()
    if status == 200:
        return Response(status, body)
    return Response(
        status,
        body,
        retry_after=curl.getinfo(pycurl.RETRY_AFTER),
        location=curl.getinfo(pycurl.REDIRECT_URL) or "",
    )


def _milliseconds(seconds: float) -> int:
    return max(1, round(seconds * 1e3))  # 0 would be libcurl's default


def _proxy(url: str) -> str:
    """Return the proxy that Python's rules choose (libcurl would read fewer of the variables), or an empty string."""
    parts = urlsplit(url)
    return "" if proxy_bypass(parts.netloc) else getproxies().get(parts.scheme, "")


def _trust(curl: Any) -> None:
    """Trust whom Python trusts; the paths built into libcurl are those of the machine that built it."""
    paths = ssl.get_default_verify_paths()
    for option, path in ((pycurl.CAINFO, paths.cafile), (pycurl.CAPATH, paths.capath)):
        if path is None:
            curl.unsetopt(option)
        else:
            curl.setopt(option, path)
    if sys.platform in ("win32", "darwin"):
        curl.setopt(pycurl.SSL_OPTIONS, pycurl.SSLOPT_NATIVE_CA)
