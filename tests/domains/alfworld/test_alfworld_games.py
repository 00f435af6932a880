"""Sources of games: generated, a file, the official data; and one sentence for everything that is wrong with them."""

from __future__ import annotations

import contextlib
import gzip
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import gymnasium as gym
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

if importlib.util.find_spec("alfworld") is None:
    pytest.skip("needs ALFWorld: pip install 'dreamgym_env[alfworld]'", allow_module_level=True)

from dreamgym_env.domains.alfworld.domain import ALFWorld
from dreamgym_env.domains.alfworld.generator import draw_game
from dreamgym_env.domains.alfworld.package_data import installed_logic
from dreamgym_env.domains.alfworld.tasks import task_of_problem
from dreamgym_env.errors import GameError, KeywordError, MissingDependencyError, UnknownTaskError

ID = "DreamGymReal/ALFWorld-v0"
both_ids = pytest.mark.parametrize(
    ("env_id", "keywords"),
    [(ID, {}), ("DreamGym/ALFWorld-v0", {"world_model": "openai:model@http://127.0.0.1:9/v1"})],
)
"""The real environment, and a dream whose world model is never asked."""


def row(number: int = 0, **changes: Any) -> dict[str, Any]:
    """A line of a file of games."""
    game = draw_game("train", number)
    return {"split": "train", "task": "put it away", "pddl_problem": game.problem, **changes}


def write(path: Path, *rows: Any) -> Path:
    """Write a file of games."""
    path.write_text("\n".join(line if isinstance(line, str) else json.dumps(line) for line in rows))
    return path


class TestFile:
    def test_games_of_a_file_are_tasks(self, tmp_path: Path):
        domain = ALFWorld(write(tmp_path / "games.jsonl", row(0), row(1, split="test"), row(2)))
        assert domain.splits() == ("train", "test")
        assert domain.task_ids("train") == ["alfworld/train/0", "alfworld/train/1"]
        task = domain.task("alfworld/test/0")
        assert task.instruction == "put it away." and task.initial_state.endswith("Your task is to: put it away.")
        assert task.goal["type"] == "look_at_obj_in_light" and task.facts["contents"]

    def test_the_official_games_have_the_types_that_their_file_says(self, real_data: Path):
        path = real_data / "alfworld" / "games_train_and_seen.jsonl.gz"
        with gzip.open(path, "rt") as file:
            rows = [json.loads(line) for line in file]
        domain = ALFWorld(path)
        counts: dict[str, int] = {}
        for official in rows[::4]:
            number = sum(other["split"] == official["split"] for other in rows[: rows.index(official)])
            task = domain.task(f"alfworld/{official['split']}/{number}")  # raises where no walk leads to the goal
            assert task.goal["type"] == official["task_type"]
            assert task.goal["object"] == official["pddl_params"]["object_target"].lower()
            counts[official["split"]] = counts.get(official["split"], 0) + 1
        assert len(domain.task_ids("valid_seen")) == 140 and sum(counts.values()) == 85

    @pytest.mark.parametrize(
        ("line", "told"),
        [
            ("{not json", "cannot be read as JSON lines"),
            ("[1]", "Line 1 .* is no JSON object"),
            ({"task": "x"}, "Line 1 .* needs a text 'pddl_problem'"),
            ({"pddl_problem": "(define)"}, "needs a text 'task'"),
            (row(split="a/b"), "is no name"),
        ],
    )
    def test_a_line_that_is_no_game_is_named(self, tmp_path: Path, line: Any, told: str):
        with pytest.raises(GameError, match=told):
            ALFWorld(write(tmp_path / "games.jsonl", line)).splits()

    @pytest.mark.parametrize(
        ("problem", "told"),
        [
            ("rubbish", "cut off, or is none"),
            (row()["pddl_problem"][:5000], "cut off, or is none"),
            ("(define (problem p) (:goal (and)))", r"has no \(:init"),
            ("(define (problem p) (:init (a b)) (:goal (and)))", "says nothing of 'atlocation'"),
            (row()["pddl_problem"].replace("inReceptacle ?o", "inReceptacleObject ?o"), "inreceptacleobject"),
            (row()["pddl_problem"].replace("(exists (?o", "(forall (?o"), "forall"),
            (row()["pddl_problem"].replace("(atLocation agent1", "(atLocation"), r"says '\(atlocation .*no statement"),
            (row()["pddl_problem"].replace("(inReceptacle Pan_bar_", "(inReceptacle Pan"), r"says '\(inreceptacle pan"),
            (row()["pddl_problem"].replace("objectType ?o ", "objectType "), r"goal has '\(objecttype pantype\)'"),
            ("(" * 5000, "more than 50 brackets within each other"),
        ],
    )
    def test_a_broken_game_and_an_unknown_type_are_told(self, tmp_path: Path, problem: str, told: str):
        domain = ALFWorld(write(tmp_path / "games.jsonl", row(pddl_problem=problem)))
        with pytest.raises(GameError, match=f"'alfworld/train/0' cannot be played: .*{told}"):
            domain.task("alfworld/train/0")

    @pytest.mark.parametrize("missing", ["(inReceptacle Pan", "(canContain StoveBurnerType PanType)"])
    def test_a_game_that_nothing_solves_is_told(self, tmp_path: Path, missing: str):
        game = draw_game("train", 0)
        assert (game.goal.object, game.goal.receptacle) == ("pan", "stoveburner")
        problem = "\n".join(line for line in game.problem.splitlines() if not line.startswith(missing))
        domain = ALFWorld(write(tmp_path / "games.jsonl", row(pddl_problem=problem)))
        with pytest.raises(GameError, match="cannot be solved"):
            domain.task("alfworld/train/0")

    @settings(max_examples=200)
    @given(data=st.data())
    def test_a_problem_of_any_words_is_a_task_or_an_error(self, data: st.DataObject):
        words = re.findall(r"[()]|[^\s()]+", draw_game("train", data.draw(st.integers(0, 5))).problem)
        for _ in range(data.draw(st.integers(1, 4))):
            at, other = (data.draw(st.integers(0, len(words) - 1)) for _ in range(2))
            words[at : at + 1] = data.draw(st.sampled_from(([], [words[other]], [words[at], words[other]])))
        with contextlib.suppress(GameError):
            assert task_of_problem("alfworld/train/0", "train", "put it away.", " ".join(words)).goal

    @both_ids
    def test_a_file_that_is_not_there_or_is_none_is_told(self, tmp_path: Path, env_id: str, keywords: dict[str, str]):
        packed = gzip.compress(f"{json.dumps(row())}\n".encode() * 9)
        for name, content, told in (
            ("nothing", None, "no file of games and no folder"),
            ("cut.jsonl.gz", packed[:-20], "cannot be read as JSON lines"),
            ("damaged.jsonl.gz", packed[:500] + b"damage" + packed[506:], "cannot be read as JSON lines"),
            ("plain.jsonl.gz", b"{}", "cannot be read as JSON lines"),
            ("letters.jsonl", b'{"task": "\xff"}', "cannot be read as JSON lines"),
            ("deep.jsonl", b"[" * 100_000, "cannot be read as JSON lines"),
            ("member.jsonl", b'{"task": "put it away"}', "Line 1 .* needs a text 'pddl_problem'"),
            ("empty.jsonl", b"", "holds no games"),
        ):
            if content is not None:
                (tmp_path / name).write_bytes(content)
            with pytest.raises(GameError, match=told):
                gym.make(env_id, games=str(tmp_path / name), **keywords)

    @both_ids
    @pytest.mark.parametrize(
        ("change", "told"),
        [
            (("(canContain StoveBurnerType PanType)", ""), "cannot be solved"),
            (("(exists (?o", "(forall (?o"), "none of the six task types does"),
        ],
    )
    def test_a_game_that_cannot_be_played_is_told_at_reset(
        self, tmp_path: Path, change: tuple[str, str], told: str, env_id: str, keywords: dict[str, str]
    ):
        games = write(tmp_path / "games.jsonl", row(pddl_problem=row()["pddl_problem"].replace(*change)), row(1))
        env = gym.make(env_id, games=str(games), **keywords)
        with pytest.raises(GameError, match=f"The game 'alfworld/train/0' .*{told}"):
            env.reset(options={"task_id": "alfworld/train/0"})
        assert env.reset(options={"task_id": "alfworld/train/1"})[1]["task_id"] == "alfworld/train/1"
        env.close()

    def test_its_own_words_are_looked_for_beside_it(self, tmp_path: Path):
        domain = ALFWorld(write(tmp_path / "games.jsonl", row(domain_id="1", grammar_id="2")), logic="own")
        task = domain.task(domain.task_ids("train")[0])
        with pytest.raises(GameError, match=r"needs 'domain_1\.pddl' beside .*logic='installed'"):
            domain.game_of(task)


class TestOfficial:
    @pytest.fixture
    def folder(self, tmp_path: Path) -> Path:
        """A folder of the official form, with a few games."""
        logic = installed_logic()
        grammar = logic.grammar.replace("UNKNOWN GOAL", 'put a pan on the \\"stove\\"')
        for split, task, solvable in (
            ("train", "pick_and_place_simple-Pan-None-StoveBurner-1", True),
            ("valid_seen", "pick_and_place_simple-Pan-None-StoveBurner-2", False),
            ("valid_unseen", "pick_and_place_with_movable_recep-Pan-Bowl-Fridge-3", True),
            ("valid_unseen", "pick_and_place_simple-PanSliced-None-StoveBurner-4", True),
        ):
            game = tmp_path / "json_2.1.1" / split / task / "trial_1"
            game.mkdir(parents=True)
            data = {"pddl_domain": logic.domain, "grammar": grammar, "solvable": solvable}
            data["pddl_problem"] = draw_game("train", 0).problem
            (game / "game.tw-pddl").write_text(json.dumps(data))
        return tmp_path

    def test_games_are_found_by_their_splits(self, folder: Path, monkeypatch: pytest.MonkeyPatch):
        monkeypatch.setenv("ALFWORLD_DATA", str(folder))
        for domain in (ALFWorld("official"), ALFWorld(folder), ALFWorld(folder / "json_2.1.1")):
            assert domain.splits() == ("train", "valid_seen")  # sliced and movable ones are left out, as in ALFWorld
            (task_id,) = domain.task_ids("train")
            assert task_id == "alfworld/train/pick_and_place_simple-Pan-None-StoveBurner-1/trial_1"
            assert domain.task(task_id).instruction == 'put a pan on the "stove".'

    def test_what_is_wrong_with_a_game_is_told(self, folder: Path):
        domain = ALFWorld(folder)
        with pytest.raises(GameError, match="marked as not solvable"):
            domain.task(domain.task_ids("valid_seen")[0])
        path = next(folder.glob("*/train/*/*/game.tw-pddl"))
        game = json.loads(path.read_text())
        for content, told in (
            ("{", "cannot be read"),
            ("[" * 100_000, "cannot be read"),
            ("[]", "lacks 'pddl_problem'"),
            (json.dumps({**game, "grammar": "no task"}), "does not say what its task is"),
            (json.dumps({**game, "grammar": r'"rhs": "Your task is to: \x."'}), "does not say what its task is"),
            (json.dumps({**game, "pddl_problem": "(define"}), "cut off, or is none"),
        ):
            path.write_text(content)
            with pytest.raises(GameError, match=told):
                ALFWorld(folder).task(domain.task_ids("train")[0])

    @both_ids
    def test_alfworld_data_that_points_nowhere_is_told(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, env_id: str, keywords: dict[str, str]
    ):
        monkeypatch.setenv("ALFWORLD_DATA", str(tmp_path / "nowhere"))
        with pytest.raises(GameError, match=r"ALFWORLD_DATA names .*nowhere', which is no folder"):
            gym.make(env_id, games="official", **keywords)
        assert not (tmp_path / "nowhere").exists()
        monkeypatch.setenv("ALFWORLD_DATA", str(tmp_path))
        with pytest.raises(GameError, match=r"There are no games in .*alfworld-download"):
            gym.make(env_id, games="official", **keywords)
        monkeypatch.delenv("ALFWORLD_DATA")
        with pytest.raises(GameError, match="needs ALFWORLD_DATA"):
            gym.make(env_id, games="official", **keywords)


@both_ids
def test_logic_that_is_none_is_refused(env_id: str, keywords: dict[str, str]):
    with pytest.raises(KeywordError, match="logic takes 'installed' or 'own'"):
        gym.make(env_id, logic="mine", **keywords)


def test_unknown_tasks_and_splits_are_told():
    domain = ALFWorld()
    with pytest.raises(UnknownTaskError, match="it has 4,080, such as 'alfworld/train/0'"):
        domain.task("alfworld/train/99999")
    with pytest.raises(UnknownTaskError, match="it has: train, eval, test"):
        domain.task_ids("valid_seen")


@pytest.mark.parametrize("absent", ["alfworld", "textworld", "fast_downward"])
def test_without_the_extra_it_is_said_what_to_install(absent: str, monkeypatch: pytest.MonkeyPatch):
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name, *rest: None if name == absent else find(name, *rest))
    with pytest.raises(MissingDependencyError, match=r"pip install 'dreamgym_env\[alfworld\]'"):
        gym.make(ID)


def test_reading_the_package_changes_nothing_of_the_process(tmp_path: Path):
    """Importing ``alfworld`` makes a folder and sets ALFWORLD_DATA; so it is read, and not imported."""
    code = (
        "import os, sys, gymnasium as gym, dreamgym_env\n"
        "env = gym.make('DreamGymReal/ALFWorld-v0')\n"
        "domain = env.unwrapped.domain\n"
        "domain.game_of(domain.task('alfworld/test/3'))\n"
        "print('ALFWORLD_DATA' in os.environ, 'alfworld' in sys.modules, os.listdir(os.environ['HOME']))\n"
    )
    environment = {key: value for key, value in os.environ.items() if key != "ALFWORLD_DATA"} | {"HOME": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.split() == ["False", "False", "[]"]
    shutil.rmtree(tmp_path)
