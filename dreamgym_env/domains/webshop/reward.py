"""How good a purchase is: WebShop's graded score.

score = r_type × (attributes matched + options matched + [price ≤ bound]) ÷ (attributes + options + 1), all of the goal;
Yao et al., "WebShop: Towards Scalable Real-World Web Interaction with Grounded Language Agents", section 3 and
appendix.  It needs no engine, and works on a product of which only the title and the price are known: whatever is
missing matches nothing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from dreamgym_env.domains.webshop.colours import COLOUR_WORDS, normalise_colour
from dreamgym_env.domains.webshop.goals import Goal
from dreamgym_env.domains.webshop.nouns import title_score
from dreamgym_env.domains.webshop.products import Product

__all__ = ["RewardDetails", "attribute_matches", "graded_reward", "option_matches"]

_MATCH_ABOVE = 85
"""Two phrases are the same above this ``token_set_ratio``."""
_LEVEL_SEPARATOR = "›"


@dataclass(frozen=True, slots=True)
class RewardDetails:
    """The score and what it is made of."""

    total: float
    """The graded score, in [0, 1]."""
    r_type: float
    """Factor for the kind of product: 1, 0.5, 0.1 or 0."""
    attributes_matched: int
    options_matched: int
    price_ok: bool
    title_score: float
    query_match: bool
    category_match: bool


def graded_reward(
    product: Product, goal: Goal, chosen_options: Mapping[str, str], price: float | None = None
) -> RewardDetails:
    """Score the purchase of ``product`` with ``chosen_options`` for ``goal``.

    Args:
        product: what was bought.
        goal: what was asked for.
        chosen_options: option name -> value, as clicked.
        price: what it cost in dollars; the product's price if None.
    """
    kind, similarity, query_match, category_match = _type_factor(product, goal)
    attributes = sum(attribute_matches(product, attribute) for attribute in goal.attributes)
    options = _options_matched(goal, chosen_options)
    price_ok = (product.price if price is None else price) <= goal.price_upper
    share = (attributes + options + price_ok) / (len(goal.attributes) + len(goal.goal_options) + 1)
    return RewardDetails(
        total=share * kind,
        r_type=kind,
        attributes_matched=attributes,
        options_matched=options,
        price_ok=price_ok,
        title_score=similarity,
        query_match=query_match,
        category_match=category_match,
    )


def attribute_matches(product: Product, attribute: str) -> bool:
    """Return whether a product has an attribute: in its list, nearly word for word, or anywhere in its texts."""
    return any(_alike(own, attribute) for own in product.attributes) or _in_texts(product, attribute)


def option_matches(chosen: str, wanted: str, wanted_name: str = "") -> bool:
    """Return whether a chosen option value stands for a wanted one.

    As in WebShop, the chosen value is reduced to its colour word wherever one occurs in it, even inside a word
    (``rectangular`` holds ``tan``).  The wanted value is reduced likewise if its option's name is not known; else it is
    compared together with that name, and reduced only if it is nothing but a colour word.
    """
    if not wanted_name:
        wanted = normalise_colour(wanted)
    elif wanted not in COLOUR_WORDS:
        wanted = f"{wanted_name} {wanted}"
    return _alike(normalise_colour(chosen), wanted)


def _type_factor(product: Product, goal: Goal) -> tuple[float, float, bool, bool]:
    """Return r_type, title score, same query, two shared category levels."""
    query_match = product.query == goal.query
    category_match = len(_levels(product.product_category) & _levels(goal.product_category)) >= 2
    similarity = title_score(product.title, goal.name)
    if similarity == 0:
        factor = 0.0
    elif similarity < 0.1:
        factor = 0.1
    elif query_match or category_match or similarity > 0.2:
        factor = 1.0
    else:
        factor = 0.5
    return factor, similarity, query_match, category_match


def _options_matched(goal: Goal, chosen_options: Mapping[str, str]) -> int:
    """Count the wanted options that some chosen one, under whatever name, stands for."""
    return sum(
        any(option_matches(chosen, wanted, name if goal.options_named else "") for chosen in chosen_options.values())
        for name, wanted in goal.goal_options.items()
    )


def _levels(product_category: str) -> set[str]:
    return {level.strip() for level in product_category.split(_LEVEL_SEPARATOR)}


def _alike(one: str, other: str) -> bool:
    from rapidfuzz.fuzz import token_set_ratio

    return round(token_set_ratio(_plain(one), _plain(other))) > _MATCH_ABOVE


@lru_cache(maxsize=65536)
def _plain(phrase: str) -> str:
    """Return lower-case ASCII letters and digits, anything else as spaces; other scripts' characters are dropped."""
    return re.sub(r"[\W_]", " ", phrase.encode("ascii", "ignore").decode()).lower().strip()


def _in_texts(product: Product, phrase: str) -> bool:
    return (
        phrase in product.title.lower()
        or phrase in " ".join(product.bullet_points).lower()
        or phrase in product.description.lower()
    )
