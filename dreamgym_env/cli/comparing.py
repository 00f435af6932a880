"""What ``dreamgym compare`` does with its options: play, judge, work out, write and tell."""

from __future__ import annotations

import contextlib
import textwrap
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from dreamgym_env.atomic_files import write_atomically
from dreamgym_env.cli.errors import INTERRUPTED, complain
from dreamgym_env.cli.interruptions import Interruptions
from dreamgym_env.cli.options import blame_settings
from dreamgym_env.cli.output import check_writable, make_console, write_json
from dreamgym_env.errors import DreamGymError

if TYPE_CHECKING:
    from dreamgym_env.evaluation.comparison import Comparison
    from dreamgym_env.evaluation.pairs import EnvironmentPair

__all__ = ["Asked", "Outputs", "run"]


@dataclass(frozen=True, slots=True)
class Asked:
    """What is to be compared, and how."""

    dream_id: str
    real_id: str
    dream_keywords: Mapping[str, Any]
    real_keywords: Mapping[str, Any]
    agents: Sequence[str]
    tasks: int
    split: str
    seeds: Sequence[int]
    lanes: int
    allow_test_tasks: bool
    anchors: int
    judges: Sequence[str]
    sample: int
    """How many steps of each side judges mark."""
    kept: int
    """How many transcripts the report shows."""
    told: Mapping[str, Any]
    """What a report says of the settings, without secrets."""


@dataclass(frozen=True, slots=True)
class Outputs:
    """Files to write; None for none."""

    report: Path | None
    figures: Path | None
    table: Path | None
    recordings: Path | None
    """Of a folder."""

    def check(self) -> None:
        """Find out whether all can be written, before anything takes long.

        Raises:
            OSError: one cannot.
            typer.BadParameter: two are the same file.
        """
        files = [path for path in (self.report, self.figures, self.table) if path is not None]
        if len({path.resolve() for path in files}) < len(files):
            raise typer.BadParameter("two of --report, --json and --markdown name the same file.")
        for path in files:
            check_writable(path)
        if self.recordings is not None:
            self.recordings.mkdir(parents=True, exist_ok=True)
            check_writable(self.recordings / ".writable")


def run(asked: Asked, outputs: Outputs) -> int:
    """Compare, write what was asked for, and tell the verdict; return the command's exit code.

    The first Ctrl-C, or SIGTERM, ends the playing or the judging; what is finished is reported.
    """
    with Interruptions() as interruptions:
        try:
            with contextlib.ExitStack() as opened:
                with interruptions.allowed():
                    pair = opened.enter_context(_opened(asked))
                    comparison = _play(pair, asked)
                judged, problems = ({}, []) if comparison.interrupted else _judge(comparison, asked, interruptions)
                found = _findings(comparison, {**pair.about(asked.seeds), **asked.told}, asked, judged, problems)
                is_written = _tell(comparison, found, outputs)
        except KeyboardInterrupt:
            finished = "" if interruptions.seen > 1 else " before an agent had finished a seed; nothing was written"
            complain(f"Interrupted{finished}.")
            return INTERRUPTED
    if found["broken_off"]:
        complain(f"The comparison is not whole: it broke off with {', '.join(found['broken_off'])}.")
    if found["interrupted"] or interruptions.seen:
        return INTERRUPTED
    is_told = any(agent["success"]["dream"] for agent in found["agents"])  # else every episode failed
    return 0 if is_written and is_told and not found["broken_off"] else 1


@contextlib.contextmanager
def _opened(asked: Asked) -> Iterator[EnvironmentPair]:
    from dreamgym_env.evaluation.pairs import open_pair

    with contextlib.ExitStack() as opened:
        with blame_settings(asked.told["settings"]):
            pair = opened.enter_context(
                open_pair(
                    asked.dream_id,
                    asked.real_id,
                    tasks=asked.tasks,
                    lanes=asked.lanes,
                    split=asked.split,
                    dream_settings=asked.dream_keywords,
                    real_settings=asked.real_keywords,
                )
            )
        yield pair


def _play(pair: EnvironmentPair, asked: Asked) -> Comparison:
    from tqdm import tqdm

    from dreamgym_env.evaluation.agents import full_name, open_agents
    from dreamgym_env.evaluation.comparison import compare_agents

    domain = pair.dream.domain
    with open_agents(domain, [full_name(domain, name) for name in asked.agents]) as agents:
        total = 4 * len(pair.task_ids) * len(agents) * len(asked.seeds)
        with tqdm(total=total, unit="episode", desc="dream and real", disable=None, leave=False) as bar:
            return compare_agents(
                pair.dream,
                pair.real,
                agents,
                pair.task_ids,
                asked.seeds,
                allow_test_tasks=asked.allow_test_tasks,
                keep_interrupted=True,
                progress=lambda episode: bar.update(1),
            )


def _judge(
    comparison: Comparison, asked: Asked, interruptions: Interruptions
) -> tuple[Mapping[str, Any], Sequence[str]]:
    """Return what judges found, and what they could not; what was played is worth more than its marks."""
    from dreamgym_env.evaluation.judged import judge_comparison

    if not asked.judges:
        return {}, []
    try:
        with interruptions.allowed():
            judged = judge_comparison(comparison, asked.judges, asked.sample)
    except (DreamGymError, KeyboardInterrupt) as error:
        why = str(error) if isinstance(error, DreamGymError) else "They were interrupted."
        complain(problem := f"The judges have not marked anything: {why}")
        return {}, [problem]
    for judge, why in judged["judges_failed"].items():
        complain(f"The judge {judge} has marked no step: {why}")
    return judged, []


def _findings(
    comparison: Comparison,
    about: Mapping[str, Any],
    asked: Asked,
    judged: Mapping[str, Any],
    problems: Sequence[str],
) -> dict[str, Any]:
    from dreamgym_env.evaluation.findings import findings

    found = findings(comparison, about, anchors=asked.anchors, kept=asked.kept, judged=judged)
    return {**found, "warnings": [*found["warnings"], *problems]}


def _tell(comparison: Comparison, found: Mapping[str, Any], outputs: Outputs) -> bool:
    """Write and print; return whether all could be written.  A file that cannot be costs no other."""
    from dreamgym_env.evaluation.report import tables

    console = make_console()
    written, problems = [], []
    for write, path in _writers(comparison, found, outputs):
        try:
            written.append(write(path))
        except OSError as error:
            problems.append(f"{path} could not be written: {error.strerror or error}.")
    for sentence in (*found["verdict"], *found["warnings"]):
        console.print(textwrap.fill(sentence, console.width), markup=False)
    for table in tables(found):
        console.print()
        console.print(table)
    for line in written:
        console.print(line, markup=False)
    for problem in problems:
        complain(problem)
    return not problems


def _writers(
    comparison: Comparison, found: Mapping[str, Any], outputs: Outputs
) -> Iterator[tuple[Callable[[Path], str], Path]]:
    """Yield what writes a file and says where it is, and its path."""
    from dreamgym_env.evaluation.recordings import write_recordings
    from dreamgym_env.evaluation.report import markdown_table, write_html

    def all_figures(path: Path) -> str:
        write_json(found, path)
        return f"All figures are in {path}."

    def whole_report(path: Path) -> str:
        write_html(found, path)
        return f"The report is {path}: open it in a browser."

    def main_table(path: Path) -> str:
        write_atomically(path, markdown_table(found))
        return f"The table is in {path}."

    def all_steps(folder: Path) -> str:
        count = len(write_recordings(comparison, folder))
        return f"All steps are in {count} files in {folder}; the agent replay(FILE) plays one again."

    for write, path in (
        (all_figures, outputs.figures),  # first, for all else can be made of them
        (whole_report, outputs.report),
        (main_table, outputs.table),
        (all_steps, outputs.recordings),
    ):
        if path is not None:
            yield write, path
