"""The server of the bundled sites: one thread, one port a lane, on loopback only."""

from __future__ import annotations

import http.client
import socket
import threading
import time
from types import TracebackType
from typing import TYPE_CHECKING
from urllib.error import HTTPError
from urllib.request import ProxyHandler, build_opener

from dreamgym_env.domains.webarena.sites.database import Database
from dreamgym_env.domains.webarena.sites.directory import SITES, site_of_url
from dreamgym_env.domains.webarena.sites.queries import run_query
from dreamgym_env.errors import MissingDependencyError

if TYPE_CHECKING:
    import uvicorn

__all__ = ["Lane", "Sites"]

_HOST = "127.0.0.1"
_PATIENCE = 10.0
"""Seconds to wait for the server to start, to stop, or to answer an evaluator."""


class Lane:
    """One independent state of all sites, behind a port of its own."""

    def __init__(self, port: int) -> None:
        """Begin with the first content."""
        self.port = port
        self.database = Database()

    @property
    def proxy(self) -> str:
        """The address that a browser needs as its HTTP proxy to reach :data:`SITE_URLS`, and nothing else."""
        return f"http://{_HOST}:{self.port}"

    def local_url(self, site: str) -> str:
        """Return where a person's browser finds a site without a proxy."""
        return f"http://{SITES[site].host}.localhost:{self.port}/"

    def reset(self) -> None:
        """Go back to the first content."""
        self.database.reset()

    def fetch(self, url: str) -> str:
        """Return the HTML of a page, also of one that says that something is wrong.

        Returns:
            An empty text for a URL that is none of the sites'.

        Raises:
            OSError: the server does not answer.
        """
        if site_of_url(url) is None:
            return ""
        opener = build_opener(ProxyHandler({"http": self.proxy}))
        try:
            with opener.open(url, timeout=_PATIENCE) as answer:
                content: bytes = answer.read()
        except HTTPError as error:
            content = error.read()
        except http.client.HTTPException as error:  # a URL that cannot be sent, such as one with a blank in it
            raise OSError(f"{url!r:.200} cannot be fetched: {error}") from error
        return content.decode()

    def query(self, name: str, *arguments: str) -> list[str]:
        """Return the first value of each row of a named query (:mod:`.queries`)."""
        return run_query(self.database, name, *arguments)


class Sites:
    """The five sites, listening until they are closed."""

    def __init__(self, lanes: int = 1) -> None:
        """Listen on as many free ports of 127.0.0.1 as there are lanes.

        Args:
            lanes: how many independent states, from 1.

        Raises:
            ValueError: ``lanes`` is less than 1.
            MissingDependencyError: the extra ``webarena`` is not installed.
            OSError: the ports cannot be had, or the server does not start.
        """
        if lanes < 1:
            raise ValueError(f"The bundled sites need at least one lane, not {lanes}.")
        _require_packages()
        sockets = [_listening() for _ in range(lanes)]
        self.lanes = tuple(Lane(listening.getsockname()[1]) for listening in sockets)
        self._server = _server({lane.port: lane.database for lane in self.lanes})
        self._thread = threading.Thread(
            target=self._server.run, args=(sockets,), name="dreamgym bundled sites", daemon=True
        )
        self._thread.start()
        deadline = time.monotonic() + _PATIENCE
        while not self._server.started:
            if time.monotonic() > deadline or not self._thread.is_alive():
                raise OSError("The server of the bundled sites did not start.")
            time.sleep(0.005)

    def close(self) -> None:
        """Stop listening and forget all states; closing twice is allowed."""
        self._server.should_exit = True
        self._thread.join(_PATIENCE)
        for lane in self.lanes:
            lane.database.close()

    def __enter__(self) -> Sites:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _listening() -> socket.socket:
    """Return a socket that listens on a free port.

    Connections inherit TCP_NODELAY from it; asyncio sets it only on sockets that were made with an explicit protocol,
    and without it every page but the first of a connection waits 40 ms for an acknowledgement.
    """
    listening = socket.create_server((_HOST, 0))
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listening


def _require_packages() -> None:
    try:
        import jinja2  # noqa: F401
        import starlette  # noqa: F401
        import uvicorn  # noqa: F401
    except ImportError as error:
        raise MissingDependencyError(
            f"The bundled sites come with an extra that is not installed ({error}): "
            "pip install 'dreamgym_env[webarena]'."
        ) from error


def _server(lanes: dict[int, Database]) -> uvicorn.Server:
    import uvicorn

    from dreamgym_env.domains.webarena.sites.application import Application

    return uvicorn.Server(
        uvicorn.Config(
            Application(lanes),
            loop="asyncio",
            http="h11",
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            proxy_headers=False,
            server_header=False,
            timeout_graceful_shutdown=1,
        )
    )
