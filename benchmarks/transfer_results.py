"""What came of ``benchmarks/transfer.py``: the table of RESULTS.md, and the picture of the curves."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from report_tables import measured, table
from scipy.stats import t as student

__all__ = ["draw_curves", "transfer"]

_STYLES = {
    "real, many": ("#b3541e", "-", "s"),
    "dream": ("#2f5fb3", "-", "o"),
    "dream with a curriculum": ("#1f8a70", "-", "o"),
    "dream, then real": ("#2f5fb3", "--", "s"),
    "dream with a curriculum, then real": ("#1f8a70", "--", "s"),
    "dream with anchors": ("#7a4fb3", "-", "D"),
    "real, few": ("#b3541e", ":", "s"),
    "dream without memories": ("#8a8a8a", "-", "v"),
    "dream without reasoning": ("#8a8a8a", "--", "^"),
}
"""Arm, in the order of the table -> its colour, line and mark: squares have learnt in the real environment."""
_CLONE, _REFERENCE = "clone", "real, many"
_SLOW_STEP = 1.0
"""Seconds of a step in an environment that costs are projected to."""
_LANES = 64


def transfer(results: Mapping[str, Any]) -> Iterable[str]:
    """Render ``transfer.json``."""
    yield (
        "## From the dream to the world\n\n`python benchmarks/transfer.py --domain DOMAIN`. Every arm has the same "
        "policy class and hyper-parameters, and begins with the same policy, cloned from the shipped experience (one a "
        "seed). All success is that of the greedy policy in the real environment, on 200 test tasks; intervals are "
        "Student's t over seeds. Real transitions are those of reinforcement learning; what the dream was built "
        "from, and the clone learnt from, is told above each table. "
        "*Seconds* are those of learning on this machine, other work beside it: where the real engine is a cheap "
        f"program, time favours it. In the last column a step of the real environment takes {_SLOW_STEP:g} s, {_LANES} "
        "of them run at once, and all else takes what it took.\n"
    )
    for domain, found in results.items():
        arms, known = found["arms"], found["experience"]
        first = next(iter(next(iter(arms.values())).values()))
        env_id = first["curve"][0]["evaluation"]["env_id"]
        yield f"### {env_id} ({measured(first)})\n"
        yield (
            f"The dream knows {known['transitions']:,} transitions of {known['episodes']:,} real episodes (train "
            "split, by scripted agents): its memories, part of its model's training, and the clone's examples.\n"
        )
        yield f"![Success of policies while they learn](../docs/transfer-{domain}.svg)\n"
        headings = ["arm", "real transitions", "steps in the dream", "success", "seeds", "of real, many", "seconds"]
        yield table([*headings, f"hours at {_SLOW_STEP:g} s a real step"], list(_rows(arms)))


def _rows(arms: Mapping[str, Any]) -> Iterator[list[object]]:
    reference = _ends(arms.get(_REFERENCE, {}))
    starts = {seed: run["curve"][0]["evaluation"]["success"] for seed, run in _begun(arms)}
    yield ["the clone that all begin with", 0, 0, *_success(starts, reference), 0, "0.0"]
    for name in (one for one in _STYLES if one in arms):
        lines = [list(_lineage(arms, name, seed)) for seed in arms[name]]
        real = [sum(sum(run["real_transitions"].values()) for run in line) for line in lines]
        dream = [sum(run["steps"]["dream"] - run["real_transitions"]["dream"] for run in line) for line in lines]
        seconds = [sum(run["seconds"]["dream"] + run["seconds"]["real"] for run in line) for line in lines]
        projected = [(spent + many * _SLOW_STEP / _LANES) / 3600 for spent, many in zip(seconds, real, strict=True)]
        yield [
            name,
            *(f"{statistics.fmean(counts):,.0f}" for counts in (real, dream)),
            *_success(_ends(arms[name]), reference),
            f"{statistics.fmean(seconds):,.0f}",
            f"{statistics.fmean(projected):,.1f}",
        ]


def _begun(arms: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    return ((seed, run) for runs in arms.values() for seed, run in runs.items() if run["after"] == _CLONE)


def _ends(runs: Mapping[str, Any]) -> dict[str, float]:
    """Return the last success of each seed."""
    return {seed: run["curve"][-1]["evaluation"]["success"] for seed, run in runs.items()}


def _lineage(arms: Mapping[str, Any], name: str, seed: str) -> Iterator[Mapping[str, Any]]:
    """Yield a run and those that it goes on from, the first of them first."""
    run = arms[name][seed]
    if run["after"] != _CLONE:
        yield from _lineage(arms, run["after"], seed)
    yield run


def _success(found: Mapping[str, float], reference: Mapping[str, float]) -> list[str]:
    """Return the cells of success, of the seeds, and of the ratio to the reference on the same seeds."""
    values = list(found.values())
    both = [seed for seed in found if reference.get(seed)]
    ratio = f"{sum(found[seed] for seed in both) / sum(reference[seed] for seed in both):.2f}" if both else "-"
    seeds = ", ".join(f"{value:.1%}" for value in values)
    return [f"{statistics.fmean(values):.1%}{_interval(values)}", seeds, ratio]


def _interval(values: Sequence[float]) -> str:
    if len(values) < 2:
        return ""
    half = float(student.ppf(0.975, len(values) - 1)) * statistics.stdev(values) / math.sqrt(len(values))
    mean = statistics.fmean(values)
    return f" ({max(0.0, mean - half):.1%} - {min(1.0, mean + half):.1%})"


def draw_curves(arms: Mapping[str, Any], path: Path) -> None:
    """Draw the success of every arm against the steps that it has learnt from; bands span the seeds."""
    import matplotlib as mpl

    mpl.use("Agg")
    mpl.rcParams["svg.hashsalt"] = "dreamgym_env"
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(figsize=(8, 4.6), layout="constrained")
    env_id = ""
    for name in (one for one in _STYLES if one in arms):
        steps, found = _together([_points(arms, name, seed) for seed in arms[name]])
        colour, line, mark = _STYLES[name]
        axes.plot(steps, found.mean(axis=0), line, color=colour, marker=mark, markersize=4, linewidth=1.6, label=name)
        if len(found) > 1:
            axes.fill_between(steps, found.min(axis=0), found.max(axis=0), color=colour, alpha=0.12, linewidth=0)
        env_id = next(iter(arms[name].values()))["curve"][0]["evaluation"]["env_id"]
    axes.set(xlabel="thousand steps learnt from, in the dream and in the real environment", ylabel="success")
    axes.set_title(f"Success in {env_id}, 200 test tasks", loc="left", fontsize=11)
    axes.yaxis.set_major_formatter(mpl.ticker.PercentFormatter(1.0, decimals=0))
    axes.grid(alpha=0.25)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, fontsize=8, loc="center left", bbox_to_anchor=(1.0, 0.5))
    figure.savefig(path, metadata={"Date": None})
    plt.close(figure)


def _together(
    curves: Sequence[Sequence[tuple[int, float]]],
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Return thousands of steps, shape (n,), and the success of each seed there, shape (seeds, n).

    Seeds are evaluated after whole batches, hence not after the same steps, nor as often: these are the steps of the
    seed with most evaluations, and between evaluations success is interpolated.
    """
    steps = np.array([step for step, _ in max(curves, key=len)], dtype=np.float64)
    found = [np.interp(steps, [step for step, _ in curve], [success for _, success in curve]) for curve in curves]
    return steps / 1000, np.array(found)


def _points(arms: Mapping[str, Any], name: str, seed: str) -> list[tuple[int, float]]:
    """Return (steps, success) of a run; one that goes on from another begins where that ended."""
    *before, run = _lineage(arms, name, seed)
    offset = sum(sum(one["steps"].values()) for one in before)
    return [(offset + row["steps"], row["evaluation"]["success"]) for row in run["curve"]]
