"""Scripted shoppers, for recording experience and for measuring environments.

They see what any agent sees, a state and the actions that it offers, so they shop in the real engine and in its dream
alike.  The oracles also read the task's goal.  None of them loops: after :data:`PATIENCE` actions an oracle buys
whatever it can get.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Protocol

from dreamgym_env.domains.webshop.goals import Goal
from dreamgym_env.domains.webshop.observation import (
    BACK_TO_SEARCH,
    BUY_NOW,
    NEXT_PAGE,
    PREVIOUS_PAGE,
    listings,
    page_kind,
    parse_action,
    visible,
)
from dreamgym_env.domains.webshop.observation import SUB_PAGE_VALUES as _SUB_PAGES

if TYPE_CHECKING:
    import numpy as np

    from dreamgym_env.types import Task

__all__ = [
    "AGENTS",
    "PATIENCE",
    "CataloguerAgent",
    "LazyBuyerAgent",
    "NoisyOracleAgent",
    "OracleAgent",
    "RandomAgent",
    "Shopper",
    "WindowShopperAgent",
]

PATIENCE = 9
"""After so many actions an oracle settles for another product; that leaves time to buy it before the step limit."""

_MOST_PAGES = 3
"""Pages of results that a cataloguer looks at for a product."""
_SEARCH = "search"
_PREVIOUS, _NEXT, _BACK, _BUY = (text.lower() for text in (PREVIOUS_PAGE, NEXT_PAGE, BACK_TO_SEARCH, BUY_NOW))
_NONSENSE = (
    "click[nonexistent]",
    "buy now",
    "click[]",
    "search[]",
    "Click[Buy Now]",
    "think[what now]",
    "click[add to cart]",
)


class Shopper(Protocol):
    """Shops in one episode at a time."""

    name: str

    def begin(self, task: Task, rng: np.random.Generator) -> None:
        """Start an episode; all that is random in it comes from ``rng``."""
        ...

    def act(self, state: str, available_actions: Sequence[str]) -> str:
        """Return the next action in ``state``; ``available_actions`` lists ``click[value]`` of all that it offers."""
        ...


class OracleAgent:
    """Knows the goal: searches for its product, opens it, chooses the wanted options, buys.

    The first searches are worded as a person would, by the kind of product and what is wanted of it; the last is the
    product's title.  Where no listing has the product it buys the listed one whose title is the most like it.
    """

    name = "oracle"

    def begin(self, task: Task, rng: np.random.Generator) -> None:
        """Read the goal and think up the searches."""
        self._rng = rng
        self._goal = Goal.from_dict(task.goal)
        self._target = self._goal.asin.lower()
        self._searches = self._phrasings()
        self._steps = 0
        self._opened = ""
        self._refused: set[str] = set()
        self._chosen: set[str] = set()

    def act(self, state: str, available_actions: Sequence[str]) -> str:
        """Return the next action towards the goal."""
        self._steps += 1
        offered = _offered(available_actions)
        action = self._towards_goal(state, offered)
        self._note(action, on_item_page=_BUY in offered)
        return action

    def _towards_goal(self, state: str, offered: Sequence[str]) -> str:
        if _BUY in offered:
            return self._on_item_page(offered)
        listed = [value for value in offered if _is_product(value)]
        if listed:
            return self._on_results_page(state, offered, listed)
        if _PREVIOUS in offered and _NEXT not in offered:  # a sub-page
            return _click(_PREVIOUS)
        return self._search_again()

    def _on_item_page(self, offered: Sequence[str]) -> str:
        if self._opened != self._target and not self._settles:
            return _click(_PREVIOUS) if _PREVIOUS in offered else self._search_again()
        wanted = (value for value in self._goal.goal_options.values() if value in offered and value not in self._chosen)
        return _click(next(wanted, _BUY))

    def _on_results_page(self, state: str, offered: Sequence[str], listed: Sequence[str]) -> str:
        if self._target in listed and self._target not in self._refused:
            return _click(self._target)
        if self._settles:
            return _click(self._most_alike(state, listed))
        if _NEXT in offered and self._rng.random() < 0.5:
            return _click(_NEXT)
        return self._search_again()

    @property
    def _settles(self) -> bool:
        return self._steps > PATIENCE or not self._searches

    def _most_alike(self, state: str, listed: Sequence[str]) -> str:
        """Return the listed product that shares most words with the wanted title, of those that open."""
        words = set(self._goal.name.lower().split())
        titles = {asin.lower(): set(title.lower().split()) for asin, title, _ in listings(visible(state))}
        candidates = [asin for asin in listed if asin not in self._refused] or list(listed)
        return max(candidates, key=lambda asin: len(words & titles.get(asin, set())))

    def _search_again(self) -> str:
        return f"search[{self._searches.pop(0) if self._searches else self._goal.query or self._goal.name}]"

    def _note(self, action: str, on_item_page: bool) -> None:
        """Keep what the action does, as pages do not show it: which product is open, which options are set."""
        verb, value = parse_action(action) or ("", "")
        if verb == "search" or value in (_BACK, _NEXT):
            self._opened, self._chosen = "", set()
        elif verb == "click" and on_item_page and value not in (_PREVIOUS, *_SUB_PAGES):
            self._chosen.add(value)
        elif verb == "click" and _is_product(value):
            if value == self._opened:  # it was opened just before, and the page stayed a list
                self._refused.add(value)
            self._opened, self._chosen = value, set()
        elif value == _PREVIOUS and on_item_page:
            self._opened, self._chosen = "", set()

    def _phrasings(self) -> list[str]:
        """Return two searches in a person's words and the title, in this order."""
        goal, rng = self._goal, self._rng
        extras = [*goal.attributes, *goal.goal_options.values()]
        some = [extras[i] for i in rng.permutation(len(extras))[: rng.integers(0, 4)]]
        words = goal.name.split()
        start = " ".join(words[: rng.integers(3, 8)])
        personal = [" ".join([goal.query, *some]), start, goal.query]
        first = [personal[i] for i in rng.permutation(len(personal))[: rng.integers(0, 3)]]
        return [text for text in (_plain(text) for text in (*first, goal.name, f"{goal.query} {goal.name}")) if text]


class NoisyOracleAgent(OracleAgent):
    """An oracle that errs: another option, another product, a detour, a mistyped action, a hasty purchase."""

    name = "noisy-oracle"

    def __init__(self, noise: float = 0.3) -> None:
        """Create one; ``noise`` is the share of actions that are not the oracle's."""
        if not 0 <= noise <= 1:
            raise ValueError(f"noise is a probability and must lie in [0, 1], not {noise}.")
        self._noise = noise

    def _towards_goal(self, state: str, offered: Sequence[str]) -> str:
        if self._rng.random() >= self._noise:
            return super()._towards_goal(state, offered)
        action = str(self._rng.choice(self._detours(offered)))
        if _BUY in offered:
            self._chosen = set()  # an option may be overwritten: choose them all again
        return action

    def _detours(self, offered: Sequence[str]) -> list[str]:
        detours = [str(self._rng.choice(_NONSENSE)), f"search[{_some_words(self._goal.instruction_text, self._rng)}]"]
        clicks = [value for value in offered if value not in (_SEARCH, _BUY)]
        if clicks:
            detours += [_click(str(value)) for value in self._rng.choice(clicks, size=4)]
        detours += [_click(value) for value in (*_SUB_PAGES, _BUY) if value in offered]
        return detours


class LazyBuyerAgent:
    """Searches once, opens the first product, chooses a few options at random, buys."""

    name = "lazy"

    def begin(self, task: Task, rng: np.random.Generator) -> None:
        """Start an episode."""
        self._rng = rng
        self._goal = Goal.from_dict(task.goal) if task.goal else None
        self._instruction = task.instruction
        self._options_left = int(rng.integers(0, 3))
        self._searches = 0

    def act(self, state: str, available_actions: Sequence[str]) -> str:
        """Return the next action."""
        offered = _offered(available_actions)
        listed = [value for value in offered if _is_product(value)]
        if _BUY in offered:
            options = [value for value in offered if value not in (_BUY, _BACK, _PREVIOUS, *_SUB_PAGES)]
            if not options or not self._options_left:
                return _click(_BUY)
            self._options_left -= 1
            return _click(str(self._rng.choice(options)))
        if listed:
            return _click(listed[0])
        self._searches += 1
        first_words = self._goal.query if self._goal and self._searches == 1 else ""
        return f"search[{_plain(first_words) or _some_words(self._instruction, self._rng)}]"


class WindowShopperAgent:
    """Searches for the kind of product and looks at one listed product after the other; never buys.

    It is what gives recorded experience its breadth: buyers open little but what they buy.
    """

    name = "window-shopper"

    def begin(self, task: Task, rng: np.random.Generator) -> None:
        """Start an episode."""
        self._rng = rng
        self._instruction = task.instruction
        self._query = _plain(Goal.from_dict(task.goal).query) if task.goal else ""
        self._looked_at: set[str] = set()
        self._searched = False

    def act(self, state: str, available_actions: Sequence[str]) -> str:
        """Return the next action."""
        offered = _offered(available_actions)
        if _BUY in offered:
            curious = self._rng.random() < 0.2
            return _click(str(self._rng.choice(_SUB_PAGES)) if curious else _PREVIOUS)
        fresh = [value for value in offered if _is_product(value) and value not in self._looked_at]
        if fresh and self._rng.random() < 0.7:
            self._looked_at.add(choice := str(self._rng.choice(fresh)))
            return _click(choice)
        if _NEXT in offered and len(offered) > 3:
            return _click(_NEXT)
        if _PREVIOUS in offered and _NEXT not in offered:  # a sub-page
            return _click(_PREVIOUS)
        return self._search()

    def _search(self) -> str:
        words = _some_words(self._instruction, self._rng)
        first = f"{self._query} {words}" if self._query and not self._searched else words
        self._searched = True
        return f"search[{first}]"


class CataloguerAgent:
    """Looks up a few products of the catalogue, reads of each what its pages tell, and buys the last.

    Every product is some task's to look up, so that playing all tasks of a split once shows the whole shop.
    """

    name = "cataloguer"

    def __init__(self, titles: Mapping[str, str], task_ids: Sequence[str]) -> None:
        """Create one; ``titles`` maps the products' codes to titles, and ``task_ids`` share them out."""
        self._titles = dict(sorted(titles.items()))
        self._places = {task_id: place for place, task_id in enumerate(task_ids)}

    def begin(self, task: Task, rng: np.random.Generator) -> None:
        """Take the products that are this task's to look up."""
        self._rng = rng
        place = self._places.get(task.id, 0)
        self._left = list(self._titles)[place :: max(1, len(self._places))]
        self._turn_to_next()

    def act(self, state: str, available_actions: Sequence[str]) -> str:
        """Return the next action."""
        offered = _offered(available_actions)
        if _BUY in offered:
            return self._on_item_page(offered)
        if self._wanted in offered:
            return _click(self._wanted)
        if _PREVIOUS in offered and _NEXT not in offered:  # a sub-page
            if self._unread or not self._left:
                return _click(_PREVIOUS)
            self._turn_to_next()
        listed = [value for value in offered if _is_product(value)]
        if listed and self._tries:
            self._tries += 1
            return _click(_NEXT if _NEXT in offered and self._tries < _MOST_PAGES else listed[0])
        self._tries += 1
        return f"search[{_plain(self._titles.get(self._wanted.upper(), 'gift'))}]"

    def _turn_to_next(self) -> None:
        self._wanted = self._left.pop(0).lower() if self._left else ""
        self._unread, self._tries = ["description", "features"], 0

    def _on_item_page(self, offered: Sequence[str]) -> str:
        if self._unread:
            return _click(self._unread.pop(0))
        options = [value for value in offered if value not in (_BUY, _BACK, _PREVIOUS, *_SUB_PAGES)]
        return _click(str(self._rng.choice(options)) if options and self._rng.random() < 0.5 else _BUY)


class RandomAgent:
    """Clicks anything, searches for any words of the instruction, mistypes now and then."""

    name = "random"

    def begin(self, task: Task, rng: np.random.Generator) -> None:
        """Start an episode."""
        self._rng = rng
        self._instruction = task.instruction

    def act(self, state: str, available_actions: Sequence[str]) -> str:
        """Return the next action."""
        luck = self._rng.random()
        if luck < 0.06:
            return str(self._rng.choice(_NONSENSE))
        offered = [value for value in _offered(available_actions) if value != _SEARCH]
        if not offered or luck < 0.12:
            return f"search[{_some_words(self._instruction, self._rng)}]"
        if _BUY in offered and luck < 0.22:
            return _click(_BUY)
        if page_kind(state) == "results" and luck < 0.8:  # else half of the clicks would be on two buttons
            offered = [value for value in offered if _is_product(value)] or offered
        return _click(str(self._rng.choice(offered)))


AGENTS: Mapping[str, Callable[..., Shopper]] = MappingProxyType(
    {
        OracleAgent.name: lambda domain: OracleAgent(),
        NoisyOracleAgent.name: lambda domain, noise=0.3: NoisyOracleAgent(noise),
        LazyBuyerAgent.name: lambda domain: LazyBuyerAgent(),
        WindowShopperAgent.name: lambda domain: WindowShopperAgent(),
        CataloguerAgent.name: lambda domain: CataloguerAgent(
            {product.asin: product.title for product in domain.shop.products}, domain.task_ids("train")
        ),
        RandomAgent.name: lambda domain: RandomAgent(),
    }
)
"""Name -> a function that makes one for a domain."""


def _offered(available_actions: Sequence[str]) -> list[str]:
    """Return what can be clicked."""
    parsed = (parse_action(action) for action in available_actions)
    return [argument for verb, argument in (found for found in parsed if found) if verb == "click"]


def _click(value: str) -> str:
    return f"click[{value}]"


def _is_product(value: str) -> bool:
    """Return whether what a page of results offers is a product; options of an item page may look the same."""
    return len(value) == 10 and value.isalnum() and any(letter.isdigit() for letter in value)


def _some_words(text: str, rng: np.random.Generator) -> str:
    """Return one to five words in a row."""
    words = _plain(text).split() or ["gift"]
    start = int(rng.integers(len(words)))
    return " ".join(words[start : start + int(rng.integers(1, 6))])


def _plain(text: str) -> str:
    """Return the text without brackets, which would end an action's argument, on one line."""
    return " ".join(text.translate(_NO_BRACKETS).split())


_NO_BRACKETS = str.maketrans("[]", "  ")
