"""The last act of the demo: a small policy learns in the dream, and what that is worth in the real environment."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dreamgym_env.cli.errors import INTERRUPTED, complain
from dreamgym_env.cli.interruptions import Interruptions

if TYPE_CHECKING:
    from rich.console import Console

    from dreamgym_env.learning.loop import Progress
    from dreamgym_env.learning.options import LearningOptions

__all__ = ["show_learning"]

_GROUP, _LANES = 8, 64
_HYPERPARAMETERS = {"group_size": _GROUP, "learning_rate": 1e-3}


def show_learning(console: Console, domain: str, world_model: str, seed: int, steps: int, tasks: int) -> dict[str, Any]:
    """Clone a policy, let it learn in the dream, and print its success in the real environment before and after.

    Args:
        console: to print on.
        domain: name of the domain.
        world_model: who dreams.
        seed: of all that is random.
        steps: in the dream.
        tasks: test tasks that success is measured on.

    Returns:
        The figures as JSON values.
    """
    from dreamgym_env.learning.options import LearningOptions

    with tempfile.TemporaryDirectory(prefix="dreamgym-") as folder:
        start = Path(folder) / "clone"
        console.print(_clone(domain, start, seed), markup=False)
        options = LearningOptions(
            domain,
            algorithm="grpo",
            steps=steps,
            lanes=_LANES,
            start=str(start),
            hyperparameters=_HYPERPARAMETERS,
            world_model=world_model,
            evaluate_every=steps,
            evaluation_tasks=tasks,
            seed=seed,
        )
        began = time.perf_counter()
        progress = _learn(options, Path(folder) / "run")
        taken = time.perf_counter() - began
    before, after = (progress.curve[at]["evaluation"] for at in (0, -1))
    console.print(
        f"Then it learnt from {progress.steps['dream']:,} steps in the dream, by GRPO, and from none in the real "
        f"environment ({taken:.0f} s with both evaluations).",
        markup=False,
    )
    for when, found in (("before", before), ("after", after)):
        console.print(
            f"  {when:6} {found['success']:6.1%} of {found['episodes']} {found['split']} tasks solved in "
            f"{found['env_id']} ({found['low']:.1%} - {found['high']:.1%})",
            markup=False,
        )
    return {"before": before, "after": after, "steps": progress.steps, "seconds": round(taken, 1)}


def _clone(domain: str, out: Path, seed: int) -> str:
    from dreamgym_env.domains import load_domain
    from dreamgym_env.policies.cloning import CloningOptions, clone

    built = load_domain(domain)
    report = clone(built, built.seed_experience(), out, CloningOptions(seed=seed))
    return (
        f"A policy of {report.parameters:,} weights was cloned from {report.episodes:,} recorded successes of {domain} "
        f"({report.seconds:.0f} s)."
    )


def _learn(options: LearningOptions, path: Path) -> Progress:
    import typer

    from dreamgym_env.learning.loop import LearningRun
    from dreamgym_env.learning.progress import Display
    from dreamgym_env.learning.run_folder import RunFolder

    with (
        RunFolder(path).claimed(options.to_json()) as folder,
        Interruptions() as interruptions,
        Display(None, lambda: interruptions.seen > 0, say=None) as display,
    ):
        run = LearningRun(options, folder, display)
        if not run.run():
            complain("Interrupted.")
            raise typer.Exit(INTERRUPTED)
    return run.progress
