"""A page that nobody has seen, after the pattern of one of its kind, with what is known of what it is about."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from urllib.parse import urlsplit

from dreamgym_env.domains.browser.analogy import Substitution
from dreamgym_env.domains.browser.knowledge import Knowledge
from dreamgym_env.domains.browser.local import TEXT_FIELDS
from dreamgym_env.domains.browser.page import Page, element_of, written
from dreamgym_env.domains.browser.sitemap import path_of
from dreamgym_env.domains.browser.tables import Row, find_table, find_tables, learn_order, sorted_rows
from dreamgym_env.domains.exclusion import Exclusion

__all__ = ["Patterns", "heading_of", "with_value"]

_MOST_SAMPLES = 60
_FEW = 3


class Patterns:
    """Makes pages of known kinds."""

    def __init__(self, knowledge: Knowledge) -> None:
        """Make them from what was recorded."""
        self._knowledge = knowledge

    def page(self, url: str, name: str, here: Page, exclusion: Exclusion) -> Page | None:
        """Return a page of the kind that an address is of, or None where no such kind is known.

        Args:
            url: of the page.
            name: of the link that led there; empty for none.
            here: the page that it stands on.
            exclusion: what must not be used.
        """
        kind = self._knowledge.sites.kind_of(url)
        samples = self._knowledge.sites.of_kind(kind, exclusion)[:_MOST_SAMPLES] if kind else []
        if not samples:
            return None
        host = path_of(here.url)[0]
        tables = find_tables(here.lines)
        rows = {(host, table.head): row for table in tables for row in table.rows if name and row.name == name}
        rows |= dict(self._records(name, exclusion))
        sample = max(samples, key=lambda page: self._likeness(page, url, name, rows, exclusion))
        page = self._like(sample, url, name, rows, exclusion)
        return self._with_own_rows(page, samples, exclusion)

    def _with_own_rows(self, page: Page, samples: Sequence[Page], exclusion: Exclusion) -> Page:
        """Return the page with the rows of its own, where rows of such pages have their heading in a column."""
        table = find_table(page)
        shown = [(heading_of(sample), its) for sample in samples if (its := find_table(sample)) and its.rows]
        told = [(heading, its.rows) for heading, its in shown if table is not None and its.head == table.head]
        if table is None or len(told) < _FEW:
            return page
        width = min(len(row.cells) for _, rows in told for row in rows)
        known = self._knowledge.records.get((path_of(page.url)[0], table.head), {}).values()
        for column in range(width):
            if all(row.cells[column] == heading for heading, rows in told for row in rows):
                own = [record.row for record in known if record.allow(exclusion)]
                own = [row for row in own if row.cells[column : column + 1] == (heading_of(page),)]
                order = learn_order([rows for _, rows in told])
                body = [
                    line for row in (sorted_rows(own, order) if order else own) for line in (row.line, *row.elements)
                ]
                if own:
                    return replace(page, lines=(*page.lines[: table.start + 1], *body, *page.lines[table.end :]))
        return page

    def beside(self, url: str, exclusion: Exclusion) -> Page | None:
        """Return a page like one of the same path that something else was asked of, or None where none is known."""
        samples = self._knowledge.sites.at_path(url, exclusion)
        if not samples:
            return None
        asked = self._knowledge.forms.asked(url)

        def likeness(page: Page) -> tuple[int, int]:
            own = self._knowledge.forms.asked(page.url)
            filled = sum(bool(own.get(label)) == bool(value) for label, value in asked.items())
            return filled, sum(own.get(label) == value for label, value in asked.items())

        sample = max(samples, key=likeness)
        own = self._knowledge.forms.asked(sample.url)
        texts = Substitution.of((own[label], value) for label, value in asked.items() if own.get(label))
        lines = (with_value(texts.line(line), asked) for line in sample.lines)
        return Page(texts.text(sample.title), url, tuple(lines))

    def _like(self, sample: Page, url: str, name: str, rows: dict[tuple[str, str], Row], exclusion: Exclusion) -> Page:
        """Return a sample with the texts of another page of its kind."""
        own = dict(self._records(heading_of(sample), exclusion))
        both = [(key[1].split(" | "), own[key].cells, row.cells) for key, row in rows.items() if key in own]
        titled = [
            (title, old, new)
            for titles, olds, news in both
            if len(titles) == len(olds) == len(news)
            for title, old, new in zip(titles, olds, news, strict=True)
            if old.isdecimal() and new.isdecimal()
        ]
        texts = Substitution.of(self._pairs(sample, url, name, both), titled)
        shared = self._knowledge.sites.shared_lines(path_of(url)[0])
        lines = (line if line in shared else texts.line(line) for line in sample.lines)
        return Page(texts.text(sample.title), url, tuple(lines))

    def _likeness(
        self, page: Page, url: str, name: str, rows: dict[tuple[str, str], Row], exclusion: Exclusion
    ) -> tuple[int, int]:
        heading = heading_of(page)
        own = dict(self._records(heading, exclusion))
        cells = sum(
            (mine == its) * (2 if its.isdecimal() and len(its) < 3 else 1)
            for key, row in rows.items()
            if key in own
            for mine, its in zip(row.cells, own[key].cells, strict=False)
        )
        parts = sum(a == b for a, b in zip(path_of(page.url)[1], path_of(url)[1], strict=False))
        words = len(set(heading.split()[-2:]) & set(name.split()[-2:]))
        return parts, cells + 2 * words + 5 * (not urlsplit(page.url).query)

    def _records(self, name: str, exclusion: Exclusion) -> Iterator[tuple[tuple[str, str], Row]]:
        """Yield the rows of tables that are about what has a name."""
        for key in self._knowledge.named.get(name, ()):
            record = self._knowledge.records[key][name]
            if record.allow(exclusion):
                yield key, record.row

    def _pairs(
        self, sample: Page, url: str, name: str, both: list[tuple[list[str], tuple[str, ...], tuple[str, ...]]]
    ) -> Iterator[tuple[str, str]]:
        old_path, path = path_of(sample.url)[1], path_of(url)[1]
        heading = heading_of(sample)
        if name and heading and heading not in old_path:
            yield heading, name
        for _, olds, news in both:
            if len(olds) == len(news):
                yield from zip(olds, news, strict=True)
        words, new_words = heading.split(" "), name.split(" ")
        if len(words) == len(new_words):
            yield from ((old, new) for old, new in zip(words, new_words, strict=True) if old[:1].isupper())
        for end in range(len(path), 0, -1):
            for start in range(end):
                if old_path[start:end] != path[start:end]:
                    yield "/".join(old_path[start:end]), "/".join(path[start:end])


def heading_of(page: Page) -> str:
    """Return a page's first heading."""
    return next((element_of(line).name for line in page.lines if line.startswith("heading:")), "")


def with_value(line: str, fields: Mapping[str, str]) -> str:
    """Return a line, with what its field holds where fields have one of its name."""
    element = element_of(line)
    if element.name in fields and (element.role in TEXT_FIELDS or element.role == "combobox"):
        return written(replace(element, value=fields[element.name]))
    return line
