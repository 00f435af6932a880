"""What an order's visible texts tell for and against it, in one line that a world model can judge by.

Nothing here knows the goal: an instruction is compared with the title, the chosen options and the price on the page.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Mapping, Sequence

from dreamgym_env.domains.webshop.text_analysis import index_terms
from dreamgym_env.domains.webshop.verifier import Order

__all__ = ["evidence"]

_LIMIT = re.compile(r"\$(\d+(?:\.\d+)?)|(\d+(?:\.\d+)?) (?:dollars|usd)\b", re.IGNORECASE)
_NUMBER = re.compile(r"\d+(?:\.\d+)?")
_WORD = re.compile(r"[a-z0-9]+")


def evidence(instruction: str, order: Order, shown: Mapping[str, Sequence[str]], pages: Iterable[Sequence[str]]) -> str:
    """Say what speaks for and against an order.

    Args:
        instruction: what the agent was asked for.
        order: what it buys.
        shown: the options of the product's page: lower-case name -> lower-case values.
        pages: the segments of all pages that the episode has shown; only words that stand on one of them count, for
            the others ("my sister needs ...") say nothing about products.

    Returns:
        For example ``7 of 9 words fit, 1 of 2 named options chosen, price within the limit``.
    """
    seen = {term for page in pages for segment in page for term in _terms(segment)}
    wanted = _terms(_LIMIT.sub("", instruction)) & seen
    fitting = len(wanted & _terms(" ".join([order.title, *order.options.values()])))
    named = {name: set(_named(values, instruction)) for name, values in shown.items()}
    asked = [name for name, values in named.items() if values]
    chosen = sum(order.options.get(name) in named[name] for name in asked)
    return (
        f"{fitting} of {len(wanted)} words fit, {chosen} of {len(asked)} named options chosen, "
        f"{_price(instruction, order.price_text)}"
    )


@functools.lru_cache(maxsize=16_384)
def _terms(text: str) -> frozenset[str]:
    return frozenset(index_terms(text))


def _named(values: Sequence[str], instruction: str) -> list[str]:
    """Return the option values that the instruction names word for word; of several that do, the longest."""
    words = f" {' '.join(_WORD.findall(instruction.lower()))} "
    spoken = {value: f" {' '.join(_WORD.findall(value))} " for value in values}
    named = [value for value in values if spoken[value].strip() and spoken[value] in words]
    return [value for value in named if len(value) == max(map(len, named))]


def _price(instruction: str, price_text: str) -> str:
    limit, prices = _LIMIT.search(instruction), [float(number) for number in _NUMBER.findall(price_text)]
    if limit is None or not prices:
        return "no price limit"
    return "price within the limit" if min(prices) <= float(limit[1] or limit[2]) else "price over the limit"
