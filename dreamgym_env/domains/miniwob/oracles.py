"""What to do on each page of MiniWoB++: one small function a page, from what the agent sees to its next action.

A function reads the instruction and the page, and plans anew at every step, so that a mistake does not lose it.  Some
also look at the actions that were taken before, where the page does not show what they did.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from dreamgym_env.domains.browser.texts import Listed, read_lines

__all__ = ["ORACLES", "View"]

_FIELDS = frozenset({"textbox", "spinbutton", "date", "time"})
_ORDINAL = re.compile(r"(\d+)(?:st|nd|rd|th)")


@dataclass(frozen=True)
class View:
    """What an oracle goes by."""

    instruction: str
    state: str
    taken: Sequence[str] = ()
    """The episode's actions so far."""

    @property
    def lines(self) -> tuple[Listed, ...]:
        """The page's lines."""
        return read_lines(self.state)

    def all(self, *roles: str) -> list[Listed]:
        """Return the numbered elements of some roles, in order."""
        return [line for line in self.lines if line.number and line.role in roles]

    def fields(self) -> list[Listed]:
        """Return what can be typed into, in order."""
        return self.all(*_FIELDS)

    def named(self, name: str) -> list[Listed]:
        """Return the numbered elements of a name; case matters only where it tells them apart."""
        exact = [line for line in self.lines if line.number and line.name == name]
        return exact or [line for line in self.lines if line.number and line.name.lower() == name.lower()]

    def quoted(self) -> list[str]:
        """Return what stands in double quotes in the instruction."""
        return re.findall(r'"([^"]*)"', self.instruction)

    def ordinal(self, at: int = 0) -> int:
        """Return a number such as that of "3rd" in the instruction."""
        return int(_ORDINAL.findall(self.instruction)[at])

    def find(self, pattern: str) -> tuple[str, ...]:
        """Return the groups of a pattern in the instruction. Raises LookupError where it is not there."""
        match = re.search(pattern, self.instruction)
        if match is None:
            raise LookupError(pattern)
        return match.groups()


Oracle = Callable[[View], str]


def _click(elements: Iterable[Listed]) -> str:
    """Return a click on the first of some elements. Raises LookupError where there is none."""
    for element in elements:
        return f"click({element.number!r})"
    raise LookupError("there is no such element")


def _submit(view: View) -> str:
    return _click(line for name in ("Submit", "Search", "Login", "OK", "Go!", "Send") for line in view.named(name))


def _fill(view: View, values: Mapping[int, str]) -> str:
    """Fill fields, by their positions, and submit once all hold what they should."""
    fields = view.fields()
    for at, value in values.items():
        if fields[at].value != value:
            return f"fill({fields[at].number!r}, {value!r})"
    return _submit(view)


def _fill_secret(view: View, values: Mapping[int, str]) -> str:
    """Fill fields that show dots, and submit once each holds as many as it should."""
    fields = view.fields()
    for at, value in values.items():
        shown = fields[at].value
        if shown != value and not (shown and set(shown) == {"•"} and len(shown) == len(value)):
            return f"fill({fields[at].number!r}, {value!r})"
    return _submit(view)


def _click_quoted(view: View) -> str:
    return _click(view.named(view.quoted()[0]))


def _only_button(view: View) -> str:
    return _click(view.all("button"))


def _dialog(view: View) -> str:
    label = view.quoted()[0]
    return _click(view.named("Close" if label == "x" else label))


def _check(view: View) -> str:
    """Check what is listed in the instruction, and nothing else."""
    (said,) = view.find(r"Select (.*) and click Submit")
    wanted = set() if said == "nothing" else set(said.split(", "))
    for box in view.all("checkbox", "radio"):
        if (box.name in wanted) != ("checked" in box.states):
            return _click([box])
    return _submit(view)


def _choose(view: View) -> str:
    (wanted,) = view.find(r"Select (.*) from the")
    (box,) = view.all("combobox")
    return _submit(view) if box.value == wanted else f"select_option({box.number!r}, {wanted!r})"


def _choose_several(view: View) -> str:
    (said,) = view.find(r"Select (.*) from the")
    wanted = said.split(", ")
    (box,) = view.all("listbox")
    selected = [option.name for option in view.all("option") if "selected" in option.states]
    if sorted(selected) == sorted(wanted):
        return _submit(view)
    return f"select_option({box.number!r}, {wanted if len(wanted) > 1 else wanted[0]!r})"


def _enter_quoted(view: View) -> str:
    return _fill(view, {0: view.quoted()[0]})


def _enter_in_case(view: View) -> str:
    text = view.quoted()[0]
    return _fill(view, {0: text.lower() if "lower case" in view.instruction else text.upper()})


def _enter_password(view: View) -> str:
    password = view.quoted()[0]
    return _fill_secret(view, {0: password, 1: password})


def _enter_date(view: View) -> str:
    month, day, year = view.find(r"(\d+)/(\d+)/(\d+)")
    return _fill(view, {0: f"{year}-{month}-{day}"})


def _enter_time(view: View) -> str:
    hour, minute, half = view.find(r"(\d+):(\d+) (AM|PM)")
    return _fill(view, {0: f"{int(hour) % 12 + 12 * (half == 'PM'):02}:{minute}"})


def _focus(view: View) -> str:
    at = view.ordinal() if _ORDINAL.search(view.instruction) else 1
    return f"focus({view.fields()[at - 1].number!r})"


def _login(view: View) -> str:
    name, password = view.quoted()
    if any(button.name == "Cancel" for button in view.all("button")) and view.named("OK"):
        return _click(view.named("Cancel"))  # a window that asks to be closed
    return _fill_secret(view, {0: name, 1: password})


def _search_in(view: View, wanted: str, roles: Sequence[str]) -> str:
    """Click what is looked for where the page shows it, else open what was not opened yet."""
    found = [line for line in view.named(wanted) if line.role not in roles or not roles]
    if found:
        return _click(found)
    doors = [f"click({line.number!r})" for line in view.all(*roles)]
    if not doors:
        raise LookupError("there is nothing to open")
    return min(doors, key=lambda door: view.taken.count(door))


def _tabs(view: View) -> str:
    return _search_in(view, view.quoted()[0], ("tab",))


def _click_tab(view: View) -> str:
    return _click(view.named(view.find(r"(Tab #\d+)")[0]))


def _expand(view: View) -> str:
    section = view.all("tab")[0]
    return _submit(view) if "expanded" in section.states else _click([section])


def _film(view: View) -> str:
    genre, director, year = view.find(r"Search for (\S+) movies directed by (.+) from year (\d+)")
    said = {"genre": genre, "director": director, "year": year, "date": year}
    label = ""
    for line in view.lines:
        if line.role in ("row", "text", "heading"):
            label = line.name.lower()
        elif line.number and line.role == "textbox":
            wanted = next(value for key, value in said.items() if key in (line.name.lower() or label))
            if line.value != wanted:
                return f"fill({line.number!r}, {wanted!r})"
    return _click(line for line in view.lines[::-1] if line.role in ("button", "clickable"))


def _radio_and_field(view: View) -> str:
    radio, field = view.all("radio")[view.ordinal(0) - 1], view.all("textbox")[view.ordinal(1) - 1]
    (number,) = view.quoted()
    if "checked" not in radio.states:
        return _click([radio])
    return _submit(view) if field.value == number else f"fill({field.number!r}, {number!r})"


def _dropdown_and_button(view: View) -> str:
    (wanted,) = view.find(r"Choose (.*) from the dropdown")
    (box,) = view.all("combobox")
    if box.value != wanted:
        return f"select_option({box.number!r}, {wanted!r})"
    return _click_quoted(view)


def _table(view: View) -> dict[str, str]:
    rows = [line.name.split(" | ") for line in view.lines if line.role == "row"]
    return {row[0]: row[1] for row in rows if len(row) == 2}


def _read_table(view: View) -> str:
    return _fill(view, {0: _table(view)[view.find(r"value of (.*) into")[0]]})


def _read_two(view: View) -> str:
    table = _table(view)
    labels = [line.name.rstrip(":") for line in view.lines if line.role == "text" and line.name.endswith(":")]
    return _fill(view, {at: table[label] for at, label in enumerate(labels)})


def _algebra(view: View) -> str:
    text = next(line.name for line in view.lines if line.role == "text" and "=" in line.name and "x" in line.name)
    left, sign, right, result = re.fullmatch(r"(\S+) ([+\-]) (\S+) = (-?\d+).*", text).groups()  # type: ignore[union-attr]
    if left == "x":
        answer = int(result) - int(right) if sign == "+" else int(result) + int(right)
    else:
        answer = int(result) - int(left) if sign == "+" else int(left) - int(result)
    return _fill(view, {0: str(answer)})


def _arithmetic(view: View) -> str:
    text = next(line.name for line in view.lines if line.role == "text" and "=" in line.name)
    left, sign, right = re.match(r"(-?\d+) (\S) (-?\d+)", text).groups()  # type: ignore[union-attr]
    a, b = int(left), int(right)
    return _fill(view, {0: str(a + b if sign == "+" else a - b if sign == "-" else a * b)})


def _widget(view: View) -> str:
    kind = view.quoted()[0]
    role = {"text": "textbox", "textarea": "textbox"}.get(kind, kind)
    found = view.all(role)
    if kind == "textarea":  # only a text area shows a text of its own
        found = [line for line in found if line.value]
    elif kind == "text":
        found = [line for line in found if not line.value]
    return _click(found)


def _word(view: View) -> str:
    text = next(line.name for line in view.lines if line.role in ("text", "paragraph"))
    return _fill(view, {0: re.findall(r"[\w']+", text)[view.ordinal() - 1]})


def _phone_book(view: View) -> str:
    name, wanted = view.find(r"Find (\S+) in the contact book and click on their (.*)\.")
    shown = next(line.name for line in view.lines if line.role == "heading")
    if shown != name:
        return _click(line for line in view.all("link") if line.name == ">")
    at = next(at for at, line in enumerate(view.lines) if line.name.lower().startswith(wanted.split()[0]))
    return _click(line for line in view.lines[at:] if line.number)


def _odd_or_even(view: View) -> str:
    lines = view.lines
    for at, line in enumerate(lines):
        if line.role == "text" and re.fullmatch(r"-?\d+", line.name):
            button = lines[at + 1] if int(line.name) % 2 == 0 else lines[at - 1]
            action = f"click({button.number!r})"
            if action not in view.taken:
                return action
    return _submit(view)


ORACLES: Mapping[str, Oracle] = MappingProxyType(
    {
        "choose-list": _choose,
        "click-button": _click_quoted,
        "click-checkboxes": _check,
        "click-checkboxes-large": _check,
        "click-checkboxes-transfer": _check,
        "click-collapsible-2-nodelay": _tabs,
        "click-collapsible-nodelay": _expand,
        "click-dialog": _dialog,
        "click-dialog-2": _dialog,
        "click-link": _click_quoted,
        "click-option": _check,
        "click-scroll-list": _choose_several,
        "click-tab": _click_tab,
        "click-tab-2": _tabs,
        "click-tab-2-easy": _tabs,
        "click-test": _only_button,
        "click-widget": _widget,
        "enter-date": _enter_date,
        "enter-password": _enter_password,
        "enter-text": _enter_quoted,
        "enter-text-2": _enter_in_case,
        "enter-text-dynamic": _enter_quoted,
        "enter-time": _enter_time,
        "find-word": _word,
        "focus-text": _focus,
        "focus-text-2": _focus,
        "form-sequence-2": _radio_and_field,
        "form-sequence-3": _dropdown_and_button,
        "login-user": _login,
        "login-user-popup": _login,
        "multi-orderings": _film,
        "odd-or-even": _odd_or_even,
        "phone-book": _phone_book,
        "read-table": _read_table,
        "read-table-2": _read_two,
        "simple-algebra": _algebra,
        "simple-arithmetic": _arithmetic,
    }
)
"""Name of a page -> what to do on it."""
