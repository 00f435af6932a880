"""``dreamgym train``: a policy learns in the dream, then in the real environment."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dreamgym_env.cli.errors import INTERRUPTED, complain
from dreamgym_env.cli.interruptions import Interruptions
from dreamgym_env.cli.options import (
    DomainArgument,
    SeedOption,
    SettingsOption,
    SplitOption,
    WorldModelOption,
    blame_settings,
    read_settings,
)
from dreamgym_env.cli.output import make_console, write_json

if TYPE_CHECKING:
    from dreamgym_env.learning.options import LearningOptions
    from dreamgym_env.learning.run_folder import RunFolder

__all__ = ["train"]


def train(
    domain: DomainArgument,
    out: Annotated[Path, typer.Option(help="Folder of the run; a run that is there is gone on with.")],
    algorithm: Annotated[
        str, typer.Option("--algo", help="maskable-ppo, ppo, dqn (extra sb3) or grpo.")
    ] = "maskable-ppo",
    steps: Annotated[int, typer.Option(min=0, help="Steps to learn from in the dream.")] = 50_000,
    then_real: Annotated[
        int, typer.Option("--then-real", min=0, metavar="M", help="Then at most M transitions in the real environment.")
    ] = 0,
    start: Annotated[
        Path | None, typer.Option(help="Policy to go on from, such as one of `dreamgym clone`.", show_default=False)
    ] = None,
    curriculum: Annotated[
        bool, typer.Option("--curriculum", help="Draw tasks by what they teach, and variations of those worth most.")
    ] = False,
    variations: Annotated[
        float, typer.Option(help="Largest share of the curriculum's tasks that are variations.")
    ] = 0.5,
    variator: Annotated[
        str, typer.Option(metavar="rules|MODEL", help="What makes variations: the domain's rules, or a language model.")
    ] = "rules",
    anchor: Annotated[float, typer.Option(help="Share of the dream's episodes played in the real environment.")] = 0.0,
    enrich: Annotated[
        bool, typer.Option("--enrich", help="Let accepted dream transitions become memories (in OUT/buffer).")
    ] = False,
    world_model: WorldModelOption = "embedded",
    lanes: Annotated[int, typer.Option(min=1, help="How many episodes run at once.")] = 32,
    most_candidates: Annotated[
        int, typer.Option(min=1, help="How many actions of a state the policy may choose among.")
    ] = 80,
    hyperparameters: Annotated[
        list[str],
        typer.Option("--hyper", metavar="NAME=VALUE", help="A hyper-parameter of the algorithm; may be repeated."),
    ] = [],  # noqa: B006 - typer reads it
    evaluate_every: Annotated[int, typer.Option(min=1, help="Steps between evaluations, and checkpoints.")] = 8_192,
    evaluation_tasks: Annotated[
        int, typer.Option("--tasks", min=0, help="Tasks of an evaluation in the real environment; 0 for none.")
    ] = 100,
    evaluation_split: Annotated[str, typer.Option(help="Split of those tasks.")] = "test",
    split: SplitOption = "train",
    seed: SeedOption = 0,
    settings: SettingsOption = [],  # noqa: B006
    report: Annotated[
        bool, typer.Option(help="Compare the first and the last policy in both environments, in OUT/report.html.")
    ] = True,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Forget the run that OUT holds.")] = False,
) -> None:
    """Let a policy learn in a dream, then for a while in the real environment if you like.

    Its figures always come from the real environment. The policy is OUT/policy, the agent policy(OUT/policy) of other
    commands. Ctrl-C leaves a checkpoint, and the same command goes on from there.
    """
    from dreamgym_env.learning.options import LearningOptions

    try:
        options = LearningOptions(
            domain=domain,
            algorithm=algorithm,
            steps=steps,
            then_real=then_real,
            lanes=lanes,
            start=str(start) if start is not None else "",
            most_candidates=most_candidates,
            hyperparameters=read_settings(hyperparameters),
            world_model=world_model,
            split=split,
            settings=read_settings(settings),
            anchor=anchor,
            curriculum=curriculum,
            variations=variations,
            variator=variator,
            enrich=enrich,
            evaluate_every=evaluate_every,
            evaluation_tasks=evaluation_tasks,
            evaluation_split=evaluation_split,
            seed=seed,
        )
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error
    _run(options, out, overwrite=overwrite, report=report and bool(evaluation_tasks))


def _run(options: LearningOptions, out: Path, *, overwrite: bool, report: bool) -> None:
    from tqdm import tqdm

    from dreamgym_env.learning.learner import DivergedError
    from dreamgym_env.learning.loop import LearningRun
    from dreamgym_env.learning.progress import Display
    from dreamgym_env.learning.reporting import told
    from dreamgym_env.learning.run_folder import RunFolder

    folder = RunFolder(out)
    with contextlib.ExitStack() as opened:
        opened.enter_context(blame_settings(options.settings))
        opened.enter_context(folder.claimed(options.to_json(), overwrite=overwrite))
        interruptions = opened.enter_context(Interruptions())
        display = opened.enter_context(Display(folder.tensorboard, lambda: interruptions.seen > 0, tqdm.write))
        run = LearningRun(options, folder, display)
        try:
            whole = run.run()
        except DivergedError as error:
            complain(f"{error} What was learnt before is in {folder.policy}.")
            raise typer.Exit(1) from error
        if not whole:
            complain(f"Interrupted after {run.progress.all_steps:,} steps; the same command goes on from there.")
            raise typer.Exit(INTERRUPTED)
    console = make_console()
    for sentence in told(options, run.progress):
        console.print(sentence, markup=False)
    if report:
        _report(options, folder, run.progress)
        console.print(f"The report is {out / 'report.html'}: open it in a browser.", markup=False)
    console.print(f"The policy is the agent policy({folder.policy}).", markup=False)


def _report(options: LearningOptions, folder: RunFolder, progress: Any) -> None:
    from tqdm import tqdm

    from dreamgym_env.evaluation.report import write_html
    from dreamgym_env.learning.reporting import compare_policies

    total = 8 * options.evaluation_tasks
    with tqdm(total=total, unit="episode", desc="dream and real", disable=None, leave=False) as bar:
        found = compare_policies(
            options, folder, progress, options.evaluation_tasks, episode=lambda episode: bar.update(1)
        )
    write_html(found, folder.path / "report.html")
    write_json(found, folder.path / "report.json")
