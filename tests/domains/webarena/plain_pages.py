"""Episodes on the bundled sites without a browser: pages as lines, straight from their HTML, and what actions do.

It stands in for the real browser where a test needs many recorded steps in little time.  The sites' own HTML is plain
enough for it; other pages are not.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from urllib.parse import urlencode, urljoin, urlsplit

from dreamgym_env.domains.browser.candidates import available_actions, guard
from dreamgym_env.domains.browser.elements import Element as Line
from dreamgym_env.domains.browser.elements import clean_text
from dreamgym_env.domains.browser.grammar import ACTIONS, parse
from dreamgym_env.domains.browser.local import focused, local_change, refused_address
from dreamgym_env.domains.browser.page import BLANK, Page, bare_line, element_of, read_page
from dreamgym_env.domains.browser.texts import with_error
from dreamgym_env.domains.webarena.sites.replica import Replica
from dreamgym_env.domains.webarena.tasks import bundled_task, evaluate, resolve_url
from dreamgym_env.domains.webarena.tasks.html_tree import Element, parse_html, parse_selector
from dreamgym_env.domains.webarena.verifier import task_from_goal
from dreamgym_env.types import Task, Transition, Turn

_BLOCKS = frozenset(
    [
        *("p", "div", "li", "ul", "nav", "header", "footer", "main", "article", "form", "table", "thead", "tbody"),
        *("dl", "dt", "dd", "section", "body", "html"),
    ]
)


class PlainPages:
    """One tab on sites of its own."""

    def __init__(self) -> None:
        self._sites = Replica()

    def begin(self, task: Task) -> str:
        """Start an episode; returns the first state."""
        self._sites.reset()
        self._task = task
        self._urls = [BLANK.url]
        self._at = 0
        self._open(resolve_url(bundled_task(task.family).start_url))
        return self.page.write(task.instruction)

    def act(self, action: str) -> tuple[str, float, bool]:
        """Take an action; returns the state, the reward and whether the episode is over."""
        state = self.page.write(self._task.instruction)
        refused = guard(state, self._task.instruction, action, ACTIONS)
        parsed = parse(action)
        if refused is not None or parsed is None:
            self.page = read_page(refused or state, self._task.instruction) or self.page
            return refused or state, 0.0, False
        self.page = replace(self.page, error="")
        reward, done = 0.0, False
        changed = local_change(self.page, parsed)
        if parsed.name == "send_msg_to_user":
            done = True
            reward = evaluate(task_from_goal(self._task), parsed.arguments[0], self.page.url, self._sites)
        elif error := refused_address(parsed):
            state = with_error(self.page.write(self._task.instruction), self._task.instruction, error)
            self.page = read_page(state, self._task.instruction) or self.page
        elif changed is not None:
            if parsed.name == "fill":
                self._typed[self._place(parsed.arguments[0])] = parsed.arguments[1]
            self.page = changed
        elif parsed.name == "goto":
            self._open(parsed.arguments[0])
        elif parsed.name in ("go_back", "go_forward"):
            to = self._at + (1 if parsed.name == "go_forward" else -1)
            if 0 <= to < len(self._urls):
                self._at = to
                self._show(self._urls[to])
        elif parsed.name == "press" and self._elements[self._place(parsed.arguments[0])].tag == "textarea":
            self.page = focused(self.page, self._place(parsed.arguments[0]))
        elif parsed.name in ("click", "press"):
            self._click(self._elements[self._place(parsed.arguments[0])])
        return self.page.write(self._task.instruction), reward, done

    def _place(self, number: str) -> int:
        place = self.page.place_of(number)
        assert place is not None
        return place

    def _open(self, url: str, *, form: bool = False) -> None:
        split = urlsplit(url)
        url = split._replace(path=split.path or "/").geturl()
        if form or self._urls[self._at] != url:
            self._urls = [*self._urls[: self._at + 1], url]
            self._at += 1
        self._show(url)

    def _show(self, url: str) -> None:
        if url == BLANK.url:
            self.page, self._elements, self._typed = BLANK, [], {}
            return
        self._render(url, parse_html(self._sites.fetch(url)))

    def _render(self, url: str, tree: Element) -> None:
        self._tree = tree
        lines, self._elements = [], []
        for line, element in _lines(tree):
            lines.append(bare_line(line.line))
            self._elements.append(element)
        title = next(one for one in tree.walk() if one.tag == "title")
        self.page = Page(" ".join("".join(map(str, title.children)).split()), url, tuple(lines))
        self._typed: dict[int, str] = {}

    def _click(self, element: Element) -> None:
        if element.tag == "a":
            self._open(urljoin(self.page.url, element.attributes["href"]))
            return
        form = next((around for around in element.ancestors() if around.tag == "form"), None)
        if form is None:
            return
        button = element if element.tag == "button" else next(one for one in form.walk() if one.tag == "button")
        fields = {}
        for one in form.walk():
            name = one.attributes.get("name", "")
            if name and not (one.tag == "button" and one is not button) and (value := self._value(one)) is not None:
                fields[name] = value
        target = urljoin(self.page.url, form.attributes.get("action") or self.page.url)
        if form.attributes.get("method", "get") == "get":
            self._open(f"{target.partition('?')[0]}?{urlencode(fields)}", form=True)
            return
        url, html = self._sites.send(target, fields)
        self._urls = [*self._urls[: self._at + 1], url]
        self._at += 1
        self._render(url, parse_html(html))

    def _value(self, element: Element) -> str | None:
        place = next((at for at, one in enumerate(self._elements) if one is element), None)
        if place is None or element.tag == "button":
            return element.value()
        shown = element_of(self.page.lines[place])
        if element.tag == "select":
            options = element.select(parse_selector("option"))
            return next(one.attributes.get("value", one.text()) for one in options if one.text() == shown.value)
        if element.attributes.get("type") in ("checkbox", "radio"):
            return element.value() if "checked" in shown.states else None
        return self._typed.get(place, element.value())


def play(pages: PlainPages, task: Task, agent, episode: str, rng, limit: int = 30) -> Iterator[Transition]:
    """Yield the steps of an episode."""
    agent.begin(task, rng)
    state = pages.begin(task)
    history: list[Turn] = []
    for step in range(limit):
        action = agent.act(state, available_actions(state, ACTIONS))
        if parse(action) is not None and parse(action).name in ("new_tab", "tab_focus", "tab_close"):
            action = "noop()"
        after, reward, done = pages.act(action)
        valid = "\nError: " not in after
        yield Transition(
            domain="webarena",
            task_id=task.id,
            instruction=task.instruction,
            split=task.split,
            episode=episode,
            step=step,
            history=tuple(history),
            state=state,
            action=action,
            next_state=after,
            reward=reward,
            terminated=done,
            score=reward,
            valid=valid,
        )
        if done:
            return
        history.append(Turn(state, action))
        state = after


def _lines(tree: Element) -> Iterator[tuple[Line, Element]]:
    labels = {one.attributes.get("for"): one.text() for one in tree.walk() if one.tag == "label"}
    reader = _Reader(labels)
    body = next(one for one in tree.walk() if one.tag == "body")
    yield from reader.read(body, listed=True)
    yield from reader.flush(body)


class _Reader:
    def __init__(self, labels: dict[str | None, str]) -> None:
        self._labels = labels
        self._texts: list[str] = []
        self._role = "text"

    def flush(self, element: Element) -> Iterator[tuple[Line, Element]]:
        text = clean_text(" ".join(filter(None, (one.strip() for one in self._texts))))
        self._texts = []
        if text:
            yield Line(self._role, text), element

    def read(self, element: Element, *, listed: bool) -> Iterator[tuple[Line, Element]]:
        """Yield the lines of what is in an element; texts only where they are listed."""
        for child in element.children:
            if isinstance(child, str):
                if listed:
                    self._texts.append(" ".join(child.split()))
            elif child.tag in ("a", "button", "input", "textarea", "select"):
                if child.attributes.get("type") != "hidden":
                    yield from self.flush(child)
                    yield self._control(child), child
            elif child.tag in ("h1", "h2", "h3"):
                yield from self.flush(child)
                yield Line("heading", clean_text(child.text())), child
            elif child.tag == "tr":
                yield from self.flush(child)
                cells = [self._cell(cell) for cell in child.children if isinstance(cell, Element)]
                yield Line("row", " | ".join(filter(None, cells))), child
                yield from self.read(child, listed=False)
            elif child.tag == "label":
                continue
            elif child.tag in _BLOCKS or (child.tag == "span" and element.tag == "header"):
                yield from self.flush(child)
                before, self._role = self._role, child.attributes.get("role") or "text"
                if self._role not in ("status", "alert"):
                    self._role = "text"
                yield from self.read(child, listed=listed)
                yield from self.flush(child)
                self._role = before
            else:
                yield from self.read(child, listed=listed)

    def _cell(self, cell: Element) -> str:
        texts = [
            one.value()
            if one.tag == "input" and one.attributes.get("type") != "hidden"
            else "".join(child for child in one.children if isinstance(child, str))
            for one in cell.walk()
        ]
        return clean_text(" ".join(filter(None, (text.strip() for text in texts))))

    def _control(self, element: Element) -> Line:
        name = element.attributes.get("aria-label") or self._labels.get(element.attributes.get("id"), "")
        if element.tag in ("a", "button"):
            return Line("link" if element.tag == "a" else "button", clean_text(element.text()), bid="1", number=1)
        if element.tag == "select":
            options = element.select(parse_selector("option"))
            chosen = next((one for one in options if "selected" in one.attributes), options[0])
            texts = tuple(one.text() for one in options)
            return Line("combobox", name, chosen.text(), (), texts, bid="1", number=1)
        if element.attributes.get("type") == "checkbox":
            states = ("checked",) if "checked" in element.attributes else ()
            return Line("checkbox", name, "", states, bid="1", number=1)
        return Line("textbox", name, clean_text(element.value()), bid="1", number=1)
