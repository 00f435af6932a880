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
from pathlib import Path

from dreamgym_env.types import Transition, Turn

__all__ = ["read_knowagent"]

FILES = ("ALFWorld_processed_knowagent", "KnowAgentALFWorld_llama-2-13b_D0", "KnowAgentALFWorld_llama-2-13b_D1")
_OWN = ("Think:", "ActionPath:")


def read_knowagent(folder: Path, every: int = 1) -> Iterator[Transition]:
    """Yield the steps of all episodes, in order.

    Args:
        folder: where the three ``.jsonl.gz`` files lie.
        every: of each file's episodes the n-th is read, for every n that this divides.
    """
    for name in FILES:
        with gzip.open(folder / f"{name}.jsonl.gz", "rt", encoding="utf-8") as lines:
            for number, line in enumerate(lines):
                if number % every == 0:
                    yield from _steps(json.loads(line), f"{name}/{number}")


def _steps(recorded: dict[str, str], episode: str) -> Iterator[Transition]:
    state, *parts = recorded["traj"].split("\n> ")
    exchanges = [(action, answer.strip()) for action, _, answer in (part.partition("\n") for part in parts)]
    told = [(action, answer) for action, answer in exchanges if answer and not action.startswith(_OWN)]
    instruction = state.partition("Your task is to: ")[2].strip()
    history: tuple[Turn, ...] = ()
    for number, (action, answer) in enumerate(told):
        action = re.sub(r"^put (\w+ \d+) in/on (\w+ \d+)$", r"move \1 to \2", action.strip())
        answer = re.sub(r"^You put the (\w+ \d+) in/on the (\w+ \d+)\.$", r"You move the \1 to the \2.", answer)
        last = number == len(told) - 1
        yield Transition(
            domain="alfworld",
            task_id=recorded["name"],
            instruction=instruction,
            split="train",
            episode=episode,
            step=number,
            history=history,
            state=state,
            action=action,
            next_state=answer,
            reward=float(last and bool(recorded["result"])),
            terminated=last and bool(recorded["result"]),
            valid=answer != "Nothing happens.",
        )
        history, state = (*history, Turn(state, action)), answer
