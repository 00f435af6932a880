"""``dreamgym fidelity``: how faithfully a world model answers what real experience has answered."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dreamgym_env.cli.options import (
    DomainArgument,
    DomainSettingsOption,
    SeedOption,
    SplitOption,
    WorldModelOption,
    blame_settings,
    configured_domain,
    read_settings,
)
from dreamgym_env.cli.output import make_console, write_json
from dreamgym_env.cli.record import MIX, read_agents
from dreamgym_env.masking import mask_secrets

if TYPE_CHECKING:
    from dreamgym_env.types import Transition

__all__ = ["fidelity"]


def fidelity(
    domain: DomainArgument,
    world_model: WorldModelOption = "embedded",
    split: SplitOption = "test",
    transitions: Annotated[
        Path | None, typer.Option(help="Real transitions to ask about; else they are recorded first.")
    ] = None,
    episodes: Annotated[int, typer.Option(min=1, help="How many episodes to record.")] = 100,
    agents: Annotated[str, typer.Option(help="Who plays them: NAME:SHARE,NAME:SHARE,...")] = MIX,
    buffer: Annotated[
        str | None, typer.Option(help="Folder or server of a replay buffer, beside the shipped experience.")
    ] = None,
    k: Annotated[int, typer.Option("-k", min=0, help="Memories for each question.")] = 5,
    codec: Annotated[str | None, typer.Option(help="full or edits; by default what the model was trained on.")] = None,
    ablate: Annotated[bool, typer.Option("--ablate", help="Also leave out one part after the other.")] = False,
    settings: DomainSettingsOption = [],  # noqa: B006 - typer reads it
    seed: SeedOption = 0,
    out: Annotated[Path | None, typer.Option(help="Write all figures to this JSON file.")] = None,
) -> None:
    """Ask a world model about recorded real steps, one by one, and lay its answers beside the real ones.

    Nothing that was recorded of a step's own task is among its memories.  The state repeated and the nearest memory
    copied stand in the same table: what a model is worth begins above them.

    DOMAIN may be the name that a file of any other environment gives its transitions: memories are then those of --set
    experience=FILE, or else of --transitions itself.

    A shop of one's own ships no experience: memories are then those of --buffer, or of --set seed_experience=FILE.
    """
    from dreamgym_env.evaluation.ablation import ablate as leave_out
    from dreamgym_env.evaluation.ablation import ablation_table
    from dreamgym_env.evaluation.fidelity import MODEL, FidelityOptions, answer_all
    from dreamgym_env.evaluation.fidelity_report import figures_json, report_fidelity
    from dreamgym_env.memory import ReplayBuffer
    from dreamgym_env.world_model.build import world_model_from_string

    console = make_console()
    keywords = read_settings(settings)
    of_domain = {name: value for name, value in keywords.items() if name != "seed_experience"}
    loaded = configured_domain(domain, keywords, others=["seed_experience"], transitions=transitions)
    steps = _steps(loaded.name, of_domain, transitions, episodes, split, agents, seed)
    options = FidelityOptions(k=k, seed=seed)
    with blame_settings(keywords):
        opened = ReplayBuffer(
            loaded, buffer, read_only=buffer is not None, seed_experience=keywords.get("seed_experience", True)
        )
    generation: dict[str, Any] = {} if codec is None else {"codec": codec}
    with (
        opened as memories,
        contextlib.closing(world_model_from_string(world_model, loaded, **generation)) as model,
    ):
        report = report_fidelity(loaded, answer_all(loaded, model, memories, steps, options, progress=True), seed)
        for table in report.tables():
            console.print(table)
        figures = report.to_json()
        if ablate:
            changed = leave_out(
                loaded, world_model, model.generator, memories, steps, options, progress=True, settings=generation
            )
            variants = {"as it is": report.overall[MODEL], **dict(changed)}
            console.print(ablation_table(variants))
            figures["ablation"] = {name: figures_json(found) for name, found in variants.items()}
    if out is not None:
        asked = {
            "world_model": mask_secrets(world_model),
            "k": k,
            "settings": {name: mask_secrets(str(value)) for name, value in keywords.items()},
        }
        write_json({**asked, **figures}, out)
        console.print(f"All figures are in {out}.")


def _steps(
    domain: str,
    settings: Mapping[str, Any],
    path: Path | None,
    episodes: int,
    split: str,
    agents: str,
    seed: int,
) -> list[Transition]:
    """Read real steps of a file, or record them."""
    from dreamgym_env.domains import DOMAINS
    from dreamgym_env.errors import ExperienceFormatError
    from dreamgym_env.memory.experience import read_domain_transitions, read_transitions
    from dreamgym_env.training.record import record_experience
    from dreamgym_env.types import Source

    if path is None and domain not in DOMAINS:
        raise typer.BadParameter(
            "a recorded environment is not played here: give real steps.", param_hint="--transitions"
        )
    if path is None:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "real.jsonl"
            record_experience(
                domain,
                path,
                agents=read_agents(agents),
                episodes=episodes,
                split=split,
                seed=seed,
                real=True,
                settings=settings,
            )
            return read_transitions(path)
    steps = read_domain_transitions(path, domain)
    dreamt = sum(step.source is not Source.REAL for step in steps)
    if dreamt:
        raise ExperienceFormatError(
            f"{path} holds dreamt transitions ({dreamt:,} of {len(steps):,}): fidelity is measured on real ones, which "
            "`dreamgym record --real` writes."
        )
    return steps
