"""The web application: which lane, which site, which handler; rendering; pages for what goes wrong."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping
from importlib import import_module
from typing import Any
from urllib.parse import parse_qsl, unquote

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route as StarletteRoute
from starlette.types import Receive, Scope, Send

from dreamgym_env.domains.webarena.sites.database import Database
from dreamgym_env.domains.webarena.sites.directory import SITES, site_of_host
from dreamgym_env.domains.webarena.sites.pages import Answer, NotHereError, Page, Redirect, Route, Visit
from dreamgym_env.domains.webarena.sites.rendering import Renderer, message

__all__ = ["Application"]

logger = logging.getLogger(__name__)

_LARGEST_FORM = 256 * 1024
"""Bytes."""
_HEADERS = {
    "Cache-Control": "no-store",  # going back shows the page as it is now
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; img-src data:; form-action 'self'",
}
Endpoint = Callable[[Request], Awaitable[Response]]


class Application:
    """An ASGI application for all sites and all lanes."""

    def __init__(self, lanes: Mapping[int, Database]) -> None:
        """Build the routes.

        Args:
            lanes: port -> the state that a request to this port sees.
        """
        self._lanes = lanes
        self._renderer = Renderer()
        self._sites = {name: self._build(name) for name in SITES}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, sent to a site or, as a browser sends it to a proxy, with the whole URL as its path."""
        host, path = dict(scope["headers"]).get(b"host", b"").decode("latin-1"), scope["path"]
        if path.startswith("http://"):  # from the raw path: a %3F in it is no question mark
            host, _, rest = scope["raw_path"].decode("latin-1").removeprefix("http://").partition("/")
            path = unquote(f"/{rest}")
        name = site_of_host(host)
        if scope["method"] == "CONNECT" or (name is None and host.partition(":")[0] not in ("127.0.0.1", "localhost")):
            await HTMLResponse("<!doctype html><title>Not found</title><h1>There is no such site here.</h1>", 404)(
                scope, receive, send
            )
        elif name is None:
            await RedirectResponse(f"http://shop.localhost:{scope['server'][1]}/sites", 303)(scope, receive, send)
        else:
            inner = {**scope, "path": path, "raw_path": path.encode(), "database": self._lanes[scope["server"][1]]}
            await self._sites[name](inner, receive, send)

    def _build(self, name: str) -> Starlette:
        module = import_module(f"dreamgym_env.domains.webarena.sites.{name}")
        routes = [
            StarletteRoute(route.path, self._endpoint(name, module.NOTICES, route), methods=[route.method])
            for route in module.ROUTES
        ]
        routes.insert(0, StarletteRoute("/sites", self._list_sites(name)))
        return Starlette(routes=routes, exception_handlers={HTTPException: self._refuse(name)})

    def _endpoint(self, name: str, notices: Mapping[str, str], route: Route) -> Endpoint:
        async def answer(request: Request) -> Response:
            form = await _form(request) if route.method == "POST" else {}
            database: Database = request.scope["database"]
            visit = Visit(database, dict(request.query_params), form, request.path_params)
            try:
                with database.transaction():
                    answered = route.handler(visit)
                notice = "" if visit.form else notices.get(request.query_params.get("notice", ""), "")
                return self._respond(name, answered, notice)
            except NotHereError as error:
                return self._render(name, message(404, str(error)))
            except Exception:
                logger.exception("%s %s of the bundled site %s failed", route.method, request.url.path, name)
                return self._render(name, message(500))

        return answer

    def _list_sites(self, name: str) -> Endpoint:
        async def answer(request: Request) -> Response:
            return self._render(name, Page("sites.html", "All sites", {"others": _addresses(request)}))

        return answer

    def _respond(self, name: str, answered: Answer, notice: str) -> Response:
        if isinstance(answered, Redirect):
            suffix = f"?notice={answered.notice}" if answered.notice else ""
            return RedirectResponse(answered.path + suffix, 303, _HEADERS)
        return self._render(name, answered, notice)

    def _render(self, name: str, page: Page, notice: str = "") -> Response:
        text = self._renderer.render(name, page, notice)
        return HTMLResponse(text, page.status, _HEADERS)

    def _refuse(self, name: str) -> Callable[[Request, Exception], Awaitable[Response]]:
        async def refuse(request: Request, error: Exception) -> Response:
            status = error.status_code if isinstance(error, HTTPException) else 500
            return self._render(name, message(status))

        return refuse


def _addresses(request: Request) -> list[tuple[Any, str]]:
    """Return every site with its address as the visitor reaches it: through the proxy, or by the port."""
    host = request.headers["host"]
    suffix = host.partition(".")[2]
    return [(site, f"http://{site.host}.{suffix}/") for site in SITES.values()]


async def _form(request: Request) -> dict[str, str]:
    """Return the fields of a form. Raises HTTPException where it is too long."""
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > _LARGEST_FORM:
            raise HTTPException(413)
    return dict(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True, errors="replace"))
