"""``dreamgym clone``: a small policy that does what recorded successes did."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dreamgym_env.cli.errors import INTERRUPTED, complain
from dreamgym_env.cli.options import DomainArgument, DomainSettingsOption, SeedOption, configured_domain, read_settings

if TYPE_CHECKING:
    from dreamgym_env.policies.cloning import CloneReport

__all__ = ["clone"]


def clone(
    domain: DomainArgument,
    out: Annotated[Path, typer.Option(help="Folder for the policy; one that is there is replaced.")],
    experience: Annotated[
        Path | None, typer.Option(help="Transitions file to learn from. [default: the shipped one]", show_default=False)
    ] = None,
    epochs: Annotated[int, typer.Option(min=1, help="How often every example is seen.")] = 12,
    seed: SeedOption = 0,
    settings: DomainSettingsOption = [],  # noqa: B006 - typer reads it
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
) -> None:
    """Clone the behaviour of recorded successes: an agent `policy(OUT)` that chooses among what a state offers.

    It learns from every step of the episodes that succeeded, and is measured on a tenth of them that it has not seen.
    """
    from dreamgym_env.policies.cloning import CloningOptions
    from dreamgym_env.policies.cloning import clone as train

    built = configured_domain(domain, read_settings(settings), transitions=experience)
    file = experience or built.seed_experience()
    if not file:
        raise typer.BadParameter("nothing is shipped here: name a transitions file.", param_hint="--experience")
    try:
        report = train(built, file, out, CloningOptions(epochs=epochs, seed=seed))
    except KeyboardInterrupt:
        complain("Interrupted: no policy was written.")
        raise typer.Exit(INTERRUPTED) from None
    typer.echo(json.dumps(report.to_json(), indent=2) if as_json else _described(report))


def _described(report: CloneReport) -> str:
    return "\n".join(
        [
            f"{report.path}: a policy for {report.domain}, {report.parameters:,} parameters, {report.seconds:,.0f} s",
            f"  learnt from    {report.episodes:,} successful episodes of {report.experience}",
            f"  examples       {report.examples:,}; {report.left_out:,} steps that no candidate stands for left out",
            f"  loss           {report.loss:.3f} nats an action over the last of {report.epochs} epochs",
            f"  accuracy       {report.accuracy:.1%} of {report.held_out_examples:,} actions of "
            f"{report.held_out_episodes} held-out episodes (chance {report.chance:.1%})",
            f"  agent          policy({report.path})",
        ]
    )
