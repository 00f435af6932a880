"""Pages on their way: a click returns before the page that it leads to is there, and a busy site can take seconds."""

from __future__ import annotations

import time

import playwright.sync_api as playwright

__all__ = ["PagesOnTheirWay"]

_PAUSE = 0.02
"""Seconds between looks."""
_NO_CONTENT = frozenset({204, 205})
"""Statuses of answers after which the page stays."""


class PagesOnTheirWay:
    """The pages that a context's tabs have asked for and do not show yet."""

    def __init__(self, context: playwright.BrowserContext) -> None:
        """Watch a context that has no tabs yet."""
        self._context = context
        self._asked: dict[playwright.Frame, playwright.Request] = {}
        context.on("page", lambda page: page.on("framenavigated", self._shown))
        context.on("request", self._begun)
        context.on("response", self._answered)
        context.on("requestfailed", self._over)

    def __bool__(self) -> bool:
        """Return whether there are any."""
        return bool(self._asked)

    def wait(self, deadline: float) -> None:
        """Wait until all are shown, or until a time of :func:`time.monotonic`."""
        self._context.cookies()  # any question to the browser lets its events in
        while self._asked and time.monotonic() < deadline:
            time.sleep(_PAUSE)
            self._context.cookies()
            self._asked = {frame: request for frame, request in self._asked.items() if not frame.page.is_closed()}

    def _begun(self, request: playwright.Request) -> None:
        if not request.is_navigation_request():
            return
        try:
            frame = request.frame
        except playwright.Error:  # the first page of a tab that is just being opened
            return
        if frame.parent_frame is None:
            self._asked[frame] = request  # a redirection takes the place of what it redirects

    def _answered(self, response: playwright.Response) -> None:
        if response.status in _NO_CONTENT:
            self._over(response.request)

    def _over(self, request: playwright.Request) -> None:
        self._asked = {frame: asked for frame, asked in self._asked.items() if asked is not request}

    def _shown(self, frame: playwright.Frame) -> None:
        self._asked.pop(frame, None)
