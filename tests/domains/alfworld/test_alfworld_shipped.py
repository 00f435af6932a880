"""The shipped tasks: those that the generator draws, read without the extra that draws them."""

from __future__ import annotations

import gzip
import importlib.util
import itertools
import json
import subprocess
import sys
from collections import Counter, defaultdict
from pathlib import Path

import pytest

from dreamgym_env.domains.alfworld import games
from dreamgym_env.domains.alfworld.domain import ALFWorld
from dreamgym_env.domains.alfworld.generator import SIZES, draw_game
from dreamgym_env.domains.alfworld.shipped import GAMES_FILE, draw_records, shipped_task
from dreamgym_env.domains.alfworld.tasks import task_of_problem
from dreamgym_env.domains.alfworld.verifier import GOAL_TYPES, ALFWorldVerifier
from dreamgym_env.domains.records import encode_records, read_records, write_records
from dreamgym_env.errors import GameError

needs_alfworld = pytest.mark.skipif(
    importlib.util.find_spec("alfworld") is None, reason="needs ALFWorld: pip install 'dreamgym_env[alfworld]'"
)

_DREAM = """
import sys
for name in ("alfworld", "textworld", "fast_downward"):
    sys.modules[name] = None  # importing it fails, and it is not found
import gymnasium as gym
from dreamgym_env.domains.alfworld.domain import ALFWorld
from dreamgym_env.errors import MissingDependencyError
from dreamgym_env.world_model.compact import CompactFormat
from dreamgym_env.world_model.generators.scripted import ScriptedGenerator
from dreamgym_env.world_model.language import LanguageWorldModel
generator = ScriptedGenerator(lambda prompt: "As it is.<|state|>C<|outcome|>continue")
model = LanguageWorldModel(CompactFormat(ALFWorld()), generator)
for games in (None, *sys.argv[1:]):
    for logic in ("installed", "own"):
        env = gym.make("DreamGym/ALFWorld-v0", world_model=model, games=games, logic=logic)
        observation, info = env.reset(seed=0)
        assert env.step(info["available_actions"][0])[4]["failure"] == ""
        try:
            env.unwrapped.domain.game_of(env.unwrapped.domain.task(info["task_id"]))
        except MissingDependencyError as error:
            assert "pip install 'dreamgym_env[alfworld]'" in str(error)
        else:
            assert games and logic == "own", "words that came with the games are there"
        print(info["task_id"], info["instruction"])
"""


@pytest.fixture
def sources(tmp_path: Path) -> tuple[Path, Path]:
    """A file of games and a folder of the official form, of one game each, with their own rules and words."""
    problem = _problem_of("cup", "shelf")
    file = tmp_path / "games.jsonl"
    file.write_text(json.dumps({"task": "store it", "pddl_problem": problem, "domain_id": 1, "grammar_id": 1}))
    (tmp_path / "domain_1.pddl").write_text("(define)")
    (tmp_path / "grammar_1.twl2").write_text("grammar")
    game = tmp_path / "official" / "train" / "pick_and_place_simple-Cup-None-Shelf-1" / "trial_1"
    game.mkdir(parents=True)
    grammar = '{"rhs": "Your task is to: shelve it."}'
    data = {"pddl_problem": problem, "pddl_domain": "(define)", "grammar": grammar}
    (game / "game.tw-pddl").write_text(json.dumps(data))
    return file, tmp_path / "official"


def _problem_of(thing: str, receptacle: str) -> str:
    """Return the PDDL of a small room whose task is to bring a thing from the desk to a receptacle."""
    return f"""(define (problem small) (:domain alfred) (:init
        (atLocation agent1 loc_1) (receptacleType desk_bar_1 deskType) (receptacleAtLocation desk_bar_1 loc_2)
        (receptacleType {receptacle}_bar_1 {receptacle}Type) (receptacleAtLocation {receptacle}_bar_1 loc_3)
        (objectType {thing}_bar_1 {thing}Type) (inReceptacle {thing}_bar_1 desk_bar_1) (pickupable {thing}_bar_1)
        (objectAtLocation {thing}_bar_1 loc_2) (canContain {receptacle}Type {thing}Type))
      (:goal (exists (?r - receptacle) (exists (?o - object) (and
        (inReceptacle ?o ?r) (objectType ?o {thing}Type) (receptacleType ?r {receptacle}Type))))))"""


def test_a_dream_needs_no_extra_whatever_its_games(sources: tuple[Path, Path]):
    done = subprocess.run(
        [sys.executable, "-c", _DREAM, *map(str, sources)], capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stderr
    shipped, again, *others = done.stdout.splitlines()
    assert shipped == again and shipped.startswith("alfworld/train/")
    official = "alfworld/train/pick_and_place_simple-Cup-None-Shelf-1/trial_1"
    assert others == [*["alfworld/train/0 store it."] * 2, *[f"{official} shelve it."] * 2]


def test_splits_and_ids():
    domain = ALFWorld()
    assert domain.splits() == ("train", "eval", "test")
    for split, size in {"train": 3_600, "eval": 240, "test": 240}.items():
        assert domain.task_ids(split) == [f"alfworld/{split}/{number}" for number in range(size)]
        assert SIZES[split] == size


def test_every_shipped_task_is_one_that_the_verifier_can_judge():
    domain = ALFWorld()
    types = Counter()
    for split in domain.splits():
        for task_id in domain.task_ids(split):
            task = domain.task(task_id)
            ALFWorldVerifier().check(task)
            assert (task.id, task.split, task.domain) == (task_id, split, "alfworld")
            assert task.initial_state.endswith(f"\n\nYour task is to: {task.instruction}")
            types[split, task.goal["type"]] += 1
    assert types == {(split, kind): size // 6 for split, size in SIZES.items() for kind in GOAL_TYPES}


def test_rooms_of_a_shipped_split_are_in_no_other():
    rooms = defaultdict(set)
    for record in read_records(GAMES_FILE):
        if "id" in record:
            rooms[record["split"]].add(record["room"])
    assert sum(map(len, rooms.values())) == len(set().union(*rooms.values())) == 120


def test_changing_a_tasks_facts_changes_no_other_task():
    first = shipped_task("alfworld/train/0")
    for things in first.facts["contents"].values():
        things.append("elephant 1")
    first.facts["doors"].clear()
    assert "elephant 1" not in str([shipped_task(f"alfworld/train/{number}") for number in range(300)])
    assert shipped_task("alfworld/train/0").facts["doors"]


@needs_alfworld
@pytest.mark.parametrize("split", SIZES)
def test_shipped_tasks_are_those_of_the_games_that_are_drawn(split: str):
    for number in range(5, SIZES[split], SIZES[split] // 40):
        task_id, game = f"alfworld/{split}/{number}", draw_game(split, number)
        task = task_of_problem(task_id, split, game.sentence, game.problem)
        assert shipped_task(task_id) == task
        assert json.dumps(shipped_task(task_id).facts) == json.dumps(task.facts), "in the same order"


@needs_alfworld
def test_the_file_regenerates_to_the_byte():
    """Its first records; ``make alfworld-games`` makes them all."""
    records = encode_records(itertools.islice(draw_records(), 150))
    with gzip.open(GAMES_FILE) as file:
        assert file.read(len(records)) == records


def test_packing_gives_the_same_bytes_again(tmp_path: Path):
    records = read_records(GAMES_FILE)
    write_records(tmp_path / "again.jsonl.gz", records)
    assert read_records(tmp_path / "again.jsonl.gz") == records
    write_records(tmp_path / "other_name.jsonl.gz", records)
    assert (tmp_path / "other_name.jsonl.gz").read_bytes() == (tmp_path / "again.jsonl.gz").read_bytes()
    assert GAMES_FILE.stat().st_size < 500_000


@needs_alfworld
def test_an_installed_package_with_other_rooms_is_told(monkeypatch: pytest.MonkeyPatch):
    domain = ALFWorld()
    task = domain.task("alfworld/test/0")
    assert domain.game_of(task).sentence == task.instruction
    monkeypatch.setattr(games, "draw_game", lambda split, number: draw_game(split, number + 6))
    with pytest.raises(GameError, match=r"'alfworld/test/0' .* is not the shipped one.*pip install"):
        domain.game_of(task)
