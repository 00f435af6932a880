"""What recordings have shown of some sites: pages, links, forms, what forms change, and the rows of tables."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from urllib.parse import urlsplit

from dreamgym_env.domains.browser.episode import read_course
from dreamgym_env.domains.browser.forms import FormKey, Forms, Sent, sent_form, was_sent
from dreamgym_env.domains.browser.grammar import ParsedAction, parse
from dreamgym_env.domains.browser.links import Links
from dreamgym_env.domains.browser.local import local_change, replaced_line, unfocused
from dreamgym_env.domains.browser.page import Page, element_of, read_page, written
from dreamgym_env.domains.browser.sitemap import SiteMap
from dreamgym_env.domains.browser.sources import Sources
from dreamgym_env.domains.browser.tables import Row, find_tables
from dreamgym_env.domains.exclusion import Exclusion
from dreamgym_env.types import Transition

__all__ = ["Event", "Knowledge", "Record"]


_OFTEN = (20, 5)
"""How often an action must have been as expected on a site, or on pages of one path, to count as always so."""
_DOT = "•"


def _places(page: Page) -> tuple[str, str]:
    split = urlsplit(page.url)
    return split.netloc, f"{split.netloc}{split.path}"


def _on(page: Page, action: ParsedAction) -> tuple[str, str]:
    at = page.place_of(action.arguments[0]) if action.elements else None
    return action.name, element_of(page.lines[at]).role if at is not None else ""


def _field_key(page: Page, at: int) -> tuple[str, str, int]:
    element = element_of(page.lines[at])
    before = sum(
        (one := element_of(line)).role == element.role and one.name == element.name for line in page.lines[:at]
    )
    return _places(page)[1], element.name, before


@dataclass(slots=True)
class Event:
    """A form that changed something: where it was sent, and what was shown then."""

    before: Page
    sent: Sent
    after: Page
    initial: bool
    """Whether nothing had been changed before."""
    base: Page | None = None
    """What the episode had seen of the answer's address before."""
    loaded: Page | None = None
    """The page on which the form was sent, as it was loaded."""
    typed: Mapping[tuple[str, int], str] = field(default_factory=dict)
    """What was typed, as it was typed."""
    sources: Sources = field(default_factory=Sources)


@dataclass(slots=True)
class Record:
    """A row of tables, and where it was shown."""

    row: Row
    paths: dict[str, Sources] = field(default_factory=dict)
    """Host and path of a page -> who has seen the row there."""

    def allow(self, exclusion: Exclusion) -> bool:
        """Return whether the row is known without what is excluded."""
        return any(sources.allow(exclusion) for sources in self.paths.values())


@dataclass(slots=True)
class Knowledge:
    """All of it."""

    links: Links = field(default_factory=Links)
    forms: Forms = field(default_factory=Forms)
    sites: SiteMap = field(default_factory=SiteMap)
    events: dict[FormKey, list[Event]] = field(default_factory=lambda: defaultdict(list))
    redirects: dict[str, tuple[str, Sources]] = field(default_factory=dict)
    """Address that was asked for -> the one that answered, where it is another."""
    tried: dict[tuple[str, str, str], list[int]] = field(default_factory=lambda: defaultdict(lambda: [0, 0]))
    """Site or path, action and role -> how often it changed a page as one would expect, and how often it did not."""
    ended: dict[tuple[str, str, str], list[int]] = field(default_factory=lambda: defaultdict(lambda: [0, 0]))
    """Path, action and role -> how often the episode went on, and how often it ended."""
    focus_at_end: list[int] = field(default_factory=lambda: [0, 0])
    """How often a text field that would have had the focus when the episode ended had it not, and how often it had."""
    masked: set[tuple[str, str, int]] = field(default_factory=set)
    """Path, name and place among the fields of that name of fields that show dots for what is typed."""
    records: dict[tuple[str, str], dict[str, Record]] = field(default_factory=lambda: defaultdict(dict))
    """Host and head of a table -> name of a row -> the row."""
    named: dict[str, list[tuple[str, str]]] = field(default_factory=lambda: defaultdict(list))
    """Name of a row -> the tables that hold it."""

    @classmethod
    def of(cls, experience: Iterable[Transition]) -> Knowledge:
        """Learn from recorded steps, in one pass; the steps of an episode come in order."""
        knowledge = cls()
        changed: set[str] = set()
        for step in experience:
            before, after = read_page(step.state, step.instruction), read_page(step.next_state, step.instruction)
            if before is None or after is None or step.episode.startswith("composed"):
                continue
            if not step.step:
                knowledge._see(before.content, step, initial=True)
            action = parse(step.action)
            if action is not None and step.valid:
                knowledge._try(before, action, after, over=step.terminated)
            if action is not None and step.valid and not after.error:
                knowledge._read(before, action, after, step, changed)
        return knowledge

    def answering(self, url: str, exclusion: Exclusion) -> str | None:
        """Return the address that answers where another is asked for, or None where nobody has seen another."""
        target, sources = self.redirects.get(url, (None, Sources()))
        return target if sources.allow(exclusion) else None

    def changed(self, page: Page, action: ParsedAction) -> Page | None:
        """Return what :func:`local_change` does, with dots where a field is known to show them."""
        after = local_change(page, action)
        at = page.place_of(action.arguments[0]) if action.name == "fill" else None
        if after is None or at is None or _field_key(page, at) not in self.masked:
            return after
        element = element_of(after.lines[at])
        return replaced_line(after, at, written(replace(element, value=_DOT * len(str(action.arguments[1])))))

    def proven(self, page: Page, action: ParsedAction) -> bool:
        """Return whether an action has often, and always, changed pages as one would expect."""
        tried = [self.tried.get((place, *_on(page, action)), (0, 0)) for place in _places(page)]
        return any(right >= often and not wrong for (right, wrong), often in zip(tried, _OFTEN, strict=True))

    def ends(self, page: Page, action: ParsedAction) -> bool:
        """Return whether an action on a page has mostly ended the episode."""
        on, over = self.ended.get((_places(page)[1], *_on(page, action)), (0, 0))
        return over > on

    @property
    def loses_focus(self) -> bool:
        """Whether text fields mostly lose the focus when an episode ends."""
        lost, kept = self.focus_at_end
        return lost > kept

    def _try(self, before: Page, action: ParsedAction, after: Page, *, over: bool) -> None:
        self.ended[_places(before)[1], *_on(before, action)][over] += 1
        at = before.place_of(action.arguments[0]) if action.name == "fill" else None
        if at is not None and at < len(after.lines) and set(element_of(after.lines[at]).value) == {_DOT}:
            self.masked.add(_field_key(before, at))
        expected = self.changed(before, action)
        if over and expected is not None and unfocused(expected) != expected:
            self.focus_at_end[after == expected] += 1
        if expected is not None:
            for place in _places(before):
                self.tried[place, *_on(before, action)][expected != after] += 1

    def _read(self, before: Page, action: ParsedAction, after: Page, step: Transition, changed: set[str]) -> None:
        initial = step.episode not in changed
        content = after.content
        if action.name == "goto":
            if action.arguments[0] != after.url:
                self.redirects.setdefault(str(action.arguments[0]), (after.url, Sources()))[1].add(step)
            self._see(content, step, initial=initial)
            return
        if action.name not in ("click", "press") or local_change(before, action) is not None:
            return
        sent = sent_form(before, action)
        at = before.place_of(action.arguments[0])
        if sent is not None and not was_sent(before, action, after):
            self.forms.note_large(sent.key.host, element_of(before.lines[at]).name if at is not None else "")
        elif sent is not None:
            if self.forms.read(before, sent, content, step):
                self._see(content, step, initial=initial)
            else:
                changed.add(step.episode)
                event = Event(before.content, sent, content, initial)
                course = read_course(step.history, step.state, step.instruction)
                if course is not None:
                    event.base, event.typed = course.last(content.url), course.typed
                    event.loaded = course.last(before.url)
                event.sources.add(step)
                self.events[sent.key].append(event)
        elif at is not None and element_of(before.lines[at]).role == "link" and len(before.tabs) == len(after.tabs):
            self.links.read(before, at, after, step)
            self._see(content, step, initial=initial)

    def _see(self, page: Page, step: Transition, *, initial: bool) -> None:
        self.sites.read(page, step, initial=initial)
        if not initial:
            return
        split = urlsplit(page.url)
        path = f"{split.netloc}{split.path}"
        for table in find_tables(page.lines):
            key = (split.netloc, table.head)
            for row in table.rows:
                records = self.records[key]
                if row.name not in records:
                    records[row.name] = Record(row)
                    self.named[row.name].append(key)
                records[row.name].paths.setdefault(path, Sources()).add(step)
