"""``dreamgym compare``: the same agents, tasks and seeds in a dream and in its real environment."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from dreamgym_env.cli.comparing import Asked, Outputs, run
from dreamgym_env.cli.options import SettingsOption, SplitOption, WorldModelOption, read_settings
from dreamgym_env.masking import mask_secrets

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
    from dreamgym_env.evaluation.agent_names import parse_agents
    from dreamgym_env.evaluation.pairs import pair_ids

    dream_id, real_id = pair_ids(domain, sim, real)
    dream_keywords, real_keywords = _keywords(dream_id, real_id, settings, real_settings, world_model)
    told = {
        **read_settings(settings),
        **{f"{name} of {real_id}": value for name, value in read_settings(real_settings).items()},
    }
    asked = Asked(
        dream_id=dream_id,
        real_id=real_id,
        dream_keywords=dream_keywords,
        real_keywords=real_keywords,
        agents=parse_agents(agent),
        tasks=tasks,
        split=split,
        seeds=range(seeds),
        lanes=min(lanes, tasks),
        allow_test_tasks=allow_test_tasks,
        anchors=anchors,
        judges=_judges(judge),
        sample=sample,
        kept=kept,
        told={
            "settings": {name: mask_secrets(str(value)) for name, value in sorted(told.items())},
            "world_model": mask_secrets(world_model) if "world_model" in dream_keywords else "",
        },
    )
    outputs = Outputs(report, json_file, markdown, recordings)
    outputs.check()
    raise typer.Exit(run(asked, outputs))


def _judges(names: Sequence[str]) -> list[str]:
    """Return the judges that are to be asked.

    Raises:
        WorldModelStringError: a string names none, or two name the same; no model is loaded to find that out.
    """
    from dreamgym_env.evaluation.judging.strings import judges_from_strings

    wanted = [name for name in names if name != "none"]
    for judge in judges_from_strings(wanted):
        judge.close()
    return wanted


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
