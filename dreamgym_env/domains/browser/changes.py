"""What a form changes: the page that follows, after the pattern of what the same form has led to elsewhere."""

from __future__ import annotations

import functools
import itertools
import re
from collections.abc import Sequence
from dataclasses import replace
from urllib.parse import urlsplit

from dreamgym_env.domains.browser.analogy import Substitution, carried_over
from dreamgym_env.domains.browser.correspondence import corresponding_texts
from dreamgym_env.domains.browser.episode import Course
from dreamgym_env.domains.browser.finishing import grouped, kept, sorted_like, split_line, without_notices
from dreamgym_env.domains.browser.forms import FIELDS, Sent, shown_value
from dreamgym_env.domains.browser.knowledge import Event, Knowledge
from dreamgym_env.domains.browser.page import Page, element_of, written
from dreamgym_env.domains.browser.patterns import heading_of
from dreamgym_env.domains.browser.sitemap import path_of
from dreamgym_env.domains.browser.sums import Sums, repeated_rows
from dreamgym_env.domains.browser.tables import find_table, find_tables
from dreamgym_env.domains.browser.texts import Listed
from dreamgym_env.domains.exclusion import EVERYTHING, Exclusion

__all__ = ["Changes"]

_MOST_EVENTS = 120
_NUMBERED = re.compile(r"#(\d+)")


class Changes:
    """Answers forms that change something."""

    def __init__(self, knowledge: Knowledge) -> None:
        """Answer from what was recorded."""
        self._knowledge = knowledge

    def page(self, course: Course, sent: Sent, exclusion: Exclusion) -> Page | None:
        """Return the page that a form leads to, or None where nobody has sent one like it."""
        here = course.page.content
        events = self._alike(here, sent, exclusion)
        if not events:
            return None
        event = max(events, key=lambda one: self._likeness(one, course, sent))
        if _refused(event) and _pattern(event.sent) != _pattern(sent):
            return self.guess(course, sent)  # nobody has seen it accepted, nor refused like this: nothing is told
        texts = Substitution.of(corresponding_texts(event, here, sent, course))
        url, numbers = self._address(course, event, here, texts)
        texts = Substitution.of([*numbers, *texts.pairs.items()])
        there, base = self._bases(course, event, here, url, exclusion)
        title = " - ".join(map(texts.text, event.after.title.split(" - ")))
        if there is None or base is None or (find_table(base) is None) != (find_table(there) is None):
            repeated = repeated_rows(event.before, event.after, here, functools.partial(self._cell, course))
            lines = texts.lines(repeated) if repeated is not None else _as_there(event, there, here, texts)
        else:
            there, base = without_notices(there), without_notices(base)
            lines = carried_over(there.lines, event.after.lines, base.lines, texts)
            lines = tuple(grouped(event.after.lines, sorted_like(base.lines, lines)))
            title = base.title if there.title == event.after.title else title
        if self._keeps(events):
            lines = kept(lines, course, self._knowledge.forms.asking_labels(path_of(url)[0]))
        lines = self._sums.worked_out(tuple(itertools.chain.from_iterable(map(split_line, lines))))
        return self._emptied(base, Page(title, url, lines))

    def _emptied(self, base: Page | None, page: Page) -> Page:
        """Return a page whose last row is gone as one that had none, where somebody has seen one."""
        table, before = find_table(page), find_table(base) if base else None
        if before is None or not before.rows or (table is not None and table.rows):
            return page
        for found in self._knowledge.events.values():
            for event in found:
                if path_of(event.after.url) == path_of(page.url) and find_table(event.after) is None:
                    return replace(event.after, url=page.url)
        return page

    def guess(self, course: Course, sent: Sent) -> Page | None:
        """Return the page where nobody knows what a button does: a row that it is named after is gone, else it stays.

        None where the form is known to ask.
        """
        if self._knowledge.forms.asks(sent):
            return None
        base = course.page.content
        if self._knowledge.sites.determines(base.url):
            base = without_notices(course.last(base.url) or base)
        line = course.page.lines[sent.at]
        for table in find_tables(base.lines):
            for row in table.rows:
                if line in row.elements and row.name in line:
                    at = base.lines.index(row.line)
                    lines = (*base.lines[:at], *base.lines[at + 1 + len(row.elements) :])
                    return self._emptied(base, replace(base, lines=self._sums.worked_out(lines)))
        return base

    def repeated(self, course: Course, page: Page, exclusion: Exclusion) -> Page | None:
        """Return a recorded page with the rows that the page before it shows now, if it repeats its rows; or None."""
        before = self._knowledge.sites.page(course.page.url.partition("?")[0], exclusion)
        if before is None or not before.initial:
            return None
        lines = repeated_rows(before.page, page, course.page.content, functools.partial(self._cell, course))
        return replace(page, lines=self._sums.worked_out(lines)) if lines is not None else None

    @functools.cached_property
    def _sums(self) -> Sums:
        known = (known.page for known in self._knowledge.sites.pages())
        events = (event.after for found in self._knowledge.events.values() for event in found)
        return Sums(itertools.chain(known, events))

    def _cell(self, course: Course, name: str, title: str) -> str | None:
        """Return what tables tell of a thing under a title: the episode's own, the latest first, or recorded ones."""
        for page in course.pages():
            for table in find_tables(page.lines):
                if title in (titles := table.head.split(" | ")):
                    for row in table.rows:
                        if row.name == name and len(row.cells) == len(titles):
                            return row.cells[titles.index(title)]
        for key in self._knowledge.named.get(name, ()):
            cells = self._knowledge.records[key][name].row.cells
            if title in (titles := key[1].split(" | ")) and len(cells) == len(titles):
                return cells[titles.index(title)]
        return None

    def _keeps(self, events: Sequence[Event]) -> bool:
        """Return whether fields still hold what was typed into them on the page that follows."""
        kept = lost = 0
        asking = self._knowledge.forms.asking_labels(path_of(events[0].before.url)[0])
        for event in events:
            if _refused(event):
                continue
            loaded = _fields(event.loaded) if event.loaded else {}
            after = _fields(event.after)
            for name, value in _fields(event.before).items():
                if name in after and name not in asking and loaded.get(name) not in (None, value):
                    kept, lost = kept + (after[name] == value), lost + (after[name] != value)
        return kept >= lost

    def _alike(self, here: Page, sent: Sent, exclusion: Exclusion) -> list[Event]:
        """Return what the same form has led to, or forms whose buttons differ in a name alone ("Remove ...")."""
        events = [one for one in self._knowledge.events.get(sent.key, ()) if one.sources.allow(exclusion)]
        near = [one for one in events if self._same_kind(one.before.url, here.url)]
        events = near if near or not self._knowledge.sites.determines(here.url) else events
        if not events:
            first = sent.key.button.split(" ")[0]
            events = [
                one
                for key, found in self._knowledge.events.items()
                if (key.host, key.labels, key.button.split(" ")[0]) == (sent.key.host, sent.key.labels, first)
                and " " in key.button
                for one in found
                if one.sources.allow(exclusion) and self._same_kind(one.before.url, here.url)
            ]
        return (events or self._turned(here, sent, exclusion))[:_MOST_EVENTS]

    def _turned(self, here: Page, sent: Sent, exclusion: Exclusion) -> list[Event]:
        """Return, turned round, what buttons have done that have put the button there that is pressed here."""
        line = here.lines[sent.at]
        return [
            Event(without_notices(event.after), sent, event.before, event.initial, loaded=without_notices(event.after))
            for key, found in self._knowledge.events.items()
            if (key.host, key.labels) == (sent.key.host, ()) and not sent.fields
            for event in found
            if line in event.after.lines and line not in event.before.lines and not event.sent.fields
            if event.sources.allow(exclusion) and self._same_kind(event.before.url, here.url)
            if path_of(event.before.url) == path_of(event.after.url)
        ]

    def _same_kind(self, one: str, other: str) -> bool:
        kind = self._knowledge.sites.kind_of(one)
        return path_of(one) == path_of(other) or (kind is not None and kind == self._knowledge.sites.kind_of(other))

    def _likeness(self, event: Event, course: Course, sent: Sent) -> tuple[float, ...]:
        here = course.page.content
        values = event.sent.values
        its_pattern, pattern = _pattern(event.sent), _pattern(sent)
        filled = sum(one == other for one, other in zip(its_pattern, pattern, strict=True))
        same = sum(values.get(label) == value for label, value in sent.values.items())
        parts = sum(a == b for a, b in zip(path_of(event.before.url)[1], path_of(here.url)[1], strict=False))
        mine, its = set(here.lines), set(event.before.lines)
        lines = len(mine & its) / max(1, len(mine | its))
        base = course.shown(event.after.url.partition("?")[0])
        there = self._there(event)
        its_table, old = find_table(event.after), find_table(there) if there else None
        grown = bool(its_table and old and len(its_table.rows) > len(old.rows))
        told = there is not None, len(path_of(event.before.url)[1]) == len(path_of(here.url)[1])
        bases = event.base is not None and base is not None and event.base.lines == base.lines
        return (
            its_pattern == pattern,
            not _refused(event),
            filled,
            _changed(event),
            bases,
            *told,
            grown,
            event.initial == (not course.changes),
            parts,
            same,
            lines,
        )

    def _bases(
        self, course: Course, event: Event, here: Page, url: str, exclusion: Exclusion
    ) -> tuple[Page | None, Page | None]:
        """Return the page that was changed there, and the one to change here."""
        if path_of(event.after.url) == path_of(event.before.url) or heading_of(event.after) == heading_of(event.before):
            if not self._knowledge.sites.determines(here.url):  # the page itself changes, and is not loaded again
                return event.before, here
            return event.loaded or event.before, course.last(here.url) or here
        there = self._there(event)
        mine = course.last(url)
        if mine is None:
            known = self._knowledge.sites.page(url.partition("?")[0], exclusion)
            mine = known.page if known is not None and known.initial else None
        return there, mine

    def _there(self, event: Event) -> Page | None:
        """Return what the address of an event's answer has shown before it."""
        if event.base is not None or not event.initial:
            return event.base
        known = self._knowledge.sites.page(event.after.url.partition("?")[0], EVERYTHING)
        return known.page if known is not None and known.initial else None

    def _address(
        self, course: Course, event: Event, here: Page, texts: Substitution
    ) -> tuple[str, list[tuple[str, str]]]:
        """Return where the answer stands, and numbers in it that are not those of the answer there."""
        after, before = urlsplit(event.after.url), urlsplit(event.before.url)
        if after.path == before.path:
            return after._replace(path=urlsplit(here.url).path).geturl(), []
        old, new, parts = path_of(event.before.url)[1], path_of(here.url)[1], []
        numbers: list[tuple[str, str]] = []
        for at, part in enumerate(path_of(event.after.url)[1]):
            if at < min(len(old), len(new)) and old[at] == part:
                parts.append(new[at])
            elif part.isdecimal() and part not in old:
                number = self._next_number(course, here.url, parts, self._first_number(event, parts))
                numbers += [(part, number), (f"#{part}", f"#{number}")]
                parts.append(number)
            elif part in old and len(old) == len(new):
                parts.append(new[old.index(part)])
            else:
                parts.append(texts.text(part))
        return after._replace(path="/" + "/".join(parts)).geturl(), numbers

    def _first_number(self, event: Event, parts: Sequence[str]) -> int:
        """Return the number that the first thing below a path has got wherever one was made, or 0."""
        found = [
            int(path[len(parts)])
            for one in self._knowledge.events[event.sent.key]
            if one.initial
            and list((path := path_of(one.after.url)[1])[: len(parts)]) == list(parts)
            and len(path) > len(parts)
            and path[len(parts)].isdecimal()
        ]
        return min(found, default=0)

    def _next_number(self, course: Course, url: str, parts: Sequence[str], first: int) -> str:
        """Return the number of what is made below a path: the first that is made, where that is known, or the next."""
        host = path_of(url)[0]
        own = [path_of(change.after.url) for change in course.changes]
        made = [
            int(path[len(parts)])
            for its_host, path in own
            if its_host == host
            and list(path[: len(parts)]) == list(parts)
            and path[len(parts) :][:1]
            and path[len(parts)].isdecimal()
        ]
        if first:
            return str(max([first, *(number + 1 for number in made if number >= first)]))
        known = [int(path[len(parts)]) for path in self._knowledge.sites.paths_below(host, parts)]
        path = f"{host}/{'/'.join(parts)}"
        for (its_host, _), records in self._knowledge.records.items():
            if its_host == host:
                for record in records.values():
                    found = _NUMBERED.search(record.row.name) if path in record.paths else None
                    known += [int(found[1])] if found else []
        return str(max([*known, *made], default=0) + 1)


def _changed(event: Event) -> bool:
    """Return whether a form has changed more than what is told."""
    return event.loaded is None or without_notices(event.after).lines != without_notices(event.loaded).lines


def _refused(event: Event) -> bool:
    return any(line.startswith("alert:") for line in event.after.lines)


def _pattern(sent: Sent) -> list[bool]:
    """Return which fields of a form are filled: a list to choose from if it does not show its first option."""
    return [bool(shown_value(one)) and one.value not in one.options[:1] for one in sent.fields]


def _fields(page: Page) -> dict[str, str]:
    return {
        element.name: shown_value(element)
        for line in page.lines
        if (element := element_of(line)).role in FIELDS and element.number
    }


def _as_there(event: Event, there: Page | None, here: Page, texts: Substitution) -> tuple[str, ...]:
    """Return the lines of the answer there with the texts of here, without the rows that were there before.

    A list to choose from that both pages there have offers here what it offers on the page here.
    """
    old = {row.name for table in find_tables(there.lines) for row in table.rows} if there else set()
    gone = {
        place
        for table in find_tables(event.after.lines)
        for row in table.rows
        if row.name in old
        for at in (event.after.lines.index(row.line),)
        for place in range(at, at + 1 + len(row.elements))
    }
    offered = {element_of(line).name: element_of(line) for line in event.before.lines if "combobox:" in line}
    mine = {element_of(line).name: element_of(line) for line in here.lines if "combobox:" in line}
    lines = []
    for place, line in enumerate(event.after.lines):
        element = element_of(line)
        if place in gone:
            continue
        new = texts.line(line)
        if element.role == "combobox" and element.name in mine and element.name in offered:
            if element.options == offered[element.name].options:
                new = written(replace(element_of(new), options=mine[element.name].options))
            elif set(element.options) < set(offered[element.name].options):
                left = [one for one in mine[element.name].options if one not in _less(offered[element.name], element)]
                new = written(replace(element_of(new), options=tuple(left)))
        lines.append(new)
    return tuple(line for line in lines if line != "text:")


def _less(offered: Listed, element: Listed) -> set[str]:
    return set(offered.options) - set(element.options)
