"""``dreamgym finetune``: train a world model on a transitions file."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dreamgym_env.cli.errors import INTERRUPTED, complain
from dreamgym_env.cli.options import DomainSettingsOption, SeedOption, configured_domain, read_settings

if TYPE_CHECKING:
    from dreamgym_env.training.finetune import FinetuneReport
    from dreamgym_env.types import Domain

__all__ = ["finetune"]


def finetune(
    transitions: Annotated[Path, typer.Option(help="Transitions file to learn from.")],
    base: Annotated[
        str,
        typer.Option(
            help="new:tiny, new:small, new:medium, embedded, or a causal language model: hub id, folder, .gguf file."
        ),
    ],
    out: Annotated[Path, typer.Option(help="Folder for the model.")],
    steps: Annotated[int, typer.Option(min=1, help="Optimiser steps.")] = 1000,
    batch_size: Annotated[int, typer.Option("--batch-size", min=1, help="Examples a device reads at once.")] = 16,
    gradient_accumulation: Annotated[
        int, typer.Option("--gradient-accumulation", min=1, help="Batches that make one step.")
    ] = 1,
    learning_rate: Annotated[
        float | None,
        typer.Option(
            "--learning-rate", help="Peak; by default 2e-3 (new), 5e-4 (embedded), 2e-5 (whole model) or 2e-4 (LoRA)."
        ),
    ] = None,
    max_length: Annotated[
        int | None,
        typer.Option(
            "--max-length", min=64, help="Tokens of an example; longer ones are left out. [default: 1024/4096]"
        ),
    ] = None,
    lora: Annotated[int, typer.Option(min=0, metavar="RANK", help="Train LoRA adapters of this rank.")] = 0,
    keep_adapter: Annotated[
        bool, typer.Option("--keep-adapter", help="Also save the adapters, in OUT/adapter.")
    ] = False,
    gradient_checkpointing: Annotated[
        bool, typer.Option("--gradient-checkpointing", help="Less memory, about a third more time.")
    ] = False,
    format_name: Annotated[
        str | None,
        typer.Option("--format", help="compact or chat. [default: compact for new models and embedded, else chat]"),
    ] = None,
    codec: Annotated[str, typer.Option(help="How the next state is written: edits or full.")] = "edits",
    max_memories: Annotated[
        int | None, typer.Option("--max-memories", min=0, help="Memories in a prompt. [default: compact 3, chat 5]")
    ] = None,
    k: Annotated[int, typer.Option("--k", min=0, help="Memories retrieved for an example.")] = 5,
    count: Annotated[int, typer.Option("--examples", min=1, help="How many examples to draw from the file.")] = 16_000,
    hide_task: Annotated[
        float, typer.Option("--hide-task", min=0, max=1, help="Share of examples that see nothing of their own task.")
    ] = 0.4,
    hide_action: Annotated[
        float, typer.Option("--hide-action", min=0, max=1, help="Share that see no memory of the same action.")
    ] = 0.25,
    seed: SeedOption = 0,
    domain: Annotated[
        str | None, typer.Option(help="Refuse transitions of another domain than this.", show_default=False)
    ] = None,
    settings: DomainSettingsOption = [],  # noqa: B006 - typer reads it
    save_steps: Annotated[int, typer.Option("--save-steps", min=0, help="Steps between checkpoints; 0: none.")] = 200,
    keep_checkpoints: Annotated[
        bool, typer.Option("--keep-checkpoints", help="Leave the checkpoints when the training is over.")
    ] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Begin anew, replacing what OUT holds.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
) -> None:
    """Fine-tune a world model, for world_model="transformers:OUT".

    Each example is grounded in memories from the same file, never of its own episode.  A training that was interrupted
    continues where it was, with the same result.
    """
    from dreamgym_env.training.examples import ExampleOptions
    from dreamgym_env.training.finetune import FormatOptions, TrainingOptions
    from dreamgym_env.training.finetune import finetune as train

    if learning_rate is not None and not 0 < learning_rate < 1:
        raise typer.BadParameter("it must lie between 0 and 1.", param_hint="--learning-rate")
    options = TrainingOptions(
        steps=steps,
        batch_size=batch_size,
        gradient_accumulation=gradient_accumulation,
        learning_rate=learning_rate,
        max_length=max_length,
        lora=lora,
        gradient_checkpointing=gradient_checkpointing,
        save_steps=save_steps,
        seed=seed,
    )
    training = functools.partial(
        train,
        transitions,
        base,
        out,
        domain=_domain(domain, settings, transitions),
        format_options=FormatOptions(format_name, codec, max_memories),
        example_options=ExampleOptions(k=k, hide_task=hide_task, hide_action=hide_action, count=count),
        options=options,
        overwrite=overwrite,
        keep_checkpoints=keep_checkpoints,
        keep_adapter=keep_adapter,
    )
    _run(training, as_json=as_json)


def _run(training: Callable[[], FinetuneReport], *, as_json: bool) -> None:
    """Train, and tell what came of it."""
    from dreamgym_env.training.checkpoints import is_first_process

    try:
        report = training()
    except KeyboardInterrupt:
        complain("Interrupted. The same command continues after the latest checkpoint.")
        raise typer.Exit(INTERRUPTED) from None
    if is_first_process():  # of those that `accelerate launch` or torchrun started
        typer.echo(json.dumps(report.to_json(), indent=2) if as_json else _described(report))


def _domain(name: str | None, settings: list[str], transitions: Path) -> Domain | None:
    """Return the domain that was named, built with its keywords; None where the file is to name it."""
    keywords = read_settings(settings)
    if name is None:
        if keywords:
            raise typer.BadParameter("say with --domain whose keywords these are.", param_hint="--set")
        return None
    return configured_domain(name, keywords, transitions=transitions)


def _described(report: FinetuneReport) -> str:
    settings = report.settings
    lines = [
        f"{report.path}: {report.base}, {report.parameters / 1e6:.1f} M parameters, on {report.device}",
        f"  format         {settings['format']}, codec {settings['codec']}, {settings['max_memories']} memories",
        f"  transitions    {', '.join(f'{count:,} {split}' for split, count in (report.splits or {}).items())}",
        f"  examples       {report.examples:,}; {report.too_long:,} longer than {report.max_length:,} tokens left out",
        f"  steps          {report.steps:,} in {report.seconds:,.0f} s",
        f"  loss           {report.loss:.4f} nats a token; {report.final_loss:.4f} over the last tenth",
        f'  world_model="transformers:{report.path}"',
    ]
    if report.trained_parameters < report.parameters:
        lines.insert(1, f"  trained        {report.trained_parameters / 1e6:.2f} M parameters (LoRA)")
    if report.explained_by_rules:
        lines.append(
            f"  {report.explained_by_rules:,} transitions carried no reasoning: the domain's rules gave them one."
        )
    if "test" in (report.splits or {}):
        lines.append("  Some transitions are of the split test: do not evaluate this model on it.")
    if report.resumed_at:
        lines.append(f"  The first {report.resumed_at:,} steps were there already.")
    return "\n".join(lines)
