"""Dream beside reality in every domain: ``dreamgym compare`` with agents of graded skill.

``python benchmarks/compare.py --domain DOMAIN [--tasks N] [--seeds N] [--agent LIST]`` runs the command and writes its
figures to ``results/compare.json``, and its report to ``docs/reports/DOMAIN.html``.
"""

from __future__ import annotations

import datetime
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Annotated, Any

import typer
from machine import describe_machine

RESULTS = Path(__file__).parent / "results" / "compare.json"
REPORTS = Path(__file__).parent.parent / "docs" / "reports"
AGENTS = "oracle,noisy-oracle(0.1),noisy-oracle(0.3),noisy-oracle(0.6),lazy,random"
_TRANSCRIPTS = 24


def main(
    domain: Annotated[str, typer.Option(help="webshop, alfworld, webarena or miniwob.")] = "webshop",
    tasks: Annotated[int, typer.Option(help="Test tasks.")] = 200,
    seeds: Annotated[int, typer.Option(help="Seeds.")] = 3,
    agent: Annotated[str, typer.Option(help="Agents.")] = AGENTS,
    world_model: Annotated[str, typer.Option(help="Who dreams.")] = "embedded",
    name: Annotated[str, typer.Option(help="Under what the figures are kept; by default the domain's name.")] = "",
    further: Annotated[list[str] | None, typer.Option("--option", help="A further option of the command.")] = None,
) -> None:
    """Run the command, and keep what it found."""
    name = name or domain
    REPORTS.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        figures = Path(folder) / "figures.json"
        command = ["compare", domain, "--agent", agent, "--tasks", str(tasks), "--seeds", str(seeds)]
        command += ["--world-model", world_model, *(further or [])]
        began = time.monotonic()
        subprocess.run(
            [
                *(sys.executable, "-m", "dreamgym_env.cli", *command, "--json", str(figures)),
                *("--report", str(REPORTS / f"{name}.html"), "--transcripts", str(_TRANSCRIPTS)),
            ],
            check=True,
        )
        found: dict[str, Any] = json.loads(figures.read_text(encoding="utf-8"))
    del found["transcripts"]
    run = {
        "date": datetime.date.today().isoformat(),
        "machine": describe_machine(),
        "command": " ".join(["dreamgym", *(f'"{one}"' if "(" in one else one for one in command)]),
        "seconds": round(time.monotonic() - began, 1),
    }
    results = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.exists() else {}
    results[name] = {**run, "found": found}
    RESULTS.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    typer.run(main)
