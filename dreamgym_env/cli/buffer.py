"""``dreamgym buffer``: look into a replay buffer, ask it, fill it from files and write it to one.

A location is a folder, the URL of a Chroma server, or ``seed``: the experience that the domain ships, or the file that
makes a recorded one.
"""

from __future__ import annotations

import json
import sys
import textwrap
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dreamgym_env.masking import mask_secrets

if TYPE_CHECKING:
    from dreamgym_env.memory import ReplayBuffer
    from dreamgym_env.types import Domain, Memory

__all__ = ["app"]

app = typer.Typer(no_args_is_help=True, help="Look into a replay buffer, ask it, fill it, write it to a file.")

_SEED = "seed"
_EXCERPT = 400  # characters of a page

LocationArgument = Annotated[
    str, typer.Argument(metavar="LOCATION", help="A folder, http://host:port of a Chroma server, or: seed.")
]
DomainOption = Annotated[str, typer.Option(help="Name of the buffer's domain.")]
ExperienceOption = Annotated[
    Path | None, typer.Option(help="Transitions file that makes a recorded domain, in place of --domain.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@app.command()
def info(
    location: LocationArgument,
    domain: DomainOption = "webshop",
    experience: ExperienceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Say what a buffer holds."""
    with _open(location, _domain(domain, experience)) as buffer:
        figures = {
            "location": mask_secrets(location),
            "domain": buffer.domain.name,
            "keys": buffer.encoder.name,
            **_figures(buffer),
        }
    if as_json:
        typer.echo(json.dumps(figures, indent=2))
        return
    for name, value in figures.items():
        typer.echo(f"{name.replace('_', ' '):<16}{_shown(value)}")


@app.command()
def query(
    location: LocationArgument,
    action: Annotated[str, typer.Option(help="What the agent does.")],
    state: Annotated[str | None, typer.Option(help="The page it does it on: a text, @FILE, or - to read it.")] = None,
    task_id: Annotated[str | None, typer.Option(help="Its task; without --state, the task's first page.")] = None,
    k: Annotated[int, typer.Option("-k", min=1, help="How many memories.")] = 5,
    domain: DomainOption = "webshop",
    experience: ExperienceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Retrieve the transitions most similar to a state and an action."""
    from dreamgym_env.memory import retrieve_similar_transitions

    if state is None and task_id is None:
        raise typer.BadParameter("give a page, or a task whose first page is meant.", param_hint="--state / --task-id")
    built = _domain(domain, experience)
    task = built.task(task_id) if task_id is not None else None
    page = _read_text(state) if state is not None else task.initial_state if task else ""
    with _open(location, built) as buffer:
        memories = retrieve_similar_transitions(page, action, task.instruction if task else "", (), buffer, k)
    if as_json:
        typer.echo(json.dumps([_memory_json(memory) for memory in memories], indent=2, ensure_ascii=False))
        return
    for memory in memories:
        _print_memory(buffer.domain, memory)
    if not memories:
        typer.echo(f"{mask_secrets(location)} holds no transitions.")


@app.command("import")
def import_(
    location: LocationArgument,
    files: Annotated[list[Path], typer.Argument(help="Transitions files.")],
    domain: DomainOption = "webshop",
    experience: ExperienceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Add the transitions of files to a buffer; of a file with a broken line, nothing."""
    from tqdm import tqdm

    if location == _SEED:
        raise typer.BadParameter("the shipped experience is not changed: name a folder or a server.")
    accepted = {}
    with _open(location, _domain(domain, experience), read_only=False) as buffer:
        for file in tqdm(files, desc="importing", unit="file", disable=None, leave=False):
            accepted[str(file)] = buffer.import_(file)
        buffer.flush()
        stats = buffer.stats()
    if as_json:
        typer.echo(json.dumps({"accepted": accepted, "buffer": stats}, indent=2))
        return
    for name, count in accepted.items():
        typer.echo(f"{name}: {count:,} transitions were new and accepted")
    typer.echo(f"{mask_secrets(location)} now holds {stats['real']:,} real and {stats['dream']:,} dream transitions.")


@app.command()
def export(
    location: LocationArgument,
    file: Annotated[Path, typer.Argument(help="Transitions file to write; gzip if it ends in .gz.")],
    domain: DomainOption = "webshop",
    experience: ExperienceOption = None,
) -> None:
    """Write all transitions of a buffer to a file."""
    from tqdm import tqdm

    from dreamgym_env.memory import write_transitions

    with _open(location, _domain(domain, experience)) as buffer:
        steps = tqdm(buffer.experience(), total=len(buffer), desc="exporting", disable=None, leave=False)
        count = write_transitions(file, steps, header={"domain": buffer.domain.name})
    typer.echo(f"{file}: {count:,} transitions")


def _domain(name: str, experience: Path | None) -> Domain:
    from dreamgym_env.domains import RECORDED, load_domain

    return load_domain(name) if experience is None else load_domain(RECORDED, experience=experience)


def _open(location: str, domain: Domain, *, read_only: bool = True) -> ReplayBuffer:
    from dreamgym_env.memory import ReplayBuffer

    if location == _SEED:
        return ReplayBuffer(domain)
    return ReplayBuffer(domain, location, seed_experience=False, read_only=read_only)


def _figures(buffer: ReplayBuffer) -> dict[str, Any]:
    """Count what a buffer holds, going through all of it."""
    domain = buffer.domain
    kinds: Counter[str] = Counter()
    sources: Counter[str] = Counter()
    splits: Counter[str] = Counter()
    tasks: set[str] = set()
    episodes: set[tuple[str, str]] = set()
    solved = invalid = 0
    for step in buffer.experience():
        kinds[domain.action_kind(step.action)] += 1
        sources[str(step.source)] += 1
        splits[step.split] += 1
        tasks.add(step.task_id)
        episodes.add((step.task_id, step.episode))
        solved += step.terminated and step.reward > 0
        invalid += not step.valid
    return {
        "transitions": len(buffer),
        "sources": dict(sources),
        "episodes": len(episodes),
        "solved_episodes": solved,
        "tasks": len(tasks),
        "splits": dict(splits),
        "actions": dict(kinds.most_common()),
        "invalid_actions": invalid,
    }


def _shown(value: Any) -> str:
    """Write a figure, a table of figures or a name for people."""
    if isinstance(value, dict):
        return ", ".join(f"{key} {count:,}" for key, count in value.items())
    return f"{value:,}" if isinstance(value, int) else str(value)


def _read_text(state: str) -> str:
    if state == "-":
        return sys.stdin.read().rstrip("\n")
    return Path(state[1:]).read_text(encoding="utf-8").rstrip("\n") if state.startswith("@") else state


def _memory_json(memory: Memory) -> dict[str, Any]:
    from dreamgym_env.memory.records import to_record

    record = to_record(memory.transition)
    record.pop("history", None)  # a whole episode, and not what was asked for
    return {"id": memory.id, "similarity": round(memory.similarity, 4), "transition": record}


def _print_memory(domain: Domain, memory: Memory) -> None:
    from dreamgym_env.envs.transcript import printable

    step = memory.transition
    page = " | ".join(domain.segment(step.next_state, step.instruction))
    typer.secho(f"{memory.similarity:.3f}  {printable(step.action)}", bold=True)
    typer.echo(f"       {step.source}, {step.task_id} step {step.step}, reward {step.reward:g}")
    typer.echo(f"       on a page of the kind {domain.page_kind(step.state)!r}")
    shown = textwrap.shorten(printable(page), _EXCERPT, placeholder=" …")
    typer.echo(textwrap.fill(shown, 100, initial_indent="       led to: ", subsequent_indent=" " * 15))
