"""A game's task, read from its PDDL problem: what the dream and its verifier know of the game."""

from __future__ import annotations

from dreamgym_env.domains.alfworld.goals import goal_members
from dreamgym_env.domains.alfworld.house import House
from dreamgym_env.domains.alfworld.problem import first_observation, read_problem
from dreamgym_env.errors import GameError
from dreamgym_env.types import Task

__all__ = ["task_of_problem"]


def task_of_problem(game_id: str, split: str, sentence: str, text: str) -> Task:
    """Return the task of a game.

    Args:
        game_id: becomes the task's id.
        split: the game's.
        sentence: what the task asks for, with the full stop.
        text: the PDDL problem.

    Raises:
        GameError: the game is broken, of no known type, or cannot be solved; the message says which.
    """
    try:
        problem = read_problem(text)
    except GameError as error:
        raise GameError(f"The game {game_id!r} cannot be played: {error}.") from error
    facts, goal = problem.facts(), problem.goal
    walk = House.of(facts).walk(goal)
    if walk is None or (goal.receptacle and not problem.accepts(goal.receptacle, goal.object)):
        raise GameError(
            f"The game {game_id!r} cannot be solved: nothing leads to {goal_members(goal)} in it. Choose another task."
        )
    return Task(
        id=game_id,
        domain="alfworld",
        instruction=sentence,
        initial_state=first_observation(sentence, problem.receptacles(), problem.start()),
        split=split,
        goal=goal_members(goal),
        facts=facts,
    )
