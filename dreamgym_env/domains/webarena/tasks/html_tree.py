"""A page's HTML as a tree, with the few CSS selectors that tasks need."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser

__all__ = ["Element", "Selector", "parse_html", "parse_selector"]

_VOID = frozenset(["area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "wbr"])
_INLINE = frozenset(["a", "abbr", "b", "code", "em", "i", "small", "span", "strong", "u"])
_UNSEEN = frozenset(["head", "script", "style", "template", "title"])
_PART = re.compile(
    r"""#(?P<id>[\w-]+)|\.(?P<class>[\w-]+)|\[(?P<name>[\w-]+)(?:=(?:"(?P<value>[^"]*)"|(?P<bare>[\w-]+)))?\]"""
)
_TAG = re.compile(r"[a-zA-Z][a-zA-Z0-9]*|\*")


@dataclass(eq=False, slots=True)
class Element:
    """An element with what is in it."""

    tag: str
    attributes: Mapping[str, str] = field(default_factory=dict)
    children: list[Element | str] = field(default_factory=list)
    parent: Element | None = None

    def walk(self) -> Iterator[Element]:
        """Yield the element and all elements in it, in document order."""
        yield self
        for child in self.children:
            if isinstance(child, Element):
                yield from child.walk()

    def ancestors(self) -> Iterator[Element]:
        """Yield the elements around this one, from the nearest."""
        around = self.parent
        while around is not None:
            yield around
            around = around.parent

    def text(self) -> str:
        """Return what a reader sees of it, white space reduced to single blanks; of a field, its value."""
        return " ".join(self._text().split())

    def value(self) -> str:
        """Return the value of a field as it would be sent; empty for anything else."""
        if self.tag == "textarea":
            return "".join(child for child in self.children if isinstance(child, str)).removeprefix("\n")
        if self.tag == "select":
            chosen = self._chosen()
            return chosen.attributes.get("value", chosen.text()) if chosen else ""
        return self.attributes.get("value", "")

    def select(self, selector: Selector) -> list[Element]:
        """Return the elements in it that a selector names, in document order."""
        return [element for element in self.walk() if selector.matches(element)]

    def _text(self) -> str:
        if self.tag in _UNSEEN:
            return ""
        if self.tag in ("input", "textarea"):
            return self.value()
        if self.tag == "select":
            chosen = self._chosen()
            return chosen._inner() if chosen else ""
        return self._inner() if self.tag in _INLINE else f" {self._inner()} "

    def _chosen(self) -> Element | None:
        options = [element for element in self.walk() if element.tag == "option"]
        return next((option for option in options if "selected" in option.attributes), next(iter(options), None))

    def _inner(self) -> str:
        return "".join(child if isinstance(child, str) else child._text() for child in self.children)


@dataclass(frozen=True, slots=True)
class _Compound:
    tag: str
    attributes: tuple[tuple[str, str | None], ...]
    classes: tuple[str, ...]

    def matches(self, element: Element) -> bool:
        return (
            self.tag in ("*", element.tag)
            and all(
                name in element.attributes and value in (None, element.attributes[name])
                for name, value in self.attributes
            )
            and set(self.classes) <= set(element.attributes.get("class", "").split())
        )


@dataclass(frozen=True, slots=True)
class Selector:
    """A CSS selector of tags, ``#id``, ``.class``, ``[name]``, ``[name="value"]``, and blanks for "inside"."""

    parts: tuple[_Compound, ...]

    def matches(self, element: Element) -> bool:
        """Return whether an element is one that the selector names."""
        if not self.parts[-1].matches(element):
            return False
        outer = list(self.parts[:-1])
        for around in element.ancestors():
            if outer and outer[-1].matches(around):
                outer.pop()
        return not outer


def parse_selector(text: str) -> Selector:
    """Return the selector that a text is. Raises ValueError, with a sentence, where it is none that is known here."""
    parts: list[_Compound] = []
    rest = text.strip()
    while rest:
        tag = _TAG.match(rest)
        rest = rest[tag.end() :] if tag else rest
        attributes: list[tuple[str, str | None]] = []
        classes: list[str] = []
        while found := _PART.match(rest):
            if found["id"]:
                attributes.append(("id", found["id"]))
            elif found["class"]:
                classes.append(found["class"])
            else:
                attributes.append((found["name"].lower(), found["bare"] if found["value"] is None else found["value"]))
            rest = rest[found.end() :]
        if not (tag or attributes or classes) or (rest and not rest[0].isspace()):
            break
        parts.append(_Compound(tag[0].lower() if tag else "*", tuple(attributes), tuple(classes)))
        rest = rest.lstrip()
    if rest or not parts:
        raise ValueError(
            f"{text!r:.120} is no locator: it takes a CSS selector of tags, #id, .class, [name] and "
            '[name="value"], with blanks between them for "inside".'
        )
    return Selector(tuple(parts))


def parse_html(text: str) -> Element:
    """Return the tree of a page; its root has the tag ``#document``."""
    builder = _Builder()
    builder.feed(text)
    builder.close()
    return builder.root


class _Builder(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.root = self._at = Element("#document")

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element = Element(tag, {name: value or "" for name, value in attrs}, [], self._at)
        self._at.children.append(element)
        if tag not in _VOID:
            self._at = element

    def handle_endtag(self, tag: str) -> None:
        opened = next((element for element in (self._at, *self._at.ancestors()) if element.tag == tag), None)
        if opened is not None and opened.parent is not None:
            self._at = opened.parent

    def handle_data(self, data: str) -> None:
        self._at.children.append(data)
