"""The last touches to lines that were made after a pattern: rows and buttons in order, and what fields keep."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace

from dreamgym_env.domains.browser.episode import Course
from dreamgym_env.domains.browser.forms import FIELDS
from dreamgym_env.domains.browser.local import replaced_line, with_cell
from dreamgym_env.domains.browser.page import Page, element_of, written
from dreamgym_env.domains.browser.tables import find_tables, learn_order, sort_key
from dreamgym_env.domains.browser.texts import Listed

__all__ = ["grouped", "kept", "sorted_like", "split_line", "without_notices"]


def split_line(line: str) -> list[str]:
    """Return the lines that a text with line breaks stands in; a field shows it in one."""
    if "\n" not in line:
        return [line] if line != "text:" else []
    if element_of(line).role == "text":
        return [f"text: {part}" for part in line.removeprefix("text: ").split("\n") if part]
    return [line.replace("\n", " ")]


def kept(lines: Sequence[str], course: Course, others: Collection[str]) -> tuple[str, ...]:
    """Return lines with what was typed, chosen or ticked on the page before."""
    typed = {key: element for _, key, element in _named_fields(course.page.lines) if element.name not in others}
    page = Page("", "", tuple(lines))
    for at, key, element in _named_fields(lines):
        mine = typed.get(key)
        if mine is not None:
            states = tuple(state for state in mine.states if state != "focused")
            page = with_cell(page, at, element.value, mine.value)
            page = replaced_line(page, at, written(replace(element, value=mine.value, states=states)))
    return page.lines


def _named_fields(lines: Sequence[str]) -> Iterator[tuple[int, tuple[str, str, int], Listed]]:
    """Yield the place, a key and the element of each field; fields of one role and name are told apart by order."""
    seen: Counter[tuple[str, str]] = Counter()
    for at, line in enumerate(lines):
        element = element_of(line)
        if element.number and element.role in FIELDS:
            yield at, (element.role, element.name, seen[element.role, element.name]), element
            seen[element.role, element.name] += 1


def grouped(elsewhere: Sequence[str], lines: Sequence[str]) -> list[str]:
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


def sorted_like(before: Sequence[str], lines: Sequence[str]) -> tuple[str, ...]:
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


def without_notices(page: Page) -> Page:
    """Return a page without what it tells once only, of the form that led to it."""
    lines = tuple(line for line in page.lines if not line.startswith(("status:", "alert:")))
    return replace(page, lines=lines)
