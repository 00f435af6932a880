"""Which bundled sites there are: names, addresses, and what stands at the top of their pages."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from dreamgym_env.domains.webarena.sites.content.code import username_of
from dreamgym_env.domains.webarena.sites.content.forum import handle_of
from dreamgym_env.domains.webarena.sites.content.names import USER_NAME

__all__ = ["SITES", "SITE_URLS", "Site", "resolve_url", "site_of_host", "site_of_url"]


@dataclass(frozen=True, slots=True)
class Site:
    """One of the sites."""

    host: str
    """The first part of its host name."""
    title: str
    about: str
    colour: str
    user: str
    """Who is logged in."""
    search: str
    """Label of the search field at the top; empty for none."""
    search_path: str
    links: tuple[tuple[str, str], ...]
    """Name and path of the links at the top."""


SITES: Mapping[str, Site] = {
    "shop": Site(
        "shop",
        "Fernhill Store",
        "a shop for the house, the garden and the road",
        "#1f6f54",
        USER_NAME,
        "Search products",
        "/search",
        (("Cart", "/cart"), ("Wish list", "/wish-list"), ("My orders", "/orders"), ("My account", "/account")),
    ),
    "shop_admin": Site(
        "shop-admin",
        "Fernhill Back Office",
        "orders, products, customers and reports of the Fernhill Store",
        "#7a3b10",
        USER_NAME,
        "",
        "",
        (
            ("Orders", "/orders"),
            ("Products", "/products"),
            ("Customers", "/customers"),
            ("Reviews", "/reviews"),
            ("Reports", "/reports"),
        ),
    ),
    "forum": Site(
        "forum",
        "Commons",
        "a forum about books, bicycles and everything else",
        "#8a1c4a",
        handle_of(USER_NAME),
        "Search posts",
        "/search",
        (
            ("Write a post", "/submit"),
            ("My boards", "/subscriptions"),
            ("My posts", f"/u/{handle_of(USER_NAME)}"),
            ("Settings", "/settings"),
        ),
    ),
    "code": Site(
        "code",
        "Trellis",
        "a host for projects, their issues and merge requests",
        "#2d4a9e",
        username_of(USER_NAME),
        "Search projects",
        "/projects",
        (
            ("Projects", "/projects"),
            ("New project", "/projects/new"),
            ("My issues", "/my/issues"),
            ("My reviews", "/my/reviews"),
            ("My profile", f"/people/{username_of(USER_NAME)}"),
        ),
    ),
    "map": Site(
        "map",
        "Aldermark Atlas",
        "a map of the region with directions, and its encyclopedia",
        "#3c6e15",
        USER_NAME,
        "Search places",
        "/search",
        (("Directions", "/directions"), ("Saved places", "/saved"), ("Encyclopedia", "/wiki")),
    ),
}

SITE_URLS: Mapping[str, str] = {name: f"http://{site.host}.test" for name, site in SITES.items()}
"""Site -> its address, the same in every lane and every run; it is reached through a lane's proxy."""

_BY_HOST = {f"{site.host}.{suffix}": name for name, site in SITES.items() for suffix in ("test", "localhost")}


def site_of_host(host: str) -> str | None:
    """Return the site of a host name with or without a port, or None."""
    return _BY_HOST.get(host.lower().partition(":")[0])


def site_of_url(url: str) -> str | None:
    """Return the site that a URL such as ``http://shop.test/cart`` belongs to, or None."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    return site_of_host(parts.hostname or "") if parts.scheme == "http" else None


def resolve_url(url: str) -> str:
    """Return a URL with its placeholder replaced: ``__SHOP__/cart`` -> ``http://shop.test/cart``."""
    for name, address in SITE_URLS.items():
        url = url.replace(f"__{name.upper()}__", address)
    return url
