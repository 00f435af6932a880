"""What the bundled tasks are drawn by: a recipe is a template that makes a task from what the sites show at first."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from dreamgym_env.domains.draws import Draws
from dreamgym_env.domains.webarena.sites.database import Database
from dreamgym_env.domains.webarena.tasks.oracle import Answer, Click, Fill, Step
from dreamgym_env.domains.webarena.tasks.texts import OR

__all__ = [
    "DONE",
    "Draft",
    "Recipe",
    "RecipeBook",
    "dates",
    "durations",
    "ends_at",
    "money",
    "says",
    "search",
    "shows",
    "stored",
    "target",
]

DONE = Answer("Done.")
"""What an oracle says where no answer is asked for."""


@dataclass(frozen=True, slots=True)
class Draft:
    """One task of a recipe."""

    arguments: Mapping[str, str]
    """What takes the place of ``{{name}}`` in the template."""
    evaluation: Mapping[str, Any]
    """The members of ``eval`` that are not empty."""
    oracle: tuple[Step, ...]


Build = Callable[[Database, Draws], Draft | None]
"""Draws a task; None where what was drawn makes no good one."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """A template with what fills it."""

    sites: tuple[str, ...]
    split: str
    intent: str
    """With ``{{name}}`` for each argument."""
    build: Build


class RecipeBook:
    """The recipes of one module."""

    def __init__(self, *sites: str) -> None:
        """Name the sites that the recipes are about unless they say otherwise; a task starts at the first."""
        self.recipes: list[Recipe] = []
        self._sites = sites

    def add(self, split: str, intent: str, *sites: str) -> Callable[[Build], Build]:
        """Return the decorator of a function that draws tasks of a template."""

        def register(build: Build) -> Build:
            self.recipes.append(Recipe(sites or self._sites, split, intent, build))
            return build

        return register


def says(*texts: str) -> dict[str, Any]:
    """Return an evaluation: the answer includes all the texts."""
    return {"eval_types": ["string_match"], "reference_answers": {"must_include": list(texts)}}


def ends_at(url: str) -> dict[str, Any]:
    """Return an evaluation: the episode ends at a URL."""
    return {"eval_types": ["url_match"], "reference_url": url, "url_note": "GOLD in PRED"}


def shows(*targets: Mapping[str, Any]) -> dict[str, Any]:
    """Return an evaluation: pages or the database show what they should."""
    return {"eval_types": ["program_html"], "program_html": list(targets)}


def target(url: str, locator: str, *includes: str, exact: str = "") -> dict[str, Any]:
    """Return what the elements of a page that a locator names have to show: one text, or several among others."""
    contents = {"must_include": list(includes)} if includes else {"exact_match": exact}
    return {"url": url, "locator": locator, "required_contents": contents}


def stored(query: str, *arguments: str, exact: str) -> dict[str, Any]:
    """Return what a named query has to answer; several rows are joined by line breaks."""
    return {
        "url": "database",
        "locator": query,
        "arguments": list(arguments),
        "required_contents": {"exact_match": exact},
    }


def search(label: str, words: str, *links: str) -> tuple[Step, ...]:
    """Return steps that search for words in the field at the top, and then follow links."""
    follow = tuple(Click("link", name) for name in links)
    return (Fill("textbox", label, words), Click("button", "Search"), *follow)


def money(cents: int) -> str:
    """Return an amount as an answer should have it: ``1,250.50``."""
    return f"{cents / 100:,.2f}"


def dates(text: str) -> str:
    """Return a date in the ways in which people write it, any of which will do."""
    date = datetime.date.fromisoformat(text)
    month = _MONTHS[date.month - 1]
    ways = [text]
    for name in (month, month[:3]):
        ways += [f"{name} {date.day}, {date.year}", f"{date.day} {name} {date.year}", f"{name} {date.day} {date.year}"]
    return f" {OR} ".join(ways)


_MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
)  # fmt: skip


def durations(minutes: int) -> str:
    """Return a time in the ways in which people write it, any of which will do."""
    hours, rest = divmod(minutes, 60)
    ways = [f"{minutes} min", f"{minutes} minutes", f"{minutes}min"]
    if hours:
        plural = "hour" if hours == 1 else "hours"
        ways += [f"{hours} h {rest} min", f"{hours}h {rest}min", f"{hours}h{rest}min", f"{hours} h {rest} m"]
        ways += [f"{hours} {plural} {rest} minutes", f"{hours} {plural} and {rest} minutes", f"{hours}:{rest:02}"]
    return f" {OR} ".join(ways)
