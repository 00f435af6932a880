"""Judges an episode of the bundled sites, dreamt or real, by the evaluators of its task; needs no sites and no browser.

The answer and the final address stand in the episode.  What it has changed is done again on a replica of the sites:
each form that it has sent, with what it has typed, ticked and chosen, where the page that followed did not refuse it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin

from dreamgym_env.domains.browser.episode import Change, Course, read_course
from dreamgym_env.domains.browser.grammar import parse
from dreamgym_env.domains.browser.page import Page, element_of
from dreamgym_env.domains.browser.patterns import heading_of
from dreamgym_env.domains.webarena.tasks import evaluate
from dreamgym_env.domains.webarena.tasks.html_tree import Element, parse_html, parse_selector
from dreamgym_env.domains.webarena.tasks.task import WebTask, task_from_record
from dreamgym_env.errors import ResetOptionError, WebTaskError
from dreamgym_env.types import Task, Turn, Verdict

if TYPE_CHECKING:
    from dreamgym_env.domains.webarena.sites.replica import Replica

__all__ = ["WebArenaVerifier"]

_LAST = frozenset({"send_msg_to_user", "report_infeasible"})
_INFEASIBLE = "N/A"
"""The answer that counts where the user is told that a task cannot be done."""


class WebArenaVerifier:
    """The program that decides success on the bundled sites."""

    def __init__(self) -> None:
        """Create a verifier; its replica is made when an episode first has to be judged by what it has changed."""
        self._replica: Replica | None = None

    def check(self, task: Task) -> None:
        """Raise ResetOptionError unless the task has a goal in WebArena's format that its evaluators can read."""
        _web_task(task)

    def verify(self, task: Task, history: Sequence[Turn], state: str, action: str, next_state: str) -> Verdict:
        """Judge the step: only a message to the user ends an episode.

        Raises:
            ResetOptionError: the task is none that :meth:`check` lets pass.
        """
        parsed = parse(action)
        if parsed is None or parsed.name not in _LAST or not isinstance(parsed.arguments[0], str):
            return Verdict(False, False, 0.0)
        web_task = _web_task(task)
        course = read_course(history, state, task.instruction)
        if course is None:
            return Verdict(False, True, 0.0)
        answer = parsed.arguments[0] if parsed.name == "send_msg_to_user" else _INFEASIBLE
        replica = self._after(course)
        page = course.page
        score = evaluate(web_task, answer, replica.address(page.url, heading_of(page)), replica)
        return Verdict(score > 0, True, score)

    def _after(self, course: Course) -> Replica:
        """Return the sites as an episode leaves them."""
        if self._replica is None:
            from dreamgym_env.domains.webarena.sites.replica import Replica

            self._replica = Replica()
        self._replica.reset()
        for change in course.changes:
            if not any(line.startswith("alert:") for line in change.after.lines):
                _repeat(self._replica, change)
        return self._replica


def _web_task(task: Task) -> WebTask:
    record = {"sites": ["shop"], "start_url": "about:blank", **task.goal, "intent": task.instruction or "-"}
    try:
        return task_from_record(record)
    except WebTaskError as error:
        raise ResetOptionError(
            f"The goal of task {task.id!r} cannot be judged: {error} A goal holds 'eval' in WebArena's format. In a "
            "dream, success='model' lets the world model judge without a goal."
        ) from error


def _repeat(replica: Replica, change: Change) -> None:
    """Send a form of an episode to a replica, if the replica has it."""
    url = replica.address(change.before.url, heading_of(change.before)).partition("?notice=")[0]
    page = parse_html(replica.fetch(url))
    button = _nth([one for one in page.walk() if one.tag == "button" and one.text() == change.sent.key.button], change)
    form = next((around for around in button.ancestors() if around.tag == "form"), None) if button else None
    if form is None or form.attributes.get("method") != "post":
        return
    shown = _shown(change.before)
    fields: dict[str, str] = {}
    for element, label, nth in _labelled(page):
        name = element.attributes.get("name", "")
        if not name or form not in element.ancestors() or (element.tag == "button" and element is not button):
            continue
        value = _value(element, shown.get((label, nth)), change.typed.get((label, nth)))
        if value is not None:
            fields[name] = value
    replica.send(urljoin(url, form.attributes.get("action") or url), fields)


def _nth(buttons: Sequence[Element], change: Change) -> Element | None:
    """Return the button that was pressed, of those with its name."""
    lines = change.before.lines
    before = sum(line == lines[change.sent.at] for line in lines[: change.sent.at])
    return buttons[before] if before < len(buttons) else None


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
