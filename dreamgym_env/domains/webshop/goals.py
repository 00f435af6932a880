"""What a shopper is asked to buy: the goal and its JSON Lines file."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dreamgym_env.domains.webshop.products import CatalogueFormatError, read_json_lines
from dreamgym_env.errors import ResetOptionError
from dreamgym_env.types import Task

__all__ = ["NO_PRICE_BOUND", "Goal", "goal_of", "load_goals"]

NO_PRICE_BOUND = 1_000_000.0
"""The ``price_upper`` of a goal whose instruction names no price."""


@dataclass(frozen=True, slots=True)
class Goal:
    """What counts when the shopper buys; ``asin`` names the product that it was written for."""

    asin: str
    instruction_text: str
    """What the shopper reads."""
    name: str
    """Title of the target product."""
    category: str = ""
    query: str = ""
    product_category: str = ""
    attributes: tuple[str, ...] = ()
    """Lower-case phrases that the bought product must have."""
    goal_options: Mapping[str, str] = field(default_factory=dict)
    """Option name -> wanted value, both lower-case."""
    options_named: bool = True
    """False for goals written by people: their files list the values only, and the names here are but numbers."""
    price_upper: float = NO_PRICE_BOUND
    """The price may not be above this, in dollars."""
    weight: float = 1.0
    """How often the goal is drawn, relative to others."""
    split: str = ""
    """``"train"``, ``"eval"`` or ``"test"``; empty where the file does not say."""

    @classmethod
    def from_dict(cls, row: Mapping[str, Any]) -> Goal:
        """Read a row of a goals file, or ``Task.goal``.

        Raises:
            ValueError: a member is missing or of the wrong kind; the message names it.
        """
        options = row.get("goal_options", {})
        options_named = not isinstance(options, list)
        if not options_named:
            options = {f"option {number}": value for number, value in enumerate(options, start=1)}
        attributes = row.get("attributes") or []
        if not isinstance(options, Mapping) or not all(isinstance(value, str) for value in options.values()):
            raise ValueError(f"'goal_options' should map names to texts and is {options!r:.60}")
        if not isinstance(attributes, list | tuple) or not all(isinstance(value, str) for value in attributes):
            raise ValueError(f"'attributes' should hold texts and is {attributes!r:.60}")
        texts = {name: row.get(name, "") for name in _TEXTS}
        for name, value in texts.items():
            if not isinstance(value, str) or (not value and name in ("asin", "instruction_text")):
                raise ValueError(f"{name!r} should be a text and is {value!r:.60}")
        return cls(
            **texts,
            attributes=tuple(attributes),
            goal_options=dict(options),
            options_named=options_named,
            price_upper=_number(row.get("price_upper", NO_PRICE_BOUND), "price_upper"),
            weight=_number(row.get("weight", 1.0), "weight"),
        )

    def to_dict(self) -> dict[str, Any]:
        """Return JSON values only; inverse of :meth:`from_dict`."""
        return {
            **{name: getattr(self, name) for name in _TEXTS},
            "attributes": list(self.attributes),
            "goal_options": dict(self.goal_options) if self.options_named else list(self.goal_options.values()),
            "price_upper": self.price_upper,
            "weight": self.weight,
        }


_TEXTS = ("asin", "instruction_text", "name", "category", "query", "product_category", "split")


def goal_of(task: Task) -> Goal:
    """Return the goal by which an order of a task is graded; its instruction is the task's.

    Raises:
        ResetOptionError: the task has none, or one that lacks a member or holds one of the wrong kind.
    """
    try:
        goal = Goal.from_dict({**task.goal, "instruction_text": task.instruction})
        if not (goal.name or goal.query or goal.product_category):
            raise ValueError("'name' is missing, and nothing else tells the right kind of product")
    except (TypeError, ValueError) as error:
        raise ResetOptionError(
            f"Task {task.id!r} has {f'a goal that cannot be read ({error})' if task.goal else 'no goal'}, and WebShop "
            "grades an order by it. A goal holds 'asin' and 'name' (code and title of a product that fits), and where "
            "they count 'attributes', 'goal_options', 'price_upper', 'query' and 'product_category'. In a dream, "
            "success='model' lets the world model judge without a goal."
        ) from error
    return goal


def load_goals(path: str | Path) -> tuple[Goal, ...]:
    """Load a goals file (JSON Lines, gzip if its name ends in ``.gz``); a goal's place is its line, from 0.

    Raises:
        CatalogueFormatError: the file is missing or a line cannot be read.
    """
    goals = []
    for number, row in read_json_lines(path):
        try:
            goals.append(Goal.from_dict(row))
        except ValueError as error:
            raise CatalogueFormatError(f"{path}, line {number}: this is no goal: {error}.") from error
    if not goals:
        raise CatalogueFormatError(f"{path} holds no goals; it should have one JSON object a line.")
    return tuple(goals)


def _number(value: object, name: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError(f"{name!r} should be a number and is {value!r:.60}")
    return float(value)
