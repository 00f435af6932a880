"""Recorded episodes of a prompted agent in an older version of ALFWorld, for open-loop tests.

Their texts are mapped to the engine's of today as follows.  Lines ``> Think: …`` and ``> ActionPath: …`` are the
agent's own and are dropped.  ``> put X in/on Y`` is read by the grammar as ``move X to Y``.  The arrival line ("You
arrive at …") is missing and stays missing: the tracker needs only what is seen on arrival.  A file gives an episode's
outcome and the name of its game, which names the task's type, object and receptacle (or lamp).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from knowagent import RecordedEpisode, read_episodes

from dreamgym_env.types import Task, Turn


@dataclass(frozen=True)
class RecordedStep:
    """A step with what came before it."""

    task: Task
    history: tuple[Turn, ...]
    state: str
    action: str
    answer: str
    last: bool
    """Whether it is its episode's last."""
    succeeded: bool
    """Whether its episode was a success."""


def recorded_steps(data: Path, every: int = 3) -> Iterator[RecordedStep]:
    """Yield the steps of every third episode (or of every n-th), in order."""
    for episode in read_episodes(data / "alfworld", every):
        yield from _steps(episode)


def _steps(episode: RecordedEpisode) -> Iterator[RecordedStep]:
    kind, thing, _, place, _ = episode.game.partition("/")[0].split("-")
    goal = {"type": kind, "object": thing, "lamp" if kind == "look_at_obj_in_light" else "receptacle": place}
    task = Task(episode.game, "alfworld", "", "", goal=goal)
    history: tuple[Turn, ...] = ()
    state = episode.first_text
    for number, (action, answer) in enumerate(episode.exchanges, start=1):
        last = number == len(episode.exchanges)
        yield RecordedStep(task, history, state, action, answer, last, episode.succeeded)
        history, state = (*history, Turn(state, action)), answer
