"""One shop: its products, its goals as tasks, its search and its engine, each loaded when first needed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from dreamgym_env.domains.webshop.goals import Goal, load_goals
from dreamgym_env.domains.webshop.pages import index_page
from dreamgym_env.domains.webshop.products import Product, load_products
from dreamgym_env.errors import UnknownTaskError
from dreamgym_env.types import Task

if TYPE_CHECKING:
    from dreamgym_env.domains.webshop.search import SearchEngine

__all__ = ["Shop"]

_DATA = Path(__file__).parent / "data"
_USUAL_OPTION_NAMES = frozenset(
    {"color", "size", "style", "flavor name", "flavor", "fit type", "scent", "pattern name", "item shape"}
)
_TEST_GOALS, _EVAL_GOALS = 500, 1500  # WebShop's convention: goals 0-499 test, 500-1499 eval, the rest train


class Shop:
    """The shipped catalogue, or one's own files."""

    def __init__(self, products: str | Path | None = None, goals: str | Path | None = None) -> None:
        """Name the sources; nothing is read yet.

        Args:
            products: a folder with WebShop's own files, or a products file; None for the shipped one.
            goals: a goals file; None for the shipped one, or for what a folder's files define.
        """
        if products is None and goals is not None:
            raise ValueError("goals= needs products=: goals name products of their own catalogue.")
        self._products_path = Path(products) if products is not None else None
        self._goals_path = Path(goals) if goals is not None else None

    @property
    def shipped(self) -> bool:
        """Whether this is the shop that the package ships."""
        return self._products_path is None

    @cached_property
    def _loaded(self) -> tuple[tuple[Product, ...], tuple[Goal, ...]]:
        if self._products_path is None:
            return load_products(_DATA / "products.jsonl.gz"), load_goals(_DATA / "goals.jsonl.gz")
        if not self._products_path.exists():
            raise FileNotFoundError(f"products={str(self._products_path)!r}: there is no such file or folder.")
        if self._products_path.is_dir():
            from dreamgym_env.domains.webshop.original_files import load_original_files

            products, goals = load_original_files(self._products_path)
            return products, load_goals(self._goals_path) if self._goals_path else goals
        if self._goals_path is None:
            raise ValueError(f"products={str(self._products_path)!r} is a file: give goals= too, a file of its goals.")
        return load_products(self._products_path), load_goals(self._goals_path)

    @property
    def products(self) -> tuple[Product, ...]:
        """All products, in the order of their file."""
        return self._loaded[0]

    @property
    def goals(self) -> tuple[Goal, ...]:
        """All goals, in the order of their file."""
        return self._loaded[1]

    @cached_property
    def product_of(self) -> Mapping[str, Product]:
        """Upper-case asin -> product."""
        return {product.asin: product for product in self.products}

    @cached_property
    def option_names(self) -> frozenset[str]:
        """Lower-case names under which products list options."""
        return _USUAL_OPTION_NAMES | {name.lower() for product in self.products for name in product.options}

    @cached_property
    def search(self) -> SearchEngine:
        """The search engine over all products."""
        from dreamgym_env.domains.webshop.search import SearchEngine

        return SearchEngine(self.products)

    def splits(self) -> tuple[str, ...]:
        """Return the names of the splits that have tasks."""
        return tuple(self._goals_of_split)

    def task_ids(self, split: str) -> Sequence[str]:
        """Return a split's task ids, in order. Raises UnknownTaskError."""
        if split not in self._goals_of_split:
            raise UnknownTaskError(
                f"WebShop has no split {split!r:.80} here; it has: {', '.join(self._goals_of_split)}."
            )
        return self._goals_of_split[split]

    def task(self, task_id: str) -> Task:
        """Return a task. Raises UnknownTaskError."""
        found = self._goal_of_id.get(task_id)
        if found is None:
            example = next(iter(self._goal_of_id))
            raise UnknownTaskError(
                f"WebShop has no task {task_id!r:.80} here; it has {len(self._goal_of_id):,}, such as {example!r}."
            )
        goal, split = found
        instruction = goal.instruction_text.strip()
        return Task(
            id=task_id,
            domain="webshop",
            instruction=instruction,
            initial_state=index_page(instruction).text(),
            split=split,
            goal=goal.to_dict(),
        )

    @cached_property
    def _goal_of_id(self) -> dict[str, tuple[Goal, str]]:
        """Task id -> (goal, split): ``webshop/<split>/<n>`` of the shipped goals, ``webshop/<line>`` of others."""
        counts: dict[str, int] = {}
        named: dict[str, tuple[Goal, str]] = {}
        for line, goal in enumerate(self.goals):
            split = goal.split or self._split_of_line(line)
            number = counts[split] = counts.get(split, -1) + 1
            named[f"webshop/{split}/{number}" if self.shipped else f"webshop/{line}"] = (goal, split)
        return named

    @cached_property
    def _goals_of_split(self) -> dict[str, list[str]]:
        ids: dict[str, list[str]] = {}
        for task_id, (_, split) in self._goal_of_id.items():
            ids.setdefault(split, []).append(task_id)
        return {split: ids[split] for split in ("train", "eval", "test") if split in ids} | ids

    def _split_of_line(self, line: int) -> str:
        if len(self.goals) <= _EVAL_GOALS:
            return "train"
        return "test" if line < _TEST_GOALS else "eval" if line < _EVAL_GOALS else "train"
