"""Variations of tasks on the bundled sites: another instance of the same template.

The recipe that drew the original draws again from what the sites show at first, so that the evaluators and the oracle's
steps are the new instance's own.  Templates of a test are in no other split, and so are their variations.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from dreamgym_env.domains.draws import Draws
from dreamgym_env.domains.variations import variation_of
from dreamgym_env.domains.webarena.first_pages import task_of
from dreamgym_env.domains.webarena.repetition import Repetition
from dreamgym_env.domains.webarena.sites.database import Database
from dreamgym_env.domains.webarena.tasks import WebTask, bundled_ids, bundled_task, evaluate, resolve_url
from dreamgym_env.domains.webarena.tasks.drawing import RECIPES, evaluation_of, intent_of
from dreamgym_env.domains.webarena.tasks.oracle import Answer, steps_to_records
from dreamgym_env.domains.webarena.tasks.recipe import Recipe
from dreamgym_env.domains.webarena.tasks.shipped import SPLITS
from dreamgym_env.errors import UnknownTaskError
from dreamgym_env.types import Task

if TYPE_CHECKING:
    from dreamgym_env.domains.webarena.domain import WebArena

__all__ = ["WebVariations", "variation_rules"]


def variation_rules(domain: WebArena) -> WebVariations | None:
    """Return the rules of the bundled sites; nobody knows what other sites hold."""
    return WebVariations() if domain.sites == "bundled" else None


class WebVariations:
    """Draws instances of templates."""

    def __init__(self) -> None:
        """Know the recipes; the sites' content is made when it is first needed."""
        self._repetition = Repetition()

    def propose(self, task: Task, draws: Draws) -> Task | None:
        """Draw an instance of the template of a task, or of the bundled one that it varies."""
        try:
            original = bundled_task(task.family)
        except UnknownTaskError:
            return None
        recipe = _recipes().get((original.split, original.intent_template))
        draft = recipe.build(self._database, draws) if recipe is not None else None
        if recipe is None or draft is None:
            return None
        drawn = replace(
            original,
            intent=intent_of(recipe, draft),
            instantiation_dict=dict(draft.arguments),
            eval=evaluation_of(draft),
            oracle=draft.oracle,
        )
        if drawn.intent in _intents() or not self._can_be_judged(drawn):
            return None
        told = task_of(drawn)
        goal = {**told.goal, "oracle": steps_to_records(drawn.oracle)}
        return variation_of(task, told.instruction, told.initial_state, goal, told.facts)

    def identity(self, task: Task) -> str:
        """Return the instruction: a template with other arguments asks for something else."""
        return " ".join(task.instruction.lower().split())

    def reworded(self, task: Task, instruction: str) -> Task | None:
        """Return None: no program here can tell that other words ask for the same."""
        return None

    @functools.cached_property
    def _database(self) -> Database:
        return Database()

    def _can_be_judged(self, task: WebTask) -> bool:
        """Return whether doing nothing is no success, and saying what the oracle says is one where an answer is all."""
        replica, start = self._repetition.replica, resolve_url(task.start_url)
        replica.reset()
        if any(evaluate(task, answer, start, replica) for answer in ("", "Done.")):
            return False
        said = [step.text for step in task.oracle if isinstance(step, Answer)]
        return task.eval["eval_types"] != ["string_match"] or evaluate(task, said[-1], start, replica) > 0


@functools.cache
def _recipes() -> Mapping[tuple[str, str], Recipe]:
    """Split and template -> its recipe."""
    return {(recipe.split, recipe.intent): recipe for recipe in RECIPES}


@functools.cache
def _intents() -> frozenset[str]:
    """Instructions of all bundled tasks."""
    return frozenset(bundled_task(task_id).intent for split in SPLITS for task_id in bundled_ids(split))
