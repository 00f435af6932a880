"""``dreamgym annotate``: add to each step of a transitions file why the environment answered so."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dreamgym_env.cli.errors import INTERRUPTED, complain
from dreamgym_env.cli.options import SeedOption

if TYPE_CHECKING:
    from dreamgym_env.training.annotate import AnnotateReport

__all__ = ["annotate"]


def annotate(
    file: Annotated[Path, typer.Argument(help="Transitions file; it is not changed.")],
    teacher: Annotated[
        str,
        typer.Option(
            metavar="TEACHER",
            help="Who explains: rules (the domain's own), transformers:ID_OR_PATH, vllm:ID_OR_PATH or "
            "openai:MODEL@http://host:8000/v1.",
        ),
    ],
    out: Annotated[
        Path | None,
        typer.Option(help="Transitions file to write; by default NAME.annotated.jsonl beside NAME.jsonl."),
    ] = None,
    seed: SeedOption = 0,
    replace_reasoning: Annotated[
        bool, typer.Option("--replace-reasoning", help="Explain also the steps that carry reasoning already.")
    ] = False,
    batch: Annotated[int, typer.Option(min=1, help="How many episodes are explained at once.")] = 64,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Begin anew, replacing the written file.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
) -> None:
    """Explain experience: each step gets a short trace of whether it leads to success, and why the page came.

    An annotation that was interrupted, or whose server went away, continues where it was.

    A step without a valid answer is left without a trace; annotate the written file to ask for it again.
    """
    from dreamgym_env.training.annotate import annotate_experience, annotated_path

    try:
        report = annotate_experience(
            file,
            out or annotated_path(file),
            teacher,
            seed=seed,
            replace_reasoning=replace_reasoning,
            resume=not overwrite,
            batch=batch,
        )
    except KeyboardInterrupt:
        complain("Interrupted. The same command continues the annotation.")
        raise typer.Exit(INTERRUPTED) from None
    typer.echo(json.dumps(report.to_json(), indent=2) if as_json else _described(report))


def _described(report: AnnotateReport) -> str:
    lines = [
        f"{report.path}: {report.transitions:,} transitions of {report.episodes:,} episodes; {report.annotated:,} "
        f"explained by {report.teacher}, {report.kept:,} kept as they were, {report.missing:,} without a trace"
    ]
    if report.prompt_tokens or report.completion_tokens or report.invalid_answers:
        lines.append(
            f"  {report.invalid_answers:,} invalid answers, {report.retries:,} asked again; {report.prompt_tokens:,} "
            f"tokens read and {report.completion_tokens:,} written in {report.seconds:,.1f} s"
        )
    if report.last_problem:
        lines.append(f"  The last invalid answer: {report.last_problem}")
    if report.resumed_at:
        lines.append(f"  The first {report.resumed_at:,} episodes were there already.")
    return "\n".join(lines)
