"""MiniWoB++'s pages as BrowserGym's tasks, served on loopback; runs in the browser's process."""

from __future__ import annotations

import functools
import http.server
import threading
from pathlib import Path
from typing import Any

import miniwob
from browsergym.miniwob.base import AbstractMiniwobTask

__all__ = ["PLACEHOLDER", "MiniWoBPage"]

PLACEHOLDER = "__MINIWOB__"
"""Stands for the server's address in the texts."""


class MiniWoBPage(AbstractMiniwobTask):
    """One page with a seed."""

    sites: dict[str, str]
    confined = True

    def __init__(self, page: str, seed: int) -> None:
        """Name the page, for example ``"click-button"``."""
        self.subdomain = page
        address = _serve()
        super().__init__(seed=seed, base_url=f"{address}/miniwob/")
        self.sites = {PLACEHOLDER: address}

    @classmethod
    def get_task_id(cls) -> str:
        """Return a name; BrowserGym asks registered tasks for theirs, of which this is none."""
        return "miniwob.page"


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *arguments: Any) -> None:  # noqa: A002 - the base class's name
        """Say nothing."""


@functools.cache
def _serve() -> str:
    """Serve the installed pages on a free port of loopback for as long as the process lives; returns the address."""
    handler = functools.partial(_Quiet, directory=str(Path(miniwob.__file__).parent / "html"))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f"http://127.0.0.1:{server.server_port}"
