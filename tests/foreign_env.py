"""A text environment of somebody else's: a cave, by Gymnasium's interface, that knows nothing of this library."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gymnasium as gym
from gymnasium.spaces import Text

from dreamgym_env.envs.record import RecordTransitions

WAYS = {"hall": ("cellar", "attic"), "cellar": ("hall",), "attic": ("hall",)}
THINGS = ("lamp", "rope", "coin")
NAME = "somebody's cave/v2"
"""What its recordings call it: a domain may have any name."""


class Cave(gym.Env[str, str]):
    """Three rooms, and a thing to take from the cellar; pays 0.1 a step and 5 at the end, and says what was won."""

    observation_space = Text(1000)
    action_space = Text(100)

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[str, dict[str, Any]]:
        super().reset(seed=seed)
        number = int((options or {}).get("number", self.np_random.integers(len(THINGS))))
        self.room, self.thing = "hall", THINGS[number]
        return self.look(), {"task_id": f"cave/{number}", "instruction": f"Find the {self.thing}.", **self.offers()}

    def step(self, action: str) -> tuple[str, float, bool, bool, dict[str, Any]]:
        if action == f"take {self.thing}" and self.room == "cellar":
            return f"You take the {self.thing}.", 5.0, True, False, {"won": True}
        verb, _, place = action.partition(" ")
        if verb == "go" and place in WAYS[self.room]:
            self.room = place
        elif action != "look":
            return "You can't do that.", 0.1, False, False, self.offers()
        return self.look(), 0.1, False, False, self.offers()

    def look(self) -> str:
        return f"-= {self.room} =-\nIt is dark in the {self.room}. Water drips.\nYour task: Find the {self.thing}."

    def offers(self) -> dict[str, list[str]]:
        return {"admissible_commands": [*(f"go {way}" for way in WAYS[self.room]), "look", f"take {self.thing}"]}


def record_cave(path: Path, *, split: str = "train", numbers: tuple[int, ...] = (0, 1, 2, 0, 1)) -> Path:
    """Record one episode a number, with detours, and return the path."""
    with RecordTransitions(Cave(), path, domain=NAME, split=split) as env:
        for number in numbers:
            env.reset(seed=0, options={"number": number})
            for action in ("look", "go attic", "fly", "go hall", "go cellar", f"take {THINGS[number]}"):
                env.step(action)
    return path
