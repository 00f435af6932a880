"""How good a purchase is: WebShop's graded score.

score = r_type × (attributes matched + options matched + [price ≤ bound]) ÷ (attributes + options + 1), all of the goal;
Yao et al., "WebShop: Towards Scalable Real-World Web Interaction with Grounded Language Agents", section 3 and
appendix.  It needs no engine, and works on a product of which only the title and the price are known: whatever is
missing matches nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from dreamgym_env.domains.webshop.colours import normalise_colour
from dreamgym_env.domains.webshop.goals import Goal
from dreamgym_env.domains.webshop.nouns import title_score
from dreamgym_env.domains.webshop.products import Product

__all__ = ["RewardDetails", "attribute_matches", "graded_reward", "option_matches"]

_MATCH_ABOVE = 85
"""Two phrases are the same above this ``token_set_ratio``."""
_LEVELS = " › ".strip()


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
    options = _options_matched(product, goal, chosen_options)
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


def option_matches(name: str, chosen: str, wanted: str) -> bool:
    """Return whether a chosen option value stands for a wanted one; sizes must be equal, others alike."""
    chosen, wanted = normalise_colour(chosen), normalise_colour(wanted)
    return chosen == wanted if name.lower() == "size" else _alike(wanted, chosen)


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


def _options_matched(product: Product, goal: Goal, chosen_options: Mapping[str, str]) -> int:
    """Count the chosen options that are among the wanted ones (under whatever name) or stand in the product's texts."""
    wanted = tuple(goal.goal_options.values())
    return sum(
        any(option_matches(name, value, other) for other in wanted) or _in_texts(product, normalise_colour(value))
        for name, value in chosen_options.items()
    )


def _levels(product_category: str) -> set[str]:
    return {level.strip() for level in product_category.split(_LEVELS)}


def _alike(one: str, other: str) -> bool:
    from rapidfuzz.fuzz import token_set_ratio
    from rapidfuzz.utils import default_process

    return round(token_set_ratio(one, other, processor=default_process)) > _MATCH_ABOVE


def _in_texts(product: Product, phrase: str) -> bool:
    return (
        phrase in product.title.lower()
        or phrase in " ".join(product.bullet_points).lower()
        or phrase in product.description.lower()
    )
