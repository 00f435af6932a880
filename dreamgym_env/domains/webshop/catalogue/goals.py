"""Goals: who is the target of which split, and how much to ask so that few other products will do.

A goal is satisfied in full by a product that has its attributes, offers its options and costs no more than its bound.
For each target several such demands are drawn, and the one that the fewest other products satisfy is kept.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dreamgym_env.domains.draws import Draws
from dreamgym_env.domains.webshop.catalogue.instructions import Wish, word_wish
from dreamgym_env.domains.webshop.catalogue.products import Product
from dreamgym_env.domains.webshop.catalogue.vocabulary import Attribute

__all__ = ["ATTRIBUTE_COUNTS", "HIDDEN_SHARE", "SPLIT_SIZES", "Shelf", "generate_goals", "price_upper"]

SPLIT_SIZES = {"test": 200, "eval": 200, "train": 1500}
"""Goals of each split, in the order of the file."""
CANDIDATES = 30
"""Demands drawn for each target."""
HIDDEN_SHARE = 0.25
"""Share of goals that may ask for an attribute that no text of the target mentions, where the target has one."""
ATTRIBUTE_COUNTS = (1, 2, 2, 2, 3, 3, 4)
"""How many attributes a demand has, each as likely."""
PRICE_STEPS = ((50, 5), (200, 10), (400, 20), (float("inf"), 50))
"""Bounds are multiples of the second number for prices below the first, in dollars."""


@dataclass(frozen=True, slots=True)
class Demand:
    """What a goal asks of a product."""

    attributes: tuple[Attribute, ...]
    options: Mapping[str, str]
    price_upper: float
    rivals: int
    """Products other than the target that satisfy it in full."""


class Shelf:
    """Answers which products satisfy a demand in full; an index over the whole catalogue."""

    def __init__(self, products: Sequence[Product]) -> None:
        """Index the products; attributes count where the hidden list or a text has them, as in the reward."""
        self._products = products
        self._texts = [_searchable(product.record) for product in products]
        self._offers = [
            {value for values in product.record["options"].values() for value in values} for product in products
        ]
        self._having: dict[str, frozenset[int]] = {}
        self._rows: dict[tuple[str, ...], list[int]] = defaultdict(list)
        for row, product in enumerate(products):
            self._rows[product.type.path[:2]].append(row)

    def having(self, attribute: str) -> frozenset[int]:
        """Return the rows of the products that have an attribute."""
        if attribute not in self._having:
            self._having[attribute] = frozenset(
                row
                for row, product in enumerate(self._products)
                if attribute in product.record["Attributes"] or attribute in self._texts[row]
            )
        return self._having[attribute]

    def satisfying(
        self, target: Product, attributes: Sequence[str], options: Sequence[str], price_upper: float
    ) -> list[int]:
        """Return the rows of the products of the target's shelf (two shared category levels) that satisfy all."""
        return [
            row
            for row in self._rows[target.type.path[:2]]
            if self._products[row].record["drawn_price"] <= price_upper
            and self._offers[row].issuperset(options)
            and all(row in self.having(attribute) for attribute in attributes)
        ]


def generate_goals(products: Sequence[Product], seed: int) -> list[dict[str, Any]]:
    """Generate the goals of all splits, in the order of the shipped file.

    Args:
        products: the catalogue.
        seed: any integer; the same seed gives the same goals.

    Returns:
        Records of WebShop's goal form with a ``split``; ``index`` is the position in the list. Targets of one split are
        never targets of another; test and eval goals have one target each, train goals may share one.
    """
    shelf = Shelf(products)
    goals: list[dict[str, Any]] = []
    for split, targets in _targets(products, seed).items():
        asked: dict[str, set[tuple[Any, ...]]] = defaultdict(set)
        for number in range(SPLIT_SIZES[split]):
            target = targets[number % len(targets)]
            draws = Draws(seed, "goal", split, number)
            demand = _demand(target, shelf, draws, asked[target.record["asin"]])
            goals.append(_record(len(goals), split, target, demand, draws))
    return goals


def _targets(products: Sequence[Product], seed: int) -> dict[str, list[Product]]:
    """Deal each family's members to the splits, so that held-out targets have their near-duplicates in train."""
    held_out: list[Product] = []
    train: list[Product] = []
    draws = Draws(seed, "targets")
    families: dict[str, list[Product]] = defaultdict(list)
    for product in products:
        families[product.family].append(product)
    wanted = SPLIT_SIZES["test"] + SPLIT_SIZES["eval"]
    share = wanted / len(products)
    for members in families.values():
        shuffled = draws.shuffled(members)
        count = round(share * len(members) + 0.75)
        held_out += shuffled[:count]
        train += shuffled[count:]
    held_out = draws.sample(held_out, wanted)
    return {
        "test": held_out[: SPLIT_SIZES["test"]],
        "eval": held_out[SPLIT_SIZES["test"] :],
        "train": draws.shuffled(train),
    }


def _demand(target: Product, shelf: Shelf, draws: Draws, asked: set[tuple[Any, ...]]) -> Demand:
    """Draw demands that the target satisfies and keep the first that has the fewest rivals and was not asked before."""
    best: Demand | None = None
    askable = target.attributes if draws.chance(HIDDEN_SHARE) else _mentioned(target)
    for _ in range(CANDIDATES):
        attributes = tuple(draws.sample(askable, draws.pick(ATTRIBUTE_COUNTS)))
        options = {name: draws.pick(values) for name, values in target.record["options"].items() if draws.chance(0.85)}
        bound = price_upper(target.top_price, draws)
        texts = [attribute.text for attribute in attributes]
        rivals = len(shelf.satisfying(target, texts, list(options.values()), bound)) - 1
        key = (*sorted(texts), *options.values())
        if key not in asked and (best is None or rivals < best.rivals):
            best = Demand(attributes, options, bound, rivals)
            if rivals == 0:
                break
    if best is None:
        raise ValueError(
            f"{target.record['asin']} has no demand left that was not asked before; draw fewer train goals."
        )
    asked.add((*sorted(attribute.text for attribute in best.attributes), *best.options.values()))
    return best


def _mentioned(target: Product) -> tuple[Attribute, ...]:
    text = _searchable(target.record)
    return tuple(attribute for attribute in target.attributes if attribute.text in text)


def price_upper(price: float, draws: Draws) -> float:
    """Return a round bound above the price: most often the next one, which excludes dearer near-duplicates."""
    step = next(step for limit, step in PRICE_STEPS if price < limit)
    next_round = (int(price / step) + 1) * step
    return float(next_round + step * draws.pick((0, 0, 0, 1, 1, 2)))


def _record(index: int, split: str, target: Product, demand: Demand, draws: Draws) -> dict[str, Any]:
    product = target.record
    wish = Wish(target.type, demand.attributes, demand.options, demand.price_upper)
    return {
        "index": index,
        "asin": product["asin"],
        "category": product["category"],
        "query": product["query"],
        "name": product["name"],
        "product_category": product["product_category"],
        "instruction_text": word_wish(wish, draws),
        "attributes": [attribute.text for attribute in demand.attributes],
        "price_upper": demand.price_upper,
        "goal_options": dict(demand.options),
        "weight": 1.0,
        "split": split,
    }


def _searchable(record: Mapping[str, Any]) -> str:
    return "\n".join((record["Title"], *record["BulletPoints"], record["Description"])).lower()
