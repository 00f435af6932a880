"""What the bundled sites say against a page: where links and forms lead, and which texts stand at an address.

The sites are asked on a replica, after all that the episode has changed there.  The deployed sites of WebArena's own
tasks are not known here: their pages are judged by the browser's rules alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING
from urllib.parse import urljoin

from dreamgym_env.domains.browser.elements import MOST_ELEMENTS, clean_text
from dreamgym_env.domains.browser.episode import Change, Course
from dreamgym_env.domains.browser.forms import sent_form
from dreamgym_env.domains.browser.grammar import ParsedAction
from dreamgym_env.domains.browser.judging import BrowserRules
from dreamgym_env.domains.browser.page import Page, element_of
from dreamgym_env.domains.browser.patterns import heading_of
from dreamgym_env.domains.objections import CONSISTENCY, HALLUCINATION, INFORMATIVENESS, JudgeRules, Objection
from dreamgym_env.domains.webarena.repetition import Repetition, send_form
from dreamgym_env.domains.webarena.tasks.html_tree import Element, parse_html

if TYPE_CHECKING:
    from dreamgym_env.domains.webarena.domain import WebArena

__all__ = ["BundledSites", "judge_rules"]

_WORD = re.compile(r"\$?[\w.,@'-]*\w")
_MOST = 0.7
_NAMING = ("aria-label", "placeholder", "alt", "value")
"""Attributes whose texts a page's lines show."""


def judge_rules(domain: WebArena) -> JudgeRules:
    """Return the rules of the bundled sites, or those of any."""
    return BrowserRules(domain.actions, BundledSites() if domain.sites == "bundled" else None)


class BundledSites:
    """What the sites show, after what an episode has done to them."""

    def __init__(self) -> None:
        """Know the sites' first content; the replica is made when it is first asked."""
        self._repetition = Repetition()

    def address(self, course: Course, action: ParsedAction) -> str | None:
        """Return where a link or a form leads, or None where that is not known."""
        answer = self._answer(course, action)
        return answer[0] if answer is not None else None

    def place(self, page: Page) -> str:
        """Return the address of what a page shows: a dream may have made up a number in it."""
        return self._repetition.replica.address(page.url, heading_of(page))

    def objections(self, course: Course, action: ParsedAction, page: Page) -> Iterator[Objection]:
        """Yield what the texts at an address say against a page."""
        answer = self._answer(course, action)
        replica = self._repetition.replica if answer is not None else self._repetition.after(course)
        url = replica.address(page.url, heading_of(page))
        html = answer[1] if answer is not None and answer[0] == url else replica.fetch(url)
        if not html:
            return
        tree = parse_html(html)
        title = next((" ".join(_texts(one)) for one in tree.walk() if one.tag == "title"), "")
        if title and clean_text(title) != page.title:
            yield Objection(CONSISTENCY, 0, "The page is not what stands at its address.")
            yield Objection(HALLUCINATION, 0, "The page is not what stands at its address.")
            return
        there = {word for text in _visible(tree) for word in _WORD.findall(text)}
        shown = [set(_WORD.findall(_said(line))) for line in page.lines]
        strange = sum(bool(words - there) for words in shown)
        if strange:
            yield Objection(HALLUCINATION, 0 if strange > 1 else 1, "Texts on the page do not stand at its address.")
        words = {word for one in _body(tree) for word in _WORD.findall(one)}
        if len(page.lines) < MOST_ELEMENTS and len(words & set().union(*shown)) < _MOST * len(words):
            yield Objection(INFORMATIVENESS, 0, "Much of what stands at the address is missing.")

    def _answer(self, course: Course, action: ParsedAction) -> tuple[str, str] | None:
        """Return where an action leads, and the HTML there; None where that is not known."""
        page = course.page.content
        at = page.place_of(action.arguments[0]) if action.elements else None
        if at is None or action.name not in ("click", "press"):
            return None
        replica = self._repetition.after(course)
        url = replica.address(page.url, heading_of(page))
        sent = sent_form(page, action)
        if sent is not None:
            return send_form(replica, url.partition("?notice=")[0], Change(page, sent, page, course.typed))
        name = element_of(page.lines[at]).name
        nth = sum(page.lines[place] == page.lines[at] for place in range(at))
        links = [one for one in parse_html(replica.fetch(url)).walk() if one.tag == "a" and "href" in one.attributes]
        named = [one for one in links if name in (clean_text(one.text()), one.attributes.get("aria-label"))]
        if action.name != "click" or nth >= len(named):
            return None
        target = urljoin(url, named[nth].attributes["href"])
        return target, replica.fetch(target)


def _said(line: str) -> str:
    """Return what a line says of the page, without its role and states."""
    element = element_of(line)
    return " ".join((element.name, element.value, *element.options))


def _texts(element: Element) -> Iterator[str]:
    for child in element.children:
        if isinstance(child, str):
            yield child.strip()
        else:
            yield from _texts(child)


def _visible(tree: Element) -> Iterator[str]:
    """Yield all texts of a page, and those of its elements' attributes."""
    yield from _texts(tree)
    for element in tree.walk():
        yield from (element.attributes[name] for name in _NAMING if name in element.attributes)


def _body(tree: Element) -> Iterator[str]:
    """Yield what a reader sees of a page."""
    yield from (one.text() for one in tree.walk() if one.tag == "body")
