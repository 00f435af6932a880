"""Forms: which fields a button sends, and to which address what they hold leads.

A page's lines do not say which field belongs to which form; on most pages a form's button follows its fields.  Whether
a form asks (its fields stand in the address of the answer) or changes something shows in what was recorded.
"""

from __future__ import annotations

import itertools
import operator
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from dreamgym_env.domains.browser.grammar import ParsedAction
from dreamgym_env.domains.browser.local import TEXT_FIELDS
from dreamgym_env.domains.browser.page import Page, element_of
from dreamgym_env.domains.browser.sources import Sources
from dreamgym_env.domains.browser.texts import Listed
from dreamgym_env.domains.exclusion import Exclusion
from dreamgym_env.types import Transition

__all__ = ["FIELDS", "FormKey", "Forms", "Sent", "changes_something", "sent_form", "shown_value", "was_sent"]

FIELDS = TEXT_FIELDS | {"combobox", "checkbox", "radio", "spinbutton", "date", "time"}
"""Roles of what a form sends."""

_LAST_PART = "/"
_LEAST_FIT = 0.15


class FormKey(NamedTuple):
    """What tells a form from others, on all pages that have it."""

    host: str
    button: str
    labels: tuple[str, ...]
    """Names of its fields."""


@dataclass(frozen=True, slots=True)
class Sent:
    """A form as it is sent."""

    key: FormKey
    at: int
    """Where its button stands among the lines."""
    fields: tuple[Listed, ...]

    @property
    def values(self) -> dict[str, str]:
        """What its fields hold, by name: texts, chosen options, ``checked`` or nothing."""
        return {one.name: shown_value(one) for one in self.fields}


def shown_value(element: Listed) -> str:
    """Return what a field holds."""
    return "checked" * ("checked" in element.states) if element.role in ("checkbox", "radio") else element.value


def was_sent(page: Page, action: ParsedAction, after: Page) -> bool:
    """Return whether Enter has sent a form: else the field still has the focus."""
    at = page.place_of(action.arguments[0]) if action.elements else None
    if action.name != "press" or at is None or page.url != after.url or len(page.lines) != len(after.lines):
        return True
    return "focused" not in element_of(after.lines[at]).states


def sent_form(page: Page, action: ParsedAction) -> Sent | None:
    """Return the form that a click on a button, or Enter in a text field, sends; None for any other action."""
    at = page.place_of(action.arguments[0]) if action.elements else None
    if at is None:
        return None
    element = element_of(page.lines[at])
    if action.name == "press" and action.arguments[1:] == ("Enter",) and element.role in TEXT_FIELDS:
        at = next((place for place in range(at + 1, len(page.lines)) if _role(page, place) == "button"), None)
        if at is None:
            return None
    elif action.name != "click" or element.role != "button" or "disabled" in element.states:
        return None
    button = element_of(page.lines[at])
    fields = tuple(_fields_before(page, at))
    return Sent(FormKey(urlsplit(page.url).netloc, button.name, tuple(one.name for one in fields)), at, fields)


def _role(page: Page, at: int) -> str:
    return element_of(page.lines[at]).role


def _fields_before(page: Page, button: int) -> list[Listed]:
    """Return the fields between a button and the nearest link, button, heading or row above it, in order."""
    fields: list[Listed] = []
    for at in range(button - 1, -1, -1):
        element = element_of(page.lines[at])
        if element.role in ("link", "button", "heading", "row"):
            break
        if element.role in FIELDS:
            fields.insert(0, element)
    return fields


@dataclass(slots=True)
class _Example:
    """A form that was sent, and where its answer stood."""

    url: str
    """Of the page that it was sent on."""
    values: Mapping[str, str]
    lists: frozenset[str]
    """Names of the fields that are lists to choose from."""
    answer: str
    sources: Sources


@dataclass(slots=True)
class _Rule:
    """Where a form's answer stands, learnt from examples."""

    path: str
    """Empty for that of the page."""
    parameters: tuple[tuple[str, str], ...]
    """Name of a parameter, and of the field that it comes from; empty for one that is kept from the address, and
    :data:`_LAST_PART` for one that is the last part of its path."""
    codes: Mapping[tuple[str, str], str]
    """Parameter and shown option -> what stands in the address."""


@dataclass(slots=True)
class Forms:
    """Where the answers of forms that ask stand."""

    _examples: dict[FormKey, dict[tuple[str, tuple[tuple[str, str], ...], str], _Example]] = field(
        default_factory=lambda: defaultdict(dict)
    )
    _changing: Counter[FormKey] = field(default_factory=Counter)
    _rules: dict[FormKey, _Rule | None] = field(default_factory=dict)
    _labels: dict[str, frozenset[str]] = field(default_factory=dict)
    _large: set[tuple[str, str]] = field(default_factory=set)

    def read(self, before: Page, sent: Sent, after: Page, step: Transition) -> bool:
        """Note what a form led to; returns whether it only asked."""
        if changes_something(sent, after):
            self._changing[sent.key] += 1
            return False
        lists = frozenset(one.name for one in sent.fields if one.role == "combobox")
        key = (before.url, tuple(sent.values.items()), after.url)
        example = self._examples[sent.key].setdefault(
            key, _Example(before.url, sent.values, lists, after.url, Sources())
        )
        example.sources.add(step)
        self._rules.pop(sent.key, None)
        self._labels.clear()
        return True

    def asks(self, sent: Sent) -> bool:
        """Return whether a form is known to ask, not to change anything."""
        return len(self._examples.get(sent.key, ())) > self._changing[sent.key]

    def answer_address(self, page: Page, sent: Sent, exclusion: Exclusion) -> str | None:
        """Return the address of a form's answer, or None where nothing tells."""
        if not self.asks(sent):
            return None if self._changing[sent.key] else self._as_elsewhere(page, sent)
        same = self._examples[sent.key].values()
        for example in same:
            if example.url == page.url and example.values == sent.values and example.sources.allow(exclusion):
                return example.answer
        rule = self._rule(sent.key)
        return (_filled(rule, page, sent) if rule else None) or self._as_elsewhere(page, sent)

    def asked(self, url: str) -> dict[str, str]:
        """Return what the fields hold that ask for an address, by name, as far as forms that lead there tell."""
        parts = urlsplit(url)
        given = dict(parse_qsl(parts.query, keep_blank_values=True))
        asked: dict[str, str] = {}
        for key in list(self._examples):
            rule = self._rule(key) if key.host == parts.netloc else None
            if rule is None or rule.path not in ("", parts.path):
                continue
            shown = {(name, code): option for (name, option), code in rule.codes.items()}
            for name, label in rule.parameters:
                if label not in ("", _LAST_PART) and name in given:
                    asked.setdefault(label, shown.get((name, given[name]), given[name]))
        return asked

    def asking_labels(self, host: str) -> frozenset[str]:
        """Return the names of fields with which a site is asked."""
        if host not in self._labels:
            labels = (key.labels for key in self._examples if key.host == host and self._examples[key])
            self._labels[host] = frozenset(itertools.chain.from_iterable(labels))
        return self._labels[host]

    def takes_enter(self, host: str, label: str) -> bool:
        """Return whether Enter in a field sends its form, as far as anybody has tried; a large field takes it in."""
        return (host, label) not in self._large

    def note_large(self, host: str, label: str) -> None:
        """Note that Enter in a field does not send its form."""
        self._large.add((host, label))

    def _as_elsewhere(self, page: Page, sent: Sent) -> str | None:
        """Return the address by the rule of a form on another site that has the same button and fields, or None."""
        same = (key for key in list(self._examples) if key[1:] == sent.key[1:])
        rules = (rule for rule in map(self._rule, same) if rule and {label for _, label in rule.parameters} - {""})
        rule = next(rules, None)
        return _filled(replace(rule, path=""), page, sent) if rule else None

    def _rule(self, key: FormKey) -> _Rule | None:
        if key not in self._rules:
            self._rules[key] = _learnt(list(self._examples[key].values()))
        return self._rules[key]


def changes_something(sent: Sent, after: Page) -> bool:
    """Return whether a form that led to a page did more than ask for it: the page tells so, or its address does not."""
    return any(line.startswith("status:") for line in after.lines) or not _asks(sent, after.url)


def _asks(sent: Sent, url: str) -> bool:
    """Return whether an address holds what a form's fields hold."""
    given = [value.strip() for _, value in parse_qsl(urlsplit(url).query, keep_blank_values=True)]
    texts = [one.value for one in sent.fields if one.role in TEXT_FIELDS]
    return bool(sent.fields) and len(given) >= len(sent.fields) and all(text in given for text in texts)


def _learnt(examples: Sequence[_Example]) -> _Rule | None:
    if not examples:
        return None
    paths = Counter(urlsplit(example.answer).path for example in examples)
    own = sum(urlsplit(example.answer).path == urlsplit(example.url).path for example in examples)
    path = "" if own == len(examples) and (len(paths) > 1 or len(examples) > 1) else paths.most_common(1)[0][0]
    given = [dict(parse_qsl(urlsplit(example.answer).query, keep_blank_values=True)) for example in examples]
    names = list(dict.fromkeys(name for one in given for name in one))
    labels = _labels_of(names, examples, given)
    codes: dict[tuple[str, str], str] = {}
    for name, label in labels.items():
        for example, one in zip(examples, given, strict=True):
            if label in example.lists and name in one:
                codes[name, example.values[label]] = one[name]
    parameters = list(labels.items())
    return _Rule(path, tuple(parameters), codes)


def _labels_of(
    names: Sequence[str], examples: Sequence[_Example], given: Sequence[Mapping[str, str]]
) -> dict[str, str]:
    """Return the field that each parameter comes from, as in :class:`_Rule`; the best explained first."""
    fits = [(_fit(label, name, examples, given), label, name) for name in names for label in examples[0].values]
    found: dict[str, str] = {}
    for fit, label, name in sorted(fits, key=operator.itemgetter(0), reverse=True):
        if fit > _LEAST_FIT and name not in found and label not in found.values():
            found[name] = label
    open_names = [name for name in names if name not in found]
    open_labels = [label for label in examples[0].values if label not in found.values()]
    if len(open_names) == len(open_labels):  # fields stand in an address in their order
        found |= {
            name: label
            for name, label in zip(open_names, open_labels, strict=True)
            if _fit(label, name, examples, given) >= 0
        }
    for name in names:
        if name not in found:
            told = zip(examples, given, strict=True)
            own = all(one.get(name) in (None, _last_part(example.url)) for example, one in told)
            found[name] = _LAST_PART if own else ""
    return {name: found[name] for name in names}


def _fit(label: str, name: str, examples: Sequence[_Example], given: Sequence[Mapping[str, str]]) -> float:
    """Return how well a field explains a parameter: one value of the parameter for each of the field's."""
    pairs = [
        (example.values.get(label, ""), one[name]) for example, one in zip(examples, given, strict=True) if name in one
    ]
    if not pairs or len(dict(pairs)) != len(set(pairs)):
        return -1.0
    alike = sum(_alike(shown, code) for shown, code in pairs) / len(pairs)
    return alike + len({code for _, code in pairs}) / 100 + (0.01 if name[:1].lower() == label[:1].lower() else 0.0)


def _last_part(url: str) -> str:
    return urlsplit(url).path.rstrip("/").rpartition("/")[2]


def _alike(shown: str, code: str) -> float:
    if shown.strip() == code.strip():
        return 1.0
    shown, code = shown.lower(), code.lower()
    return 0.5 if code and code.split("-")[0] in shown.replace(" ", "-") else 0.0


def _filled(rule: _Rule, page: Page, sent: Sent) -> str | None:
    asked = urlsplit(page.url)
    own = dict(parse_qsl(asked.query, keep_blank_values=True))
    path = rule.path or asked.path
    kept = own if path == asked.path else {}
    parameters = []
    for name, label in rule.parameters:
        if label == _LAST_PART:
            parameters.append((name, _last_part(page.url)))
        elif label:
            shown = sent.values.get(label, "")
            role = next((one.role for one in sent.fields if one.name == label), "")
            parameters.append((name, _code(rule, name, shown, chosen=role == "combobox")))
        elif name in kept:
            parameters.append((name, kept[name]))
    if not parameters:
        return None  # a form with fields that leaves no trace of them in the address is not understood
    return urlunsplit(asked._replace(path=path, query=urlencode(parameters), fragment=""))


def _code(rule: _Rule, name: str, shown: str, *, chosen: bool) -> str:
    """Return what stands in the address for what a field shows."""
    if not chosen or not rule.codes:
        return shown
    if (name, shown) in rule.codes:
        return rule.codes[name, shown]
    known = [(option, code) for (parameter, option), code in rule.codes.items() if parameter == name]
    told = [pair for pair in known if pair[1]] or [(option, code) for (_, option), code in rule.codes.items()]
    as_shown = sum(code == option for option, code in told)
    return shown if as_shown * 2 >= len(told) else _slug(shown)


def _slug(text: str) -> str:
    return "-".join(text.lower().replace(",", "").split())
