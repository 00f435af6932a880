"""Does again, on a replica of the bundled sites, what an episode has sent: each form that was not refused."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode, urljoin

from dreamgym_env.domains.browser.episode import Change, Course
from dreamgym_env.domains.browser.page import Page, element_of
from dreamgym_env.domains.browser.patterns import heading_of
from dreamgym_env.domains.webarena.tasks.html_tree import Element, parse_html, parse_selector

if TYPE_CHECKING:
    from dreamgym_env.domains.webarena.sites.replica import Replica

__all__ = ["Repetition", "send_form"]


class Repetition:
    """One replica for any number of episodes; it is made when it is first needed."""

    @functools.cached_property
    def replica(self) -> Replica:
        """The replica as it was left."""
        from dreamgym_env.domains.webarena.sites.replica import Replica

        return Replica()

    def after(self, course: Course) -> Replica:
        """Return the sites as an episode leaves them, until this is asked again."""
        self.replica.reset()
        for change in course.changes:
            if not any(line.startswith("alert:") for line in change.after.lines):
                _repeat(self.replica, change)
        return self.replica


def _repeat(replica: Replica, change: Change) -> None:
    """Send a form of an episode to a replica, if the replica has it and it changes something."""
    url = replica.address(change.before.url, heading_of(change.before)).partition("?notice=")[0]
    found = _form(parse_html(replica.fetch(url)), change)
    if found is not None and found[1].attributes.get("method") == "post":
        send_form(replica, url, change)


def send_form(replica: Replica, url: str, change: Change) -> tuple[str, str] | None:
    """Send a form, one that asks or one that changes something.

    Args:
        replica: the sites.
        url: address of the page with the form.
        change: the page, the form and what was typed; what came of it is not read.

    Returns:
        Where the answer stands, and its HTML; None where the page has no such form.
    """
    page = parse_html(replica.fetch(url))
    found = _form(page, change)
    if found is None:
        return None
    button, form = found
    shown = _shown(change.before)
    fields: dict[str, str] = {}
    for element, label, nth in _labelled(page):
        name = element.attributes.get("name", "")
        if not name or form not in element.ancestors() or (element.tag == "button" and element is not button):
            continue
        value = _value(element, shown.get((label, nth)), change.typed.get((label, nth)))
        if value is not None:
            fields[name] = value
    target = urljoin(url, form.attributes.get("action") or url)
    if form.attributes.get("method") == "post":
        return replica.send(target, fields)
    asked = f"{target.partition('?')[0]}?{urlencode(fields)}"
    return asked, replica.fetch(asked)


def _form(page: Element, change: Change) -> tuple[Element, Element] | None:
    """Return the button that was pressed, of those with its name, and its form."""
    buttons = [one for one in page.walk() if one.tag == "button" and one.text() == change.sent.key.button]
    lines = change.before.lines
    nth = sum(line == lines[change.sent.at] for line in lines[: change.sent.at])
    button = buttons[nth] if nth < len(buttons) else None
    form = next((around for around in button.ancestors() if around.tag == "form"), None) if button else None
    return (button, form) if button is not None and form is not None else None


def _shown(page: Page) -> dict[tuple[str, int], Any]:
    """Return what the page's fields show, by label and count of the label."""
    shown: dict[tuple[str, int], Any] = {}
    counts: dict[str, int] = {}
    for line in page.lines:
        element = element_of(line)
        if element.role in ("textbox", "combobox", "checkbox", "radio"):
            nth = counts.get(element.name, 0)
            counts[element.name] = nth + 1
            shown[element.name, nth] = element
    return shown


def _labelled(page: Element) -> Iterator[tuple[Element, str, int]]:
    """Yield what forms send, with labels and the counts of the labels."""
    labels = {one.attributes.get("for"): one.text() for one in page.walk() if one.tag == "label"}
    counts: dict[str, int] = {}
    for element in page.walk():
        if element.tag not in ("input", "textarea", "select", "button"):
            continue
        label = element.attributes.get("aria-label") or labels.get(element.attributes.get("id"), "")
        nth = counts.get(label, 0)
        if element.tag != "button" and element.attributes.get("type") != "hidden":
            counts[label] = nth + 1
        yield element, label, nth


def _value(element: Element, shown: Any, typed: str | None) -> str | None:
    """Return what an element sends, or None for a box that is not ticked."""
    kind = element.attributes.get("type", "")
    if element.tag == "select":
        options = element.select(parse_selector("option"))
        chosen = next((one for one in options if shown is not None and one.text() == shown.value), None)
        return chosen.attributes.get("value", chosen.text()) if chosen else element.value()
    if kind in ("checkbox", "radio"):
        ticked = "checked" in (shown.states if shown is not None else element.attributes)
        return element.value() if ticked else None
    return element.value() if typed is None or kind == "hidden" or element.tag == "button" else typed
