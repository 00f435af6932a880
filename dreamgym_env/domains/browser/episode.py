"""What an episode has shown of the sites, and what it has changed on them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from dreamgym_env.domains.browser.forms import FIELDS, Sent, changes_something, sent_form, was_sent
from dreamgym_env.domains.browser.grammar import ParsedAction, parse
from dreamgym_env.domains.browser.local import local_change
from dreamgym_env.domains.browser.page import BLANK, Page, element_of, read_page
from dreamgym_env.domains.browser.trail import Trail
from dreamgym_env.types import Turn

__all__ = ["Change", "Course", "read_course"]

_MOVES = {"go_back": -1, "go_forward": 1}
_OPENING = frozenset({"goto", "click", "press", "dblclick", *_MOVES})


@dataclass(frozen=True, slots=True)
class Change:
    """A form that the episode has sent, and that changed something."""

    before: Page
    sent: Sent
    after: Page
    typed: Mapping[tuple[str, int], str] = field(default_factory=dict)
    """What was typed into the page's fields, as it was typed: by the field's name, and the count of that name."""


@dataclass(slots=True)
class Course:
    """An episode up to its current page."""

    trail: Trail
    page: Page
    """With tabs and error."""
    changes: list[Change] = field(default_factory=list)
    typed: dict[tuple[str, int], str] = field(default_factory=dict)
    """What was typed since the page was loaded."""
    _loaded: dict[str, tuple[Page, int]] = field(default_factory=dict)

    def shown(self, url: str) -> Page | None:
        """Return the page of an address as the episode loaded it last, or None."""
        return self._loaded[url][0] if url in self._loaded else None

    def last(self, url: str) -> Page | None:
        """Return the page of a path as the episode loaded it last, whatever was asked of it, or None."""
        path = url.partition("?")[0]
        found = [(at, page) for one, (page, at) in self._loaded.items() if one.partition("?")[0] == path]
        return max(found, key=lambda one: one[0])[1] if found else None

    def newer(self, url: str) -> Page | None:
        """Return a page of the same path that was loaded after a change, where the address itself was only before it.

        Pages of a path that something else is asked of are others.
        """
        path = url.partition("?")[0]
        own = self._loaded[url][1] if url in self._loaded else 0
        for other, (page, at) in reversed(self._loaded.items()):
            if other != url and at > own and path in (other.partition("?")[0], url) and other.startswith(f"{path}?"):
                return page if page.title == self._loaded.get(url, (page, 0))[0].title else None
        return None

    def pages(self) -> list[Page]:
        """Return the pages as the episode loaded them last, the latest first."""
        return [page for page, _ in reversed(self._loaded.values())]

    def since(self, url: str) -> list[Change]:
        """Return what was changed since a page was loaded last; all that was changed where it never was."""
        return self.changes[self._loaded[url][1] if url in self._loaded else 0 :]

    def load(self, page: Page) -> None:
        """Note a page as it was loaded."""
        self.typed = {}
        self._loaded.pop(page.url, None)
        self._loaded[page.url] = (page, len(self.changes))


def read_course(turns: Sequence[Turn], state: str, instruction: str) -> Course | None:
    """Follow an episode up to a state; None where a state's text is no list of elements."""
    course: Course | None = None
    action: ParsedAction | None = None
    before = BLANK
    for turn in (*turns, Turn(state, "")):
        page = read_page(turn.state, instruction)
        if page is None:
            return None
        if course is None:
            course = Course(Trail.beginning(page), page)
            course.load(page.content)
        else:
            _follow(course, action, before, page)
        action, before = parse(turn.action) if turn.action else None, page
    return course


def _follow(course: Course, action: ParsedAction | None, before: Page, page: Page) -> None:
    tab = course.trail.tab
    course.trail = course.trail.after(action, before, page)
    course.page = page
    content = page.content
    if action is None or (page.error and content == before.content):
        return  # an action may do something and fail all the same, as a click on a page that is slow to come
    if action.name in ("fill", "clear"):
        _type(course, action, before)
    if not was_sent(before, action, page):
        return
    stays = action.name in _MOVES and tab.moved(_MOVES[action.name]) is tab and tab.live.url == page.url
    if stays or action.name not in _OPENING or local_change(before, action) is not None:
        return
    sent = sent_form(before, action)
    if sent is not None and changes_something(sent, content):
        course.changes.append(Change(before.content, sent, content, course.typed))
    course.load(content)


def _type(course: Course, action: ParsedAction, page: Page) -> None:
    at = page.place_of(action.arguments[0])
    if at is None:
        return
    name = element_of(page.lines[at]).name
    nth = sum(
        (element := element_of(line)).name == name and bool(element.number) and element.role in FIELDS
        for line in page.lines[:at]
    )
    course.typed[name, nth] = str(action.arguments[1]) if action.name == "fill" else ""
