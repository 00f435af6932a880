"""The bundled sites: five small web applications of the project's own, served on loopback from one process.

They are in the spirit of WebArena's sites and none of them: ``shop``, ``shop_admin``, ``forum``, ``code`` (a code host)
and ``map`` (a map and an encyclopedia of its region).  Plain HTML that works without JavaScript.

::

    with Sites(lanes=2) as sites:
        lane = sites.lanes[0]
        lane.proxy                      # "http://127.0.0.1:40719": give it to the browser as its HTTP proxy
        SITE_URLS["shop"]               # "http://shop.test": then the same in every lane and every run
        lane.reset()                    # the shipped content again, in milliseconds
        lane.fetch("http://shop.test/cart")         # a page's HTML, for evaluators
        lane.query("order_status", "1042")          # a named query on the live database, for evaluators
        lane.local_url("shop")          # "http://shop.localhost:40719/": for a person's browser, without a proxy

**Lanes.** A lane is one independent state of all five sites; what one browser does is never seen in another lane.  Each
lane listens on a free port of 127.0.0.1 of its own and answers as an *HTTP proxy*: a browser whose context has
``proxy={"server": lane.proxy}`` opens ``http://shop.test/cart`` and nothing outside the sites.  So URLs, pages and
observations are clean and equal in every lane, and hold no port.  (``.test`` is reserved and is no host of the
internet; any other host gets a plain 404 page, and a tunnel for https is refused.)

**State.** One SQLite database in memory per lane, reset by SQLite's backup.  The date of the sites stands still at
:data:`TODAY`, and what is created gets the next number: the same actions show the same texts.
"""

from __future__ import annotations

from dreamgym_env.domains.webarena.sites.directory import SITE_URLS, SITES, resolve_url
from dreamgym_env.domains.webarena.sites.server import Lane, Sites

__all__ = ["SITES", "SITE_URLS", "Lane", "Sites", "resolve_url"]
