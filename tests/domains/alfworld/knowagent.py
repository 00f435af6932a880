"""Recorded episodes of a prompted agent in an older version of ALFWorld, for open-loop tests.

Their texts are mapped to the engine's of today as follows.  Lines ``> Think: …`` and ``> ActionPath: …`` are the
agent's own and are dropped.  ``> put X in/on Y`` is read by the grammar as ``move X to Y``.  The arrival line ("You
arrive at …") is missing and stays missing: the tracker needs only what is seen on arrival.  A file gives an episode's
outcome and the name of its game, which names the task's type, object and receptacle (or lamp).
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from dreamgym_env.types import Task, Turn

FILES = ("ALFWorld_processed_knowagent", "KnowAgentALFWorld_llama-2-13b_D0", "KnowAgentALFWorld_llama-2-13b_D1")


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
    for name in FILES:
        with gzip.open(data / "alfworld" / f"{name}.jsonl.gz", "rt", encoding="utf-8") as lines:
            for number, line in enumerate(lines):
                if number % every == 0:
                    yield from _steps(json.loads(line))


def _steps(episode: dict[str, str]) -> Iterator[RecordedStep]:
    kind, thing, _, place, _ = episode["name"].partition("/")[0].split("-")
    goal = {"type": kind, "object": thing, "lamp" if kind == "look_at_obj_in_light" else "receptacle": place}
    task = Task(episode["name"], "alfworld", "", "", goal=goal)
    state, *parts = episode["traj"].split("\n> ")
    exchanges = [(action, answer.strip()) for action, _, answer in (part.partition("\n") for part in parts)]
    exchanges = [
        (action, answer) for action, answer in exchanges if answer and not action.startswith(("Think:", "ActionPath:"))
    ]
    history: tuple[Turn, ...] = ()
    for number, (action, answer) in enumerate(exchanges, start=1):
        last = number == len(exchanges)
        yield RecordedStep(task, history, state, action, answer, last, bool(episode["result"]))
        history, state = (*history, Turn(state, action)), answer
