"""An environment that the package has never heard of, dreamt from its recording: TextWorld, on games never seen.

``python benchmarks/textworld_recorded.py`` generates games with TextWorld (``pip install textworld``), records some of
them through :class:`~dreamgym_env.envs.record.RecordTransitions`, fine-tunes the embedded model on the file, and
measures fidelity on other games, beside the embedded model as it is shipped and the floors that need no model.  It
prints tables and writes ``results/textworld_recorded.json``.
"""

from __future__ import annotations

import contextlib
import datetime
import json
import re
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import gymnasium as gym
import numpy as np
import textworld
import typer
from gymnasium.spaces import Text
from machine import describe_machine
from rich.console import Console
from tqdm import tqdm

from dreamgym_env import RecordTransitions
from dreamgym_env.domains import RECORDED, load_domain
from dreamgym_env.evaluation.fidelity import answer_all
from dreamgym_env.evaluation.fidelity_report import FidelityReport, report_fidelity
from dreamgym_env.memory import ReplayBuffer, read_transitions
from dreamgym_env.training.finetune import TrainingOptions, finetune
from dreamgym_env.types import Domain, Transition
from dreamgym_env.world_model.build import world_model_from_string

RESULTS = Path(__file__).parent / "results" / "textworld_recorded.json"
ROOMS, OBJECTS, QUEST_LENGTH = 4, 8, 4
MISTAKES = (0.0, 0.3, 0.6, 1.0)
"""Each game is played once for each share of commands that are random ones of those that are possible."""
STEP_LIMIT = 25
FIRST_UNSEEN_SEED = 10_000
_CONSOLE = Console(width=140)


def main(
    games: Annotated[int, typer.Option(min=1, help="Games that are recorded and learnt from.")] = 20,
    unseen: Annotated[int, typer.Option(min=1, help="Other games, that fidelity is measured on.")] = 10,
    steps: Annotated[int, typer.Option(min=1, help="Optimiser steps.")] = 300,
    batch_size: Annotated[int, typer.Option(min=1, help="Examples a step.")] = 16,
    out: Annotated[Path, typer.Option(help="File to write.")] = RESULTS,
) -> None:
    """Generate, record, fine-tune, measure, and write the results."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        experience = record(folder / "textworld.jsonl.gz", make_games(range(games), folder), split="train")
        seeds = range(FIRST_UNSEEN_SEED, FIRST_UNSEEN_SEED + unseen)
        asked = read_transitions(record(folder / "unseen.jsonl.gz", make_games(seeds, folder), split="test"))
        options = TrainingOptions(steps=steps, batch_size=batch_size, save_steps=0)
        training = finetune(experience, "embedded", folder / "model", options=options)
        domain = load_domain(RECORDED, experience=experience)
        reports = {
            "embedded": measure(domain, "embedded", asked),
            "fine-tuned": measure(domain, f"transformers:{folder / 'model'}", asked),
        }
    results = {
        "date": datetime.date.today().isoformat(),
        "machine": describe_machine(),
        "textworld": textworld.__version__,
        "games": {"recorded": games, "unseen": unseen, "transitions": training.transitions, "asked": len(asked)},
        "training": replace(training, path="").to_json(),
        "fidelity": {model: report.to_json() for model, report in reports.items()},
    }
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")


def make_games(seeds: Sequence[int], folder: Path) -> list[Path]:
    """Generate one small game a seed; the seed is its file's name."""
    files = []
    for seed in tqdm(seeds, desc="making games", unit="game", disable=None):
        options = textworld.GameOptions()
        options.seeds = seed
        options.nb_rooms, options.nb_objects, options.quest_length = ROOMS, OBJECTS, QUEST_LENGTH
        options.path = str(folder / f"{seed}.z8")
        path, _ = textworld.make(options)
        files.append(Path(path))
    return files


class TextWorldGames(gym.Env[str, str]):
    """TextWorld's games as anybody might wrap them: the observation is what a command printed."""

    observation_space = Text(100_000)
    action_space = Text(1_000)

    def __init__(self, games: Sequence[Path]) -> None:
        """Name the games; ``reset(options={"game": n})`` starts the n-th."""
        self._games = games
        self._engine: Any = None
        self.policy: list[str] = []
        """The commands that win from here; they are for who plays the recorded episodes, and in no observation."""

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[str, dict[str, Any]]:
        """Start a game in its first room."""
        super().reset(seed=seed)
        path = self._games[(options or {}).get("game", 0)]
        wanted = textworld.EnvInfos(
            description=True, objective=True, admissible_commands=True, policy_commands=True, won=True
        )
        self.close()
        self._engine = textworld.start(str(path), wanted)
        state = self._engine.reset()
        info = {"task_id": f"textworld/{path.stem}", "instruction": tidy(state.objective)}
        return tidy(state.description), {**info, **self._info(state)}

    def step(self, action: str) -> tuple[str, float, bool, bool, dict[str, Any]]:
        """Type a command."""
        state, _, done = self._engine.step(action)
        # what follows is a prompt and a line of room and score, or asks whether to play again
        text = re.split(r"\n>|\*\*\* The End \*\*\*", state.feedback, maxsplit=1)[0]
        return tidy(text), float(state.won), done, False, self._info(state)

    def close(self) -> None:
        """Stop the game that runs."""
        if self._engine is not None:
            self._engine.close()
            self._engine = None

    def _info(self, state: Any) -> dict[str, Any]:
        self.policy = list(state.policy_commands or ())
        return {"admissible_commands": list(state.admissible_commands or ()), "won": bool(state.won)}


def tidy(text: str) -> str:
    """Return a text without the spaces that end its lines, and with one empty line between paragraphs."""
    return re.sub(r"\n{3,}", "\n\n", re.sub(r"[ \t]+\n", "\n", text)).strip()


def record(path: Path, games: Sequence[Path], *, split: str) -> Path:
    """Play all games once for each share of mistakes, and return the file."""
    played = TextWorldGames(games)
    with RecordTransitions(played, path, domain="textworld", split=split) as env:
        for game, mistakes in tqdm(
            [(game, mistakes) for game in range(len(games)) for mistakes in MISTAKES],
            desc="recording",
            unit="episode",
            disable=None,
        ):
            rng = np.random.default_rng([game, int(100 * mistakes)])
            _, info = env.reset(seed=0, options={"game": game})
            for _ in range(STEP_LIMIT):
                random = not played.policy or rng.random() < mistakes
                command = str(rng.choice(info["admissible_commands"])) if random else played.policy[0]
                _, _, terminated, _, info = env.step(command)
                if terminated:
                    break
    return path


def measure(domain: Domain, world_model: str, asked: Sequence[Transition]) -> FidelityReport:
    """Ask a world model about the steps of unseen games, grounded in the recorded ones, and print what it is worth."""
    with (
        ReplayBuffer(domain) as buffer,
        contextlib.closing(world_model_from_string(world_model, domain)) as model,
    ):
        report = report_fidelity(domain, answer_all(domain, model, buffer, asked, progress=True))
    for table in report.tables():
        _CONSOLE.print(table)
    return report


if __name__ == "__main__":
    typer.run(main)
