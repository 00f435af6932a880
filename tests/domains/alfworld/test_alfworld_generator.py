"""Generated games: seeded, solvable, varied, of all six types, and the test rooms are seen in no other split."""

from __future__ import annotations

import hashlib
import importlib.util
import subprocess
import sys
from collections import Counter

import pytest

if importlib.util.find_spec("alfworld") is None:
    pytest.skip("needs ALFWorld: pip install 'dreamgym_env[alfworld]'", allow_module_level=True)

from dreamgym_env.domains.alfworld.generator import SIZES, DrawnGame, draw_game, scenes_of
from dreamgym_env.domains.alfworld.house import House
from dreamgym_env.domains.alfworld.package_data import ROOMS
from dreamgym_env.domains.alfworld.problem import read_problem
from dreamgym_env.domains.alfworld.verifier import GOAL_TYPES, ALFWorldVerifier, goal_of
from dreamgym_env.types import Task

COUNT = 60


@pytest.fixture(scope="module")
def drawn() -> dict[str, list[DrawnGame]]:
    return {split: [draw_game(split, number) for number in range(COUNT)] for split in SIZES}


def test_all_six_types_take_turns(drawn: dict[str, list[DrawnGame]]):
    for split, games in drawn.items():
        assert Counter(game.goal.type for game in games) == dict.fromkeys(GOAL_TYPES, COUNT // 6), split


def test_rooms_of_the_test_split_are_unseen(drawn: dict[str, list[DrawnGame]]):
    rooms = {split: {number for room in ROOMS for number in scenes_of(split, room)} for split in SIZES}
    assert rooms["train"] | rooms["eval"] | rooms["test"] == {n + at for n in ROOMS.values() for at in range(1, 31)}
    assert (
        not rooms["train"] & rooms["test"] and not rooms["train"] & rooms["eval"] and not rooms["eval"] & rooms["test"]
    )
    for split, games in drawn.items():
        assert {int(game.scene.removeprefix("FloorPlan")) for game in games} <= rooms[split]


def test_every_game_can_be_solved_and_is_not_solved_yet(drawn: dict[str, list[DrawnGame]]):
    for game in (game for games in drawn.values() for game in games):
        problem = read_problem(game.problem)
        walk = House.of(problem.facts()).walk(problem.goal)
        assert problem.goal == game.goal
        assert walk, f"{game.scene}: {game.goal}"
        assert len(walk) <= 16


def test_goals_are_those_that_the_verifier_can_judge(drawn: dict[str, list[DrawnGame]]):
    for game in (game for games in drawn.values() for game in games):
        goal = {"type": game.goal.type, "object": game.goal.object}
        goal |= {"lamp": game.goal.lamp} if game.goal.lamp else {"receptacle": game.goal.receptacle}
        task = Task(
            "alfworld/test/0", "alfworld", game.sentence, "", goal=goal, facts=read_problem(game.problem).facts()
        )
        ALFWorldVerifier().check(task)
        assert goal_of(task) == game.goal


def test_sentences_are_worded_in_many_ways(drawn: dict[str, list[DrawnGame]]):
    sentences = [game.sentence for game in drawn["train"]]
    assert len(set(sentences)) > 0.9 * COUNT
    assert len({sentence.split()[0].lower() for sentence in sentences}) > 12
    assert all(sentence.endswith(".") and "{" not in sentence for sentence in sentences)


def test_houses_are_as_full_as_alfworlds_own(drawn: dict[str, list[DrawnGame]]):
    """12 to 61 things in a house, and most drawers empty, as in the official games."""
    for game in drawn["train"]:
        contents = read_problem(game.problem).facts()["contents"]
        assert 10 <= sum(map(len, contents.values())) <= 80
    facts = [read_problem(game.problem).facts()["contents"] for game in drawn["train"]]
    drawers = [things for contents in facts for name, things in contents.items() if name.startswith("drawer")]
    assert 0.4 < sum(not things for things in drawers) / len(drawers) < 0.9


def test_another_process_draws_the_same_games(drawn: dict[str, list[DrawnGame]]):
    code = (
        "import hashlib\n"
        "from dreamgym_env.domains.alfworld.generator import draw_game\n"
        "games = [draw_game('test', number) for number in range(12)]\n"
        "print(hashlib.sha256(repr(games).encode()).hexdigest())\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == hashlib.sha256(repr(drawn["test"][:12]).encode()).hexdigest()
