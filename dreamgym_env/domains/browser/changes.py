"""What a form changes: the page that follows, after the pattern of what the same form has led to elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

from dreamgym_env.domains.browser.analogy import Substitution, carried_over
from dreamgym_env.domains.browser.episode import Course
from dreamgym_env.domains.browser.forms import Sent, shown_value
from dreamgym_env.domains.browser.knowledge import Event, Knowledge
from dreamgym_env.domains.browser.page import Page, element_of
from dreamgym_env.domains.browser.patterns import heading_of
from dreamgym_env.domains.browser.sitemap import path_of
from dreamgym_env.domains.browser.sources import Exclusion

__all__ = ["Changes"]

_MOST_EVENTS = 40


class Changes:
    """Answers forms that change something."""

    def __init__(self, knowledge: Knowledge) -> None:
        """Answer from what was recorded."""
        self._knowledge = knowledge

    def page(self, course: Course, sent: Sent, exclusion: Exclusion) -> Page | None:
        """Return the page that a form leads to, or None where nobody has sent one like it."""
        events = [one for one in self._knowledge.events.get(sent.key, ()) if one.sources.allow(exclusion)]
        here = course.page.content
        if not events:
            return None
        event = max(events[-_MOST_EVENTS:], key=lambda one: _likeness(one, here, sent))
        texts = Substitution.of(_pairs(event, here, sent))
        url = self._address(event, here, texts)
        base_elsewhere, base = self._bases(course, event, here, url, exclusion)
        if base_elsewhere is None or base is None:
            return Page(texts.text(event.after.title), url, texts.lines(event.after.lines))
        lines = carried_over(base_elsewhere.lines, event.after.lines, base.lines, texts)
        title = base.title if base_elsewhere.title == event.after.title else texts.text(event.after.title)
        return Page(title, url, lines)

    def _bases(
        self, course: Course, event: Event, here: Page, url: str, exclusion: Exclusion
    ) -> tuple[Page | None, Page | None]:
        """Return the page that was changed there, and the one to change here."""
        if path_of(event.after.url) == path_of(event.before.url):
            return event.before, here
        plain_there, plain_here = event.after.url.partition("?")[0], url.partition("?")[0]
        there = self._knowledge.sites.page(plain_there, exclusion)
        shown = course.shown(plain_here)
        if shown is None and (known := self._knowledge.sites.page(plain_here, exclusion)):
            shown = known.page
        last = next((one.after for one in reversed(course.changes) if path_of(one.after.url) == path_of(url)), None)
        return (there.page if there and there.initial else None), last or shown

    def _address(self, event: Event, here: Page, texts: Substitution) -> str:
        after, before = urlsplit(event.after.url), urlsplit(event.before.url)
        if after.path == before.path:
            path = urlsplit(here.url).path
        else:
            old, new = path_of(event.before.url)[1], path_of(here.url)[1]
            parts = [
                new[at] if at < min(len(old), len(new)) and old[at] == part else texts.text(part)
                for at, part in enumerate(path_of(event.after.url)[1])
            ]
            path = "/" + "/".join(parts)
        return after._replace(path=path).geturl()


def _likeness(event: Event, here: Page, sent: Sent) -> tuple[float, ...]:
    same_values = sum(event.sent.values.get(label) == value for label, value in sent.values.items())
    filled = sum(bool(event.sent.values.get(label)) == bool(value) for label, value in sent.values.items())
    parts = sum(a == b for a, b in zip(path_of(event.before.url)[1], path_of(here.url)[1], strict=False))
    lines = len(set(event.before.lines) & set(here.lines)) / max(1, len(event.before.lines))
    return event.initial, filled, same_values, parts, lines


def _pairs(event: Event, here: Page, sent: Sent) -> Iterator[tuple[str, str]]:
    """Yield texts of the page there and of the page here: what was typed, what it is about, and its address."""
    yield from zip(map(shown_value, event.sent.fields), map(shown_value, sent.fields), strict=False)
    yield heading_of(event.before), heading_of(here)
    yield from zip(_values(event.before), _values(here), strict=False)
    yield event.before.title.partition(" - ")[0], here.title.partition(" - ")[0]
    yield from zip(path_of(event.before.url)[1], path_of(here.url)[1], strict=False)


def _values(page: Page) -> list[str]:
    return [shown_value(element) for line in page.lines if (element := element_of(line)).role == "textbox"]
