"""Draws the bundled tasks from what the sites show at first, by the recipes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from dreamgym_env.domains.draws import Draws
from dreamgym_env.domains.webarena.sites.database import Database
from dreamgym_env.domains.webarena.tasks.oracle import steps_to_records
from dreamgym_env.domains.webarena.tasks.recipe import Draft, Recipe
from dreamgym_env.domains.webarena.tasks.recipes import (
    code,
    code_projects,
    forum,
    region,
    several,
    shop,
    shop_actions,
    shop_admin,
)

__all__ = ["RECIPES", "TASKS_PER_RECIPE", "draw_records", "evaluation_of", "intent_of"]

RECIPES: Sequence[Recipe] = tuple(
    recipe
    for module in (shop, shop_actions, shop_admin, forum, code, code_projects, region, several)
    for recipe in module.BOOK.recipes
)
TASKS_PER_RECIPE: Mapping[str, int] = {"train": 8, "eval": 4, "test": 4}
"""Split -> how many; a recipe that can make no more makes fewer."""
_SEED = "bundled tasks 1"
_DRAWS_PER_RECIPE = 120


def draw_records() -> Iterator[dict[str, Any]]:
    """Draw the tasks and yield the file's records; templates take turns."""
    database = Database()
    drafts = [_drafts(recipe, database) for recipe in RECIPES]
    for split, most in TASKS_PER_RECIPE.items():
        number = 0
        for turn in range(most):
            for position, recipe in enumerate(RECIPES):
                if recipe.split == split and turn < len(drafts[position]):
                    yield _record(recipe, position, drafts[position][turn], number)
                    number += 1
    database.close()


def _drafts(recipe: Recipe, database: Database) -> list[Draft]:
    drafts: dict[str, Draft] = {}
    for attempt in range(_DRAWS_PER_RECIPE):
        if len(drafts) == TASKS_PER_RECIPE[recipe.split]:
            break
        draft = recipe.build(database, Draws(_SEED, recipe.intent, attempt))
        if draft is not None:
            drafts.setdefault(intent_of(recipe, draft), draft)
    return list(drafts.values())


def intent_of(recipe: Recipe, draft: Draft) -> str:
    """Return the template with the draft's arguments."""
    intent = recipe.intent
    for name, value in draft.arguments.items():
        intent = intent.replace("{{" + name + "}}", value)
    return intent


def evaluation_of(draft: Draft) -> dict[str, Any]:
    """Return ``eval`` with all its members, as WebArena's tasks have it."""
    empty: dict[str, Any] = {"reference_answers": None, "reference_url": "", "program_html": []}
    return {**empty, **draft.evaluation}


def _record(recipe: Recipe, position: int, draft: Draft, number: int) -> dict[str, Any]:
    return {
        "id": f"webarena/{recipe.split}/{number}",
        "split": recipe.split,
        "sites": list(recipe.sites),
        "task_id": number,
        "start_url": f"__{recipe.sites[0].upper()}__/",
        "intent_template_id": position,
        "intent_template": recipe.intent,
        "instantiation_dict": dict(draft.arguments),
        "intent": intent_of(recipe, draft),
        "require_reset": True,
        "eval": evaluation_of(draft),
        "oracle": steps_to_records(draft.oracle),
    }
