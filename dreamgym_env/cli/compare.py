"""``dreamgym compare``: the same agents, tasks and seeds in a dream and in its real environment."""

from __future__ import annotations

import contextlib
import datetime
import platform
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dreamgym_env.cli.errors import INTERRUPTED, complain
from dreamgym_env.cli.options import SettingsOption, SplitOption, WorldModelOption, blame_settings, read_settings
from dreamgym_env.cli.output import check_writable, make_console, write_json
from dreamgym_env.errors import DreamGymError
from dreamgym_env.masking import mask_secrets

if TYPE_CHECKING:
    from rich.console import Console

    from dreamgym_env.evaluation.comparison import Comparison
    from dreamgym_env.evaluation.pairs import EnvironmentPair

__all__ = ["compare"]

_AGENTS = "oracle,noisy-oracle,random"


def compare(
    domain: Annotated[str | None, typer.Argument(help="Name of the domain, for example webshop.")] = None,
    agent: Annotated[str, typer.Option(help="Who plays, separated by commas; see below.")] = _AGENTS,
    tasks: Annotated[int, typer.Option(min=1, help="How many tasks.")] = 200,
    split: SplitOption = "test",
    seeds: Annotated[int, typer.Option(min=1, help="How many seeds: 0, 1, 2, ...")] = 3,
    world_model: WorldModelOption = "embedded",
    sim: Annotated[str | None, typer.Option(metavar="ID", help="A dream of your own, in place of DOMAIN.")] = None,
    real: Annotated[str | None, typer.Option(metavar="ID", help="The environment that it is judged by.")] = None,
    settings: SettingsOption = [],  # noqa: B006 - typer reads it
    real_settings: Annotated[
        list[str], typer.Option("--set-real", metavar="NAME=VALUE", help="A keyword of the real environment alone.")
    ] = [],  # noqa: B006
    lanes: Annotated[int, typer.Option(min=1, help="How many episodes run at once.")] = 32,
    anchors: Annotated[
        int, typer.Option(min=0, help="How many of the tasks a calibration of scores is fitted on (10 or more).")
    ] = 40,
    judge: Annotated[
        list[str], typer.Option(help="rules, or a language model's string; may be repeated. 'none' for no judge.")
    ] = ["rules"],  # noqa: B006
    sample: Annotated[int, typer.Option(min=1, help="How many steps of each side judges mark.")] = 100,
    allow_test_tasks: Annotated[
        bool, typer.Option("--allow-test-tasks", help="Although the dream's buffer holds experience of the tasks.")
    ] = False,
    report: Annotated[Path | None, typer.Option(help="Write an HTML report, one file that needs no network.")] = None,
    kept: Annotated[int, typer.Option("--transcripts", min=0, help="How many transcripts the report shows.")] = 60,
    json_file: Annotated[Path | None, typer.Option("--json", help="Write all figures to this file.")] = None,
    markdown: Annotated[Path | None, typer.Option(help="Write the main table to this Markdown file.")] = None,
    recordings: Annotated[
        Path | None, typer.Option(help="Folder for all steps, as two transitions files an agent: dream and real.")
    ] = None,
) -> None:
    """Say whether a dream is true: the same agents, tasks and seeds in it and in its real environment.

    The actions of each side are also taken again on the other. Agents are the domain's own (oracle, noisy-oracle(0.3),
    lazy, random, ...), llm(MODEL), policy(PATH), and replay(FILE).

    Two environments of your own (--sim ID --real ID) need texts as observations and actions; a module that registers
    them is named before a colon, as in my_package:MyEnv-v0.
    """
    from dreamgym_env.evaluation.pairs import open_pair, pair_ids

    console = make_console()
    dream_id, real_id = pair_ids(domain, sim, real)
    judges = [name for name in judge if name != "none"]
    _check_judges(judges)
    for path in (report, json_file, markdown):
        if path is not None:
            check_writable(path)
    if recordings is not None:
        recordings.mkdir(parents=True, exist_ok=True)
    dream_keywords, real_keywords = _keywords(dream_id, real_id, settings, real_settings, world_model)
    said = {
        **read_settings(settings),
        **{f"{name} of {real_id}": value for name, value in read_settings(real_settings).items()},
    }
    asked = {
        "settings": {name: mask_secrets(str(value)) for name, value in sorted(said.items())},
        "world_model": mask_secrets(world_model) if "world_model" in dream_keywords else "",
    }
    try:
        with contextlib.ExitStack() as opened:
            with blame_settings(said):
                pair = opened.enter_context(
                    open_pair(
                        dream_id,
                        real_id,
                        tasks=tasks,
                        lanes=min(lanes, tasks),
                        split=split,
                        dream_settings=dream_keywords,
                        real_settings=real_keywords,
                    )
                )
            comparison = _play(pair, agent, range(seeds), allow_test_tasks=allow_test_tasks)
            about = {**_about(pair, range(seeds)), **asked}
            found = _findings(comparison, about, anchors, kept, judges, sample)
    except KeyboardInterrupt:
        complain("Interrupted; nothing was written.")
        raise typer.Exit(INTERRUPTED) from None
    written = list(_write(comparison, found, report, json_file, markdown, recordings))
    _print(console, found)
    for line in written:
        console.print(line, markup=False)
    if found["broken_off"]:
        complain(f"The comparison is not whole: it broke off with {', '.join(found['broken_off'])}.")
        raise typer.Exit(1)


def _check_judges(judges: Sequence[str]) -> None:
    """Raise WorldModelStringError for a string that names no judge: no model is loaded to find that out."""
    from dreamgym_env.evaluation.judging.strings import judge_from_string

    for name in judges:
        judge_from_string(name).close()


def _keywords(
    dream_id: str, real_id: str, both: Sequence[str], real: Sequence[str], world_model: str
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the keywords of both sides; those of ``--set`` go to each side that knows them."""
    from dreamgym_env.evaluation.foreign.lanes import is_foreign
    from dreamgym_env.evaluation.pairs import known_keywords

    shared, own = read_settings(both), read_settings(real)
    of_dream, of_real = known_keywords(dream_id), known_keywords(real_id)
    dream = {name: value for name, value in shared.items() if of_dream is None or name in of_dream}
    other = {name: value for name, value in shared.items() if of_real is not None and name in of_real}
    for name in shared:
        if name not in dream and name not in other:
            raise typer.BadParameter(f"neither {dream_id} nor {real_id} knows {name!r}.", param_hint="--set")
    if not is_foreign(dream_id):
        dream["world_model"] = world_model
    return dream, {**other, **own}


def _play(pair: EnvironmentPair, names: str, seeds: Sequence[int], *, allow_test_tasks: bool) -> Comparison:
    from tqdm import tqdm

    from dreamgym_env.evaluation.agents import open_agents, parse_agents
    from dreamgym_env.evaluation.comparison import compare_agents

    with open_agents(pair.dream.domain, parse_agents(names)) as agents:
        total = 4 * len(pair.task_ids) * len(agents) * len(seeds)
        with tqdm(total=total, unit="episode", desc="dream and real", disable=None, leave=False) as bar:
            return compare_agents(
                pair.dream,
                pair.real,
                agents,
                pair.task_ids,
                seeds,
                allow_test_tasks=allow_test_tasks,
                progress=lambda episode: bar.update(1),
            )


def _about(pair: EnvironmentPair, seeds: Sequence[int]) -> dict[str, Any]:
    from dreamgym_env import __version__
    from dreamgym_env.simulation.simulator import Simulator

    about: dict[str, Any] = {
        "date": datetime.datetime.now().astimezone().date().isoformat(),
        "machine": platform.machine(),
        "versions": {"dreamgym_env": __version__, "python": platform.python_version()},
        "domain": pair.dream.domain.name,
        "split": pair.split,
        "tasks": len(pair.task_ids),
        "seeds": list(seeds),
    }
    if isinstance(pair.dream.backend, Simulator):
        buffer = pair.dream.backend.buffer
        about["memories"] = {"transitions": len(buffer), "sources": _sources(pair.dream.backend)}
    return about


def _sources(simulator: Any) -> Mapping[str, int]:
    from dreamgym_env.types import Source

    counts = {str(source): simulator.buffer.count(source) for source in (Source.REAL, Source.DREAM)}
    return {source: count for source, count in counts.items() if count}


def _findings(
    comparison: Comparison, about: Mapping[str, Any], anchors: int, kept: int, judges: Sequence[str], sample: int
) -> dict[str, Any]:
    from dreamgym_env.evaluation.findings import findings
    from dreamgym_env.evaluation.judged import judge_comparison

    judged, problem = None, ""
    if judges:
        try:
            judged = judge_comparison(comparison, judges, sample)
        except DreamGymError as error:  # what was played is worth more than its marks
            problem = f"The judges have not marked anything: {error}"
            complain(problem)
    found = findings(comparison, about, anchors=anchors, kept=kept, judged=judged)
    return {**found, "warnings": [*found["warnings"], *([problem] if problem else [])]}


def _print(console: Console, found: Mapping[str, Any]) -> None:
    from dreamgym_env.evaluation.report import tables

    for sentence in (*found["verdict"], *found["warnings"]):
        console.print(textwrap.fill(sentence, console.width), markup=False)
    for table in tables(found):
        console.print()
        console.print(table)


def _write(
    comparison: Comparison,
    found: Mapping[str, Any],
    report: Path | None,
    json_file: Path | None,
    markdown: Path | None,
    recordings: Path | None,
) -> Iterator[str]:
    """Write what was asked for, and say where it is."""
    from dreamgym_env.evaluation.report import markdown_table, write_html

    if report is not None:
        write_html(found, report)
        yield f"The report is {report}: open it in a browser."
    if json_file is not None:
        write_json(found, json_file)
        yield f"All figures are in {json_file}."
    if markdown is not None:
        markdown.parent.mkdir(parents=True, exist_ok=True)
        markdown.write_text(markdown_table(found), encoding="utf-8")
        yield f"The table is in {markdown}."
    if recordings is not None:
        from dreamgym_env.evaluation.recordings import write_recordings

        paths = write_recordings(comparison, recordings)
        yield f"All steps are in {len(paths)} files in {recordings}; the agent replay(FILE) plays one again."
