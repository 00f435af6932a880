"""The sites without a server: their handlers on a state of its own, for a program that follows what others do there.

A dream has no sites.  What its episodes do to them is done here again, form by form, so that the evaluators of a task
find the state that the episode would have left.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from importlib import import_module
from urllib.parse import parse_qsl, unquote, urljoin, urlsplit

from dreamgym_env.domains.webarena.sites.database import Database
from dreamgym_env.domains.webarena.sites.directory import SITE_URLS, SITES, site_of_url
from dreamgym_env.domains.webarena.sites.pages import Answer, NotHereError, Page, Redirect, Route, Visit
from dreamgym_env.domains.webarena.sites.queries import run_query
from dreamgym_env.domains.webarena.sites.rendering import Renderer, message

__all__ = ["Replica"]

_NAMED = {
    ("shop_admin", "products"): "SELECT id FROM products WHERE name = ?",
    ("shop_admin", "customers"): "SELECT id FROM customers WHERE name = ?",
    ("forum", "post"): "SELECT id FROM posts WHERE title = ? ORDER BY id",
}
"""Site and first part of a path -> the number that stands second in it, by the heading of the page."""


class Replica:
    """One independent state of all sites."""

    def __init__(self) -> None:
        """Begin with the first content."""
        self._database = Database()

    def reset(self) -> None:
        """Go back to the first content."""
        self._database.reset()

    def fetch(self, url: str) -> str:
        """Return the HTML of a page, also of one that says that something is wrong; empty for none of the sites'."""
        site = site_of_url(url)
        if site is None:
            return ""
        answer = self._visit(site, url, {}, "GET")
        if isinstance(answer, Redirect):
            answer = message(404)
        notices = import_module(f"dreamgym_env.domains.webarena.sites.{site}").NOTICES
        notice = dict(parse_qsl(urlsplit(url).query)).get("notice", "")
        return _renderer().render(site, answer, notices.get(notice, ""))

    def query(self, name: str, *arguments: str) -> list[str]:
        """Return the first value of each row of a named query (:mod:`.queries`)."""
        return run_query(self._database, name, *arguments)

    def send(self, url: str, fields: Mapping[str, str]) -> tuple[str, str]:
        """Send a form.

        Returns:
            Where the answer stands, and its HTML; both empty for an address that is none of the sites'.
        """
        site = site_of_url(url)
        if site is None:
            return "", ""
        answer = self._visit(site, url, fields, "POST")
        if isinstance(answer, Redirect):
            target = urljoin(url, answer.path) + (f"?notice={answer.notice}" if answer.notice else "")
            return target, self.fetch(target)
        return url, _renderer().render(site, answer)

    def address(self, url: str, heading: str) -> str:
        """Return where the page of a heading stands, for an address that is none of such a page's.

        Numbers in addresses follow from nothing that a page shows: a dream may have made one up.
        """
        site, parts = site_of_url(url), urlsplit(url).path.strip("/").split("/")
        sql = _NAMED.get((site or "", parts[0])) if len(parts) > 1 else None
        found = [str(row[0]) for row in self._database.rows(sql, heading)] if sql else []
        if not found or parts[1] in found:
            return url
        return urljoin(url, "/" + "/".join([parts[0], found[0], *parts[2:]]))

    def _visit(self, site: str, url: str, form: Mapping[str, str], method: str) -> Answer:
        parts = urlsplit(url)
        query = dict(parse_qsl(parts.query, keep_blank_values=True))
        if parts.path == "/sites":
            return Page("sites.html", "All sites", {"others": [(SITES[name], f"{SITE_URLS[name]}/") for name in SITES]})
        for route in _routes(site):
            names = _match(route.path, unquote(parts.path) or "/") if route.method == method else None
            if names is None:
                continue
            try:
                with self._database.transaction():
                    return route.handler(Visit(self._database, query, form, names))
            except NotHereError as error:
                return message(404, str(error))
        return message(404)


@functools.cache
def _renderer() -> Renderer:
    return Renderer()


@functools.cache
def _routes(site: str) -> tuple[Route, ...]:
    return tuple(import_module(f"dreamgym_env.domains.webarena.sites.{site}").ROUTES)


def _match(pattern: str, path: str) -> dict[str, str] | None:
    """Return the named parts of a path, or None where it is not of a pattern."""
    wanted, given = pattern.split("/"), path.split("/")
    if len(wanted) != len(given):
        return None
    names = {}
    for part, text in zip(wanted, given, strict=True):
        if part.startswith("{"):
            if not text:
                return None
            names[part[1:-1]] = text
        elif part != text:
            return None
    return names
