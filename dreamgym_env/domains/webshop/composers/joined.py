"""The shop's composer: the first of its parts that knows an answer gives it."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from dreamgym_env.domains.webshop.composers.knowledge import Knowledge
from dreamgym_env.domains.webshop.composers.orders import OrderComposer
from dreamgym_env.domains.webshop.composers.products import ProductComposer
from dreamgym_env.domains.webshop.composers.results import ResultsComposer
from dreamgym_env.domains.webshop.composers.revisits import RevisitComposer
from dreamgym_env.types import Composer, Memory, Query, Transition

if TYPE_CHECKING:
    from dreamgym_env.domains.webshop.domain import WebShop

__all__ = ["WebShopComposer"]


class WebShopComposer:
    """Joins what the episode tells for certain with what real experience lets one work out."""

    def __init__(self, domain: WebShop, experience: Callable[[], Iterator[Transition]]) -> None:
        """Create the composer of one shop; the experience is read when it is first needed."""
        knowledge = functools.cache(lambda: Knowledge(domain, experience()))
        self._parts: tuple[Composer, ...] = (
            OrderComposer(domain, knowledge),
            RevisitComposer(domain),
            ProductComposer(domain),
            ResultsComposer(domain, knowledge),
        )

    def compose(
        self, query: Query, memories: Sequence[Memory], *, exclude_episode: bool = False, exclude_task: bool = False
    ) -> Memory | None:
        """Return the first part's memory, or None where none has one."""
        rules = {"exclude_episode": exclude_episode, "exclude_task": exclude_task}
        composed = (part.compose(query, memories, **rules) for part in self._parts)
        return next((memory for memory in composed if memory is not None), None)
