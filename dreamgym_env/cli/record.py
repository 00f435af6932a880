"""``dreamgym record``: play episodes with scripted agents and write every step to a transitions file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dreamgym_env.cli.errors import INTERRUPTED, complain
from dreamgym_env.cli.options import (
    DomainArgument,
    SeedOption,
    SettingsOption,
    SplitOption,
    blame_settings,
    read_settings,
)

if TYPE_CHECKING:
    from dreamgym_env.training.record import AgentShare, RecordReport

__all__ = ["MIX", "read_agents", "record"]

MIX = "oracle:0.3,noisy-oracle:0.35,lazy:0.1,random:0.25"


def record(
    domain: DomainArgument,
    out: Annotated[Path, typer.Option(help="Transitions file to write; gzip if it ends in .gz.")],
    real: Annotated[bool, typer.Option("--real", help="Record the real environment (else its dream).")] = False,
    agents: Annotated[str, typer.Option(help="Who plays and how often: NAME:SHARE,NAME(NUMBER):SHARE,...")] = MIX,
    episodes: Annotated[int, typer.Option(min=1, help="How many episodes.")] = 100,
    split: SplitOption = "train",
    seed: SeedOption = 0,
    world_model: Annotated[
        str | None, typer.Option("--world-model", metavar="MODEL", help="Who dreams (not with --real).")
    ] = None,
    settings: SettingsOption = [],  # noqa: B006 - typer reads it
    lanes: Annotated[int, typer.Option(min=1, help="How many episodes run at once.")] = 64,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Begin anew, replacing the file.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
) -> None:
    """Record experience: a mix of agents plays, and every step is written down.

    The same settings give the same file, byte for byte.  A recording that was interrupted continues where it was.
    """
    from dreamgym_env.training.record import record_experience

    keywords = read_settings(settings)
    if world_model is not None and real:
        raise typer.BadParameter("the real environment has no world model.", param_hint="--world-model")
    if world_model is not None:
        keywords["world_model"] = world_model
    try:
        with blame_settings(keywords):
            report = record_experience(
                domain,
                out,
                agents=read_agents(agents),
                episodes=episodes,
                split=split,
                seed=seed,
                real=real,
                resume=not overwrite,
                lanes=lanes,
                settings=keywords,
            )
    except KeyboardInterrupt:
        complain("Interrupted. The same command continues the recording.")
        raise typer.Exit(INTERRUPTED) from None
    typer.echo(json.dumps(report.to_json(), indent=2) if as_json else _described(report))


def read_agents(text: str) -> tuple[AgentShare, ...]:
    """Read ``NAME:SHARE,NAME:SHARE,...``. Raises typer.BadParameter."""
    from dreamgym_env.training.record import parse_agent_shares

    try:
        return parse_agent_shares(text)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--agents") from error


def _described(report: RecordReport) -> str:
    figures: dict[str, Any] = {
        name: f"{agent.episodes:,} episodes, {agent.solved:,} solved, {agent.transitions:,} transitions"
        for name, agent in report.agents.items()
    }
    lines = [
        f"{report.path}: {report.transitions:,} transitions of {report.episodes:,} episodes in {report.env_id}, "
        f"{report.bytes / 1e6:.2f} MB",
        *(f"  {name:<14} {figure}" for name, figure in figures.items()),
    ]
    if report.resumed_at:
        lines.append(f"  The first {report.resumed_at:,} episodes were there already.")
    return "\n".join(lines)
