"""From the dream to the world: how good policies become that learn in one, in the other, or in both.

``python benchmarks/transfer.py --domain webshop`` trains every arm with every seed by ``dreamgym train``, evaluates in
the real environment only, and writes ``results/transfer.json`` and the picture of the curves.  It can be stopped and
started again at any time: a run goes on from its latest checkpoint, and what is finished is not done again.

All arms have the same policy class and hyper-parameters, and begin with the same policy: behaviour cloning on the
shipped experience, one for each seed.
"""

from __future__ import annotations

import datetime
import json
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer
from filelock import FileLock
from machine import describe_machine
from transfer_results import draw_curves

from dreamgym_env.atomic_files import write_atomically
from dreamgym_env.curriculum import count_variations
from dreamgym_env.domains import load_domain
from dreamgym_env.memory.experience import read_domain_transitions

RESULTS = Path(__file__).parent / "results" / "transfer.json"
PICTURES = Path(__file__).parent.parent / "docs"
CLONE = "clone"
_SHARED = ("--algo", "grpo", "--lanes", "64", "--hyper", "learning_rate=1e-3", "--tasks", "200", "--no-report")
_POINTS = 10
"""Evaluations of a run, beside that of the policy that it begins with."""
_MOST_CANDIDATES = {"webshop": 20, "alfworld": 80, "webarena": 80}


@dataclass(frozen=True)
class Arm:
    """One way to learn."""

    name: str
    after: str = CLONE
    """Whose policy it begins with."""
    dream: bool = False
    """Whether it learns in the dream, for the number of steps that all such arms have."""
    real: str = ""
    """``"many"`` or ``"few"`` transitions of the real environment."""
    options: tuple[str, ...] = ()
    """Further ones of ``dreamgym train``."""


ARMS = (
    Arm("real, many", real="many"),
    Arm("dream", dream=True),
    Arm("dream with a curriculum", dream=True, options=("--curriculum",)),
    Arm("dream, then real", after="dream", real="few"),
    Arm("dream with a curriculum, then real", after="dream with a curriculum", real="few"),
    Arm("dream with anchors", dream=True, options=("--anchor", "0.1")),
    Arm("real, few", real="few"),
    Arm("dream without memories", dream=True, options=("--set", "k=0", "--set", "replay=false")),
    Arm("dream without reasoning", dream=True, options=("--set", "reasoning=false")),
)


def main(
    domain: Annotated[str, typer.Option(help="webshop, alfworld or webarena.")] = "webshop",
    arm: Annotated[list[str] | None, typer.Option(help="Only these arms, and what they begin with.")] = None,
    seeds: Annotated[int, typer.Option(help="Seeds: 0, 1, 2, ...")] = 3,
    dream_steps: Annotated[int, typer.Option(help="Steps of the arms that learn in the dream.")] = 16_384,
    many: Annotated[int, typer.Option(help="Transitions of the arm that learns in the real environment.")] = 80_000,
    few: Annotated[int, typer.Option(help="Transitions of the arms that see little of it.")] = 5_000,
    work: Annotated[Path, typer.Option(help="Folder of the runs.")] = Path("runs/transfer"),
) -> None:
    """Train, evaluate, and keep what came of it."""
    chosen = list(_chosen(arm))
    for seed in range(seeds):
        folder = work / domain / str(seed)
        start = _cloned(domain, seed, folder / CLONE)
        for one in chosen:
            begin = start if one.after == CLONE else folder / _folder(one.after) / "policy"
            dream, real = dream_steps if one.dream else 0, {"many": many, "few": few}.get(one.real, 0)
            command = [
                *("train", domain, "--out", str(folder / _folder(one.name)), "--start", str(begin)),
                *("--steps", str(dream), "--then-real", str(real), "--seed", str(seed), *_SHARED),
                *("--most-candidates", str(_MOST_CANDIDATES.get(domain, 80))),
                *("--evaluate-every", str(-(-(dream + real) // _POINTS))),
                *one.options,
            ]
            _dreamgym(command)
            progress = json.loads((folder / _folder(one.name) / "progress.json").read_text(encoding="utf-8"))
            _keep(domain, one, seed, command, progress)
    draw_curves(json.loads(RESULTS.read_text(encoding="utf-8"))[domain]["arms"], PICTURES / f"transfer-{domain}.svg")


def _chosen(names: Sequence[str] | None) -> Iterator[Arm]:
    known = {one.name: one for one in ARMS}
    for name in names or ():
        if name not in known:
            raise typer.BadParameter(f"there is no arm {name!r}; there are: {', '.join(known)}.")
    wanted = set(names or known)
    wanted |= {known[name].after for name in wanted if known[name].after in known}
    return (one for one in ARMS if one.name in wanted)


def _folder(name: str) -> str:
    return name.replace(",", "").replace(" ", "-")


def _cloned(domain: str, seed: int, folder: Path) -> Path:
    if not (folder / "config.json").exists():
        _dreamgym(["clone", domain, "--out", str(folder), "--seed", str(seed)])
    return folder


def _dreamgym(arguments: Sequence[str]) -> None:
    print("dreamgym", *arguments, flush=True)
    subprocess.run([sys.executable, "-m", "dreamgym_env.cli", *arguments], check=True)


def _keep(domain: str, arm: Arm, seed: int, command: Sequence[str], progress: Mapping[str, Any]) -> None:
    kept = {name: progress[name] for name in ("steps", "real_transitions", "evaluation_transitions", "seconds")}
    curriculum = progress["curriculum"]
    run = {
        "date": datetime.date.today().isoformat(),
        "machine": describe_machine(),
        "command": " ".join(["dreamgym", *command]),
        "after": arm.after,
        **kept,
        "failures": progress["failures"],
        "curve": progress["curve"],
        "variations": count_variations(curriculum["drawn"], curriculum["ancestors"]) if curriculum else 0,
    }
    with FileLock(RESULTS.with_suffix(".lock")):  # another domain may be measured at the same time
        results = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.exists() else {}
        if domain not in results:
            results[domain] = {"experience": _experience(domain), "arms": {}}
        results[domain]["arms"].setdefault(arm.name, {})[str(seed)] = run
        write_atomically(RESULTS, json.dumps(results, indent=1) + "\n")


def _experience(domain: str) -> dict[str, int]:
    """Count what the dream is built from, and the policies are cloned from: recorded in the real environment."""
    built = load_domain(domain)
    steps = read_domain_transitions(built.seed_experience(), built.name)
    return {"transitions": len(steps), "episodes": len({step.episode for step in steps})}


if __name__ == "__main__":
    typer.run(main)
