"""Which pages are known, and which addresses belong to pages of one kind.

Pages of a kind differ in some parts of their address (``/product/desk-lamp``, ``/product/kettle``) and share most of
their lines.  What all pages of a site share (its head and foot) tells nothing of a kind.
"""

from __future__ import annotations

import itertools
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple
from urllib.parse import urlsplit

from dreamgym_env.domains.browser.page import Page, element_of
from dreamgym_env.domains.browser.sources import Sources
from dreamgym_env.domains.exclusion import EVERYTHING, Exclusion
from dreamgym_env.types import Transition

__all__ = ["Kind", "KnownPage", "SiteMap", "path_of"]

_LONGEST_PATH = 6
_MOST_LOOKS = 0.2
"""Different looks of a page, per visit, that changes and chance explain."""
_COMMON = 0.6
"""Share of pages that a line must stand on to belong to what they share."""


class Kind(NamedTuple):
    """Pages of a kind."""

    host: str
    path: tuple[str, ...]
    """Parts of the address; an empty text for those in which they differ."""

    def fits(self, path: Sequence[str]) -> bool:
        """Return whether an address may be of the kind."""
        return len(path) == len(self.path) and all(
            mine in ("", part) for mine, part in zip(self.path, path, strict=True)
        )


@dataclass(slots=True)
class KnownPage:
    """A page that was recorded."""

    page: Page
    initial: bool
    """Whether nothing had been changed in the episodes that showed it."""
    sources: Sources = field(default_factory=Sources)


def path_of(url: str) -> tuple[str, tuple[str, ...]]:
    """Return the host and the parts of the path of an address."""
    split = urlsplit(url)
    return split.netloc, tuple(split.path.strip("/").split("/"))


@dataclass(slots=True)
class SiteMap:
    """Pages by address, and their kinds."""

    _known: dict[str, dict[Page, KnownPage]] = field(default_factory=lambda: defaultdict(dict))
    _kinds: dict[str, dict[Kind, list[str]]] = field(default_factory=dict)
    _headed: dict[tuple[str, str], list[str]] = field(default_factory=lambda: defaultdict(list))
    _sites: dict[str, str] = field(default_factory=dict)
    _settled: dict[str, bool] = field(default_factory=dict)
    _fitting: dict[tuple[str, tuple[str, ...]], Kind | None] = field(default_factory=dict)
    _shared: dict[str, frozenset[str]] = field(default_factory=dict)
    _paths: dict[tuple[str, tuple[str, ...]], list[str]] = field(default_factory=lambda: defaultdict(list))

    def read(self, page: Page, step: Transition, *, initial: bool) -> None:
        """Note a page as it was opened."""
        if page.url not in self._known:
            host, path = path_of(page.url)
            self._paths[host, path].append(page.url)
            heading = next((line for line in page.lines if line.startswith("heading: ")), "heading: ")
            self._sites.setdefault(page.title.rpartition(" - ")[2], host)
            self._headed[host, heading.removeprefix("heading: ")].append(page.url)
            self._kinds.clear()
            self._fitting.clear()
            self._shared.clear()
            self._settled.clear()
        known = self._known[page.url].get(page)
        if known is None:
            known = self._known[page.url][page] = KnownPage(page, initial)
        if initial and not known.initial:
            known.initial, known.sources = True, Sources()
        if initial == known.initial:
            known.sources.add(step)

    def page(self, url: str, exclusion: Exclusion) -> KnownPage | None:
        """Return what an address shows, as most have seen it before anything was changed."""
        allowed = [known for known in self._known.get(url, {}).values() if known.sources.allow(exclusion)]
        return max(allowed, key=lambda known: (known.initial, known.sources.count), default=None)

    def determines(self, url: str) -> bool:
        """Return whether an address says what is shown there, as it does on most sites.

        It does not where each visit shows something else.
        """
        seen = [known.sources.count for known in self._known.get(url, {}).values() if known.initial]
        if sum(seen) > 1:
            return len(seen) <= _MOST_LOOKS * sum(seen) + 1
        host = path_of(url)[0]
        if host not in self._settled:
            counts = [
                [one.sources.count for one in known.values() if one.initial]
                for its, known in self._known.items()
                if path_of(its)[0] == host
            ]
            often = [len(count) <= _MOST_LOOKS * sum(count) + 1 for count in counts if sum(count) > 1]
            self._settled[host] = not often or sum(often) > _COMMON * len(often)
        return self._settled[host]

    def pages(self, exclusion: Exclusion = EVERYTHING) -> Iterator[KnownPage]:
        """Yield what each address shows before anything was changed."""
        for url in self._known:
            known = self.page(url, exclusion)
            if known is not None and known.initial:
                yield known

    def at_path(self, url: str, exclusion: Exclusion) -> list[Page]:
        """Return the pages of a path, whatever is asked for in the address."""
        found = (self.page(one, exclusion) for one in self._paths.get(path_of(url), ()))
        return [known.page for known in found if known is not None and known.initial]

    def headed(self, host: str, heading: str, exclusion: Exclusion) -> list[str]:
        """Return the addresses of a site's pages that have a heading."""
        urls = self._headed.get((host, heading), ())
        return [url for url in urls if self.page(url, exclusion) is not None]

    def site_named(self, name: str) -> str | None:
        """Return the address of the site whose name ends the titles of its pages, or None."""
        host = self._sites.get(name)
        return f"http://{host}/" if host else None

    def paths_below(self, host: str, parts: Sequence[str]) -> list[tuple[str, ...]]:
        """Return the known paths that begin with some parts and go on with a number."""
        size = len(parts)
        return [
            path
            for its_host, path in self._paths
            if its_host == host
            and list(path[:size]) == list(parts)
            and path[size : size + 1]
            and path[size].isdecimal()
        ]

    def kind_of(self, url: str) -> Kind | None:
        """Return the kind that a page with an address is of, or None.

        The last part of an address says most of what a page is, where kinds differ in which parts they share.
        """
        host, path = path_of(url)
        if (host, path) not in self._fitting:
            fitting = [kind for kind in self._of_host(host) if kind.fits(path)]
            self._fitting[host, path] = min(
                fitting, key=lambda kind: (kind.path[-1] == "", kind.path.count("")), default=None
            )
        return self._fitting[host, path]

    def of_kind(self, kind: Kind, exclusion: Exclusion) -> list[Page]:
        """Return the pages of a kind."""
        found = (self.page(url, exclusion) for url in self._of_host(kind.host).get(kind, ()))
        return [known.page for known in found if known is not None and known.initial]

    def shared_lines(self, host: str) -> frozenset[str]:
        """Return the lines that most pages of a site have."""
        if host not in self._shared:
            pages = [known.page for known in self.pages() if path_of(known.page.url)[0] == host]
            counts = Counter(line for page in pages for line in set(page.lines))
            self._shared[host] = frozenset(line for line, count in counts.items() if count > _COMMON * len(pages))
        return self._shared[host]

    def _of_host(self, host: str) -> dict[Kind, list[str]]:
        if host not in self._kinds:
            self._kinds[host] = self._learn_kinds(host)
        return self._kinds[host]

    def _learn_kinds(self, host: str) -> dict[Kind, list[str]]:
        looks: dict[str, frozenset[str]] = {}
        for (its_host, path), urls in self._paths.items():
            if its_host == host and len(path) <= _LONGEST_PATH:
                for url in urls:
                    known = self.page(url, EVERYTHING)
                    if known is not None:
                        looks[url] = frozenset(map(_look, known.page.lines))
        counts = Counter(line for look in looks.values() for line in look)
        common = {line for line, count in counts.items() if count > _COMMON * len(looks)}
        groups: dict[Kind, list[str]] = defaultdict(list)
        for url in looks:
            _, path = path_of(url)
            for size in range(1, len(path) + 1):
                for places in itertools.combinations(range(len(path)), size):
                    masked = tuple("" if at in places else part for at, part in enumerate(path))
                    groups[Kind(host, masked)].append(url)
        kinds: dict[Kind, list[str]] = {}
        for kind in sorted(groups, key=lambda one: len(one.path)):
            urls = groups[kind]
            below = any(Kind(host, kind.path[:end]) in kinds for end in range(1, len(kind.path)))
            below = below and kind.path[-1] != ""
            if len({path_of(url) for url in urls}) < (1 if below else 3):
                continue
            shared = Counter(line for url in urls for line in looks[url] - common)
            skeleton = {line for line, count in shared.items() if count > _COMMON * len(urls)}
            members = [url for url in urls if len(looks[url] & skeleton) >= _COMMON * len(skeleton)]
            if skeleton and len(members) > _COMMON * len(urls):
                kinds[kind] = members
        return kinds


def _look(line: str) -> str:
    element = element_of(line)
    return f"{element.role}: {element.name}" if element.role != "row" else f"row of {element.name.count(' | ')}"
