"""WebShop: buy the product that an instruction describes.

**Task.** "I need a red trail running shoe in size 9 for less than 60 dollars": find a product with the wanted
attributes, choose the wanted options, buy it.  Protocol: Yao et al., "WebShop" (NeurIPS 2022).

**Actions.** ``search[keywords]`` and ``click[value]``.  A search works on every page; a click works on what the page
offers: a product's code, an option, a button.  Anything else changes nothing.

**States.** The visible texts of a page joined by ``[SEP]``: start page, results, product, product sub-page, order.

**Rewards.** 1 for an order that fits completely, else 0; ``info["task_score"]`` is WebShop's graded score.

**End.** The order ends an episode; so do 15 actions.

**Ids.** ``DreamGym/WebShop-v0``, ``DreamGymReal/WebShop-v0``.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from dreamgym_env.domains.segments import join_segments, split_segments
from dreamgym_env.domains.webshop import STEP_LIMIT, observation
from dreamgym_env.domains.webshop.composers.joined import WebShopComposer
from dreamgym_env.domains.webshop.shop import Shop
from dreamgym_env.domains.webshop.teaching import explain, teach
from dreamgym_env.domains.webshop.verifier import WebShopVerifier
from dreamgym_env.types import Composer, Memory, Task, Transition, Turn, Verifier

__all__ = ["WebShop"]

_SEED_EXPERIENCE = Path(__file__).parent / "data" / "seed.jsonl.gz"

_RULES = """\
- Pages are lists of visible texts. The start page is: WebShop, Instruction:, the instruction, Search.
- All other pages but the last begin with Instruction:, the instruction, Back to Search.
- search[words] works on every page and opens results: "Page 1 (Total results: N)", "Next >" (and "< Prev" on later \
pages), then for each of at most 10 products its code, title and price.
- click[code of a listed product] opens its page: "< Prev", each option's name followed by its values, the title, \
"Price: ...", "Rating: ...", Description, Features, Reviews, Buy Now.
- click[an option's value] chooses it; the page looks the same afterwards.
- click[description], click[features] or click[reviews] opens a page with "< Prev" and that text.
- click[< prev] goes back to the page before; click[back to search] opens the start page.
- click[buy now] orders the product and ends the episode: success only if its attributes, the chosen options and its \
price all fit the instruction.
- A click on anything that the page does not show changes nothing at all."""


class WebShop:
    """The domain; see the module's text for what it is."""

    name = "webshop"
    max_episode_steps = STEP_LIMIT
    rules = _RULES

    def __init__(self, products: str | Path | None = None, goals: str | Path | None = None) -> None:
        """Create the domain on the shipped catalogue, or on one's own data.

        Args:
            products: a folder with WebShop's own files, or a JSON-lines file of products; None for the shipped ones.
            goals: a JSON-lines file of goals; None for the shipped ones, or those that a folder's files define.
        """
        self.shop = Shop(products, goals)

    def splits(self) -> tuple[str, ...]:
        """Return the names of the splits."""
        return self.shop.splits()

    def task_ids(self, split: str) -> Sequence[str]:
        """Return the ids of a split's tasks. Raises UnknownTaskError."""
        return self.shop.task_ids(split)

    def task(self, task_id: str) -> Task:
        """Return a task. Raises UnknownTaskError."""
        return self.shop.task(task_id)

    def segment(self, state: str, instruction: str) -> tuple[str, ...]:
        """Split a page into its visible texts, the instruction replaced by a placeholder."""
        return split_segments(state, instruction, observation.SEPARATOR, marker="Instruction:")

    def render(self, segments: Sequence[str], instruction: str) -> str:
        """Join a page's texts."""
        return join_segments(segments, instruction, observation.SEPARATOR)

    def available_actions(self, task: Task, history: Sequence[Turn], state: str) -> tuple[str, ...]:
        """Return what the page offers: ``click[...]`` of each value, ``search[<keywords>]`` where there is a bar."""
        return self._offered(state)[1]

    def parse_action(self, action: str) -> str | None:
        """Return ``verb[lower-cased argument]``, or None."""
        return _canonical(action)

    def guard(self, task: Task, history: Sequence[Turn], state: str, action: str) -> str | None:
        """Return the unchanged state for an action that the page does not offer."""
        parsed = observation.parse_action(action)
        if parsed is None:
            return state
        verb, argument = parsed
        return None if verb == "search" or (argument in self._offered(state)[0] and argument != "search") else state

    def action_kind(self, action: str) -> str:
        """Return ``search``, ``item``, ``option``, ``subpage``, ``prev``, ``next``, ``back``, ``buy``, ``invalid``."""
        return observation.action_kind(action)

    def page_kind(self, state: str) -> str:
        """Return ``index``, ``results``, ``item``, ``subpage``, ``done`` or ``unknown``."""
        return observation.page_kind(state)

    def verifier(self) -> Verifier:
        """Return the program that grades an order."""
        return WebShopVerifier(self.shop)

    def composer(self, experience: Callable[[], Iterator[Transition]]) -> Composer:
        """Return what composes pages of this episode, orders, and results from what real experience has shown."""
        return WebShopComposer(self, experience)

    def teach(self, transition: Transition, memories: Sequence[Memory]) -> Transition:
        """Return a recorded step with a reason, and with as much of its page as these memories let one know."""
        return teach(self, transition, memories)

    def explain(self, transition: Transition) -> str:
        """Return in one sentence whether the action leads on and how the shop responds."""
        return explain(transition)

    def seed_experience(self) -> str:
        """Return the path of the shipped transitions; nothing for a shop of one's own, which they are not about."""
        return str(_SEED_EXPERIENCE) if self.shop.shipped and _SEED_EXPERIENCE.is_file() else ""

    def _offered(self, state: str) -> tuple[frozenset[str], tuple[str, ...]]:
        return _offered(state, self.shop.option_names)


@functools.lru_cache(maxsize=16_384)
def _canonical(action: str) -> str | None:
    parsed = observation.parse_action(action)
    return f"{parsed[0]}[{parsed[1]}]" if parsed else None


@functools.lru_cache(maxsize=8192)
def _offered(state: str, option_names: frozenset[str]) -> tuple[frozenset[str], tuple[str, ...]]:
    """Return what can be clicked, as a set and as actions."""
    values = observation.clickables(observation.visible(state), observation.page_kind(state), option_names)
    actions = (observation.SEARCH_TEMPLATE if value == "search" else f"click[{value}]" for value in values)
    return frozenset(values), tuple(actions)
