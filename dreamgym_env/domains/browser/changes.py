"""What a form changes: the page that follows, after the pattern of what the same form has led to elsewhere."""

from __future__ import annotations

import functools
import itertools
import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from urllib.parse import urlsplit

from dreamgym_env.domains.browser.analogy import Substitution, carried_over
from dreamgym_env.domains.browser.episode import Course
from dreamgym_env.domains.browser.forms import FIELDS, Sent, shown_value
from dreamgym_env.domains.browser.knowledge import Event, Knowledge
from dreamgym_env.domains.browser.local import replaced_line, with_cell
from dreamgym_env.domains.browser.page import Page, element_of, written
from dreamgym_env.domains.browser.patterns import heading_of
from dreamgym_env.domains.browser.sitemap import path_of
from dreamgym_env.domains.browser.sources import EVERYTHING, Exclusion
from dreamgym_env.domains.browser.sums import Sums, repeated_rows
from dreamgym_env.domains.browser.tables import find_table, find_tables, learn_order, sort_key
from dreamgym_env.domains.browser.texts import Listed

__all__ = ["Changes"]

_MOST_EVENTS = 60
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
        texts = Substitution.of(_pairs(event, here, sent, course))
        url, numbers = self._address(course, event, here, texts)
        texts = Substitution.of([*numbers, *texts.pairs.items()])
        there, base = self._bases(course, event, here, url, exclusion)
        title = " - ".join(map(texts.text, event.after.title.split(" - ")))
        if there is None or base is None or (find_table(base) is None) != (find_table(there) is None):
            repeated = repeated_rows(event.before, event.after, here, functools.partial(self._cell, course))
            lines = texts.lines(repeated) if repeated is not None else _as_there(event, there, here, texts)
        else:
            there, base = _without_notices(there), _without_notices(base)
            lines = carried_over(there.lines, event.after.lines, base.lines, texts)
            lines = tuple(_grouped(event.after.lines, _sorted_like(base.lines, lines)))
            title = base.title if there.title == event.after.title else title
        if self._keeps(events):
            lines = _kept(lines, course, self._knowledge.forms.asking_labels(path_of(url)[0]))
        lines = self._sums.worked_out(tuple(itertools.chain.from_iterable(map(_split, lines))))
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
            base = _without_notices(course.last(base.url) or base)
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
            Event(
                _without_notices(event.after), sent, event.before, event.initial, loaded=_without_notices(event.after)
            )
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
    return event.loaded is None or _without_notices(event.after).lines != _without_notices(event.loaded).lines


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


def _split(line: str) -> list[str]:
    """Return the lines that a text with line breaks stands in; a field shows it in one."""
    if "\n" not in line:
        return [line] if line != "text:" else []
    if element_of(line).role == "text":
        return [f"text: {part}" for part in line.removeprefix("text: ").split("\n") if part]
    return [line.replace("\n", " ")]


def _kept(lines: Sequence[str], course: Course, others: Collection[str]) -> tuple[str, ...]:
    """Return lines with what was typed, chosen or ticked on the page before."""
    typed = {
        (element.role, element.name): element
        for line in course.page.lines
        if (element := element_of(line)).number and element.role in FIELDS and element.name not in others
    }
    page = Page("", "", tuple(lines))
    for at, line in enumerate(lines):
        element = element_of(line)
        mine = typed.get((element.role, element.name))
        if mine is not None and element.number:
            states = tuple(state for state in mine.states if state != "focused")
            page = with_cell(page, at, element.value, mine.value)
            page = replaced_line(page, at, written(replace(element, value=mine.value, states=states)))
    return page.lines


def _grouped(elsewhere: Sequence[str], lines: Sequence[str]) -> list[str]:
    """Return lines with buttons that begin alike and stand together in order, if elsewhere they do."""
    if not all(group == sorted(group) for _, group in _groups(elsewhere)):
        return list(lines)
    return [line for _, group in _groups(lines) for line in sorted(group)]


def _groups(lines: Sequence[str]) -> list[tuple[str, list[str]]]:
    begin = {line: " ".join(line.split(" ")[:4]) if line.startswith("[] button: ") else "" for line in lines}
    groups: list[tuple[str, list[str]]] = []
    for line in lines:
        if groups and begin[line] and groups[-1][0] == begin[line]:
            groups[-1][1].append(line)
        else:
            groups.append((begin[line], [line]))
    return groups


def _without_notices(page: Page) -> Page:
    lines = tuple(line for line in page.lines if not line.startswith(("status:", "alert:")))
    return replace(page, lines=lines)


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


def _pairs(event: Event, here: Page, sent: Sent, course: Course) -> Iterator[tuple[str, str]]:
    """Yield texts of the page there and of the page here: what was typed, what it is about, and its address."""
    shared = {word for line in set(event.before.lines) & set(here.lines) for word in element_of(line).name.split()}
    for old, new in _own_pairs(event, here, sent, course):
        if old not in shared:
            yield old, new


def _own_pairs(event: Event, here: Page, sent: Sent, course: Course) -> Iterator[tuple[str, str]]:
    for at, (its, mine) in enumerate(zip(event.sent.fields, sent.fields, strict=False)):
        old, new = event.typed.get((its.name, 0), its.value), course.typed.get((mine.name, 0), mine.value)
        if "\n" not in new:
            yield shown_value(event.sent.fields[at]), shown_value(mine)
        olds, news = old.split("\n"), new.split("\n")
        yield from zip(olds[:-1], news, strict=False)
        yield olds[-1], "\n".join(news[len(olds) - 1 :])
    if event.sent.key.button != sent.key.button:
        yield _rest(event.sent.key.button), _rest(sent.key.button)
    yield heading_of(event.before), heading_of(here)
    yield from _row_pairs(event, here, sent)
    yield from zip(_values(event.before), _values(here), strict=False)
    yield event.before.title.partition(" - ")[0], here.title.partition(" - ")[0]
    its_path, my_path = path_of(event.before.url)[1], path_of(here.url)[1]
    for end in range(min(len(its_path), len(my_path)), 0, -1):
        for start in range(end):
            yield "/".join(its_path[start:end]), "/".join(my_path[start:end])
    yield from zip(_texts(event.before), _texts(here), strict=False)


def _rest(button: str) -> str:
    return button.partition(" ")[2]


def _row_pairs(event: Event, here: Page, sent: Sent) -> Iterator[tuple[str, str]]:
    """Yield the cells of the rows that the buttons stand in."""
    for table in find_tables(event.before.lines):
        for its in table.rows:
            if event.before.lines[event.sent.at] in its.elements:
                for mine in (row for one in find_tables(here.lines) for row in one.rows):
                    if here.lines[sent.at] in mine.elements:
                        yield from zip(its.cells, mine.cells, strict=False)


def _values(page: Page) -> list[str]:
    return [shown_value(element) for line in page.lines if (element := element_of(line)).role in FIELDS]


def _texts(page: Page) -> list[str]:
    """Return amounts and other texts in the order in which a page has them."""
    return [part for line in page.lines if line.startswith("text: Price") for part in line.split() if "$" in part]


def _sorted_like(before: Sequence[str], lines: Sequence[str]) -> tuple[str, ...]:
    """Return lines with the rows of their tables in the order that those tables had before."""
    orders = {}
    for table in find_tables(before):
        if len(table.rows) > 1:
            order = learn_order([(*table.rows, table.rows[-1])])
            if order is not None:
                orders[table.head] = order
    sorted_lines: list[str] = []
    at = 0
    for table in find_tables(lines):
        order = orders.get(table.head)
        if order is None:
            continue
        rows = sorted(
            table.rows, key=lambda row: sort_key((*row.cells, *[""] * 20)[order.column]), reverse=order.falling
        )
        sorted_lines += lines[at : table.start + 1]
        sorted_lines += [line for row in rows for line in (row.line, *row.elements)]
        at = table.end
    return (*sorted_lines, *lines[at:])
