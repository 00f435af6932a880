"""Which texts of a page correspond to texts of another page of its kind, where the same form was sent on both."""

from __future__ import annotations

from collections.abc import Iterator

from dreamgym_env.domains.browser.episode import Course
from dreamgym_env.domains.browser.forms import FIELDS, Sent, shown_value
from dreamgym_env.domains.browser.knowledge import Event
from dreamgym_env.domains.browser.page import Page, element_of
from dreamgym_env.domains.browser.patterns import heading_of
from dreamgym_env.domains.browser.sitemap import path_of
from dreamgym_env.domains.browser.sums import labelled_amounts
from dreamgym_env.domains.browser.tables import find_tables

__all__ = ["corresponding_texts"]


def corresponding_texts(event: Event, here: Page, sent: Sent, course: Course) -> Iterator[tuple[str, str]]:
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
    amounts = labelled_amounts(here.lines)
    for label, amount in labelled_amounts(event.before.lines).items():
        yield amount, amounts.get(label, amount)


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
