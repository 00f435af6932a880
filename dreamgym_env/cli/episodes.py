"""Printing an episode of the dream, alone or beside the same actions in the real environment."""

from __future__ import annotations

import itertools
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dreamgym_env.cli.pages import PageRow, align, excerpts, shorten
from dreamgym_env.envs.transcript import printable
from dreamgym_env.evaluation.rollout import EpisodeResult
from dreamgym_env.simulation.episode import Outcome
from dreamgym_env.types import Domain, Source, StopReason

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

__all__ = ["EpisodePair", "episode_json", "print_episode", "print_pair"]

_ENDS = {
    StopReason.RUNNING: "not ended when the actions were used up",
    StopReason.SUCCESS: "success",
    StopReason.FAILURE: "ended without success",
    StopReason.STEP_LIMIT: "step limit reached",
    StopReason.MODEL_FAILURE: "cut short by an answer that could not be read",
    StopReason.ENGINE_FAILURE: "cut short by the loss of the real engine",
    StopReason.DRIFT: "cut short as the dream had left the real environment",
}
_ENDED = "(the episode has ended here)"


@dataclass(frozen=True, slots=True)
class EpisodePair:
    """An episode dreamt, and its actions taken in the real environment."""

    dream_id: str
    dream: EpisodeResult
    real_id: str
    real: EpisodeResult

    def steps(self) -> Iterator[tuple[Outcome, Outcome | None]]:
        """Yield what each action led to in the dream and in the real environment (None where that had ended)."""
        return itertools.zip_longest(self.dream.outcomes, self.real.outcomes)

    @property
    def same_pages(self) -> int:
        """How many actions led to the same page in both, word for word."""
        return sum(
            real is not None and dream.transition.next_state == real.transition.next_state
            for dream, real in self.steps()
        )

    def to_json(self) -> dict[str, Any]:
        """Return the episode as JSON values."""
        return {
            "task_id": self.dream.task.id,
            "instruction": self.dream.task.instruction,
            "agent": self.dream.agent,
            "same_pages": self.same_pages,
            "dream": {"env_id": self.dream_id, **_end(self.dream)},
            "real": {"env_id": self.real_id, **_end(self.real)},
            "steps": [
                {**_step_json(dream), "real_page": None if real is None else real.transition.next_state}
                for dream, real in self.steps()
            ],
        }


def episode_json(episode: EpisodeResult) -> dict[str, Any]:
    """Return an episode of the dream as JSON values."""
    return {
        "task_id": episode.task.id,
        "instruction": episode.task.instruction,
        "agent": episode.agent,
        **_end(episode),
        "steps": [_step_json(outcome) for outcome in episode.outcomes],
    }


def _step_json(dream: Outcome) -> dict[str, Any]:
    return {
        "action": dream.transition.action,
        "answered_by": str(dream.answered_by),
        "reasoning": dream.transition.reasoning,
        "failure": dream.failure,
        "memories": len(dream.memories),
        "seconds": round(dream.seconds, 3),
        "dream_page": dream.transition.next_state,
    }


def print_pair(console: Console, domain: Domain, pair: EpisodePair) -> None:
    """Print both episodes step by step, the pages in two columns with their differences marked."""
    task = pair.dream.task
    _print_task(console, pair.dream)
    before = None
    for number, (dream, real) in enumerate(pair.steps(), start=1):
        console.print()
        _print_action(console, number, dream)
        left = domain.segment(dream.transition.next_state, task.instruction)
        right = (_ENDED,) if real is None else domain.segment(real.transition.next_state, task.instruction)
        if (left, right) == before:
            console.print("    Both pages stay as they are.", markup=False)
        else:
            console.print(_page_table(shorten(align(left, right)), pair, console.width))
        before = (left, right)
    console.print(f"\n{pair.same_pages} of {pair.dream.steps} pages are the same in both, word for word.", markup=False)
    for env_id, episode in ((pair.dream_id, pair.dream), (pair.real_id, pair.real)):
        _print_end(console, env_id, episode)


def print_episode(console: Console, env_id: str, episode: EpisodeResult) -> None:
    """Print an episode step by step, each with the text that it leads to."""
    _print_task(console, episode)
    console.print()
    _print_state(console, episode.task.initial_state)
    for number, outcome in enumerate(episode.outcomes, start=1):
        console.print()
        _print_action(console, number, outcome)
        _print_state(console, outcome.transition.next_state)
    console.print()
    _print_end(console, env_id, episode)


def _print_task(console: Console, episode: EpisodeResult) -> None:
    console.print(f"Task {episode.task.id}, agent {episode.agent}", style="bold", markup=False)
    console.print(textwrap.fill(printable(episode.task.instruction), console.width), markup=False)


def _print_state(console: Console, state: str) -> None:
    for line in filter(None, state.splitlines()):
        console.print(textwrap.indent(textwrap.fill(printable(line), console.width - 4), "    "), markup=False)


def _print_end(console: Console, env_id: str, episode: EpisodeResult) -> None:
    console.print(
        f"  {env_id}: {_ENDS[episode.stop]}, score {episode.score:.2f} after {episode.steps} actions", markup=False
    )


def _print_action(console: Console, number: int, dream: Outcome) -> None:
    about = [f"answered by {dream.answered_by}"]
    if dream.seconds:
        about.append(f"{dream.seconds:.1f} s")
    if dream.memories:
        alike = [memory.similarity for memory in dream.memories if memory.transition.source is not Source.COMPOSED]
        if alike:
            about.append(f"{len(alike)} memories, the best {max(alike):.2f} alike")
        if len(alike) < len(dream.memories):
            about.append("one composed")
    action = textwrap.fill(
        f"[{number}] > {printable(dream.transition.action)}", console.width, subsequent_indent="      "
    )
    console.print(action, style="bold cyan", markup=False)
    console.print(f"    {', '.join(about)}", style="dim", markup=False)
    for mark, text in (("#", dream.transition.reasoning), ("!", dream.failure)):
        if text:
            console.print(
                textwrap.indent(textwrap.fill(printable(text), console.width - 6), f"    {mark} "), markup=False
            )


def _page_table(rows: list[PageRow], pair: EpisodePair, width: int) -> Table:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    column = (width - 11) // 2  # four lines, two blanks in each of three cells, one mark
    table = Table(box=box.SQUARE, show_edge=True)
    table.add_column(pair.dream_id, width=column, no_wrap=True)
    table.add_column("", width=1)
    table.add_column(pair.real_id, width=column, no_wrap=True)
    for row in rows:
        left, right = excerpts(row, column)
        style = "" if row.same else "yellow"
        table.add_row(Text(left, style), Text(" " if row.same else "≠", "bold red"), Text(right, style))
    return table


def _end(episode: EpisodeResult) -> dict[str, Any]:
    return {"stop": str(episode.stop), "success": episode.success, "score": round(episode.score, 4)}
