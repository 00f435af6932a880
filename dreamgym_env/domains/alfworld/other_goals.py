"""Another goal for a game: the PDDL problem of the same house, with the goal of another task."""

from __future__ import annotations

import re
from dataclasses import replace

from dreamgym_env.domains.alfworld.games import Game
from dreamgym_env.domains.alfworld.package_data import goal_formulas
from dreamgym_env.domains.alfworld.problem import read_problem
from dreamgym_env.domains.alfworld.verifier import Goal
from dreamgym_env.errors import GameError

__all__ = ["with_goal"]

_GOAL = re.compile(r"\(\s*:goal\b", re.IGNORECASE)
_TYPE = re.compile(r"\b(\w+)Type\b")


def with_goal(game: Game, goal: Goal) -> Game:
    """Return a game with another goal; the game itself where that is its own.

    Raises:
        GameError: the game cannot be read, or has no such goal.
        MissingDependencyError: the extra ``alfworld`` is not installed.
    """
    try:
        problem = read_problem(game.problem)
        if problem.goal == goal:
            return game
        text = _GOAL.split(game.problem)[0] + _formula(game.problem, goal)
        if read_problem(text).goal != goal:
            raise GameError("the goal that was written is not the one that was asked for")
    except GameError as error:
        raise GameError(f"The game {game.id!r} cannot be played with another goal: {error}.") from error
    return replace(game, problem=text)


def _formula(problem: str, goal: Goal) -> str:
    """Return the section of a goal, which closes the definition too, with classes written as in the problem."""
    spelling = {name.lower(): name for name in _TYPE.findall(problem)}
    classes = {"obj": goal.object, "recep": goal.receptacle, "toggle": goal.lamp}
    for name in classes.values():
        if name and name not in spelling:
            raise GameError(f"there is no {name!r} in its house")
    slots = {slot: spelling.get(name, "") for slot, name in classes.items()}
    return " ".join(goal_formulas()[goal.type].format(**slots).split())
