"""The actions that a page offers, and the answer to one that it does not."""

from __future__ import annotations

from collections.abc import Collection
from itertools import count, islice

from dreamgym_env.domains.browser.grammar import ActionError, ParsedAction, read
from dreamgym_env.domains.browser.texts import Listed, numbered, with_error

__all__ = ["available_actions", "guard", "refusal"]

_FIELDS = frozenset({"textbox", "searchbox", "spinbutton", "date", "datetime", "time", "month", "week"})
_ALWAYS = ("go_back()", "go_forward()", "goto('<url>')", "new_tab()", "send_msg_to_user('<answer>')")


def available_actions(state: str, allowed: Collection[str]) -> tuple[str, ...]:
    """Return the actions that a state offers, free arguments written ``<...>``.

    Every element can also be hovered over, pressed keys in and so on; offered is what usually leads on.

    Args:
        state: a state's text.
        allowed: names of the actions that there are.
    """
    actions = [action for element in numbered(state).values() for action in _offered(element)]
    tabs = sum(1 for line in state.split("\n") if line.startswith(f"Tab {_tab_number(line)}: "))
    actions += [f"tab_focus({number})" for number in islice(count(), tabs)] if tabs > 1 else []
    actions += ["tab_close()"] if tabs > 1 else []
    actions += ["scroll(0, 500)", "scroll(0, -500)", "noop()", *_ALWAYS]
    return tuple(action for action in actions if action.partition("(")[0] in allowed)


def guard(state: str, instruction: str, action: str, allowed: Collection[str]) -> str | None:
    """Return the same page with BrowserGym's own error for an action that it does not offer, or None if it does."""
    error = refusal(state, action, allowed)
    return None if error is None else with_error(state, instruction, error)


def refusal(state: str, action: str, allowed: Collection[str]) -> str | None:
    """Return BrowserGym's error for an ill-formed action or an unknown element, or None for any other."""
    try:
        parsed = read(action, allowed)
    except ActionError as error:
        return str(error)
    return _unknown_element(parsed, numbered(state))


def _unknown_element(action: ParsedAction, numbers: Collection[str]) -> str | None:
    for number in action.elements:
        if not isinstance(number, str):
            return f"ValueError: expected a string, got {number!r}"
        if number not in numbers:
            return f'ValueError: Could not find element with bid "{number}"'
    return None


def _offered(element: Listed) -> list[str]:
    number = repr(element.number)
    if "disabled" in element.states:
        return []
    if element.role in _FIELDS:
        return [f"fill({number}, '<text>')", f"click({number})", f"press({number}, 'Enter')"]
    if element.options:
        return [f"select_option({number}, {option!r})" for option in element.options]
    return [f"click({number})"]


def _tab_number(line: str) -> str:
    return line[4:].partition(":")[0] if line.startswith("Tab ") and line[4:5].isdigit() else ""
