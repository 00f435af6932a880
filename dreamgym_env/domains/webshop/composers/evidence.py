"""What is known for and against an order, in one line that a world model can judge by.

Nothing here knows the goal: an instruction is compared with the chosen options and the price on the page, and with what
the page and real experience tell of the product.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping, Sequence, Set

from dreamgym_env.domains.webshop.products import Product
from dreamgym_env.domains.webshop.text_analysis import index_terms
from dreamgym_env.domains.webshop.verifier import Order

__all__ = ["evidence", "instruction_terms", "terms"]

_LIMIT = re.compile(r"\$(\d+(?:\.\d+)?)|(\d+(?:\.\d+)?) (?:dollars|usd)\b", re.IGNORECASE)
_NUMBER = re.compile(r"\d+(?:\.\d+)?")
_WORD = re.compile(r"[a-z0-9]+")
_GRADES = ((0.5, "most"), (0.4, "many"), (0.3, "some"), (0.2, "few"), (0.0, "hardly any"))
"""How large a share of the words fits, and how that is said: a small model reads a word better than two numbers."""


def evidence(
    instruction: str, order: Order, shown: Mapping[str, Sequence[str]], wanted: Set[str], product: Product | None
) -> str:
    """Say what speaks for and against an order.

    Args:
        instruction: what the agent was asked for.
        order: what it buys.
        shown: the options of the product's page: lower-case name -> lower-case values.
        wanted: those terms of the instruction that are about products.
        product: what is known of the product besides; None for nothing.

    Returns:
        For example ``most words fit, 1 of 2 named options missing, price within the limit``.
    """
    told = terms(" ".join([order.title, *order.options.values()]))
    if product is not None:
        told |= terms(" ".join([*product.bullet_points, product.description]))
    share = len(wanted & told) / len(wanted) if wanted else 0.0
    grade = next(name for least, name in _GRADES if share >= least)
    return f"{grade} words fit, {_options(instruction, order, shown)}, {_price(instruction, order.price_text)}"


def instruction_terms(instruction: str) -> frozenset[str]:
    """Return the terms of an instruction without its price limit."""
    return terms(_LIMIT.sub("", instruction))


@functools.lru_cache(maxsize=16_384)
def terms(text: str) -> frozenset[str]:
    """Return the index terms of a text."""
    return frozenset(index_terms(text))


def _options(instruction: str, order: Order, shown: Mapping[str, Sequence[str]]) -> str:
    named = {name: found for name, values in shown.items() if (found := _named(values, instruction))}
    missing = sum(order.options.get(name) not in found for name, found in named.items())
    if not named:
        return "no option named"
    return f"{missing} of {len(named)} named options missing" if missing else "every named option chosen"


def _named(values: Sequence[str], instruction: str) -> set[str]:
    """Return the option values that the instruction names word for word; of several that do, the longest."""
    words = f" {' '.join(_WORD.findall(instruction.lower()))} "
    spoken = {value: f" {' '.join(_WORD.findall(value))} " for value in values}
    named = [value for value in values if spoken[value].strip() and spoken[value] in words]
    return {value for value in named if len(value) == max(map(len, named))}


def _price(instruction: str, price_text: str) -> str:
    limit, prices = _LIMIT.search(instruction), [float(number) for number in _NUMBER.findall(price_text)]
    if limit is None or not prices:
        return "no price limit"
    return "price within the limit" if min(prices) <= float(limit[1] or limit[2]) else "price over the limit"
