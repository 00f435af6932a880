"""``dreamgym judge``: whether dreamt steps, and real ones beside them, are good ones to learn from."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dreamgym_env.cli.errors import INTERRUPTED, complain
from dreamgym_env.cli.interruptions import Interruptions
from dreamgym_env.cli.options import (
    DomainArgument,
    DomainSettingsOption,
    SeedOption,
    configured_domain,
    read_settings,
)
from dreamgym_env.cli.output import check_writable, make_console, write_json
from dreamgym_env.masking import mask_secrets

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dreamgym_env.evaluation.judging import PanelReport
    from dreamgym_env.types import Domain, Transition

__all__ = ["judge"]


def judge(
    domain: DomainArgument,
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="Transitions files, real or dreamt.")],
    judges: Annotated[
        list[str],
        typer.Option(
            "--judge",
            metavar="JUDGE",
            help="rules (a program), transformers:ID_OR_PATH, vllm:ID_OR_PATH or openai:MODEL@http://host:8000/v1; may "
            "be repeated, and then the judges' agreement is told.",
        ),
    ] = ["rules"],  # noqa: B006 - typer reads it
    sample: Annotated[
        int, typer.Option(min=1, help="How many steps of each source, real and dream, are judged.")
    ] = 200,
    settings: DomainSettingsOption = [],  # noqa: B006 - typer reads it
    seed: SeedOption = 0,
    out: Annotated[
        Path | None, typer.Option("--json", help="Write all figures, and each step's marks, to this JSON file.")
    ] = None,
) -> None:
    """Mark sampled steps by four criteria, 0 to 2 each: causal consistency, diversity, informativeness, hallucination.

    Real and dreamt steps stand side by side.  A judge's answer that cannot be read is counted, and is no mark.  A judge
    that fails as a whole costs the others nothing; the exit code is then 1.

    Rules measure diversity by the real steps among the files, or else by the shipped experience.
    """
    from dreamgym_env.evaluation.judging import ask_judges, judges_from_strings, sample_sources
    from dreamgym_env.memory.experience import read_domain_transitions

    if out is not None:
        if out.resolve() in {file.resolve() for file in files}:
            raise typer.BadParameter("it names one of the files that are to be judged.", param_hint="--json")
        check_writable(out)
    loaded = configured_domain(domain, read_settings(settings), transitions=files[0])
    found = [step for file in files for step in read_domain_transitions(file, loaded.name)]
    steps = sample_sources(loaded, found, sample, seed)
    with Interruptions() as interruptions, contextlib.ExitStack() as opened:
        reference = _reference(loaded, steps, sample, seed)
        asked = judges_from_strings(judges, reference=reference, seed=seed, progress=True)
        for one in asked:
            opened.callback(one.close)
        try:
            with interruptions.allowed():
                report = ask_judges(loaded, asked, steps, seed, keep_interrupted=True)
            if out is not None:
                asked_for = {"files": [mask_secrets(str(file)) for file in files], "sample": sample, "seed": seed}
                write_json({**asked_for, **report.to_json()}, out)
        except KeyboardInterrupt:
            complain("Interrupted; nothing was written.")
            raise typer.Exit(INTERRUPTED) from None
    _print(report, out)
    if report.interrupted or interruptions.seen:
        raise typer.Exit(INTERRUPTED)
    if report.failed:
        raise typer.Exit(1)


def _print(report: PanelReport, out: Path | None) -> None:
    console = make_console()
    for table in report.tables():
        console.print(table)
    for one in report.reports:
        if one.last_problem:
            console.print(f"{one.judge}: the last answer that could not be read: {one.last_problem}", markup=False)
    if out is not None:
        console.print(f"All figures are in {out}.", markup=False)
    for judge, problem in report.failed.items():
        complain(f"{judge} has marked no step: {problem}")


def _reference(domain: Domain, steps: Sequence[Transition], sample: int, seed: int) -> Sequence[Transition]:
    """Return the real steps of the sample, or else as many of the shipped experience; none where none is shipped."""
    from dreamgym_env.evaluation.judging import sample_transitions
    from dreamgym_env.memory.experience import read_transitions
    from dreamgym_env.types import Source

    real = [step for step in steps if step.source is Source.REAL]
    if real or not domain.seed_experience():
        return real
    return sample_transitions(domain, read_transitions(domain.seed_experience()), sample, seed)
