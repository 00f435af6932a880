"""A browser without layout and scripts: it plays an oracle's steps over plain HTTP, by role and accessible name."""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import urljoin

import httpx

from dreamgym_env.domains.webarena.sites import Lane, resolve_url
from dreamgym_env.domains.webarena.tasks.html_tree import Element, parse_html, parse_selector
from dreamgym_env.domains.webarena.tasks.oracle import Answer, Click, Fill, Goto, Select, Step

BOX_TYPES = ("text", "search", "email", "tel", "url", "")


class PlainBrowser:
    """One tab in one lane."""

    def __init__(self, lane: Lane) -> None:
        self._client = httpx.Client(proxy=lane.proxy, follow_redirects=True, timeout=10, verify=False, trust_env=False)
        self.url = "about:blank"
        self.status = 0
        self.page = Element("#document")
        self.answer = ""
        self._typed: dict[int, str] = {}

    def play(self, steps: Iterable[Step]) -> None:
        """Do what an oracle says."""
        for step in steps:
            match step:
                case Goto(url):
                    self.goto(resolve_url(url))
                case Answer(text):
                    self.answer = text
                case Fill(role, name, text, nth):
                    self._typed[id(self.find(role, name, nth))] = text
                case Select(role, name, option, nth):
                    self._choose(self.find(role, name, nth), option)
                case Click(role, name, nth):
                    self._click(self.find(role, name, nth))

    def goto(self, url: str) -> None:
        """Open a URL."""
        self._show(self._client.get(url))

    def find(self, role: str, name: str, nth: int = 0) -> Element:
        """Return the nth element of a role and a name."""
        found = [element for element in self.page.walk() if role_of(element) == role and self.name_of(element) == name]
        if nth >= len(found):
            names = sorted({self.name_of(element) for element in self.page.walk() if role_of(element) == role})
            raise AssertionError(f"{self.url} has no {role} {name!r} ({nth}); it has {names}")
        return found[nth]

    def name_of(self, element: Element) -> str:
        """Return an element's accessible name."""
        if "aria-label" in element.attributes:
            return element.attributes["aria-label"]
        if element.tag in ("a", "button"):
            return element.text()
        labels = [label for label in self.page.walk() if label.tag == "label"]
        return next(
            (label.text() for label in labels if label.attributes.get("for") == element.attributes.get("id")), ""
        )

    def close(self) -> None:
        self._client.close()

    def _show(self, answer: httpx.Response) -> None:
        self.url, self.status, self.page = str(answer.url), answer.status_code, parse_html(answer.text)
        self._typed = {}

    def _choose(self, element: Element, option: str) -> None:
        options = element.select(parse_selector("option"))
        chosen = [other for other in options if other.text() == option]
        assert chosen, f"{self.url}: no option {option!r} among {[other.text() for other in options]}"
        self._typed[id(element)] = chosen[0].attributes.get("value", option)

    def _click(self, element: Element) -> None:
        if element.tag == "a":
            self.goto(urljoin(self.url, element.attributes["href"]))
        elif element.tag == "button":
            self._send(element)
        else:
            self._typed[id(element)] = "" if self._ticked(element) else "ticked"

    def _ticked(self, element: Element) -> bool:
        return bool(self._typed.get(id(element), "ticked" if "checked" in element.attributes else ""))

    def _send(self, button: Element) -> None:
        form = next(around for around in button.ancestors() if around.tag == "form")
        fields: dict[str, str] = {}
        for element in form.walk():
            name = element.attributes.get("name", "")
            if not name or (element.tag == "button" and element is not button):
                continue
            if element.attributes.get("type") == "checkbox":
                if self._ticked(element):
                    fields[name] = element.value()
            elif element.tag in ("input", "select", "textarea", "button"):
                fields[name] = self._typed.get(id(element), element.value())
        target = urljoin(self.url, form.attributes.get("action", ""))
        if form.attributes.get("method", "get") == "post":
            self._show(self._client.post(target, data=fields))
        else:
            self._show(self._client.get(target.partition("?")[0], params=fields))


def role_of(element: Element) -> str:
    """Return an element's role in an accessibility tree; empty for one that nobody acts on."""
    if element.tag == "a":
        return "link" if "href" in element.attributes else ""
    if element.tag == "input":
        kind = element.attributes.get("type", "")
        return "textbox" if kind in BOX_TYPES else kind if kind in ("checkbox", "radio") else ""
    return {"button": "button", "textarea": "textbox", "select": "combobox"}.get(element.tag, "")
