"""One episode in a browser: BrowserGym's environment, in a context of a browser that it shares with others.

It differs from BrowserGym's own in what it spares: no browser and no chat window of its own, no screenshots, no fixed
half-second of waiting (a page is looked at once it has been quiet for a moment).
"""

from __future__ import annotations

import functools
import logging
import re
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import playwright.sync_api as playwright
from browsergym.core.action import functions
from browsergym.core.constants import EXTRACT_OBS_MAX_TRIES
from browsergym.core.env import BrowserEnv
from browsergym.core.observation import MarkingError, _post_extract, _pre_extract, extract_merged_axtree
from browsergym.utils.obs import flatten_axtree_to_str

from dreamgym_env.domains.browser.elements import MOST_ELEMENTS, clean_text, read_elements
from dreamgym_env.domains.browser.grammar import ActionError, ParsedAction, read
from dreamgym_env.domains.browser.loading import PagesOnTheirWay
from dreamgym_env.domains.browser.snapshot import node_facts
from dreamgym_env.domains.browser.texts import PageText

__all__ = ["Lane"]

logging.getLogger("browsergym").setLevel(logging.ERROR)

_VIEWPORT: playwright.ViewportSize = {"width": 1280, "height": 720}
_PATIENCE = 10_000
"""Milliseconds that loading a page may take."""
_LONGEST_WAIT = 2_000.0
"""Milliseconds that ``noop`` waits at most."""
_LONGEST_ERROR = 300
_MOST_NODES, _MOST_CHARACTERS = 15_000, 1_500_000
"""A page with more elements or more text is not read: its accessibility tree would take minutes."""
_SIZE = "[document.getElementsByTagName('*').length, (document.documentElement?.textContent ?? '').length]"
_SETTLED = re.compile(
    "(performing [a-z]+ action)|element is (?:not|outside)|did not find some options|intercepts pointer events"
)
"""Stands in the log of an action that is being made (the group), and cannot be taken back, or that was refused."""
_REPEATABLE = frozenset({"clear", "click", "dblclick", "fill", "focus", "hover", "select_option"})
"""What can be tried again if the log says neither."""
_MOST_TRIES = 6
_QUIET = """() => new Promise(done => {
  const started = performance.now();
  let timer = setTimeout(finish, 40);
  const observer = new MutationObserver(() => {
    clearTimeout(timer);
    timer = setTimeout(finish, performance.now() - started > 1000 ? 0 : 40);
  });
  function finish() { observer.disconnect(); done(); }
  observer.observe(document, {subtree: true, childList: true, attributes: true, characterData: true});
})"""
"""Waits until the page has not changed for 40 ms, a second at most."""


class _Messages:
    """What was said between the user and the agent, in place of BrowserGym's chat window."""

    def __init__(self) -> None:
        self.messages: list[dict[str, Any]] = []

    def add_message(self, role: str, msg: str) -> None:
        """Note a message."""
        self.messages.append({"role": role, "timestamp": time.time(), "message": msg})

    def close(self) -> None:
        """Do nothing; BrowserGym closes its chat."""


class Lane(BrowserEnv):
    """One episode; at most one is in progress at a time."""

    def __init__(
        self,
        browser: playwright.Browser,
        task: Any,
        *,
        observation: str,
        allowed: Sequence[str],
        sites: Mapping[str, str],
        confined: bool,
    ) -> None:
        """Open a context for an episode.

        Args:
            browser: the browser.
            task: a task of BrowserGym's protocol.
            observation: ``"elements"`` or ``"axtree"``.
            allowed: names of the actions that there are.
            sites: placeholder -> the address that it stands for in addresses and texts.
            confined: whether the browser may load nothing but the sites.
        """
        super().__init__(task_entrypoint=type(task), action_mapping=None, pre_observation_delay=0.0)
        self.task = task
        self.chat = _Messages()
        self._observation, self._allowed, self._sites = observation, allowed, dict(sites)
        self._bids: dict[str, str] = {}
        self.infeasible_message_received = False
        self.context = browser.new_context(
            viewport=task.viewport or _VIEWPORT,
            locale="en-US",
            timezone_id="UTC",
            accept_downloads=False,
            **getattr(task, "context", {}),
        )
        self.context.set_default_timeout(_PATIENCE)
        self._on_their_way = PagesOnTheirWay(self.context)
        self.context.expose_binding(
            "browsergym_page_activated", lambda source: self._activate_page_from_js(source["page"])
        )
        self.context.add_init_script(_TELL_WHICH_TAB)
        if confined:
            self.context.route(_others(self._sites.values()), lambda route: route.abort())
        self.page = self.context.new_page()

    def begin(self) -> dict[str, Any]:
        """Set the task up; returns the instruction and what :meth:`show` returns."""
        goal, _ = self.task.setup(page=self.page)
        self.chat.add_message("user", goal)
        self._wait_dom_loaded()
        self._active_page_check()
        return {"instruction": str(goal), **self.show("", reward=0.0, done=False)}

    def act(self, action: str) -> dict[str, Any]:
        """Take an action; returns what :meth:`show` returns."""
        deadline = time.monotonic() + _PATIENCE / 1000
        try:
            error = self._try(read(action, self._allowed))
        except ActionError as failure:
            error = str(failure)
        self._wait_until_quiet(deadline)
        self._active_page_check()
        reward, done, _, _ = self._task_validate()
        return self.show(error, reward=float(reward), done=bool(done or self.infeasible_message_received))

    def show(self, error: str, *, reward: float, done: bool) -> dict[str, Any]:
        """Return what the browser shows now: the members of :class:`PageText`, the reward, and whether it is over."""
        pages = self.context.pages
        titles = [
            f"{self._plain(page.title())}{' (active)' if page is self.page else ''}" for page in pages if len(pages) > 1
        ]
        text = PageText(
            title=self._plain(self.page.title()),
            url=self._plain(self.page.url),
            lines=tuple(self._read_page()),
            tabs=tuple(titles),
            error=self._first_line(error),
        )
        return {
            "title": text.title,
            "url": text.url,
            "lines": text.lines,
            "tabs": text.tabs,
            "failure": text.error,
            "reward": reward,
            "done": done,
        }

    def close(self) -> None:
        """Close the context; closing twice is allowed."""
        if self.task is not None:
            task, self.task = self.task, None
            try:
                task.teardown()
            finally:
                self.context.close()

    def _try(self, action: ParsedAction) -> str:
        """Carry out an action; returns why it could not be, or an empty text.

        BrowserGym gives an action half a second, in which a busy machine may not even come to look at the element, and
        which also counts what follows a click, such as a slow site's next page.
        """
        tries_left = _MOST_TRIES if action.name in _REPEATABLE else 1
        error = ""
        while tries_left:
            tries_left -= 1
            try:
                self._carry_out(action)
            except playwright.TimeoutError as failure:
                error = f"{type(failure).__name__}: {failure}"
                *_, last = [None, *_SETTLED.finditer(str(failure))]
                if (last and last[1]) or (action.name == "press" and self._on_their_way):
                    return ""
                tries_left = 0 if last else tries_left
            except (playwright.Error, ValueError, TypeError, IndexError) as failure:
                return f"{type(failure).__name__}: {failure}"
            else:
                return ""
        return error

    def _carry_out(self, action: ParsedAction) -> None:
        """Call BrowserGym's function of an action, which finds the page in a variable of its module."""
        arguments = list(action.arguments)
        names = _parameters(action.name)
        for at, name in enumerate(names[: len(arguments)]):
            if name.endswith("bid"):
                arguments[at] = self._real_bid(arguments[at])
            elif name == "url":
                arguments[at] = self._address(arguments[at])
            elif name == "wait_ms":
                arguments[at] = min(float(arguments[at]), _LONGEST_WAIT)
        functions.page = self.page
        functions.demo_mode = "off"
        functions.send_message_to_user = self._say("assistant")
        functions.report_infeasible_instructions = self._say("infeasible")
        getattr(functions, action.name)(*arguments)
        self.page = functions.page

    def _real_bid(self, number: Any) -> Any:
        """Return BrowserGym's own id of an element that the last observation numbered."""
        if not isinstance(number, str):
            return number  # BrowserGym says what is wrong with it
        if number not in self._bids:
            raise ValueError(f'Could not find element with bid "{number}"')
        return self._bids[number]

    def _address(self, url: Any) -> Any:
        if not isinstance(url, str):
            return url
        for placeholder, address in self._sites.items():
            if url.startswith(placeholder):
                url = address + url[len(placeholder) :]
        if re.match(r"\s*(https?://|about:blank\Z)", url, re.IGNORECASE):
            return url
        raise ValueError(f"Only http and https addresses can be visited, not {url[:100]!r}")

    def _say(self, role: str) -> Callable[[Any], None]:
        def say(text: Any) -> None:
            if not isinstance(text, str):
                raise ValueError(f"Forbidden value: {text} is not a string")
            self.chat.add_message(role, text)
            self.infeasible_message_received |= role == "infeasible"

        return say

    def _wait_until_quiet(self, deadline: float) -> None:
        """Wait until the pages that were asked for are there, and the active one has been quiet for a moment."""
        self._on_their_way.wait(deadline)
        while True:
            self._wait_dom_loaded()
            try:
                self.page.evaluate(_QUIET)
            except playwright.Error:  # the page went away meanwhile
                self._wait_dom_loaded()
            if not self._on_their_way or time.monotonic() >= deadline:  # a form may be sent a moment after the click
                return
            self._on_their_way.wait(deadline)

    def _read_page(self) -> list[str]:
        elements, characters = self.page.evaluate(_SIZE)
        if elements > _MOST_NODES or characters > _MOST_CHARACTERS:
            self._bids = {}
            return [f"text: The page is too large to be shown: {elements:,} elements, {characters:,} characters."]
        for tries_left in reversed(range(EXTRACT_OBS_MAX_TRIES)):
            try:
                _pre_extract(self.page, lenient=tries_left == 0)
                facts = node_facts(self.page)
                tree = extract_merged_axtree(self.page)
                break
            except (playwright.Error, MarkingError):  # a page that is just changing
                if not tries_left:
                    raise
                time.sleep(0.2)
        _post_extract(self.page)
        return self._tree(tree) if self._observation == "axtree" else self._elements(tree, facts)

    def _elements(self, tree: Mapping[str, Any], facts: Mapping[str, Any]) -> list[str]:
        elements = read_elements(tree["nodes"], facts)
        self._bids = {str(element.number): element.bid for element in elements if element.number}
        return [self._without_addresses(element.line) for element in elements]

    def _tree(self, tree: Mapping[str, Any]) -> list[str]:
        self._bids = {}
        for node in _in_order(tree["nodes"]):
            if bid := node.get("browsergym_id"):
                number = str(len(self._bids) + 1)
                self._bids[number] = bid
                node["browsergym_id"] = number
        lines = flatten_axtree_to_str(tree, ignored_roles=["LineBreak", "InlineTextBox"]).split("\n")
        if len(lines) > 4 * MOST_ELEMENTS:
            lines = [*lines[: 4 * MOST_ELEMENTS], f"… and {len(lines) - 4 * MOST_ELEMENTS} more lines"]
        return [self._without_addresses(line) for line in lines]

    def _plain(self, text: str) -> str:
        return clean_text(self._without_addresses(text))

    def _without_addresses(self, text: str) -> str:
        for placeholder, address in self._sites.items():
            text = text.replace(address, placeholder)
        return text

    def _first_line(self, error: str) -> str:
        """Return an error's first line, the only one that is the same each time, in the agent's numbers."""
        line = self._without_addresses(error.partition("\n")[0])
        return clean_text(line, _LONGEST_ERROR)


_TELL_WHICH_TAB = """
window.browsergym_page_activated();
for (const kind of ["focus", "focusin", "load", "pageshow", "mousemove", "mouseup", "mousedown", "wheel", "keyup",
                    "keydown", "input"]) {
  window.addEventListener(kind, () => { window.browsergym_page_activated(); }, {capture: true});
}
document.addEventListener("visibilitychange", () => {
  if (document.visibilityState === "visible") { window.browsergym_page_activated(); }
}, {capture: true});
"""


def _others(addresses: Iterable[str]) -> re.Pattern[str]:
    """Return a pattern of all addresses but those that begin with one of some."""
    known = "|".join(rf"{re.escape(address)}(?:[/?#]|$)" for address in addresses)
    return re.compile(rf"^(?!{known})" if known else "")


@functools.cache
def _parameters(name: str) -> tuple[str, ...]:
    code = getattr(functions, name).__code__
    return tuple(code.co_varnames[: code.co_argcount])


def _in_order(nodes: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the nodes of a tree in the order in which its text shows them."""
    by_id = {node["nodeId"]: node for node in nodes}
    ordered: list[dict[str, Any]] = []
    stack = [nodes[0]] if nodes else []
    while stack:
        node = stack.pop()
        ordered.append(node)
        stack.extend(by_id[child] for child in reversed(node["childIds"]) if child in by_id and child != node["nodeId"])
    return ordered
