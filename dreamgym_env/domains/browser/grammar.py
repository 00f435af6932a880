"""BrowserGym's actions: reads what an agent types, and writes every action in one way.

An action is a call with literal arguments, such as ``click('12')`` or ``fill('7', 'red shoes')``.  Text around it is
skipped, as BrowserGym does; two calls are none.  Nothing is ever evaluated: arguments are parsed as literals.  A number
that no float holds is none: the browser's driver breaks down on infinity.

The functions below are the actions.  Their signatures are BrowserGym's, so that a call with wrong arguments fails in
the same words.
"""

from __future__ import annotations

import ast
import functools
import inspect
import re
import sys
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any

__all__ = ["ACTIONS", "KINDS", "PAGE_ACTIONS", "ActionError", "ParsedAction", "kind", "parse", "read"]

_LONGEST = 10_000
"""No action is longer than this many characters."""


def noop(wait_ms: float = 1000) -> None:
    """Do nothing for so many milliseconds."""


def scroll(delta_x: float, delta_y: float) -> None:
    """Scroll by so many pixels to the right and down."""


def click(bid: str, button: str = "left", modifiers: Sequence[str] = ()) -> None:
    """Click an element."""


def dblclick(bid: str, button: str = "left", modifiers: Sequence[str] = ()) -> None:
    """Double-click an element."""


def fill(bid: str, value: str, enable_autocomplete_menu: bool = False) -> None:
    """Replace the text of a field."""


def select_option(bid: str, options: str | list[str]) -> None:
    """Select one or several options of a list."""


def hover(bid: str) -> None:
    """Hover over an element."""


def press(bid: str, key_comb: str) -> None:
    """Press keys in an element, such as ``Enter``."""


def focus(bid: str) -> None:
    """Focus an element."""


def clear(bid: str) -> None:
    """Clear a field."""


def drag_and_drop(from_bid: str, to_bid: str) -> None:
    """Drag an element onto another."""


def keyboard_press(key: str) -> None:
    """Press keys where the focus is."""


def go_back() -> None:
    """Go back in the tab's history."""


def go_forward() -> None:
    """Go forward in the tab's history."""


def goto(url: str) -> None:
    """Go to an address."""


def new_tab() -> None:
    """Open a tab."""


def tab_focus(index: int) -> None:
    """Turn to a tab."""


def tab_close() -> None:
    """Close the tab."""


def send_msg_to_user(text: str) -> None:
    """Answer the user."""


def report_infeasible(reason: str) -> None:
    """Say that the task cannot be done."""


_FUNCTIONS: dict[str, Callable[..., None]] = {
    function.__name__: function
    for function in (
        noop,
        scroll,
        click,
        dblclick,
        fill,
        select_option,
        hover,
        press,
        focus,
        clear,
        drag_and_drop,
        keyboard_press,
        go_back,
        go_forward,
        goto,
        new_tab,
        tab_focus,
        tab_close,
        send_msg_to_user,
        report_infeasible,
    )
}
_SIGNATURES = {name: inspect.signature(function) for name, function in _FUNCTIONS.items()}

ACTIONS = tuple(_FUNCTIONS)
"""Names of all actions."""
PAGE_ACTIONS = ACTIONS[: ACTIONS.index("go_back")]
"""Names of those that stay on the page and say nothing to the user."""
KINDS = (*ACTIONS, "invalid")
"""Kinds of actions: their names, and ``"invalid"`` for what is none."""

_HEAD = re.compile(r"[A-Za-z_]\w*\s*\(")
_LEXEME = re.compile(r"'(?:[^'\\\n]|\\.)*'?|\"(?:[^\"\\\n]|\\.)*\"?|[()\[\]{}]", re.DOTALL)
"""Brackets and strings; one that is not closed goes to the line's end, lest each of its quotes be tried in turn."""


class ActionError(Exception):
    """A text is no action; the message is BrowserGym's, with the error's kind before it."""


@dataclass(frozen=True, slots=True)
class ParsedAction:
    """An action of the grammar."""

    name: str
    """One of :data:`ACTIONS`."""
    arguments: tuple[Any, ...]
    """Literals in the order of the signature; those at its end that are the defaults are left out."""

    @property
    def text(self) -> str:
        """The action's canonical text, for example ``"click('12')"``."""
        return f"{self.name}({', '.join(map(_written, self.arguments))})"

    @property
    def elements(self) -> tuple[Any, ...]:
        """The arguments that name elements; texts, in an action that a page can carry out."""
        names = _SIGNATURES[self.name].parameters
        return tuple(value for name, value in zip(names, self.arguments, strict=False) if name.endswith("bid"))


def read(action: str, allowed: Collection[str] = ACTIONS) -> ParsedAction:
    """Read an action.

    Args:
        action: any text.
        allowed: names of the actions that there are.

    Raises:
        ActionError: the text holds no action, several, an unknown one, or one with the wrong number of arguments.
    """
    calls = _calls(action)
    if not calls:
        raise ActionError("ValueError: Received an empty action.")
    if len(calls) > 1:
        raise ActionError("ValueError: Received a multi-action, only single-actions are allowed.")
    name, arguments, named = calls[0]
    if name not in allowed:
        raise ActionError(f"NameError: Invalid action type '{name}'.")
    try:
        _FUNCTIONS[name](*arguments, **dict(named))
    except TypeError as error:
        raise ActionError(f"TypeError: {error}") from None
    return ParsedAction(name, _without_defaults(_SIGNATURES[name], arguments, dict(named)))


def parse(action: str, allowed: Collection[str] = ACTIONS) -> ParsedAction | None:
    """Read an action as :func:`read` does, or return None where the text is none."""
    try:
        return read(action, allowed)
    except ActionError:
        return None


def kind(action: str) -> str:
    """Return the kind of an action, one of :data:`KINDS`."""
    parsed = parse(action)
    return parsed.name if parsed else "invalid"


@functools.lru_cache(maxsize=16_384)
def _calls(text: str) -> tuple[tuple[str, tuple[Any, ...], tuple[tuple[str, Any], ...]], ...]:
    """Return the calls with literal arguments in a text: name, positional and named arguments of each."""
    calls = []
    at = 0
    while len(text) <= _LONGEST and (head := _HEAD.search(text, at)):
        end = _closing(text, head.end())
        call = _literal_call(text[head.start() : end]) if end else None
        if call is None:
            at = head.start() + 1  # a call may begin inside what looked like one, or like its name
        else:
            calls.append(call)
            at = end
    return tuple(calls)


def _closing(text: str, at: int) -> int:
    """Return where the bracket that was opened before a place closes, or 0 where it does not, or a call is inside."""
    depth = 1
    for lexeme in _LEXEME.finditer(text, at):
        if lexeme.group() == "(" and re.match(r"\w", text[lexeme.start() - 1]):
            return 0
        depth += {"(": 1, "[": 1, "{": 1, ")": -1, "]": -1, "}": -1}.get(lexeme.group(), 0)
        if depth == 0:
            return lexeme.end()
    return 0


def _literal_call(text: str) -> tuple[str, tuple[Any, ...], tuple[tuple[str, Any], ...]] | None:
    try:
        call = ast.parse(text, mode="eval").body
        if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Name) or any(map(_is_huge, ast.walk(call))):
            return None
        arguments = tuple(ast.literal_eval(argument) for argument in call.args)
        named = tuple((keyword.arg or "", ast.literal_eval(keyword.value)) for keyword in call.keywords)
    except (SyntaxError, ValueError, TypeError, MemoryError, RecursionError):
        return None
    return None if any(not name for name, _ in named) else (call.func.id, arguments, named)


def _is_huge(node: ast.AST) -> bool:
    value = node.value if isinstance(node, ast.Constant) else None
    return isinstance(value, int | float) and abs(value) > sys.float_info.max


def _without_defaults(
    signature: inspect.Signature, arguments: tuple[Any, ...], named: dict[str, Any]
) -> tuple[Any, ...]:
    bound = signature.bind(*arguments, **named)
    bound.apply_defaults()
    values = list(bound.arguments.items())
    while values and _is_default(signature.parameters[values[-1][0]].default, values[-1][1]):
        values.pop()
    return tuple(value for _, value in values)


def _is_default(default: Any, value: Any) -> bool:
    return value == default or (default == () and value == [])


def _written(value: Any) -> str:
    whole = isinstance(value, float) and value.is_integer()
    return repr(int(value) if whole else list(value) if isinstance(value, tuple) else value)
