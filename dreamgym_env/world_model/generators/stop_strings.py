"""Stop strings: where a text is cut, and how a decoding loop notices that it may end."""

from __future__ import annotations

from collections.abc import Callable, Sequence

__all__ = ["StopStringWatch", "cut_at_stop"]

_INCOMPLETE = "\N{REPLACEMENT CHARACTER}"
"""What a tokenizer writes for a token that holds only a part of a character's bytes."""


def cut_at_stop(text: str, stop: Sequence[str]) -> str:
    """Return ``text`` up to the first occurrence of any of ``stop``; empty strings in ``stop`` stop nothing."""
    ends = [end for end in (text.find(string) for string in stop if string) if end >= 0]
    return text[: min(ends)] if ends else text


class StopStringWatch:
    """Notices, token by token, that a sequence contains a stop string.

    Decoding the whole text after every token would cost more than a small model's forward pass.  A stop string is
    completed by the token that holds its last character, so only after such tokens the text is decoded and searched;
    whether a token is such a one is found out once and remembered.

    Args:
        stop: the strings; empty ones are ignored.
        decode: token ids to text, as the final completion is decoded.
    """

    def __init__(self, stop: Sequence[str], decode: Callable[[Sequence[int]], str]) -> None:
        self._stop = tuple(string for string in stop if string)
        self._last_characters = frozenset(string[-1] for string in self._stop)
        self._decode = decode
        self._may_complete: dict[int, bool] = {}

    def stops(self, tokens: Sequence[int]) -> bool:
        """Return whether the text of ``tokens`` contains a stop string, given that without the last it did not."""
        if not self._stop or not self._completes(tokens[-1]):
            return False
        text = self._decode(tokens)
        return any(string in text for string in self._stop)

    def _completes(self, token: int) -> bool:
        known = self._may_complete.get(token)
        if known is None:
            text = self._decode([token])
            # A token that decodes to nothing on its own may still add white space inside a text.
            known = not text or _INCOMPLETE in text or not self._last_characters.isdisjoint(text)
            self._may_complete[token] = known
        return known
