"""Which embedder finds the memories that help, and how fast.

``python benchmarks/embedders.py [--memories N] [--queries N] [--experience FILE]`` prints a table and writes
``results/embedders.json``.  An embedder whose package is not installed is left out, and said so.

The tasks of a transitions file (the shipped seed) are split into a tenth that asks and the rest that is remembered.
The search is exact, so that only embedder and weights decide.  Figures, each a mean over queries:

* **subject@k**: the top k hold a transition of the same page kind and action kind about the same subject (the product
  of a product page, the product that is clicked, or results of which half are the same), where the memories hold one;
* **next page@k**: the top k hold the very next page, where the memories hold it and it differs from the current one;
* **listings@5**: share of the products of the result page that a search really opens which the top 5 have listed.
"""

from __future__ import annotations

import datetime
import json
import time
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import numpy.typing as npt
import typer
from machine import describe_machine
from rich.console import Console
from rich.table import Table
from tqdm import tqdm

from dreamgym_env.domains import load_domain
from dreamgym_env.domains.webshop import observation
from dreamgym_env.errors import MissingDependencyError
from dreamgym_env.memory import HashingEmbedder, KeyEncoder, KeyWeights, read_transitions
from dreamgym_env.memory.embedders import MiniLMEmbedder, WordLlamaEmbedder
from dreamgym_env.types import Domain, Embedder, Transition

RESULTS = Path(__file__).parent / "results" / "embedders.json"
EMBEDDERS: tuple[Callable[[], Embedder], ...] = (
    lambda: HashingEmbedder(64),
    lambda: HashingEmbedder(128),
    lambda: HashingEmbedder(256),
    WordLlamaEmbedder,
    MiniLMEmbedder,
)
STATE_WEIGHTS = (0.1, 0.2, 0.35, 0.5)
"""Tried with the default embedder; the action has the rest."""
_CONSOLE = Console()


@dataclass(frozen=True, slots=True)
class Step:
    """What the figures need to know of a transition."""

    kind: tuple[str, str]
    """Of page and action."""
    subject: str
    listed: frozenset[str]
    """Products of the next page, where that is a result page."""
    question: tuple[tuple[str, ...], str]
    next_page: tuple[str, ...]

    @classmethod
    def of(cls, transition: Transition, domain: Domain) -> Step:
        """Read a transition."""
        page = domain.segment(transition.state, transition.instruction)
        next_page = domain.segment(transition.next_state, transition.instruction)
        kind = (domain.page_kind(transition.state), domain.action_kind(transition.action))
        action = domain.parse_action(transition.action) or transition.action
        opens_results = domain.page_kind(transition.next_state) == "results"
        return cls(
            kind=kind,
            subject=action if kind[1] == "item" else "\n".join(page) if kind[0] in ("item", "subpage") else "",
            listed=frozenset(asin for asin, _, _ in observation.listings(next_page)) if opens_results else frozenset(),
            question=(page, action),
            next_page=next_page,
        )

    def alike(self, other: Step) -> bool:
        """Return whether the other step has the same kinds and the same subject."""
        if self.kind != other.kind or self.subject != other.subject:
            return False
        return 2 * len(self.listed & other.listed) >= len(self.listed)


def main(
    memories: Annotated[int, typer.Option(help="Transitions that are remembered.")] = 3_000,
    queries: Annotated[int, typer.Option(help="Transitions that ask.")] = 400,
    experience: Annotated[Path | None, typer.Option(help="Transitions file; the shipped seed by default.")] = None,
    out: Annotated[Path, typer.Option(help="Where the figures are written.")] = RESULTS,
) -> None:
    """Measure, print and write the results."""
    domain = load_domain("webshop")
    remembered, asking = split(read_transitions(experience or domain.seed_experience()), memories, queries)
    known = [Step.of(transition, domain) for transition in remembered]
    asked = [Step.of(transition, domain) for transition in asking]
    runs: list[tuple[Callable[[], Embedder], KeyWeights]] = [(make, KeyWeights()) for make in EMBEDDERS]
    runs += [(HashingEmbedder, KeyWeights(state=share, action=1 - share)) for share in STATE_WEIGHTS]
    rows = []
    for make, weights in tqdm(runs, disable=None, leave=False):
        try:
            embedder = make()
        except MissingDependencyError as error:
            _CONSOLE.print(f"[yellow]left out:[/] {error}")
            continue
        encoder = KeyEncoder(domain, embedder, weights)
        began = time.perf_counter()
        keys = encoder.encode(remembered)
        seconds = time.perf_counter() - began
        rows.append(
            {
                "embedder": embedder.name,
                "state weight": weights.state,
                "key length": encoder.dimension,
                **figures(known, asked, encoder.encode(asking) @ keys.T),
                "pairs/s": len(remembered) / seconds,
                "pages/s": pages_per_second(embedder, remembered),
            }
        )
    results = {
        "date": datetime.date.today().isoformat(),
        "machine": describe_machine(),
        "memories": len(remembered),
        "queries": len(asking),
        "embedders": rows,
    }
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    show(rows)


def split(transitions: Sequence[Transition], memories: int, queries: int) -> tuple[list[Transition], list[Transition]]:
    """Return what is remembered and what asks; no task is on both sides, whole episodes first to last."""
    remembered: list[Transition] = []
    asking: list[Transition] = []
    for transition in transitions:
        asks = zlib.crc32(transition.task_id.encode()) % 10 == 0
        if asks and len(asking) < queries and transition.valid:
            asking.append(transition)
        if not asks and len(remembered) < memories:
            remembered.append(transition)
    return remembered, asking


def figures(known: Sequence[Step], asked: Sequence[Step], similarities: npt.NDArray[np.float32]) -> dict[str, float]:
    """Return the figures of a matrix of similarities, shape (asked, known)."""
    subject, page, listings = [], [], []
    recorded = {step.next_page for step in known}
    for step, row in zip(asked, similarities, strict=True):
        top = best(known, row, 5)
        if any(step.alike(other) for other in known):
            subject.append([any(step.alike(known[at]) for at in top[:k]) for k in (1, 5)])
        if step.next_page in recorded and step.next_page != step.question[0]:
            page.append([any(step.next_page == known[at].next_page for at in top[:k]) for k in (1, 5)])
        if step.kind[1] == "search" and step.listed:
            found = frozenset().union(*(known[at].listed for at in top))
            listings.append(len(step.listed & found) / len(step.listed))
    return {
        "subject@1": float(np.mean(subject, axis=0)[0]),
        "subject@5": float(np.mean(subject, axis=0)[1]),
        "next page@1": float(np.mean(page, axis=0)[0]),
        "next page@5": float(np.mean(page, axis=0)[1]),
        "listings@5": float(np.mean(listings)),
    }


def best(known: Sequence[Step], similarities: npt.NDArray[np.float32], k: int) -> list[int]:
    """Return the k most similar steps, none saying the same as another."""
    chosen: list[int] = []
    seen: set[tuple[object, ...]] = set()
    for at in np.argsort(-similarities, kind="stable").tolist():
        step = known[at]
        if (step.question, step.next_page) not in seen:
            seen.add((step.question, step.next_page))
            chosen.append(at)
            if len(chosen) == k:
                break
    return chosen


def pages_per_second(embedder: Embedder, transitions: Sequence[Transition]) -> float:
    """Return how many different pages are embedded a second, in batches of up to 256."""
    pages = list(dict.fromkeys(transition.state for transition in transitions))[:256]
    embedder.embed(pages[:16])
    began = time.perf_counter()
    embedder.embed(pages)
    return len(pages) / (time.perf_counter() - began)


def show(rows: Sequence[dict[str, Any]]) -> None:
    """Print a table."""
    table = Table(*rows[0])
    for row in rows:
        table.add_row(*(f"{value:,.3g}" if isinstance(value, float) else str(value) for value in row.values()))
    _CONSOLE.print(table)


if __name__ == "__main__":
    typer.run(main)
