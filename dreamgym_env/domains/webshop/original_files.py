"""Products and goals from WebShop's own files.

A folder holds ``items_shuffle_1000.json`` and ``items_ins_v2_1000.json`` (the small set) or ``items_shuffle.json`` and
``items_ins_v2.json`` (all 1.18 million), and ``items_human_ins.json`` for the goals that people wrote.  The first is a
list of articles, the second maps asins to attributes and an instruction, the third asins to lists of instructions.

WebShop draws the price of an article with a price range, and the price bound of each goal, at random, and then shuffles
the goals by a fixed seed.  Here the draws have a seed too, so that a goal's number always names the same goal.
"""

from __future__ import annotations

import itertools
import json
import random
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from dreamgym_env.domains.webshop.goals import NO_PRICE_BOUND, Goal
from dreamgym_env.domains.webshop.products import CatalogueFormatError, Product, price_tag

__all__ = ["load_original_files"]

DRAW_SEED = 7
"""Seed of prices and price bounds."""
_SHUFFLE_SEED = 233  # WebShop's own
_ARTICLES = ("items_shuffle_1000.json", "items_shuffle.json")
_INSTRUCTIONS = ("items_ins_v2_1000.json", "items_ins_v2.json")
_HUMAN_INSTRUCTIONS = "items_human_ins.json"
_BOUNDS = tuple(10.0 * step for step in range(1, 100))


def load_original_files(
    folder: str | Path, *, human_goals: bool | None = None, seed: int = DRAW_SEED
) -> tuple[tuple[Product, ...], tuple[Goal, ...]]:
    """Load a folder of WebShop's files; the small set where a folder holds both.

    Args:
        folder: where the files lie.
        human_goals: take the goals that people wrote instead of the synthetic ones. None, as WebShop is used: people's
            for the full set, synthetic ones for the small one.
        seed: seed of the drawn prices and price bounds.

    Returns:
        The products, in the order of their file, and the goals, shuffled.

    Raises:
        CatalogueFormatError: a file is missing or cannot be read; the message names it and the line or the article.
    """
    folder = Path(folder)
    size = 0 if (folder / _ARTICLES[0]).is_file() else 1
    articles_path, instructions_path = folder / _ARTICLES[size], folder / _INSTRUCTIONS[size]
    articles = _read_json(articles_path, list)
    about = _read_json(instructions_path, dict)
    draws = random.Random(seed)  # noqa: S311 (WebShop draws with this generator)
    products = _products(articles, about, articles_path, draws)
    human = bool(size) if human_goals is None else human_goals
    try:
        if human:
            goals = list(_human_goals(products, _read_json(folder / _HUMAN_INSTRUCTIONS, dict), draws))
        else:
            goals = _weighted(list(_synthetic_goals(products, about, draws)))
    except (KeyError, TypeError, AttributeError) as error:
        path = folder / _HUMAN_INSTRUCTIONS if human else instructions_path
        raise CatalogueFormatError(
            f"{path}: an instruction lacks a member or has one of the wrong kind: {error!r}."
        ) from error
    random.Random(_SHUFFLE_SEED).shuffle(goals)  # noqa: S311
    return products, tuple(goals)


def _read_json(path: Path, kind: type) -> Any:
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise CatalogueFormatError(f"{path} cannot be read ({error}); WebShop's setup script downloads it.") from error
    except ValueError as error:
        raise CatalogueFormatError(f"{path} is no JSON: {error}.") from error
    if not isinstance(data, kind):
        raise CatalogueFormatError(f"{path} should hold a JSON {'array' if kind is list else 'object'}.")
    return data


def _products(
    articles: Sequence[Any], about: Mapping[str, Any], path: Path, draws: random.Random
) -> tuple[Product, ...]:
    """Read the articles, each asin once, then draw prices in their order."""
    products: dict[str, Product] = {}
    for number, article in enumerate(articles, start=1):
        try:
            asin = article["asin"]
            if asin != "nan" and len(asin) <= 10 and asin not in products:
                products[asin] = _product(article, about.get(asin, {}))
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise CatalogueFormatError(f"{path}, article {number}: this is no product: {error!r}.") from error
    return tuple(replace(p, price=draws.uniform(*p.pricing)) if len(p.pricing) > 1 else p for p in products.values())


def _product(article: Mapping[str, Any], about: Mapping[str, Any]) -> Product:
    bullets = article["small_description"]
    pricing = _pricing(article.get("pricing") or "")
    return Product(
        asin=article["asin"],
        title=article["name"],
        description=article["full_description"] or "",
        bullet_points=tuple(bullets) if isinstance(bullets, list) else (bullets or "",),
        price_text=price_tag(pricing),
        pricing=pricing,
        price=pricing[0],
        options=_options(article.get("customization_options") or {}),
        attributes=tuple(about.get("attributes", ("DUMMY_ATTR",))),
        category=article["category"],
        query=article["query"].lower().strip(),
        product_category=article["product_category"],
    )


def _pricing(text: str) -> tuple[float, ...]:
    """Read ``$1,299.00`` or ``$9.99 - $20``; an article without a price costs 100 dollars."""
    prices = tuple(float(re.sub(r"[^\d.]", "", part)) for part in text.split("$")[1:])
    return prices[:2] or (100.0,)


def _options(described: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    return {
        name.lower(): tuple(value["value"].strip().replace("/", " | ").lower() for value in values)
        for name, values in described.items()
        if values is not None
    }


def _synthetic_goals(products: Sequence[Product], about: Mapping[str, Any], draws: random.Random) -> Iterator[Goal]:
    """Yield one goal for every combination of the options of a product with an instruction."""
    for product in products:
        asked = about.get(product.asin, {})
        if asked.get("instruction") is None:
            continue
        bound, bound_text = _price_bound(product.price, draws)
        names = sorted(product.options)
        for values in itertools.product(*(product.options[name] for name in names)):
            wanted = dict(zip(names, values, strict=True))
            options_text = ", and ".join(f"{name}: {value}" for name, value in wanted.items())
            text = asked["instruction"] + (f" with {options_text}" if wanted else "") + bound_text
            yield _goal(product, text, asked["instruction_attributes"], wanted, bound)


def _human_goals(products: Sequence[Product], asked: Mapping[str, Any], draws: random.Random) -> Iterator[Goal]:
    """Yield the goals that people wrote for a product; those without attributes are left out."""
    for product in products:
        for instruction in asked.get(product.asin, ()):
            attributes = instruction["instruction_attributes"]
            if not attributes:
                continue
            bound, bound_text = _price_bound(product.price, draws)
            text = instruction["instruction"].strip(".") + bound_text
            values = instruction["instruction_options"]
            wanted = {f"option {number}": value for number, value in enumerate(values, start=1)}
            yield replace(_goal(product, text, attributes, wanted, bound), options_named=False)


def _goal(
    product: Product, instruction: str, attributes: Sequence[str], wanted: Mapping[str, str], bound: float
) -> Goal:
    return Goal(
        asin=product.asin,
        instruction_text=instruction,
        name=product.title,
        category=product.category,
        query=product.query,
        product_category=product.product_category,
        attributes=tuple(attributes),
        goal_options=wanted,
        price_upper=bound,
    )


def _price_bound(price: float, draws: random.Random) -> tuple[float, str]:
    """Draw a bound: the higher of two of the next four multiples of ten above the price; none above 980 dollars."""
    above = [bound for bound in _BOUNDS if bound > price][:4]
    if len(above) < 2:
        return NO_PRICE_BOUND, ""
    bound = max(draws.sample(above, 2))
    return bound, f", and price lower than {bound:.2f} dollars"


def _weighted(goals: Sequence[Goal]) -> list[Goal]:
    """Weigh goals by how rare their attributes are: the mean of 1 / (number of goals with the attribute)."""
    counts = Counter(attribute for goal in goals for attribute in goal.attributes)
    return [replace(g, weight=sum(1.0 / counts[a] for a in g.attributes) / max(1, len(g.attributes))) for g in goals]
