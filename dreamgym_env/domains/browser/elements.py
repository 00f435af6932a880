"""A page as a list of elements: what is worth reading or can be acted on, derived from its accessibility tree by rules.

1. An element with a role that invites action (button, link, textbox, ...) is one line with a number.  So is an element
   of another role that listens to clicks and holds a text of its own, or is an image.
2. Where one of these holds just another with the same name (a tab and the link in it), they are one line, with the
   outer role; actions are for the inner one.
3. A list to choose from (``combobox``) carries its options; date and time fields are one element each.
4. Headings, images with a name, dialogs and rows of tables are lines without a number; a row joins its cells by
   ``|``.
5. All other text is merged as far as it stands in one line of the page, and is not repeated where an element's name
   says it.
6. Texts lose control characters and repeated spaces, and are cut at :data:`LONGEST_TEXT` characters; a page at
   :data:`MOST_ELEMENTS` lines.

Numbers count the numbered lines from 1, so that they are a function of the page alone: the same page has the same
numbers in every episode.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

__all__ = ["INTERACTIVE", "LONGEST_TEXT", "MOST_ELEMENTS", "Element", "NodeFacts", "clean_text", "read_elements"]

LONGEST_TEXT = 400
"""Characters of a name, a value or a text; longer ones end in an ellipsis."""
MOST_ELEMENTS = 600
"""Lines of a page; what follows is counted."""
_MOST_OPTIONS = 300

_FIELDS = frozenset({"textbox", "searchbox", "spinbutton"})
_INPUTS = {"Date": "date", "DateTime": "datetime", "InputTime": "time", "Month": "month", "Week": "week"}
_SIMPLE = {"ColorWell": "color", "DisclosureTriangle": "button", "PopUpButton": "button"}
_TOGGLES = frozenset({"checkbox", "radio", "switch", "menuitemcheckbox", "menuitemradio"})
INTERACTIVE = frozenset(
    {"button", "combobox", "link", "listbox", "menuitem", "option", "slider", "tab", "treeitem", "color"}
    | _FIELDS
    | _TOGGLES
    | set(_INPUTS.values())
)
"""Roles of elements that always have a number."""
_LEAVES = frozenset({"combobox", "MenuListPopup", "InlineTextBox", *_INPUTS})
"""Roles below which nothing is listed."""
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff]+")


@dataclass(frozen=True, slots=True)
class NodeFacts:
    """What the accessibility tree does not tell of an element."""

    clickable: bool = False
    """Whether it listens to clicks."""
    inline: bool = False
    """Whether it flows with the text around it."""


@dataclass(frozen=True, slots=True)
class Element:
    """One line of a page."""

    role: str
    name: str
    value: str = ""
    states: tuple[str, ...] = ()
    options: tuple[str, ...] = ()
    bid: str = ""
    """BrowserGym's own id; empty for what has no number."""
    number: int = 0
    """What the agent calls it; 0 for what has no number."""

    @property
    def line(self) -> str:
        """The element as the agent reads it."""
        extra = [f"value {_quoted(self.value)}"] if self.value else []
        extra += self.states
        extra += [f"options {json.dumps(self.options, ensure_ascii=False)}"] if self.options else []
        number = f"[{self.number}] " if self.number else ""
        return f"{number}{self.role}: {', '.join([self.name, *extra] if self.name else extra)}".rstrip()


def read_elements(nodes: Sequence[Mapping[str, Any]], facts: Mapping[str, NodeFacts]) -> list[Element]:
    """Return a page's elements, in the page's order.

    Args:
        nodes: of an accessibility tree as browsers give it, with ``browsergym_id`` where BrowserGym has marked it.
        facts: by BrowserGym's id.
    """
    listed = [element for element in _Reader(nodes, facts).read() if element.bid or element.name]
    elements = []
    number = 0
    for element in listed[:MOST_ELEMENTS]:
        number += bool(element.bid)
        elements.append(replace(element, number=number) if element.bid else element)
    if len(listed) > MOST_ELEMENTS:
        elements.append(Element("text", f"… and {len(listed) - MOST_ELEMENTS} more lines, which are not shown"))
    return elements


def clean_text(text: str, longest: int = LONGEST_TEXT) -> str:
    """Return a text without control characters and repeated spaces, cut with an ellipsis."""
    cleaned = " ".join(_CONTROL.sub(" ", text[: 20 * longest]).split())
    return cleaned if len(cleaned) <= longest else f"{cleaned[: longest - 1]}…"


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


@dataclass(slots=True)
class _Run:
    """Text that is being merged."""

    label: str = "text"
    parts: list[str] = field(default_factory=list)
    of_label: bool = False
    """Whether it stands in a label, whose control may carry it as its name."""


class _Reader:
    """Walks one tree."""

    def __init__(self, nodes: Sequence[Mapping[str, Any]], facts: Mapping[str, NodeFacts]) -> None:
        self._root = nodes[0] if nodes else None
        self._kids = _children(nodes)
        self._facts = facts
        self._names = {_name(node) for node in nodes if _role(node) in INTERACTIVE}
        self._run = _Run()
        self._said: set[str] = set()
        """Nodes that another line stands for."""

    def read(self) -> Iterator[Element]:
        """Yield the page's elements."""
        if self._root is not None:
            limit = sys.getrecursionlimit()
            sys.setrecursionlimit(max(limit, 20_000))  # pages nest deeply
            try:
                yield from self._children(self._root, quiet="")
                yield from self._flush()
            finally:
                sys.setrecursionlimit(limit)

    def _children(self, node: Mapping[str, Any], quiet: str | None) -> Iterator[Element]:
        for child in self._kids[_key(node)]:
            if _key(child) not in self._said:
                yield from self._visit(child, quiet)

    def _visit(self, node: Mapping[str, Any], quiet: str | None) -> Iterator[Element]:
        """Yield what a node and its descendants show.

        Args:
            node: a node that was not visited before.
            quiet: text that an element around it has said already; None where it has said everything.
        """
        role = _role(node)
        if role == "StaticText":
            text = clean_text(_text(node, "name"))
            if text and quiet is not None and not (quiet and text in quiet):
                self._run.parts.append(text)
        elif role == "LineBreak":
            yield from self._flush()
        elif role in INTERACTIVE:
            yield from self._flush()
            yield from self._interactive(node, role)
        elif element := self._clicked(node, role):
            yield from self._flush()
            yield element
            yield from self._children(node, quiet=element.name)
            yield from self._flush()
        elif role == "row":
            yield from self._flush()
            cells = [clean_text(_joined(self._texts(cell))) for cell in self._kids[_key(node)]]
            yield Element("row", " | ".join(filter(None, cells)))
            yield from self._children(node, quiet=None)
        elif role in ("heading", "image", "img", "dialog", "alertdialog") and (name := _name(node)):
            yield from self._flush()
            yield Element("image" if role == "img" else role, name)
            yield from self._children(node, quiet=name)
            yield from self._flush()
        else:
            yield from self._plain(node, role, quiet)

    def _plain(self, node: Mapping[str, Any], role: str, quiet: str | None) -> Iterator[Element]:
        """Yield what an element without a line of its own holds."""
        bid = node.get("browsergym_id")
        block = role in ("alert", "status") or (bid is not None and not self._fact(node).inline)
        if not block and role != "LabelText":
            yield from self._children(node, quiet)
            return
        if block:
            yield from self._flush()
        around = self._run
        if role in ("alert", "status", "LabelText"):
            self._run = _Run("text" if role == "LabelText" else role, of_label=role == "LabelText")
        yield from self._children(node, quiet)
        yield from self._flush()
        self._run = around

    def _interactive(self, node: Mapping[str, Any], role: str) -> Iterator[Element]:
        name = _name(node)
        bid = str(node.get("browsergym_id") or "")
        inner = self._only_interactive_child(node)
        if inner is not None and _name(inner) == name and not self._fact(node).clickable:
            bid = str(inner.get("browsergym_id") or bid)
            self._said |= {_key(inner), *map(_key, self._walk(inner))}
        options = self._options(node) if role == "combobox" else ()
        value = clean_text(_text(node, "value")) if role in _FIELDS | {"combobox", "slider", "color"} else ""
        if _role_of_tree(node) in _INPUTS:
            value = clean_text(_text(node, "value"))
        yield Element(role, name, value, _states(node, role), options, bid)
        if _role_of_tree(node) not in _LEAVES and role not in _FIELDS:
            yield from self._children(node, quiet=None)

    def _clicked(self, node: Mapping[str, Any], role: str) -> Element | None:
        """Return an element that listens to clicks though its role does not say so, with a text of its own."""
        bid = node.get("browsergym_id")
        if bid is None or not self._fact(node).clickable or role in ("RootWebArea", "LabelText", "Iframe", "row"):
            return None
        if self._has_interactive(node):
            text = _joined(self._own_texts(node))
        else:
            text = _name(node) or _joined(self._texts(node))
        if not text and role not in ("image", "img"):
            return None
        shown = {"img": "image", "image": "image", "listitem": "listitem", "cell": "cell"}.get(role, "clickable")
        return Element(shown, clean_text(text), bid=str(bid))

    def _flush(self) -> Iterator[Element]:
        """Yield the text that was merged so far, and begin anew."""
        text = clean_text(_joined(self._run.parts))
        label, of_label = self._run.label, self._run.of_label
        self._run.parts = []
        if text and not (of_label and text in self._names):
            yield Element(label, text)

    def _fact(self, node: Mapping[str, Any]) -> NodeFacts:
        return self._facts.get(str(node.get("browsergym_id")), NodeFacts())

    def _walk(self, node: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
        """Yield a node's descendants in the page's order."""
        stack = self._kids[_key(node)][::-1]
        while stack:
            below = stack.pop()
            yield below
            stack.extend(self._kids[_key(below)][::-1])

    def _texts(self, node: Mapping[str, Any]) -> Iterator[str]:
        for below in self._walk(node):
            if _role(below) == "StaticText":
                yield _text(below, "name")

    def _own_texts(self, node: Mapping[str, Any]) -> Iterator[str]:
        """Yield the texts directly in an element: in nothing but elements that flow with the text."""
        for child in self._kids[_key(node)]:
            if _role(child) == "StaticText":
                yield _text(child, "name")
            elif self._fact(child).inline and not self._fact(child).clickable and _role(child) not in INTERACTIVE:
                yield from self._own_texts(child)

    def _has_interactive(self, node: Mapping[str, Any]) -> bool:
        return any(_role(below) in INTERACTIVE or self._fact(below).clickable for below in self._walk(node))

    def _only_interactive_child(self, node: Mapping[str, Any]) -> Mapping[str, Any] | None:
        found = [below for below in self._walk(node) if _role(below) in INTERACTIVE]
        return found[0] if len(found) == 1 else None

    def _options(self, node: Mapping[str, Any]) -> tuple[str, ...]:
        names = [_name(below) for below in self._walk(node) if _role(below) == "option"]
        return tuple(names[:_MOST_OPTIONS])


def _key(node: Mapping[str, Any]) -> str:
    return str(node["nodeId"])


def _children(nodes: Sequence[Mapping[str, Any]]) -> dict[str, list[Mapping[str, Any]]]:
    """Return the children of each node by its key, each node being the child of one other at most, the root of none."""
    by_key = {_key(node): node for node in nodes}
    children: dict[str, list[Mapping[str, Any]]] = {}
    claimed = {_key(nodes[0])} if nodes else set()
    stack = [nodes[0]] if nodes else []
    while stack:
        node = stack.pop()
        mine = [child for child in dict.fromkeys(map(str, node.get("childIds", ()))) if child in by_key]
        mine = [child for child in mine if child not in claimed]
        claimed.update(mine)
        children[_key(node)] = [by_key[child] for child in mine]
        stack.extend(by_key[child] for child in mine)
    return children


def _role_of_tree(node: Mapping[str, Any]) -> str:
    return str(node.get("role", {}).get("value", ""))


def _role(node: Mapping[str, Any]) -> str:
    """Return a node's role in ARIA's words."""
    role = _role_of_tree(node)
    return _INPUTS.get(role) or _SIMPLE.get(role) or role


def _text(node: Mapping[str, Any], key: str) -> str:
    value = node.get(key, {}).get("value")
    return "" if value is None else str(value)


def _name(node: Mapping[str, Any]) -> str:
    return clean_text(_text(node, "name"))


def _joined(texts: Iterator[str] | Sequence[str]) -> str:
    return " ".join(filter(None, (text.strip() for text in texts)))


def _states(node: Mapping[str, Any], role: str) -> tuple[str, ...]:
    """Return an element's states in words; what it is not is not said, but that it is collapsed."""
    held = {entry["name"]: entry.get("value", {}).get("value") for entry in node.get("properties", ())}
    states = []
    if role in _TOGGLES and held.get("checked") in ("true", "mixed", True):
        states.append("checked" if held["checked"] != "mixed" else "partly checked")
    if role == "button" and held.get("pressed") in ("true", True):
        states.append("pressed")
    if role in ("option", "tab", "treeitem") and held.get("selected") is True:
        states.append("selected")
    if role in ("button", "link", "menuitem", "tab", "treeitem") and isinstance(held.get("expanded"), bool):
        states.append("expanded" if held["expanded"] else "collapsed")
    states += [name for name in ("disabled", "required") if held.get(name) is True]
    if role in _FIELDS and held.get("focused") is True:
        states.append("focused")
    return tuple(states)
