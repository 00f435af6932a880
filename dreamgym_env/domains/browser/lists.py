"""Pages of lists, with the rows that a search, a filter or an order asks for, built from rows that other pages show."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlsplit

from dreamgym_env.domains.browser.analogy import Substitution
from dreamgym_env.domains.browser.knowledge import Knowledge, Record
from dreamgym_env.domains.browser.links import slug
from dreamgym_env.domains.browser.local import TEXT_FIELDS
from dreamgym_env.domains.browser.page import Page, element_of
from dreamgym_env.domains.browser.patterns import with_value
from dreamgym_env.domains.browser.rows import row_of_page
from dreamgym_env.domains.browser.tables import Order, Row, Table, find_table, learn_order, sorted_rows
from dreamgym_env.domains.exclusion import Exclusion

__all__ = ["Lists"]

_MOST_EXAMPLES = 24
_A_SENTENCE = 4
"""Words of a name that is a sentence, such as a title."""
_FALLING = frozenset({"most", "high", "highest", "newest", "latest", "best"})
_POSITION = re.compile(r"(\D*)(\d+)(\D+)(\d+)(\D*)")
_COUNT = re.compile(r"(\d+)( \w+\.?)")


@dataclass(slots=True)
class _Sample:
    """A recorded page of a list."""

    page: Page
    table: Table | None
    fields: dict[str, str]
    """What its fields hold, by name."""

    @property
    def rows(self) -> tuple[Row, ...]:
        return self.table.rows if self.table else ()


class Lists:
    """Builds pages of lists."""

    def __init__(self, knowledge: Knowledge) -> None:
        """Build from what was recorded."""
        self._knowledge = knowledge

    def page(self, url: str, exclusion: Exclusion) -> Page | None:
        """Return the page of a list that nobody has seen, or None where its address is no known list's."""
        samples = [_sample(page) for page in self._knowledge.sites.at_path(url, exclusion)]
        if not any(sample.table for sample in samples) or not urlsplit(url).query:
            return None
        asked = self._knowledge.forms.asked(url)
        defaults = _defaults(samples)
        fields = {**defaults, **{label: _shown(samples, label, asked[label]) for label in asked if label in defaults}}
        rows = self._rows(url, samples, fields, exclusion)
        total = max(len(rows), _counted(samples, fields))
        fields |= _repeated(samples, asked)
        words = _searched(samples, fields)
        if not rows and len(words.split()) > 1:
            rows = self._made_up(samples, words, exclusion)
        size = max((len(sample.rows) for sample in samples if _has_pager(sample)), default=0)
        number = _page_number(url)
        pages = max(1, -(-total // size)) if size else 1
        number = min(number, pages)
        shown = rows[(number - 1) * size : number * size] if size else rows
        sample = max(
            samples,
            key=lambda one: (
                bool(one.rows) == bool(shown),
                sum(bool(one.fields.get(label)) == bool(value) for label, value in fields.items()),
                (not size) or (_has_pager(one) == (pages > 1)),
                sum(one.fields.get(label) == value for label, value in fields.items()),
            ),
        )
        return _written(url, sample, fields, shown, max(total, len(rows)), number, pages)

    def _rows(self, url: str, samples: Sequence[_Sample], fields: dict[str, str], exclusion: Exclusion) -> list[Row]:
        heads = [sample.table.head for sample in samples if sample.table]
        head = Counter(heads).most_common(1)[0][0]
        parts = urlsplit(url)
        known = self._knowledge.records.get((parts.netloc, head), {})
        allowed = [record for record in known.values() if record.allow(exclusion)]
        here = f"{parts.netloc}{parts.path}"
        own = self._knowledge.sites.kind_of(url) is not None
        rows = [record.row for record in allowed if not own or here in record.paths]
        if own:
            rows += self._of_heading(samples, [record.row for record in allowed if here not in record.paths])
        order: Order | None = None
        for label, value in fields.items():
            role = _role_of(samples, label)
            if role in TEXT_FIELDS:
                rows = [row for row in rows if self._holds(parts.netloc, row, value.split(), exclusion)]
            elif role == "combobox":
                if _filters(samples, label, value):
                    rows = [row for row in rows if _has_cell(row, value)]
                elif order is None:
                    chosen = [one for one in samples if one.fields.get(label) == value]
                    order = learn_order([one.rows for one in chosen]) or (
                        None if chosen else _order_in_words(value, head)
                    )
        if order is None:
            order = learn_order([one.rows for one in samples])
        return sorted_rows(rows, order) if order else rows

    def _of_heading(self, samples: Sequence[_Sample], rows: Sequence[Row]) -> list[Row]:
        """Return the rows that a cell says to belong to a list whose heading is that cell on all of its rows."""
        shown = [row for sample in samples for row in sample.rows]
        headings = {element_of(line).name for one in samples for line in one.page.lines if line.startswith("heading:")}
        for column in range(min((len(row.cells) for row in shown), default=0)):
            cells = {row.cells[column] for row in shown}
            if len(cells) == 1 and cells <= headings:
                return [row for row in rows if row.cells[column : column + 1] == tuple(cells)]
        return []

    def _made_up(self, samples: Sequence[_Sample], words: str, exclusion: Exclusion) -> list[Row]:
        """Return a row for what somebody looks for by name, like the row of what ends in the same word, if one does.

        Nobody has seen it; but who looks for something by its full name has mostly read the name somewhere.
        """
        parts = urlsplit(samples[0].page.url)
        head = next(one.table.head for one in samples if one.table)
        known = self._knowledge.records.get((parts.netloc, head), {})
        told = self._told(parts.netloc, words, known, exclusion)
        if told is not None:
            return [told]
        ends = words.split()[-2:]
        allowed = [record.row for record in known.values() if record.allow(exclusion)]
        alike = [row for row in allowed if row.name.split()[-1:] == ends[-1:]]
        if not alike and all(word[0].isupper() for word in words.split()):
            alike = [row for row in allowed if len(row.name.split()) == len(words.split())]
        if not alike and words[0].isupper() and len(words.split()) >= _A_SENTENCE:
            alike = [row for row in allowed if len(row.name.split()) >= _A_SENTENCE]
        row = max(alike, key=lambda one: one.name.split()[-2:] == ends, default=None)
        if row is None:
            return []
        texts = Substitution.of([(row.name, words)])
        return [Row(texts.line(row.line), texts.lines(row.elements))]

    def _told(self, host: str, name: str, known: Mapping[str, Record], exclusion: Exclusion) -> Row | None:
        """Return the row of what has a known page, as that page tells it."""
        page = self._page_of(host, name, exclusion)
        if page is None:
            return None
        both: list[tuple[Row, Page]] = []
        for record in known.values():
            its = self._page_of(host, record.row.name, exclusion) if record.allow(exclusion) else None
            if its is not None:
                both.append((record.row, its))
            if len(both) == _MOST_EXAMPLES:
                break
        return row_of_page(name, page, both)

    def _page_of(self, host: str, name: str, exclusion: Exclusion) -> Page | None:
        """Return the initial page that has a name as its heading, or None."""
        sites = self._knowledge.sites
        plain = (url for url in sites.headed(host, name, exclusion) if "?" not in url)
        found = filter(None, (sites.page(url, exclusion) for url in plain))
        return next((one.page for one in found if one.initial), None)

    def _holds(self, host: str, row: Row, words: Sequence[str], exclusion: Exclusion) -> bool:
        text = row.line.lower()
        return all(word.lower() in text for word in words)


def _sample(page: Page) -> _Sample:
    fields: dict[str, str] = {}
    for line in page.lines:
        element = element_of(line)
        if element.role in TEXT_FIELDS or element.role == "combobox":
            fields.setdefault(element.name, element.value)
    return _Sample(page, find_table(page), fields)


def _defaults(samples: Sequence[_Sample]) -> dict[str, str]:
    """Return what the fields hold where nothing was asked: texts nothing, lists what the plainest page shows."""
    defaults: dict[str, str] = {}
    for sample in sorted(samples, key=lambda one: len(urlsplit(one.page.url).query)):
        for label, value in sample.fields.items():
            defaults.setdefault(label, "" if _role_of([sample], label) in TEXT_FIELDS else value)
    return defaults


def _searched(samples: Sequence[_Sample], fields: Mapping[str, str]) -> str:
    """Return what a list is searched for."""
    return next((value for label, value in fields.items() if value and _role_of(samples, label) in TEXT_FIELDS), "")


def _counted(samples: Sequence[_Sample], fields: Mapping[str, str]) -> int:
    """Return how many rows a page says there are that asks for the same in another order, or another part of it."""
    for sample in samples:
        asked = (
            label
            for label, value in fields.items()
            if _role_of(samples, label) in TEXT_FIELDS or _filters(samples, label, value)
        )
        if all(sample.fields.get(label, "") == fields[label] for label in asked):
            for line in sample.page.lines:
                if line.startswith("text: ") and (found := _COUNT.fullmatch(line.removeprefix("text: "))):
                    return int(found[1])
    return 0


def _repeated(samples: Sequence[_Sample], asked: Mapping[str, str]) -> dict[str, str]:
    """Return what other fields hold that repeat what was asked for, as a search field at a page's top does."""
    repeated = {}
    for label, value in asked.items():
        told = [one.fields for one in samples if one.fields.get(label)]
        if _role_of(samples, label) in TEXT_FIELDS and told:
            for other in told[0].keys() - asked.keys():
                if all(fields.get(other) == fields[label] for fields in told):
                    repeated[other] = value
    return repeated


def _shown(samples: Sequence[_Sample], label: str, value: str) -> str:
    """Return what a field shows for what its address holds: of a list to choose from, the option that reads so."""
    options = next((one for sample in samples if (one := _options(sample.page, label))), ())
    return value if value in options else next((option for option in options if slug(option) == value), value)


def _options(page: Page, label: str) -> tuple[str, ...]:
    return next((one.options for one in map(element_of, page.lines) if one.number and one.name == label), ())


def _role_of(samples: Iterable[_Sample], label: str) -> str:
    for sample in samples:
        for line in sample.page.lines:
            element = element_of(line)
            if element.number and element.name == label:
                return element.role
    return ""


def _filters(samples: Sequence[_Sample], label: str, value: str) -> bool:
    """Return whether a list shows only rows that have what is chosen as a cell, or as a part of one.

    So it does where it was chosen; where it never was, if other options of the same list did, or if rows have such a
    cell.
    """
    told = [one for one in samples if one.rows]
    chosen = [one for one in told if one.fields.get(label) == value]
    if chosen:
        return all(_has_cell(row, value) for one in chosen for row in one.rows)
    others = [one for one in told if one.fields.get(label)]
    if any(all(_has_cell(row, one.fields[label]) for row in one.rows) for one in others):
        return True
    return any(_has_cell(row, value) for one in told for row in one.rows)


def _has_cell(row: Row, value: str) -> bool:
    return any(value in (cell, *cell.split(", ")) for cell in row.cells)


def _order_in_words(option: str, head: str) -> Order | None:
    """Return the order that an option names, if it names a column: "Most stars"."""
    words = set(option.lower().replace(",", "").split())
    for column, title in enumerate(head.split(" | ")):
        if words & set(title.lower().split()):
            return Order(column, bool(words & _FALLING) and not option.lower().endswith("to high"))
    return None


def _has_pager(sample: _Sample) -> bool:
    return sample.table is not None and any(_is_position(line) for line in sample.page.lines[sample.table.end :][:2])


def _is_position(line: str) -> bool:
    return line.startswith("text: ") and _POSITION.fullmatch(line) is not None


def _page_number(url: str) -> int:
    text = dict(parse_qsl(urlsplit(url).query)).get("page", "1")
    return max(1, int(text)) if text.isdecimal() and len(text) < 6 else 1


def _written(
    url: str, sample: _Sample, fields: dict[str, str], rows: Sequence[Row], total: int, number: int, pages: int
) -> Page:
    """Return a sample with other rows and what follows from them."""
    old = [value for label, value in sample.fields.items() if value and _role_of([sample], label) in TEXT_FIELDS]
    new = [value for label, value in fields.items() if value and _role_of([sample], label) in TEXT_FIELDS]
    texts = Substitution.of(zip(old, new, strict=False))
    lines = list(sample.page.lines)
    start, end = (sample.table.start, sample.table.end) if sample.table else (len(lines), len(lines))
    top = [with_value(texts.line(line), fields) for line in lines[:start]]
    counted = next((at for at, line in enumerate(top) if line.startswith("text: ") and _COUNT.search(line)), None)
    if counted is not None and rows:
        top[counted] = _COUNT.sub(rf"{total}\2", top[counted], count=1)
    body = [line for row in rows for line in (row.line, *row.elements)]
    foot = lines[end:]
    if foot and _is_position(foot[0]):
        turns = 1 + sum(element_of(line).name.lower().endswith(" page") for line in foot[1:3])
        foot = [*_pager(foot[0], number, pages), *foot[turns:]]
    elif pages > 1:
        foot = [*_pager("text: Page 1 of 1.", number, pages), *foot]
    head = lines[start : start + 1] if rows else []
    return Page(texts.text(sample.page.title), url, (*top, *head, *body, *foot))


def _pager(position: str, number: int, pages: int) -> list[str]:
    if pages < 2:
        return []
    lines = [_POSITION.sub(rf"\g<1>{number}\g<3>{pages}\g<5>", position)]
    lines += ["[] link: Previous page"] if number > 1 else []
    return lines + (["[] link: Next page"] if number < pages else [])
