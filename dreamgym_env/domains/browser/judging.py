"""What a browser's rules and the episode say against a page.

Four things are known without knowing the site: what an action changes on the page itself (a field's value, a tick, the
choice in a list), where the tabs have been, what an address that is asked for shows, and what the episode has shown
there before, as long as it has changed nothing.  A subclass may know the site as well (:class:`SiteFacts`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol
from urllib.parse import parse_qsl, urlsplit

from dreamgym_env.domains.browser.elements import clean_text
from dreamgym_env.domains.browser.episode import Course, read_course
from dreamgym_env.domains.browser.finishing import without_notices
from dreamgym_env.domains.browser.forms import sent_form, was_sent
from dreamgym_env.domains.browser.grammar import ParsedAction, parse
from dreamgym_env.domains.browser.local import TEXT_FIELDS, focused, local_change, refused_address
from dreamgym_env.domains.browser.page import BLANK, Page, element_of, read_page, written
from dreamgym_env.domains.browser.tables import find_tables
from dreamgym_env.domains.objections import CONSISTENCY, HALLUCINATION, INFORMATIVENESS, JudgeRules, Objection

if TYPE_CHECKING:
    from dreamgym_env.domains.browser.domain import WebDomain
    from dreamgym_env.types import Task, Transition

__all__ = ["BrowserRules", "Expected", "SiteFacts", "judge_rules"]

_MUCH = 0.5
"""A page that shares less than this share of its lines with the expected one is another page."""
_MOST_OF_A_PAGE = 0.7
_MUCH_LESS = 0.6
_DOT = "•"
_TABS = ("new_tab", "tab_focus", "tab_close")


@dataclass(frozen=True, slots=True)
class Expected:
    """What an action leads to, as far as it is known."""

    url: str
    page: Page | None = None
    """None where only the address is known."""
    near: bool = False
    """Whether the page may differ from what is known here in details, since something was changed in between."""


class SiteFacts(Protocol):
    """What is known of a site beside what the episode has shown."""

    def address(self, course: Course, action: ParsedAction) -> str | None:
        """Return where an action leads, or None where that is not known."""
        ...

    def place(self, page: Page) -> str:
        """Return the address of what a page shows; another than the page's where that has a number of its own."""
        ...

    def objections(self, course: Course, action: ParsedAction, page: Page) -> Iterator[Objection]:
        """Yield what the site's contents say against a page that an action has opened."""
        ...


def judge_rules(domain: WebDomain) -> JudgeRules:
    """Return the rules of a domain on the web."""
    return BrowserRules(domain.actions)


class BrowserRules:
    """Judges steps whose action the page offers."""

    def __init__(self, actions: Sequence[str], facts: SiteFacts | None = None) -> None:
        """Choose the grammar.

        Args:
            actions: names of the actions that there are.
            facts: what is known of the sites; None for nothing.
        """
        self._actions = actions
        self._facts = facts

    def __call__(self, step: Transition, task: Task) -> Iterator[Objection]:
        """Yield what speaks against a step; nothing for pages that are no lists of elements."""
        action = parse(step.action, self._actions)
        course = read_course(step.history, step.state, step.instruction)
        if action is None or course is None:
            return
        page = read_page(step.next_state, step.instruction)
        if page is None:
            yield Objection(CONSISTENCY, 0, "The page is none of this task, or its elements are not numbered.")
            yield Objection(INFORMATIVENESS, 1, "The page cannot be read as a list of elements.")
            return
        refused = refused_address(action)
        if refused and (page.error != refused or page.content != course.page.content):
            yield Objection(CONSISTENCY, 0, "The browser refuses such an address, and the page does not say so.")
        elif page.error:
            yield from _against_change(course.page.content, page.content, "An error changes nothing on the page")
        elif action.name in _TABS:
            yield from _against_tabs(course, action, page)
        else:
            yield from self._against_answer(course, action, page, terminated=step.terminated)

    def _against_answer(
        self, course: Course, action: ParsedAction, page: Page, *, terminated: bool
    ) -> Iterator[Objection]:
        local = local_change(course.page, action)
        if local is None and not was_sent(course.page, action, page):  # a large field takes Enter as text
            local = focused(course.page.content, course.page.place_of(action.arguments[0]) or 0)
        if local is not None:
            yield from _against_local(course.page, local, action, page)
            return
        if not page.lines and page.url != BLANK.url and not terminated:
            yield Objection(INFORMATIVENESS, 0, "The page has no lines.")
        lines, count = course.page.lines, len(page.lines)
        if page.lines == lines[:count] and 0 < count < _MUCH_LESS * len(lines) and not terminated:
            yield Objection(INFORMATIVENESS, 0, "The page is the beginning of the page before.")
            yield Objection(CONSISTENCY, 1, "The rest of the page is gone.")
        expected = self._expected(course, action)
        if "goto" not in self._actions and _address(page.url) != _address(course.page.url):
            yield Objection(CONSISTENCY, 0, "No action leads to another address here.")
        if expected is not None:
            if self._facts is not None:
                page = replace(page, url=self._facts.place(page))
            yield from _against_expected(course, expected, page)
        elif _site(page.url) != _site(course.page.url) and not _leads_away(course.page, action):
            yield Objection(CONSISTENCY, 0, "The action leads to another site.")
        if self._facts is not None:
            yield from self._facts.objections(course, action, page)
        yield from _against_titles(course, page)
        yield from _against_rows(course, page)

    def _expected(self, course: Course, action: ParsedAction) -> Expected | None:
        """Return where an action leads, and what is known of the page there."""
        if action.name in ("go_back", "go_forward"):
            tab = course.trail.tab.moved(-1 if action.name == "go_back" else 1)
            return Expected(tab.live.url, tab.live, near=bool(course.since(tab.live.url)))
        url = str(action.arguments[0]) if action.name == "goto" else None
        if url is None and self._facts is not None:
            url = self._facts.address(course, action)
        if url is None:
            return None
        shown = course.shown(url)
        alerted = shown is not None and any(line.startswith("alert:") for line in shown.lines)
        sent = sent_form(course.page, action) is not None
        return Expected(url, shown, near=alerted or sent or bool(shown and course.since(url)))


def _against_local(before: Page, local: Page, action: ParsedAction, page: Page) -> Iterator[Objection]:
    """Yield what speaks against a page where an action changes at most the page itself."""
    at = local.place_of(action.arguments[0]) if action.elements else None
    typed = str(action.arguments[1]) if action.name == "fill" else ""
    before, local, page = (_comparable(one, typed) for one in (before, local, page))
    if page == local:
        return
    if page.url != local.url or _shared(local, page) < _MUCH:
        yield Objection(CONSISTENCY, 0, "The action opens no other page.")
        return
    if at is not None and local.lines[at] != before.lines[at] and local.lines[at] not in page.lines:
        yield Objection(CONSISTENCY, 0, "What the action changes on the page is not seen.")
    else:
        yield Objection(CONSISTENCY, 1, "Something else on the page has changed.")
    if set(page.lines) - set(local.lines) - set(before.lines):
        yield Objection(HALLUCINATION, 1, "The page has lines that nothing has put there.")
    yield from _against_loss(local, page)


def _comparable(page: Page, typed: str) -> Page:
    """Return a page without what is not told of a field for certain: its focus, dots for what was typed, its row."""
    lines = []
    for line in page.lines:
        element = element_of(line)
        if element.role in TEXT_FIELDS:
            states = tuple(state for state in element.states if state != "focused")
            value = typed if typed and element.value == _DOT * len(typed) else element.value
            line = written(replace(element, states=states, value=value))
        elif element.role == "row" and typed and element.name.endswith(f" | {clean_text(typed)}"):
            line = line.removesuffix(f" | {clean_text(typed)}")
        lines.append(line)
    return replace(page, lines=tuple(lines), error="")


def _against_tabs(course: Course, action: ParsedAction, page: Page) -> Iterator[Objection]:
    """Yield what speaks against the tabs that an action has opened, closed or turned to."""
    titles, tabs = list(course.page.tab_titles), list(course.trail.tabs)
    active = course.trail.active
    if action.name == "new_tab":
        expected = BLANK.in_tabs([*titles, ""], len(titles))
    else:
        index = action.arguments[0] if action.name == "tab_focus" else None
        if action.name == "tab_close":
            del titles[active], tabs[active]
            index = len(tabs) - 1
        if not tabs:
            expected = BLANK
        elif isinstance(index, int) and -len(tabs) <= index < len(tabs):
            expected = tabs[index].live.in_tabs(titles, index % len(tabs))
        else:
            return
    if page.tab_titles != expected.tab_titles or page.active_tab != expected.active_tab:
        yield Objection(CONSISTENCY, 0, "The tabs are not those that there are after this action.")
    elif page != expected:
        yield from _against_expected(course, Expected(expected.url, expected), page)


def _against_expected(course: Course, expected: Expected, page: Page) -> Iterator[Objection]:
    """Yield what speaks against a page where its address is known, and what the episode has shown there."""
    if _address(page.url) != _address(expected.url):
        yield Objection(CONSISTENCY, 0, f"The action leads to {expected.url[:120]}, and the page is another one.")
        return
    if _asked(page.url) != _asked(expected.url):
        stays = page.lines == course.page.lines
        yield Objection(CONSISTENCY, 0 if stays else 1, f"The action leads to {expected.url[:120]}, of the same path.")
        return
    if expected.page is None:
        return
    shown = without_notices(expected.page)
    if expected.near:
        return
    yield from _against_change(shown, without_notices(page.content), "A page that was shown before is the same")


def _against_change(expected: Page, page: Page, rule: str) -> Iterator[Objection]:
    if (page.title, page.url, page.lines) == (expected.title, expected.url, expected.lines):
        return
    if page.url.partition("?")[0] != expected.url.partition("?")[0] or _shared(expected, page) < _MUCH:
        yield Objection(CONSISTENCY, 0, f"{rule}, and another page is shown.")
    else:
        yield Objection(CONSISTENCY, 1, f"{rule}, and some of its lines differ.")
    if set(page.lines) - set(expected.lines):
        yield Objection(HALLUCINATION, 1, f"{rule}, and has lines that it did not have.")
    yield from _against_loss(expected, page)


def _against_loss(expected: Page, page: Page) -> Iterator[Objection]:
    kept = sum((Counter(expected.lines) & Counter(page.lines)).values())
    begins = len(page.lines) < len(expected.lines) and page.lines == expected.lines[: len(page.lines)]
    if begins or kept < _MOST_OF_A_PAGE * len(expected.lines):
        yield Objection(INFORMATIVENESS, 0, "Much of the page is missing, or its end.")


def _against_titles(course: Course, page: Page) -> Iterator[Objection]:
    """Yield what speaks against a title: the episode has shown another one at the same address, or of the site."""
    shown = course.shown(page.url)
    if shown is not None and shown.title != page.title and not course.since(page.url):
        yield Objection(CONSISTENCY, 0, "The address had another title before.")
        yield Objection(HALLUCINATION, 0, "The address had another title before.")
        return
    names = {_site_name(other) for other in (*course.pages(), course.page) if _site(other.url) == _site(page.url)}
    names.discard("")
    if names and _site_name(page) and _site_name(page) not in names:
        yield Objection(HALLUCINATION, 0, f"The site is called {sorted(names)[0]} on its other pages.")


def _against_rows(course: Course, page: Page) -> Iterator[Objection]:
    """Yield what speaks against rows of a list: the episode has shown the same thing with other cells."""
    if course.changes:
        return
    seen: dict[tuple[str, str], set[str]] = {}
    for other in (*course.pages(), course.page):
        if _address(other.url) != _address(page.url):
            continue
        for table in find_tables(other.lines):
            for row in table.rows:
                seen.setdefault((table.head, row.name), set()).add(row.line)
    for table in find_tables(page.lines):
        names = Counter(row.name for row in table.rows)
        for row in table.rows:
            before = seen.get((table.head, row.name))
            if before and len(before) == 1 and names[row.name] == 1 and row.line not in before:
                yield Objection(HALLUCINATION, 0, f"The row {row.name[:60]!r} had other cells before.")
                yield Objection(CONSISTENCY, 1, f"The row {row.name[:60]!r} had other cells before.")
                return


def _leads_away(page: Page, action: ParsedAction) -> bool:
    """Return whether an action may lead to another site: any but a button of a form."""
    return sent_form(page, action) is None


def _shared(one: Page, other: Page) -> float:
    """Return the share of lines that two pages have in common, in [0, 1]."""
    most = max(len(one.lines), len(other.lines))
    return sum((Counter(one.lines) & Counter(other.lines)).values()) / most if most else 1.0


def _address(url: str) -> str:
    """Return an address in the way in which browsers write it, without what it asks and where on the page it is."""
    try:
        parts = urlsplit(url.strip())
    except ValueError:  # an agent may ask for anything
        return url
    return f"{parts.netloc.lower()}{parts.path or '/'}" if parts.netloc else url.partition("?")[0]


def _asked(url: str) -> list[tuple[str, str]]:
    """Return what an address asks."""
    return sorted(parse_qsl(url.partition("#")[0].partition("?")[2], keep_blank_values=True))


def _site(url: str) -> str:
    return urlsplit(url).netloc or url.partition("/")[0]


def _site_name(page: Page) -> str:
    """Return what stands last in a title, after a dash, where there is one: mostly the site's name."""
    return page.title.rpartition(" - ")[2] if " - " in page.title else ""
