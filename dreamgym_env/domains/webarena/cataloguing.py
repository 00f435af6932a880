"""A scripted agent that looks at all that the bundled sites show, so that their dream can show it too."""

from __future__ import annotations

import functools
from collections import Counter, deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote_plus, urldefrag, urljoin

from dreamgym_env.domains.browser.texts import Listed, numbered, url_of
from dreamgym_env.domains.webarena.sites import SITE_URLS, Sites
from dreamgym_env.domains.webarena.sites.directory import site_of_url
from dreamgym_env.domains.webarena.tasks.html_tree import parse_html

if TYPE_CHECKING:
    import numpy as np

    from dreamgym_env.types import Task

__all__ = ["CataloguerAgent", "LinkedPage", "linked_pages"]

_CLICKED, _LOOKED_AFTER = 0.15, 0.5
"""Shares of the pages that are opened by a click, and of the forms after which their page is looked at again."""
_FORMS = 1
"""Forms tried in an episode."""
_TEXTS = ("", "0", "1", "2", "3", "12", "-1", "4.5", "none", "2024-05-01", "Thank you!", "A few words, and more.", "x")


@dataclass(frozen=True, slots=True)
class LinkedPage:
    """A page that links lead to from a site's first page, or from one of the map's search results."""

    url: str
    found_on: str
    """Address of the page that links to it; empty for a page to begin with."""
    link: str
    """Name of the link."""
    nth: int
    """Which of the links of that name on that page, from 0."""


@functools.cache
def linked_pages() -> Sequence[LinkedPage]:
    """Follow all links from the sites' first pages, and from searches that find the map's places; nearest pages first.

    Raises:
        MissingDependencyError: the extra ``webarena`` is not installed.
    """
    with Sites() as sites:
        kinds = sites.lanes[0].database.rows("SELECT DISTINCT kind FROM places ORDER BY kind")
        searches = [f"{SITE_URLS['map']}/search?q={quote_plus(row['kind'])}" for row in kinds]
        first = [*(f"{address}/" for address in SITE_URLS.values()), *searches]
        pages = {url: LinkedPage(url, "", "", 0) for url in first}
        waiting = deque(pages)
        while waiting:
            found_on = waiting.popleft()
            for page in _links(found_on, sites.lanes[0].fetch(found_on)):
                if site_of_url(page.url) and page.url not in pages:
                    pages[page.url] = page
                    waiting.append(page.url)
    return tuple(pages.values())


def _links(url: str, html: str) -> Iterator[LinkedPage]:
    names: Counter[str] = Counter()
    for element in parse_html(html).walk():
        if element.tag == "a" and "href" in element.attributes:
            name = element.attributes.get("aria-label", element.text())
            yield LinkedPage(urldefrag(urljoin(url, element.attributes["href"])).url, url, name, names[name])
            names[name] += 1


class CataloguerAgent:
    """Looks at a few pages, then tries forms on them, whatever may come of it, and ends the episode.

    Every page is some task's to look at, so that playing all tasks of a split once shows all that links lead to, as it
    is before anything is changed.
    """

    name = "cataloguer"

    def __init__(self, pages: Sequence[LinkedPage], task_ids: Sequence[str]) -> None:
        """Create one; ``task_ids`` share the pages out."""
        # neighbours of one site together: a browser takes twice as long to go to another site
        self._pages = sorted(pages, key=lambda page: site_of_url(page.url) or "")
        self._places = {task_id: place for place, task_id in enumerate(task_ids)}
        self._words = _words_by_site(pages)

    def begin(self, task: Task, rng: np.random.Generator) -> None:
        """Take the pages that are this task's to look at."""
        self._rng = rng
        place, shares = self._places.get(task.id, 0), max(1, len(self._places))
        self._left = self._pages[place * len(self._pages) // shares : (place + 1) * len(self._pages) // shares]
        self._plan: list[str | LinkedPage] = []
        self._on: LinkedPage | None = None
        self._with_forms: list[str] = []
        self._forms_left = _FORMS
        self._tried = ""

    def act(self, state: str, available_actions: Sequence[str]) -> str:
        """Return the next action."""
        if self._on and _forms(state):
            self._with_forms.append(self._on.url)
        if not self._plan:
            self._plan = self._way() if self._left else self._trial(state)
        step = self._plan.pop(0)
        self._on = step if isinstance(step, LinkedPage) else None
        if isinstance(step, str):
            return step
        same = [element for element in numbered(state).values() if (element.role, element.name) == ("link", step.link)]
        return _click(same[step.nth]) if url_of(state) == step.found_on and step.nth < len(same) else _goto(step.url)

    def _way(self) -> list[str | LinkedPage]:
        """Return what leads to the next page."""
        page = self._left.pop(0)
        return [_goto(page.found_on), page] if page.found_on and self._rng.random() < _CLICKED else [page]

    def _trial(self, state: str) -> list[str | LinkedPage]:
        """Return what fills in a form of the page and sends it, or opens a page with forms, or ends the episode."""
        url, forms = url_of(state), _forms(state)
        if self._tried == url and forms:
            self._tried = ""
            fields, button = forms[int(self._rng.integers(len(forms)))]
            filled: list[str | LinkedPage] = [self._fill(field, url) for field in fields if self._rng.random() < 0.8]
            again: list[str | LinkedPage] = [_goto(url)] if self._rng.random() < _LOOKED_AFTER else []
            return [*filled, _click(button), *again]
        if not self._forms_left or not self._with_forms:
            return ["send_msg_to_user('Done.')"]
        self._forms_left -= 1
        self._tried = self._with_forms.pop(int(self._rng.integers(len(self._with_forms))))
        return self._trial(state) if self._tried == url and forms else [_goto(self._tried)]

    def _fill(self, field: Listed, url: str) -> str:
        if field.options:
            return f"select_option({field.number!r}, {str(self._rng.choice(field.options))!r})"
        if field.role != "textbox":
            return _click(field)
        texts = _TEXTS if self._rng.random() < 0.5 else self._words[site_of_url(url) or ""]
        return f"fill({field.number!r}, {str(self._rng.choice(texts))!r})"


def _forms(state: str) -> list[tuple[list[Listed], Listed]]:
    """Return the buttons of a page, each with the fields before it, which it sends."""
    forms: list[tuple[list[Listed], Listed]] = []
    fields: list[Listed] = []
    for element in numbered(state).values():
        if element.role == "button":
            forms.append((fields, element))
            fields = []
        elif element.role != "link":
            fields.append(element)
    return forms


def _words_by_site(pages: Sequence[LinkedPage]) -> Mapping[str, Sequence[str]]:
    """Return what the links of each site say, whole and by word."""
    words: dict[str, dict[str, None]] = {}
    for page in pages:
        site = words.setdefault(site_of_url(page.url) or "", {"help": None})
        site.update(dict.fromkeys(text for text in (page.link, *page.link.split()) if text))
    return {site: tuple(found) for site, found in words.items()}


def _click(element: Listed) -> str:
    return f"click({element.number!r})"


def _goto(url: str) -> str:
    return f"goto({url!r})"
