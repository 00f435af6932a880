"""Writes ``benchmarks/RESULTS.md`` from the result files, so that no figure there is typed by hand.

``python benchmarks/report.py`` after any of the measuring scripts.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent
INTRODUCTION = """# Results

Written by `python benchmarks/report.py` from the files in `benchmarks/results/`. Rates are of one machine on one day;
what carries over is the ratios, which were measured side by side in one run. Each figure names the environment that
it comes from: a dream's reward is not a result.
"""


def main() -> None:
    """Render every result file that is there."""
    parts = [INTRODUCTION]
    for name, render in (("throughput", throughput), ("webshop", webshop), ("embedders", embedders)):
        path = FOLDER / "results" / f"{name}.json"
        if path.exists():
            parts.extend(render(json.loads(path.read_text(encoding="utf-8"))))
    (FOLDER / "RESULTS.md").write_text("\n".join(parts), encoding="utf-8")


def throughput(results: dict[str, Any]) -> Iterable[str]:
    """Render ``throughput.json``."""
    yield "## Throughput\n\n`python benchmarks/throughput.py`.\n"
    runs = results["runs"]
    yield (
        "Replay and memo are off; the guard answers the share of steps given, all others ask the model. *Naive* is one "
        "environment after the other, one model call each, in the same run. *Times* is the batch over naive.\n"
    )
    if rows := results.get("overhead"):
        stages = list(rows[0]["stages_ms"])
        yield (
            f"(a) Our own overhead: an instant generator, {rows[0]['memories']:,} memories; stages in ms a step "
            f"({measured(runs['a'])}).\n"
        )
        yield table(
            ["envs", "steps/s", "steps/s without generate", "naive", "times", "guarded", *stages],
            [
                [*common(row, f"{row['own_rate']:,.0f}"), *(f"{row['stages_ms'][stage]:.3f}" for stage in stages)]
                for row in rows
            ],
        )
    if rows := results.get("server"):
        yield (
            "(b) An OpenAI-compatible server on loopback that takes 0.5 s a call and serves all calls at once "
            f"({measured(runs['b'])}). The ideal is two steps a second for each environment; a guarded step costs "
            "no call.\n"
        )
        headings = ["envs", "steps/s", "of the ideal", "naive", "times", "guarded"]
        yield table(headings, [common(row, f"{row['of_ideal']:.1%}") for row in rows])
    if rows := results.get("embedded"):
        yield f"(c) The embedded model ({measured(runs['c'])}).\n"
        yield table(["envs", "steps/s", "naive", "times", "guarded"], [common(row) for row in rows])
    if "import" in results:
        seconds, memory = results["import"], results["memory"]
        yield (
            f"`import dreamgym_env` takes {seconds['seconds']:.2f} s (gymnasium alone "
            f"{seconds['of_that_gymnasium']:.2f} s). A process with {memory['memories']:,} memories open holds "
            f"{memory['resident_mib']:,.0f} MiB (peak {memory['peak_mib']:,.0f} MiB) and opens them in "
            f"{memory['open_seconds']:.2f} s.\n"
        )


def webshop(results: dict[str, Any]) -> Iterable[str]:
    """Render ``webshop.json``."""
    yield f"## WebShop, dream and real\n\n`python benchmarks/webshop.py --data FOLDER`, {measured(results)}.\n"
    if sessions := results.get("recorded_sessions"):
        yield (
            f"Sessions recorded in the original WebShop, replayed in `DreamGymReal/WebShop-v0` on the original's data: "
            f"{sessions['sessions']} sessions, {sessions['identical']:.1%} of {sessions['transitions']} transitions "
            f"identical (text, clickables, score, end), result pages share {sessions['shared_products']:.1%} of their "
            f"products, {sessions['equal_final_rewards']:.0%} of final rewards equal.\n"
        )
    yield "Scripted agents in the real engine, all test and eval tasks of the shipped shop:\n"
    yield table(
        ["agent", "env", "tasks", "success", "mean score", "env steps/s"],
        [
            [
                agent,
                "`DreamGymReal/WebShop-v0`",
                row["tasks"],
                f"{row['success']:.1%}",
                f"{row['score']:.2f}",
                f"{row['steps_per_second']:,.0f}",
            ]
            for agent, row in results["agents_in_real"].items()
        ],
    )
    yield (
        "The same agent on the same test tasks in the dream (embedded model, nothing recorded of test "
        "tasks) and in the real engine. *Consistency* is the success of the dream's actions, taken again in the real "
        "engine, over the success of acting there.\n"
    )
    yield table(
        [
            *("agent", "tasks", "solved in dream", "solved in real", "same outcome", "dream's actions in real"),
            *("consistency", "model failures", "dream steps/s", "real steps/s"),
        ],
        [
            [
                row["agent"],
                row["tasks"],
                row["dream"]["solved"],
                row["real"]["solved"],
                f"{row['agreement']['share']:.0%}",
                row["dream_actions_in_real"]["solved"],
                row["consistency_ratio"] if row["consistency_ratio"] is not None else "none solved",
                row["dream"]["model_failures"],
                f"{row['dream']['steps_per_second']:,.1f}",
                f"{row['real']['steps_per_second']:,.0f}",
            ]
            for row in results["side_by_side"]
        ],
    )


def embedders(results: dict[str, Any]) -> Iterable[str]:
    """Render ``embedders.json``."""
    yield f"## Embedders\n\n`python benchmarks/embedders.py`, {measured(results)}.\n"
    rows = results["embedders"]
    yield table(list(rows[0]), [[shown(value) for value in row.values()] for row in rows])


def common(row: dict[str, Any], *further: str) -> list[str]:
    """Return the cells that every throughput table has."""
    head = [f"{row['lanes']}", f"{row['rate']:,.1f}", *further]
    return [*head, f"{row['naive_rate']:,.1f}", f"{row['speedup']:.1f}", f"{row['guarded']:.0%}"]


def measured(results: dict[str, Any]) -> str:
    """Say when and on what."""
    machine = results["machine"]
    quick = ", a quick run (`--quick`: fewer steps and memories)" if results.get("quick") else ""
    return f"{results['date']}, {machine['processor']}, {machine['cores']} cores, {machine['memory_gib']} GiB{quick}"


def shown(value: object) -> str:
    """Return a cell's text."""
    return f"{value:,.3g}" if isinstance(value, float) else str(value)


def table(headings: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Return a Markdown table."""
    lines = [headings, ["---"] * len(headings), *rows]
    return "\n".join(f"| {' | '.join(str(cell) for cell in line)} |" for line in lines) + "\n"


if __name__ == "__main__":
    main()
