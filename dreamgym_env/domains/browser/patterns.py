"""A page that nobody has seen, after the pattern of one of its kind, with what is known of the thing that it is about."""

from __future__ import annotations

from collections.abc import Iterator

from dreamgym_env.domains.browser.analogy import Substitution
from dreamgym_env.domains.browser.knowledge import Knowledge
from dreamgym_env.domains.browser.page import Page, element_of
from dreamgym_env.domains.browser.sitemap import path_of
from dreamgym_env.domains.browser.sources import Exclusion
from dreamgym_env.domains.browser.tables import Row

__all__ = ["Patterns"]

_MOST_SAMPLES = 60


class Patterns:
    """Makes pages of known kinds."""

    def __init__(self, knowledge: Knowledge) -> None:
        """Make them from what was recorded."""
        self._knowledge = knowledge

    def page(self, url: str, name: str, exclusion: Exclusion) -> Page | None:
        """Return a page of the kind that an address is of, or None where no such kind is known.

        Args:
            url: of the page.
            name: of the link that led there; empty for none.
            exclusion: what must not be used.
        """
        kind = self._knowledge.sites.kind_of(url)
        samples = self._knowledge.sites.of_kind(kind, exclusion)[:_MOST_SAMPLES] if kind else []
        if not samples:
            return None
        rows = dict(self._records(name, exclusion))
        sample = max(samples, key=lambda page: self._likeness(page, url, rows, exclusion))
        texts = Substitution.of(self._pairs(sample, url, name, rows, exclusion))
        return Page(texts.text(sample.title), url, texts.lines(sample.lines))

    def _likeness(self, page: Page, url: str, rows: dict[tuple[str, str], Row], exclusion: Exclusion) -> tuple[int, int]:
        own = dict(self._records(heading_of(page), exclusion))
        cells = sum(
            mine == its
            for key, row in rows.items()
            if key in own
            for mine, its in zip(row.cells, own[key].cells, strict=False)
        )
        parts = sum(a == b for a, b in zip(path_of(page.url)[1], path_of(url)[1], strict=False))
        return parts, cells

    def _records(self, name: str, exclusion: Exclusion) -> Iterator[tuple[tuple[str, str], Row]]:
        """Yield the rows of tables that are about what has a name."""
        for key in self._knowledge.named.get(name, ()):
            record = self._knowledge.records[key][name]
            if record.allow(exclusion):
                yield key, record.row

    def _pairs(
        self, sample: Page, url: str, name: str, rows: dict[tuple[str, str], Row], exclusion: Exclusion
    ) -> Iterator[tuple[str, str]]:
        old_path, path = path_of(sample.url)[1], path_of(url)[1]
        heading = heading_of(sample)
        if name and heading and heading not in old_path:
            yield heading, name
        own = dict(self._records(heading, exclusion))
        for key, row in rows.items():
            if key in own:
                yield from zip(own[key].cells, row.cells, strict=False)
        for end in range(len(path), 0, -1):
            for start in range(end):
                if old_path[start:end] != path[start:end]:
                    yield "/".join(old_path[start:end]), "/".join(path[start:end])


def heading_of(page: Page) -> str:
    """Return a page's first heading."""
    return next((element_of(line).name for line in page.lines if line.startswith("heading:")), "")
