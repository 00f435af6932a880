"""How an action of an unknown grammar is read: a verb, the form of the whole, and what fills it."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from dreamgym_env.domains.recorded.texts import action_kind

__all__ = ["ReadAction", "Template", "fill", "read_action", "template_of"]

Template = tuple[str, ...]
"""Segments in which a private sign and two more characters, a number and a style, stand for an argument."""

_JOINING = frozenset({
    "across", "against", "around", "at", "behind", "beside", "by", "down", "for", "from", "in", "inside", "into",
    "off", "on", "onto", "out", "over", "through", "to", "toward", "towards", "under", "up", "upon", "using",
    "via", "with",
})  # fmt: skip
"""Words between arguments, in the English in which most text environments are commanded."""
_PIECE = re.compile(r"\s*([\w'’-]+|[^\w\s])")
_SLOT = "\ue000"
_FILLED = re.compile(rf"{_SLOT}(?:{_SLOT}|(\d)(.))")
_MAX_ARGUMENTS = 9
_STYLES: Mapping[str, Callable[[str], str]] = {
    "=": str,
    "l": str.lower,
    "c": str.capitalize,
    "t": str.title,
    "u": str.upper,
}


@dataclass(frozen=True, slots=True)
class ReadAction:
    """An action, taken apart."""

    text: str
    """With its white space normalised."""
    verb: str
    """Its first word, see :func:`~.texts.action_kind`."""
    form: str
    """The action with ``_`` in the place of each argument, for example ``put _ into _``, ``click[_]``."""
    arguments: tuple[str, ...]
    """What stands between the verb, the signs and the joining words, in order."""


@functools.lru_cache(maxsize=16_384)
def read_action(action: str) -> ReadAction:
    """Take an action apart; there is nothing that could not be read."""
    text = " ".join(action.split())
    verb = action_kind(text)
    at = len(text) if verb == "invalid" else text.lower().find(verb) + len(verb)
    form, arguments, run = [text[:at].lower()], list[str](), list[str]()

    def close() -> None:
        if run:
            arguments.append(" ".join(run))
            form.append(" _")
            run.clear()

    for piece in _PIECE.findall(text[at:]):
        if len(arguments) == _MAX_ARGUMENTS or not (piece[0].isalnum() or piece[0] == "_"):
            close()
            form.append(piece)
        elif piece.lower() in _JOINING:
            close()
            form.append(f" {piece.lower()}")
        else:
            run.append(piece)
    close()
    return ReadAction(text, verb, "".join(form), tuple(arguments))


def template_of(segments: Sequence[str], arguments: Sequence[str]) -> Template:
    """Return segments with every mention of an argument, as a whole word and in any usual case, replaced by a slot."""
    pattern = _mentions(tuple(arguments))
    numbers = {argument.lower(): number for number, argument in reversed(list(enumerate(arguments)))}

    def slot(found: re.Match[str]) -> str:
        number = numbers.get(found[0].lower())
        if number is not None:
            for style, write in _STYLES.items():
                if write(arguments[number]) == found[0]:
                    return f"{_SLOT}{number}{style}"
        return found[0]

    plain = (segment.replace(_SLOT, 2 * _SLOT) for segment in segments)
    return tuple(pattern.sub(slot, segment) if pattern else segment for segment in plain)


def fill(template: Template, arguments: Sequence[str]) -> tuple[str, ...]:
    """Inverse of :func:`template_of`, for these or as many other arguments."""

    def argument(found: re.Match[str]) -> str:
        return _STYLES[found[2]](arguments[int(found[1])]) if found[1] else _SLOT

    return tuple(_FILLED.sub(argument, segment) if _SLOT in segment else segment for segment in template)


@functools.lru_cache(maxsize=4096)
def _mentions(arguments: tuple[str, ...]) -> re.Pattern[str] | None:
    longest_first = sorted({argument.lower() for argument in arguments if _SLOT not in argument}, key=len, reverse=True)
    if not longest_first:
        return None
    return re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, longest_first))})(?!\w)", re.IGNORECASE)
