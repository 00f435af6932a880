"""Variations of WebShop's tasks: another product of the kind, other attributes, options and bound.

Only products that tasks of the same split ask for are asked for, so that no product of a held-out task becomes known.
Of several demands the one that the fewest other products satisfy is kept, as for the shipped goals.
"""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from dreamgym_env.domains.draws import Draws
from dreamgym_env.domains.variations import variation_of
from dreamgym_env.domains.webshop.catalogue.departments import DEPARTMENTS
from dreamgym_env.domains.webshop.catalogue.goals import ATTRIBUTE_COUNTS, HIDDEN_SHARE, price_upper
from dreamgym_env.domains.webshop.catalogue.instructions import Wish, word_wish
from dreamgym_env.domains.webshop.catalogue.vocabulary import Attribute, ProductType
from dreamgym_env.domains.webshop.goals import Goal, goal_of
from dreamgym_env.domains.webshop.pages import index_page
from dreamgym_env.domains.webshop.products import Product
from dreamgym_env.domains.webshop.reward import graded_reward
from dreamgym_env.types import Task

if TYPE_CHECKING:
    from dreamgym_env.domains.webshop.domain import WebShop
    from dreamgym_env.domains.webshop.shop import Shop

__all__ = ["WebShopVariations", "variation_rules"]

_DEMANDS = 8
"""Demands drawn for a variation."""
_OPTION_SHARE = 0.85
"""How often an option of the product is asked for."""
_NO_ATTRIBUTE = "DUMMY_ATTR"
"""What WebShop's own files say of a product whose attributes nobody wrote down."""
_NUMBER = re.compile(r"\d+(?:\.\d+)?")


def variation_rules(domain: WebShop) -> WebShopVariations:
    """Return the rules of a shop."""
    return WebShopVariations(domain.shop)


class WebShopVariations:
    """Asks for products that tasks of a split ask for, in other ways."""

    def __init__(self, shop: Shop) -> None:
        """Know the shop; its products and goals are read when they are first needed."""
        self._shop = shop
        self._shelves = functools.cache(self._read_shelves)
        self._asked = functools.cache(self._read_asked)

    def propose(self, task: Task, draws: Draws) -> Task | None:
        """Draw a demand for a product of the same kind. Raises ResetOptionError for a task without a goal."""
        shelf = self._shelves(task.split).get(_kind(goal_of(task)), ())
        demands = [self._demand(draws.pick(shelf), draws) for _ in range(_DEMANDS if shelf else 0)]
        possible = [goal for goal in demands if goal is not None and _identity(goal) not in self._asked(task.split)]
        if not possible:
            return None
        chosen = min(possible, key=self._rivals)
        return _told(task, chosen, _worded(chosen, draws, shipped=self._shop.shipped))

    def identity(self, task: Task) -> str:
        """Return product, attributes and options; the same demand with another bound is no other task."""
        return _identity(goal_of(task))

    def reworded(self, task: Task, instruction: str) -> Task | None:
        """Return the task in other words, if they name its kind, attributes, options and bound, and no other number."""
        goal = goal_of(task)
        text = " ".join(instruction.lower().split())
        product_type = _types().get(goal.query, (None, {}))[0]
        kinds = [goal.query, *([product_type.singular.lower()] if product_type else [])]
        named = (*goal.attributes, *goal.goal_options.values())
        numbers = {float(number) for number in _NUMBER.findall(text)}
        known = {float(number) for phrase in (*named, *kinds) for number in _NUMBER.findall(phrase)}
        if not any(kind in text for kind in kinds) or not all(phrase in text for phrase in named):
            return None
        return _told(task, goal, instruction) if numbers == known | {goal.price_upper} else None

    def _demand(self, product: Product, draws: Draws) -> Goal | None:
        """Draw what to ask of a product; None where it does not satisfy that itself."""
        texts = " ".join((product.title, *product.bullet_points, product.description)).lower()
        known = [attribute for attribute in product.attributes if attribute != _NO_ATTRIBUTE]
        mentioned = [attribute for attribute in known if attribute in texts]
        askable = known if draws.chance(HIDDEN_SHARE) else mentioned or known
        if not askable:
            return None
        goal = Goal(
            asin=product.asin,
            instruction_text="-",
            name=product.title,
            category=product.category,
            query=product.query,
            product_category=product.product_category,
            attributes=tuple(draws.sample(askable, draws.pick(ATTRIBUTE_COUNTS))),
            goal_options={
                name: draws.pick(values) for name, values in product.options.items() if draws.chance(_OPTION_SHARE)
            },
            price_upper=price_upper(max(product.price, *product.pricing), draws),
        )
        return goal if _satisfies(product, goal) else None

    def _rivals(self, goal: Goal) -> int:
        """Return how many products of the kind satisfy a demand."""
        return sum(_satisfies(product, goal) for product in self._stock.get(_kind(goal), ()))

    @functools.cached_property
    def _stock(self) -> Mapping[str, Sequence[Product]]:
        """Kind -> all its products."""
        return _by_kind(self._shop.products)

    def _read_shelves(self, split: str) -> Mapping[str, Sequence[Product]]:
        """Return kind -> products that tasks of a split ask for."""
        asins = dict.fromkeys(str(self._shop.task(task_id).goal["asin"]) for task_id in self._shop.task_ids(split))
        return _by_kind([self._shop.product_of[asin] for asin in asins if asin in self._shop.product_of])

    def _read_asked(self, split: str) -> frozenset[str]:
        return frozenset(self.identity(self._shop.task(task_id)) for task_id in self._shop.task_ids(split))


def _told(task: Task, goal: Goal, instruction: str) -> Task:
    members = {**goal.to_dict(), "instruction_text": instruction, "split": task.split}
    return variation_of(task, instruction, index_page(instruction).text(), members, task.facts)


def _kind(thing: Product | Goal) -> str:
    return thing.query or thing.product_category


def _by_kind(products: Sequence[Product]) -> dict[str, list[Product]]:
    shelves: dict[str, list[Product]] = {}
    for product in products:
        shelves.setdefault(_kind(product), []).append(product)
    return shelves


def _identity(goal: Goal) -> str:
    return json.dumps([goal.asin, sorted(goal.attributes), sorted(goal.goal_options.values())], ensure_ascii=False)


def _satisfies(product: Product, goal: Goal) -> bool:
    """Return whether buying a product with the wanted options succeeds."""
    offered = {value for values in product.options.values() for value in values}
    wanted = goal.goal_options
    return offered.issuperset(wanted.values()) and graded_reward(product, goal, wanted).total >= 1.0


def _worded(goal: Goal, draws: Draws, *, shipped: bool) -> str:
    """Return an instruction: in the shipped goals' many voices, or for other shops as WebShop's own are worded."""
    product_type, attribute_of = _types().get(goal.query, (None, {}))
    if shipped and product_type is not None and all(text in attribute_of for text in goal.attributes):
        attributes = tuple(attribute_of[text] for text in goal.attributes)
        return word_wish(Wish(product_type, attributes, goal.goal_options, goal.price_upper), draws)
    kind = goal.query or goal.product_category.rpartition("›")[2].strip()
    options = ", and ".join(f"{name}: {value}" for name, value in goal.goal_options.items())
    wish = f"Find me {', '.join(goal.attributes)} {kind}{f' with {options}' if options else ''}"
    return f"{wish}, and price lower than {goal.price_upper:.2f} dollars"


@functools.cache
def _types() -> Mapping[str, tuple[ProductType, Mapping[str, Attribute]]]:
    """Query -> its type of product in the shipped shop, and the department's attributes by their texts."""
    return {
        product_type.query: (product_type, {attribute.text: attribute for attribute in department.attributes})
        for department in DEPARTMENTS
        for product_type in department.types
    }
