"""Where links lead: as recorded, or by what the addresses behind links of the same kind have in common.

An address repeats what is known before it is opened: the page's own address (``/quill`` -> ``/quill/issues``), the
link's name (``Order 1045`` -> ``/orders/1045``, ``Desk Lamp`` -> ``/product/desk-lamp``), or nothing of both
(``Cart`` -> ``/cart``).  A rule says, for each part of an address, which of these it is; of the rules that a recorded
link allows, the one holds that most links of its kind allow.
"""

from __future__ import annotations

import hashlib
import itertools
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple
from urllib.parse import quote, urlsplit, urlunsplit

from dreamgym_env.domains.browser.page import Page, element_of
from dreamgym_env.domains.browser.sources import Sources
from dreamgym_env.domains.exclusion import Exclusion
from dreamgym_env.types import Transition

__all__ = ["Link", "Links", "link_at", "slug"]

_NUMBER = re.compile(r"\d+")
_MOST_RULES = 256
_FIRST_MADE_UP = 10_000
_OWN_PARTS = 4
"""Weight of a rule that keeps the page's host and one part of its path; more of it makes one example enough."""

Rule = tuple[tuple[str, object], ...]
"""For each part of an address what it is: ``literal``, ``own`` (of the page's address), ``name``, ``slug``, ``number``
(of the name), or a number that nothing tells and that is ``made up``."""


class Link(NamedTuple):
    """A link on a page."""

    name: str
    nth: int
    """Of the links of this name on the page, from 0."""
    kind: str
    """What it has in common with links of its kind: the head of the table that it stands in."""


def link_at(page: Page, at: int) -> Link:
    """Return the link that stands in a place."""
    name = element_of(page.lines[at]).name
    nth = sum(page.lines[place] == page.lines[at] for place in range(at))
    return Link(name, nth, _head(page, at))


def _head(page: Page, at: int) -> str:
    """Return the first row of the table that a line stands in, or an empty text."""
    head = ""
    for place in range(at - 1, -1, -1):
        element = element_of(page.lines[place])
        if element.role == "row":
            head = element.name
        elif not element.number:
            break
    return head


def slug(text: str) -> str:
    """Return a text as addresses write it."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower().replace("'", "")).strip("-")


@dataclass(slots=True)
class _Targets:
    """Addresses that something has led to."""

    found: dict[str, Sources] = field(default_factory=dict)
    paths: set[str] = field(default_factory=set)
    """Paths of the pages with the link."""

    def add(self, url: str, before: Page, step: Transition) -> None:
        self.found.setdefault(url, Sources()).add(step)
        self.paths.add(urlsplit(before.url).path)

    def best(self, exclusion: Exclusion) -> str | None:
        allowed = [(sources.count, url) for url, sources in self.found.items() if sources.allow(exclusion)]
        return max(allowed, key=lambda one: one[0])[1] if allowed else None

    def only(self, exclusion: Exclusion) -> str | None:
        """Return the address, if there is but one that may be known."""
        allowed = [url for url, sources in self.found.items() if sources.allow(exclusion)]
        return allowed[0] if len(allowed) == 1 else None


class _Example(NamedTuple):
    url: str
    name: str
    target: str


@dataclass(slots=True)
class Links:
    """What is known of links: on a page, on a site, on pages of the same path of any site, and by kind."""

    _exact: dict[tuple[str, str, int], _Targets] = field(default_factory=lambda: defaultdict(_Targets))
    _named: dict[tuple[str, str], _Targets] = field(default_factory=lambda: defaultdict(_Targets))
    _anywhere: dict[tuple[str, str], _Targets] = field(default_factory=lambda: defaultdict(_Targets))
    _kinds: dict[tuple[str, ...], dict[_Example, Sources]] = field(default_factory=lambda: defaultdict(dict))
    _rules: dict[tuple[str, ...], list[tuple[Rule, Sources, int]]] = field(default_factory=dict)

    def read(self, before: Page, at: int, after: Page, step: Transition) -> None:
        """Note where a link led to."""
        link = link_at(before, at)
        self._exact[before.url, link.name, link.nth].add(after.url, before, step)
        self._named[_host(before.url), link.name].add(after.url, before, step)
        self._anywhere[urlsplit(before.url).path, link.name].add(after.url, before, step)
        example = _Example(before.url, link.name, after.url)
        for kind in _kinds(before.url, link):
            self._kinds[kind].setdefault(example, Sources()).add(step)
            self._rules.pop(kind, None)

    def address(self, page: Page, at: int, exclusion: Exclusion) -> str | None:
        """Return where a link leads to as it was recorded, of this page or others; None where it was not."""
        link = link_at(page, at)
        exact = self._exact.get((page.url, link.name, link.nth))
        if exact is not None and (target := exact.best(exclusion)):
            return target
        if turned := _turned(page.url, link.name):
            return turned
        path = urlsplit(page.url).path
        alike = self._anywhere.get((path, link.name)) if path != "/" else None
        if alike is not None and (target := alike.only(exclusion)):
            return target
        named = self._named.get((_host(page.url), link.name))
        return named.only(exclusion) if named is not None and len(named.paths) > 1 else None

    def named(self, page: Page, at: int, exclusion: Exclusion) -> str | None:
        """Return where the one link of a name led that was recorded on a site, or None."""
        named = self._named.get((_host(page.url), link_at(page, at).name))
        return named.only(exclusion) if named is not None else None

    def derived(self, page: Page, at: int, exclusion: Exclusion) -> tuple[str, bool] | None:
        """Return where a link leads to by the rules of its kind, and whether the rule leaves something open."""
        link = link_at(page, at)
        for kind in _kinds(page.url, link):
            for rule, sources, names in self._best(kind):
                if kind[0] == "page" and not _trusted(rule, names, link.name):
                    continue  # that many links of a page lead to one address says nothing of the others
                if sources.allow(exclusion) and (target := _apply(rule, page.url, link.name)):
                    return target, kind[0] == "page" or any(part == "made up" for part, _ in rule)
        return None

    def _best(self, kind: tuple[str, ...]) -> list[tuple[Rule, Sources, int]]:
        """Return the rules that links of a kind allow, best first."""
        if kind not in self._rules:
            voters: dict[Rule, set[str]] = defaultdict(set)
            told: dict[Rule, Sources] = defaultdict(Sources)
            examples = self._kinds.get(kind, {})
            for example, sources in examples.items():
                for rule in itertools.islice(_rules(example), _MOST_RULES):
                    voters[rule].add(example.name if kind[0] in ("head", "page") else example.url)
                    for pair in sources.shown:
                        if len(told[rule].shown) < 4 and pair not in told[rule].shown:
                            told[rule].shown.append(pair)
            ranked = sorted(voters.items(), key=lambda one: (-len(one[1]), -_weight(one[0])))
            self._rules[kind] = [
                (rule, told[rule], len(names))
                for rule, names in ranked[:8]
                if _tells(rule, len(names)) or (kind[0] == "name" and _weight(rule) > _OWN_PARTS)
            ]
        return self._rules[kind]


def _host(url: str) -> str:
    return urlsplit(url).netloc


def _kinds(url: str, link: Link) -> Iterator[tuple[str, ...]]:
    """Yield what a link's rule may depend on, the most particular first."""
    parts = urlsplit(url)
    shape = _NUMBER.sub("0", parts.path)
    depth = str(len(parts.path.strip("/").split("/")))
    if link.kind:
        yield ("head", parts.netloc, shape, link.kind)
        yield ("head", parts.netloc, depth, link.kind)
        yield ("head", parts.netloc, link.kind)
    else:
        yield ("name", parts.netloc, depth, link.name)
        yield ("shape", parts.netloc, shape, _NUMBER.sub("0", link.name))
        yield ("page", parts.netloc, shape)
        yield ("page", parts.netloc, depth)
    yield ("page", parts.netloc)


def _turned(url: str, name: str) -> str | None:
    """Return the address of the next or the previous page of a list whose address has the page's number."""
    step = {"next page": 1, "next": 1, "previous page": -1, "previous": -1}.get(name.lower())
    found = re.search(r"(?<=[?&]page=)\d+", url)
    if step is None:
        return None
    if found is None:
        return f"{url}{'&' if '?' in url else '?'}page=2" if step > 0 else None
    return f"{url[: found.start()]}{int(found[0]) + step}{url[found.end() :]}"


def _parts(url: str) -> tuple[str, list[str], str]:
    split = urlsplit(url)
    return f"{split.scheme}://{split.netloc}", split.path.strip("/").split("/"), split.query


def _rules(example: _Example) -> Iterator[Rule]:
    """Yield the rules that explain a link."""
    host, own, query = _parts(example.url)
    target_host, path, target_query = _parts(example.target)
    parts = [*((segment, at) for at, segment in enumerate(path))]
    choices: list[list[tuple[str, object]]] = [[("literal", target_host)] if target_host != host else [("own", -1)]]
    number = _NUMBER.search(example.name)
    at = 0
    while at < len(parts):
        segment = parts[at][0]
        found: list[tuple[str, object]] = []
        if at < len(own) and own[at] == segment and segment:
            found.append(("own", at))
        if segment == slug(example.name) and segment:
            found.append(("slug", 0))
        if segment == example.name:
            found.append(("name", 0))
        if number is not None and segment == number[0]:
            found.append(("number", 0))
        if "/" in example.name and "/".join(path[at : at + example.name.count("/") + 1]) == example.name:
            found.append(("name", 0))
            at += example.name.count("/")
        if segment.isdecimal():
            found.append(("made up", 0))
        found.append(("literal", segment))
        choices.append(found)
        at += 1
    if target_query:
        choices.append([("query", _query_rule(target_query, query))])
    yield from itertools.product(*choices)


def _query_rule(target: str, own: str) -> str:
    return f"{{}}&{target[len(own) + 1 :]}" if own and target.startswith(f"{own}&") else target


def _apply(rule: Rule, url: str, name: str) -> str | None:
    """Return the address that a rule gives, or None where the page or the name lacks what it needs."""
    host, own, query = _parts(url)
    number = _NUMBER.search(name)
    path: list[str] = []
    for kind, value in rule:
        if kind == "own":
            if value == -1:
                continue
            if not isinstance(value, int) or value >= len(own):
                return None
            path.append(own[value])
        elif kind == "literal":
            if str(value).startswith(("http://", "https://")):
                host = str(value)
            else:
                path.append(str(value))
        elif kind == "number":
            if number is None:
                return None
            path.append(number[0])
        elif kind == "made up":
            path.append(str(_FIRST_MADE_UP + int.from_bytes(hashlib.blake2b(name.encode(), digest_size=2).digest())))
        elif kind == "query":
            base = str(value)
            if "{}" in base:
                base = base.replace("{}", query) if query else base[3:]
            scheme, _, netloc = host.partition("://")
            return urlunsplit((scheme, netloc, "/" + "/".join(path), base, ""))
        else:
            path.append(slug(name) if kind == "slug" else quote(name, safe="/:@!$&'()*+,;=~"))
    return f"{host}/{'/'.join(path)}"


def _weight(rule: Rule) -> int:
    """Return how much of a rule depends on the link itself; an equal number of links speaks for the most."""
    return sum({"slug": 3, "name": 3, "number": 3, "own": 2, "made up": -1}.get(kind, 0) for kind, _ in rule)


def _tells(rule: Rule, count: int) -> bool:
    """Return whether as many links are enough for a rule."""
    return count > 1 or _names(rule)


def _trusted(rule: Rule, names: int, name: str) -> bool:
    """Return whether a rule of links that have nothing but their page in common holds for a name."""
    kinds = {kind for kind, _ in rule}
    if "name" in kinds and " " in name:
        return False
    return names > 2 and bool(kinds & {"slug", "name", "number"})


def _names(rule: Rule) -> bool:
    """Return whether a rule depends on the link's name."""
    return any(kind in ("slug", "name", "number") for kind, _ in rule)
