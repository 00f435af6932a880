"""How fast the dream of WebShop steps, and where the time goes.

``python benchmarks/throughput.py [--part a|b|c] [--quick] [--cache FOLDER]`` prints tables and writes
``results/throughput.json``.

* (a) our own overhead: a generator that answers at once, a buffer of 100,000 transitions, every stage timed;
* (b) a server on loopback that takes half a second a call and serves all calls at once;
* (c) the embedded model, on this machine's processor.

In (a) and (b) the world model answers with its first memory, in (c) with what it dreams.  Replay and memo are off, so
that it is asked for every action that a page offers.  Each row stands beside the naive way in the same run: single
environments, one after the other, one call each.
"""

from __future__ import annotations

import datetime
import enum
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import platformdirs
import typer
from experience import big_experience
from loopback_server import loopback_server
from machine import describe_machine
from rich.console import Console
from rich.table import Table
from shoppers import run_async, run_one_by_one, run_vector
from stopwatch import STAGES, watch

from dreamgym_env.domains import load_domain
from dreamgym_env.envs.text_vector_env import TextVectorEnv
from dreamgym_env.memory import ReplayBuffer
from dreamgym_env.simulation.simulator import SimulationOptions, Simulator
from dreamgym_env.types import Domain, Prompt, WorldModel
from dreamgym_env.world_model.build import world_model_from_string
from dreamgym_env.world_model.compact import CompactFormat
from dreamgym_env.world_model.generators.scripted import ScriptedGenerator
from dreamgym_env.world_model.language import LanguageWorldModel

RESULTS = Path(__file__).parent / "results" / "throughput.json"
SPLIT = "test"  # no task of it was recorded
CALL_SECONDS = 0.5
LANES = (1, 8, 64, 256)
_CONSOLE = Console()


class Part(enum.StrEnum):
    """What is measured."""

    OVERHEAD = "a"
    SERVER = "b"
    EMBEDDED = "c"


@dataclass(frozen=True, slots=True)
class Budget:
    """How long one row is measured; whichever comes first ends it."""

    steps: int
    """Steps of the vector environment."""
    seconds: float
    naive_seconds: float


def main(
    part: Annotated[Part | None, typer.Option(help="Measure only this part.")] = None,
    quick: Annotated[bool, typer.Option("--quick", help="A tenth of the buffer, and fewer steps.")] = False,
    cache: Annotated[Path | None, typer.Option(help="Folder that keeps the big buffer between runs.")] = None,
    out: Annotated[Path, typer.Option(help="Where the figures are written.")] = RESULTS,
) -> None:
    """Measure, print and write the results; a part that is not measured keeps what the file has."""
    folder = cache or Path(platformdirs.user_cache_dir("dreamgym_env")) / "benchmarks"
    os.environ["DREAMGYM_CACHE"] = str(folder)
    big = big_experience(folder, 10_000 if quick else 100_000)
    parts = [part] if part is not None else list(Part)
    results: dict[str, Any] = json.loads(out.read_text(encoding="utf-8")) if out.exists() else {}
    run = {"date": datetime.date.today().isoformat(), "machine": describe_machine(), "quick": quick}
    results.setdefault("runs", {}).update({one.value: run for one in parts})
    budget = Budget(10, 5.0, 2.0) if quick else Budget(40, 20.0, 5.0)
    if Part.OVERHEAD in parts:
        results["overhead"] = [measure_overhead(big, lanes, budget) for lanes in LANES]
        results["import"] = measure_import()
        results["memory"] = measure_memory(big)
    if Part.SERVER in parts:
        results["server"] = [measure_server(lanes, budget) for lanes in LANES]
    if Part.EMBEDDED in parts:
        results["embedded"] = [measure_embedded(lanes, budget) for lanes in (1, 8, 32, 64, 256)]
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    print_results(results)


def measure_overhead(big: Path, lanes: int, budget: Budget) -> dict[str, Any]:
    """Measure (a): an instant generator in the embedded model's format, and the big buffer."""

    def answer(prompt: Prompt) -> str:
        known = "<|memory|>M1" in prompt.user
        return f"As it was recorded.<|state|>{'M1' if known else 'C'}<|outcome|>continue"

    domain = load_domain("webshop")
    model = LanguageWorldModel(CompactFormat(domain), ScriptedGenerator(answer))
    with simulator(domain, model, big) as dream:
        row = measure(dream, lanes, budget)
        own = sum(row["stages_ms"].values()) - row["stages_ms"]["generate"]
        return {**row, "memories": len(dream.buffer), "own_rate": 1e3 / own}


def measure_server(lanes: int, budget: Budget) -> dict[str, Any]:
    """Measure (b): the shipped experience, and a server whose every answer takes half a second."""
    domain = load_domain("webshop")
    with loopback_server(CALL_SECONDS) as url:
        model = world_model_from_string(f"openai:loopback@{url}", domain, codec="edits")
        with simulator(domain, model, True) as dream:
            row = measure(dream, lanes, budget)
            envs = TextVectorEnv(domain, dream, lanes, SPLIT, autoreset_mode="SameStep")
            flowing = run_async(envs, seconds=budget.seconds)
            ideal = lanes / CALL_SECONDS
            return {
                **row,
                "ideal": ideal,
                "of_ideal": row["rate"] / ideal,
                "async_rate": flowing.rate,
                "async_of_ideal": flowing.rate / ideal,
                "async_guarded": flowing.share("guard"),
                "async_failures": flowing.failures,
                "async_processor_seconds_per_second": flowing.cpu_seconds / flowing.seconds,
            }


def measure_embedded(lanes: int, budget: Budget) -> dict[str, Any]:
    """Measure (c): the embedded model on the shipped experience."""
    domain = load_domain("webshop")
    with simulator(domain, world_model_from_string("embedded", domain), True) as dream:
        return measure(dream, lanes, budget)


def measure(dream: Simulator, lanes: int, budget: Budget) -> dict[str, Any]:
    """Measure a simulator the naive way and in a vector environment, every stage of the latter timed."""
    stopwatch = watch(dream)
    warm_up = TextVectorEnv(dream.domain, dream, 8, SPLIT, autoreset_mode="SameStep")
    run_vector(warm_up, steps=3, seconds=60.0)  # what is read and made when first needed
    envs = TextVectorEnv(dream.domain, dream, lanes, SPLIT, autoreset_mode="SameStep")  # so that every step counts
    naive = run_one_by_one(dream.domain, dream, min(lanes, 8), split=SPLIT, seconds=budget.naive_seconds)
    stopwatch.seconds.clear()
    run = run_vector(envs, steps=budget.steps * 256 // lanes, seconds=budget.seconds)
    stages = {stage: stopwatch.seconds[stage] / run.steps * 1e3 for stage in STAGES}
    stages["other"] = run.seconds / run.steps * 1e3 - sum(stages.values())
    return {
        "lanes": lanes,
        "steps": run.steps,
        "rate": run.rate,
        "naive_rate": naive.rate,
        "speedup": run.rate / naive.rate,
        "guarded": run.share("guard"),
        "failures": run.failures,
        "processor_seconds_per_second": run.cpu_seconds / run.seconds,
        "stages_ms": stages,
    }


def measure_import() -> dict[str, Any]:
    """Measure ``import dreamgym_env`` in a fresh process, gymnasium's share of it, and ``gym.make`` with ``reset``.

    Each is the best of some; the shipped experience has been indexed before.
    """
    code = "import time; t = time.perf_counter(); import {0}; print(time.perf_counter() - t)"

    def best(module: str) -> float:
        command = [sys.executable, "-c", code.format(module)]
        return min(float(subprocess.check_output(command, text=True)) for _ in range(5))

    make = (
        "import time; import gymnasium as gym, dreamgym_env; t = time.perf_counter(); "
        "gym.make('DreamGym/WebShop-v0').reset(seed=0); print(time.perf_counter() - t)"
    )
    ready = min(float(subprocess.check_output([sys.executable, "-c", make], text=True)) for _ in range(3))
    return {"seconds": best("dreamgym_env"), "of_that_gymnasium": best("gymnasium"), "make_and_reset": ready}


def measure_memory(big: Path) -> dict[str, Any]:
    """Measure the resident memory of a process that opens the big buffer and retrieves for 256 queries."""
    command = [sys.executable, str(Path(__file__).parent / "experience.py"), str(big)]
    found: dict[str, Any] = json.loads(subprocess.check_output(command, text=True).splitlines()[-1])
    return found


@contextmanager
def simulator(domain: Domain, model: WorldModel, experience: Path | bool) -> Iterator[Simulator]:
    """Put a simulator together that asks the model whenever the page offers the action."""
    buffer = ReplayBuffer(domain, seed_experience=experience)
    dream = Simulator(domain, model, buffer, SimulationOptions(replay=False, memo=False))
    try:
        yield dream
    finally:
        dream.close()


def print_results(results: dict[str, Any]) -> None:
    """Print the tables."""
    if rows := results.get("overhead"):
        headings = ["envs", "env steps/s", "without generate", *_NAIVE]
        table = _table(f"(a) instant generator, {rows[0]['memories']:,} memories", headings)
        for one in rows:
            table.add_row(*_common(one, f"{one['own_rate']:,.0f}"))
        _CONSOLE.print(table)
        stages = list(rows[0]["stages_ms"])
        table = _table("(a) its stages, ms a step", ["envs", *stages])
        for one in rows:
            table.add_row(str(one["lanes"]), *(f"{one['stages_ms'][stage]:.3f}" for stage in stages))
        _CONSOLE.print(table)
    if rows := results.get("server"):
        headings = ["envs", "step()", "of ideal", "send/recv", "of ideal", *_NAIVE]
        table = _table(f"(b) env steps/s against a server that takes {CALL_SECONDS} s a call", headings)
        for one in rows:
            flowing = (f"{one['async_rate']:,.1f}", f"{one['async_of_ideal']:.1%}")
            table.add_row(*_common(one, f"{one['of_ideal']:.1%}", *flowing))
        _CONSOLE.print(table)
    if rows := results.get("embedded"):
        table = _table("(c) the embedded model", ["envs", "env steps/s", *_NAIVE])
        for one in rows:
            table.add_row(*_common(one))
        _CONSOLE.print(table)
    if "import" in results:
        seconds, memory = results["import"], results["memory"]
        _CONSOLE.print(
            f"import dreamgym_env: {seconds['seconds']:.2f} s (gymnasium alone {seconds['of_that_gymnasium']:.2f} s); "
            f"gym.make and reset {seconds['make_and_reset']:.2f} s; "
            f"a process with {memory['memories']:,} memories open: {memory['resident_mib']:,.0f} MiB "
            f"(peak {memory['peak_mib']:,.0f} MiB), opened in {memory['open_seconds']:.2f} s"
        )


_NAIVE = ("naive", "times", "guarded")


def _common(one: dict[str, Any], *further: str) -> list[str]:
    head = [f"{one['lanes']}", f"{one['rate']:,.1f}", *further]
    return [*head, f"{one['naive_rate']:,.1f}", f"{one['speedup']:.1f}", f"{one['guarded']:.0%}"]


def _table(title: str, headings: list[str]) -> Table:
    table = Table(title=title)
    for heading in headings:
        table.add_column(heading, justify="right")
    return table


if __name__ == "__main__":
    typer.run(main)
