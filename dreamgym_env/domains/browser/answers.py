"""Finds the page that an action leads to, by the first way that knows one."""

from __future__ import annotations

from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from dreamgym_env.domains.browser.changes import Changes
from dreamgym_env.domains.browser.episode import Course
from dreamgym_env.domains.browser.finishing import without_notices
from dreamgym_env.domains.browser.forms import Sent, sent_form
from dreamgym_env.domains.browser.grammar import ParsedAction
from dreamgym_env.domains.browser.knowledge import Knowledge
from dreamgym_env.domains.browser.lists import Lists
from dreamgym_env.domains.browser.local import focused, refused_address, unfocused
from dreamgym_env.domains.browser.page import BLANK, Page, element_of
from dreamgym_env.domains.browser.patterns import Patterns
from dreamgym_env.domains.browser.sitemap import path_of
from dreamgym_env.domains.exclusion import Exclusion

__all__ = ["Answer", "Answers"]


@dataclass(frozen=True, slots=True)
class Answer:
    """A page and where it is known from."""

    page: Page
    origin: str
    certain: bool = False
    ends: bool = False
    """Whether the action mostly ends the episode."""


class Answers:
    """Answers actions on recorded sites."""

    def __init__(self, knowledge: Knowledge) -> None:
        """Answer from what was recorded."""
        self._knowledge = knowledge
        self._lists, self._patterns, self._changes = Lists(knowledge), Patterns(knowledge), Changes(knowledge)

    def answer(self, course: Course, action: ParsedAction, exclusion: Exclusion) -> Answer | None:
        """Return the page that an action leads to, or None where nothing tells."""
        found = self._answer(course, action, exclusion)
        if found is None or not self._knowledge.ends(course.page, action):
            return found
        return replace(found, ends=True, page=unfocused(found.page) if self._knowledge.loses_focus else found.page)

    def _answer(self, course: Course, action: ParsedAction, exclusion: Exclusion) -> Answer | None:
        page = course.page
        if refused := refused_address(action):
            return Answer(replace(page, error=refused), "the browser's own error", certain=True)
        changed = self._knowledge.changed(page, action)
        if changed is not None:
            return Answer(changed, "what it does on the page", certain=self._knowledge.proven(page, action))
        if action.name in ("go_back", "go_forward"):
            tab = course.trail.tab.moved(-1 if action.name == "go_back" else 1)
            live = tab.live
            if tab is course.trail.tab:
                return Answer(replace(page, error=""), "the tab has no other page")
            newer = course.newer(live.url)
            live = replace(without_notices(newer), url=live.url) if newer else live
            return self._in_tab(course, Answer(live, "this tab was there before"))
        if action.name in ("new_tab", "tab_focus", "tab_close"):
            return _tabs(course, action)
        found = self._opened(course, action, exclusion)
        at = page.place_of(action.arguments[0]) if action.elements else None
        if found is None and at is not None and element_of(page.lines[at]).role != "link":
            return Answer(focused(replace(page, error=""), at), "the page stays, as far as anybody knows")
        return self._in_tab(course, found) if found else None

    def _in_tab(self, course: Course, answer: Answer) -> Answer:
        titles = list(course.page.tab_titles)
        titles[course.trail.active] = answer.page.title
        return replace(answer, page=answer.page.in_tabs(titles, course.trail.active))

    def _opened(self, course: Course, action: ParsedAction, exclusion: Exclusion) -> Answer | None:
        page = course.page
        if action.name == "goto":
            url = str(action.arguments[0])
            return self._at(course, self._knowledge.answering(url, exclusion) or _normal(url), "", exclusion, sure=True)
        if action.name not in ("click", "press"):
            return None
        sent = sent_form(page, action)
        at = page.place_of(action.arguments[0])
        if action.name == "press" and sent is not None and at is not None:
            label = element_of(page.lines[at]).name
            if not self._knowledge.forms.takes_enter(sent.key.host, label):
                return Answer(focused(page.content, at), "a large field takes Enter as text")
        if sent is not None:
            return self._sent(course, sent, exclusion)
        if at is None or element_of(page.lines[at]).role != "link":
            return None
        name = element_of(page.lines[at]).name
        if known := self._knowledge.links.address(page, at, exclusion):
            return self._at(course, known, name, exclusion, sure=True)
        target = self._linked(page, at, exclusion)
        return self._at(course, target, name, exclusion) if target else None

    def _sent(self, course: Course, sent: Sent, exclusion: Exclusion) -> Answer | None:
        """Return what a form leads to."""
        asked = self._knowledge.forms.answer_address(course.page, sent, exclusion)
        if asked is not None:
            return self._at(course, asked, "", exclusion)
        after = self._changes.page(course, sent, exclusion)
        if after is not None:
            return Answer(after, "as the same form did elsewhere")
        guess = self._changes.guess(course, sent)
        return Answer(guess, "a guess, for nobody has sent this form") if guess is not None else None

    def _linked(self, page: Page, at: int, exclusion: Exclusion) -> str | None:
        """Return where a link leads that was not recorded: to what its name is the heading of, or by a rule."""
        host, name = path_of(page.url)[0], element_of(page.lines[at]).name
        derived = self._knowledge.links.derived(page, at, exclusion)
        if derived is not None and not derived[1]:
            return derived[0]
        if site := self._knowledge.sites.site_named(name):
            return site
        plain = [url for url in self._knowledge.sites.headed(host, name, exclusion) if "?" not in url]
        if len(plain) == 1:
            return plain[0]
        named = self._knowledge.links.named(page, at, exclusion)
        if derived is None or named is not None:
            return named
        size = len(path_of(derived[0])[1])
        return next((url for url in plain if len(path_of(url)[1]) == size), derived[0])

    def _at(self, course: Course, url: str, name: str, exclusion: Exclusion, *, sure: bool = False) -> Answer | None:
        """Return what an address shows; ``sure`` says whether the action is known to lead there."""
        shown = course.shown(url)
        if not self._knowledge.sites.determines(url):
            return None
        if shown is not None and not course.since(url):
            return Answer(shown, "this episode has shown it", certain=sure)
        known = self._knowledge.sites.page(url, exclusion)
        if shown is not None and (newer := course.newer(url)):
            return Answer(replace(without_notices(newer), url=url), "this episode has shown it since the change")
        if shown is not None:
            return Answer(shown, "this episode has shown it, before it changed something")
        if known is not None:
            told = self._changes.repeated(course, known.page, exclusion) if course.changes else None
            if told is not None:
                return Answer(told, "recorded at this address, for what the page before shows now")
            return Answer(known.page, "recorded at this address")
        made = self._lists.page(url, exclusion)
        if made is not None:
            return Answer(made, "a list of rows that other pages show")
        made = self._patterns.beside(url, exclusion)
        if made is not None:
            return Answer(made, "like the same page for something else")
        made = self._patterns.page(url, name, course.page, exclusion)
        return Answer(made, "like other pages of its kind") if made else None


def _tabs(course: Course, action: ParsedAction) -> Answer | None:
    tabs = list(course.trail.tabs)
    titles = list(course.page.tab_titles)
    if action.name == "new_tab":
        return Answer(BLANK.in_tabs([*titles, ""], len(titles)), "a new tab is empty")
    if action.name == "tab_focus":
        index = action.arguments[0]
        if not isinstance(index, int):
            return None
        if not -len(tabs) <= index < len(tabs):
            return Answer(replace(course.page, error="IndexError: list index out of range"), "the browser's own error")
        index %= len(tabs)
    else:
        del tabs[course.trail.active], titles[course.trail.active]
        if not tabs:
            return Answer(BLANK, "a new tab is empty")
        index = len(tabs) - 1
    return Answer(tabs[index].live.in_tabs(titles, index), "what the tab shows")


def _normal(url: str) -> str:
    """Return an address as browsers write it."""
    parts = urlsplit(url.strip())
    return parts._replace(path=parts.path or "/").geturl() if parts.netloc else url
