"""Where games come from: generated, a file of games, or the official data.

Each source knows its splits and the ids of its games, and reads one when it is asked for: its task, which needs no
extra, or the game that the engine plays.
"""

from __future__ import annotations

import gzip
import json
import os
import re
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, Protocol

from dreamgym_env.domains.alfworld.generator import draw_game
from dreamgym_env.domains.alfworld.package_data import Logic, installed_logic
from dreamgym_env.domains.alfworld.shipped import shipped_ids, shipped_task
from dreamgym_env.domains.alfworld.tasks import task_of_problem
from dreamgym_env.domains.alfworld.texts import TASK_LEAD
from dreamgym_env.errors import GameError, KeywordError, UnknownTaskError
from dreamgym_env.types import Task

__all__ = ["Game", "GameSource", "LogicChoice", "check_logic", "find_game", "find_task", "open_games"]

LogicChoice = Literal["installed", "own"]
"""Whose rules and words a game is played by: the installed package's, or those that came with the game."""

_OFFICIAL_SPLITS = ("train", "valid_seen", "valid_unseen")
_JSON_LETTER = r'[^"\\\x00-\x1f]|\\["\\/bfnrt]|\\u[0-9a-fA-F]{4}'
_TASK_IN_GRAMMAR = re.compile(rf'"rhs"\s*:\s*("{TASK_LEAD}(?:{_JSON_LETTER})*")')


@dataclass(frozen=True, slots=True)
class Game:
    """What the engine needs to play a task."""

    id: str
    split: str
    sentence: str
    """What the task asks for, with the full stop."""
    problem: str
    """PDDL."""
    logic: Logic


class GameSource(Protocol):
    """Games by id."""

    def ids(self) -> Mapping[str, Sequence[str]]:
        """Split -> ids of its games, in order."""
        ...

    def task(self, game_id: str) -> Task:
        """Return the task of one of them. Raises GameError where it cannot be read or solved."""
        ...

    def game(self, game_id: str) -> Game:
        """Return one of them for the engine. Raises GameError, and MissingDependencyError without the extra."""
        ...


def check_logic(logic: str) -> None:
    """Raise KeywordError unless a text is one of :data:`LogicChoice`."""
    if logic not in ("installed", "own"):
        raise KeywordError(f"logic takes 'installed' or 'own', not {logic!r:.80}.")


def open_games(games: str | os.PathLike[str] | None, logic: LogicChoice) -> GameSource:
    """Return a source of games.

    Args:
        games: None for generated ones; ``"official"`` for the data that ``ALFWORLD_DATA`` names; or the path of such a
            data folder, or of a file of games.
        logic: whose rules and words the games are played by.

    Raises:
        GameError: there are no games there; the message says what is expected.
    """
    if games is None:
        return GeneratedGames()
    if games == "official":
        return OfficialGames(_official_folder(), logic)
    path = Path(games).expanduser()
    if path.is_dir():
        return OfficialGames(path, logic)
    if not path.is_file():
        raise GameError(
            f"games={str(games)!r} is no file of games and no folder of ALFWorld's data. Leave it out for generated "
            "games, or give 'official' and set ALFWORLD_DATA."
        )
    return GamesFile(path, logic)


class GeneratedGames:
    """Games that the project draws in rooms of the installed package: ``alfworld/<split>/<number>``.

    Their tasks are shipped; the games themselves are drawn for the engine.
    """

    def ids(self) -> Mapping[str, Sequence[str]]:
        """Return the ids by split."""
        return self._ids

    def task(self, game_id: str) -> Task:
        """Return the shipped task of a game."""
        return shipped_task(game_id)

    def game(self, game_id: str) -> Game:
        """Draw a game; the same one each time.

        Raises:
            GameError: it is not the shipped one: the installed package has other rooms.
            MissingDependencyError: the extra ``alfworld`` is not installed.
        """
        _, split, number = game_id.split("/")
        drawn = draw_game(split, int(number))
        if task_of_problem(game_id, split, drawn.sentence, drawn.problem) != shipped_task(game_id):
            raise GameError(
                f"The game {game_id!r} that is drawn in rooms of the installed alfworld package is not the shipped "
                "one, so that a dream and its real environment would differ. Install the version that the rooms of "
                "the shipped games are from: pip install 'dreamgym_env[alfworld]'."
            )
        return Game(game_id, split, drawn.sentence, drawn.problem, installed_logic())

    @cached_property
    def _ids(self) -> Mapping[str, Sequence[str]]:
        return shipped_ids()


class GamesFile:
    """A JSON-lines file (``.gz`` or not) of games: ``alfworld/<split>/<number within the split>``.

    Each line has ``pddl_problem`` and ``task``, the sentence; ``split`` where the file has several.  With
    ``logic="own"`` each also has ``domain_id`` and ``grammar_id``, and ``domain_<id>.pddl`` and
    ``grammar_<id>.twl2`` lie beside the file.
    """

    def __init__(self, path: Path, logic: LogicChoice) -> None:
        """Read the file.

        Raises:
            GameError: it cannot be read, or a line is no game; the message names the line.
        """
        self._path, self._logic = path, logic
        self._rows: dict[str, tuple[str, int, Mapping[str, Any]]] = {}
        counts: dict[str, int] = {}
        for line, row in _read_lines(path):
            split = row.get("split", "train")
            _check_row(row, f"Line {line} of {path}")
            number = counts[split] = counts.get(split, -1) + 1
            self._rows[f"alfworld/{split}/{number}"] = (split, line, row)
        if not self._rows:
            raise GameError(f"{path} holds no games.")

    def ids(self) -> Mapping[str, Sequence[str]]:
        """Return the ids by split."""
        return _by_split((game_id, split) for game_id, (split, _, _) in self._rows.items())

    def task(self, game_id: str) -> Task:
        """Return the task of a game. Raises GameError."""
        split, _, row = self._rows[game_id]
        return task_of_problem(game_id, split, _with_full_stop(row["task"]), row["pddl_problem"])

    def game(self, game_id: str) -> Game:
        """Return a game. Raises GameError where its own rules are wanted and missing, and MissingDependencyError."""
        split, line, row = self._rows[game_id]
        logic = installed_logic() if self._logic == "installed" else self._own_logic(row, line)
        return Game(game_id, split, _with_full_stop(row["task"]), row["pddl_problem"], logic)

    def _own_logic(self, row: Mapping[str, Any], line: int) -> Logic:
        texts = []
        for kind, suffix in (("domain", "pddl"), ("grammar", "twl2")):
            path = self._path.with_name(f"{kind}_{row.get(f'{kind}_id', '')}.{suffix}")
            if not path.is_file():
                raise GameError(
                    f"logic='own' needs {path.name!r} beside {self._path} (line {line}): put it there, or play by the "
                    "installed package's rules with logic='installed'."
                )
            texts.append(path.read_text())
        return Logic(*texts)


class OfficialGames:
    """ALFWorld's own data: ``<folder>/json_2.1.*/<split>/*/trial_*/game.tw-pddl``.

    The splits have their official names; ids are ``alfworld/<split>/<task>/<trial>``.  As in ALFWorld, games with
    sliced objects or movable receptacles are left out.
    """

    def __init__(self, folder: Path, logic: LogicChoice) -> None:
        """Find the games; none is read yet.

        Raises:
            GameError: there are none.
        """
        self._logic = logic
        self._files: dict[str, tuple[str, Path]] = {}
        roots = [folder, *sorted(folder.glob("json_2.1.*"), reverse=True)]
        for split in _OFFICIAL_SPLITS:
            root = next((root / split for root in roots if (root / split).is_dir()), None)
            for path in sorted(root.glob("*/*/game.tw-pddl")) if root else ():
                task, trial = path.parts[-3:-1]
                if "movable" not in task and "Sliced" not in task:
                    self._files[f"alfworld/{split}/{task}/{trial}"] = (split, path)
        if not self._files:
            raise GameError(
                f"There are no games in {folder}: ALFWorld's data has folders such as json_2.1.1/train/*/*/ with a "
                "game.tw-pddl in each. `alfworld-download` fetches it; set ALFWORLD_DATA to where it lies."
            )

    def ids(self) -> Mapping[str, Sequence[str]]:
        """Return the ids by split."""
        return _by_split((game_id, split) for game_id, (split, _) in self._files.items())

    def task(self, game_id: str) -> Task:
        """Read the task of a game. Raises GameError."""
        split, sentence, row = self._read(game_id)
        return task_of_problem(game_id, split, sentence, row["pddl_problem"])

    def game(self, game_id: str) -> Game:
        """Read a game. Raises GameError and MissingDependencyError."""
        split, sentence, row = self._read(game_id)
        logic = installed_logic() if self._logic == "installed" else Logic(row["pddl_domain"], row["grammar"])
        return Game(game_id, split, sentence, row["pddl_problem"], logic)

    def _read(self, game_id: str) -> tuple[str, str, Mapping[str, str]]:
        """Return the split, the sentence and the members of a game's file. Raises GameError."""
        split, path = self._files[game_id]
        try:
            row = json.loads(path.read_text())
        except (OSError, ValueError, RecursionError) as error:
            raise GameError(
                f"The game {path} cannot be read ({error}). Fetch it again with `alfworld-download`."
            ) from error
        if not isinstance(row, dict) or not all(
            isinstance(row.get(key), str) for key in ("pddl_problem", "pddl_domain", "grammar")
        ):
            raise GameError(
                f"The game {path} lacks 'pddl_problem', 'pddl_domain' or 'grammar': it is none of ALFWorld's."
            )
        if row.get("solvable") is False:
            raise GameError(f"The game {path} is marked as not solvable; choose another task.")
        found = _TASK_IN_GRAMMAR.search(row["grammar"])
        if found is None:
            raise GameError(f"The grammar of the game {path} does not say what its task is.")
        return split, json.loads(found[1]).removeprefix(TASK_LEAD), row


def _official_folder() -> Path:
    named = os.environ.get("ALFWORLD_DATA")
    if not named:
        raise GameError(
            "games='official' needs ALFWORLD_DATA, the folder of ALFWorld's data (`alfworld-download` fetches it), or "
            "give that folder as games=."
        )
    folder = Path(named).expanduser()
    if not folder.is_dir():
        raise GameError(f"ALFWORLD_DATA names {named!r}, which is no folder: set it to where ALFWorld's data lies.")
    return folder


def _read_lines(path: Path) -> list[tuple[int, dict[str, Any]]]:
    """Return the numbered objects of a JSON-lines file. Raises GameError."""
    rows: list[tuple[int, dict[str, Any]]] = []
    line = 0
    try:
        with gzip.open(path, "rt", encoding="utf-8") if path.suffix == ".gz" else path.open(encoding="utf-8") as file:
            for line, text in enumerate(file, start=1):
                if not text.strip():
                    continue
                row = json.loads(text)
                if not isinstance(row, dict):
                    raise GameError(f"Line {line} of {path} is no JSON object, so no game.")
                rows.append((line, row))
    except (OSError, EOFError, zlib.error, ValueError, RecursionError) as error:
        if isinstance(error, GameError):
            raise
        raise GameError(f"{path} cannot be read as JSON lines of games (after line {line}: {error}).") from error
    return rows


def _check_row(row: Mapping[str, Any], where: str) -> None:
    for key in ("pddl_problem", "task"):
        if not isinstance(row.get(key), str) or not row[key].strip():
            raise GameError(f"{where} is no game: it needs a text {key!r}.")
    split = row.get("split", "train")
    if not isinstance(split, str) or not split or "/" in split:
        raise GameError(f"{where} has the split {split!r:.80}, which is no name.")


def _with_full_stop(sentence: str) -> str:
    text = " ".join(sentence.split())
    return text if text.endswith(".") else f"{text}."


def _by_split(games: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    ids: dict[str, list[str]] = {}
    for game_id, split in games:
        ids.setdefault(split, []).append(game_id)
    return ids


def find_task(source: GameSource, game_id: str) -> Task:
    """Return the task of a game of a source.

    Raises:
        UnknownTaskError: it has none of that id.
        GameError: the game is broken, of no known type, or cannot be solved.
    """
    _check_id(source, game_id)
    return source.task(game_id)


def find_game(source: GameSource, game_id: str) -> Game:
    """Return a game of a source, for the engine.

    Raises:
        UnknownTaskError: it has none of that id.
        GameError: the game cannot be read.
        MissingDependencyError: the extra ``alfworld`` is not installed.
    """
    _check_id(source, game_id)
    return source.game(game_id)


def _check_id(source: GameSource, game_id: str) -> None:
    split = game_id.split("/")[1] if game_id.count("/") >= 2 else ""
    ids = source.ids()
    if game_id not in ids.get(split, ()):
        total, example = sum(map(len, ids.values())), next(iter(next(iter(ids.values()))))
        raise UnknownTaskError(f"ALFWorld has no task {game_id!r:.80} here; it has {total:,}, such as {example!r}.")
