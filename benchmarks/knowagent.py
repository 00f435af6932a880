"""Reads the recorded episodes of KnowAgent (Zhu et al., arXiv 2403.03101), of a prompted agent in ALFWorld.

They are of an older version of ALFWorld's data; their texts are mapped to those of today.  ``Think: ...`` and
``ActionPath: ...`` are the agent's own and are dropped.  ``put X in/on Y`` becomes ``move X to Y``, and its answer too.
The line of arrival ("You arrive at ...") is missing and stays missing.  An episode's name is that of its game, which
says what is wanted; where things are, nobody says.
"""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dreamgym_env.types import Transition, Turn

__all__ = ["RecordedEpisode", "read_episodes", "read_knowagent"]

FILES = ("ALFWorld_processed_knowagent", "KnowAgentALFWorld_llama-2-13b_D0", "KnowAgentALFWorld_llama-2-13b_D1")
_OWN = ("Think:", "ActionPath:")


@dataclass(frozen=True, slots=True)
class RecordedEpisode:
    """An episode in its own words, without the agent's own lines."""

    id: str
    """Its file and its number in it."""
    game: str
    """Name of its game, which begins with type, object, ..., receptacle (or lamp) and room, joined by hyphens."""
    first_text: str
    exchanges: tuple[tuple[str, str], ...]
    """Actions and answers, in order."""
    succeeded: bool


def read_episodes(folder: Path, every: int = 1) -> Iterator[RecordedEpisode]:
    """Yield the episodes of all files, in order.

    Args:
        folder: where the three ``.jsonl.gz`` files lie.
        every: of each file's episodes the n-th is read, for every n that this divides.
    """
    for name in FILES:
        with gzip.open(folder / f"{name}.jsonl.gz", "rt", encoding="utf-8") as lines:
            for number, line in enumerate(lines):
                if number % every == 0:
                    yield _episode(f"{name}/{number}", json.loads(line))


def read_knowagent(folder: Path, every: int = 1) -> Iterator[Transition]:
    """Yield the steps of all episodes in today's words, in order; arguments as of :func:`read_episodes`."""
    for episode in read_episodes(folder, every):
        yield from _steps(episode)


def _episode(episode_id: str, recorded: dict[str, Any]) -> RecordedEpisode:
    first_text, *parts = recorded["traj"].split("\n> ")
    exchanges = [(action, answer.strip()) for action, _, answer in (part.partition("\n") for part in parts)]
    told = tuple((action, answer) for action, answer in exchanges if answer and not action.startswith(_OWN))
    return RecordedEpisode(episode_id, recorded["name"], first_text, told, bool(recorded["result"]))


def _steps(episode: RecordedEpisode) -> Iterator[Transition]:
    instruction = episode.first_text.partition("Your task is to: ")[2].strip()
    history: tuple[Turn, ...] = ()
    state = episode.first_text
    for number, (action, answer) in enumerate(episode.exchanges):
        action = re.sub(r"^put (\w+ \d+) in/on (\w+ \d+)$", r"move \1 to \2", action.strip())
        answer = re.sub(r"^You put the (\w+ \d+) in/on the (\w+ \d+)\.$", r"You move the \1 to the \2.", answer)
        success = episode.succeeded and number == len(episode.exchanges) - 1
        yield Transition(
            domain="alfworld",
            task_id=episode.game,
            instruction=instruction,
            split="train",
            episode=episode.id,
            step=number,
            history=history,
            state=state,
            action=action,
            next_state=answer,
            reward=float(success),
            terminated=success,
            valid=answer != "Nothing happens.",
        )
        history, state = (*history, Turn(state, action)), answer
