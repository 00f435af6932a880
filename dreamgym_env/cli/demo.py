"""``dreamgym demo``: an episode in the dream beside the same actions in the real engine, then both in figures.

With ``--dream-only`` it is the dream's episode alone, which needs nothing that a real environment does.
"""

from __future__ import annotations

import contextlib
import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dreamgym_env.cli.options import SeedOption, WorldModelOption
from dreamgym_env.cli.output import make_console, write_json

if TYPE_CHECKING:
    from rich.console import Console

    from dreamgym_env.cli.episodes import EpisodePair
    from dreamgym_env.envs.text_vector_env import TextVectorEnv
    from dreamgym_env.evaluation.rollout import Rollout
    from dreamgym_env.evaluation.side_by_side import SideBySide

__all__ = ["demo"]

_SPLIT = "test"
_SHOWN_AGENT, _COMPARED_AGENT = "oracle", "noisy-oracle"
_MOST_LANES = 32
_LESSON_TASKS = 200
"""Test tasks that success is measured on before and after learning."""


def demo(
    domain: Annotated[str, typer.Argument(help="Name of the domain.")] = "webshop",
    tasks: Annotated[int, typer.Option(min=1, help="How many test tasks the table counts.")] = 24,
    world_model: WorldModelOption = "embedded",
    seed: SeedOption = 0,
    json_file: Annotated[Path | None, typer.Option("--json", help="Also write all figures to this file.")] = None,
    dream_only: Annotated[
        bool, typer.Option("--dream-only", help="One episode in the dream; the real environment is left out.")
    ] = False,
    learn: Annotated[
        bool,
        typer.Option("--learn", help="A policy learns in the dream for a minute or two, and is tried in the real one."),
    ] = False,
    steps: Annotated[int, typer.Option(min=1, help="Steps that it learns from (with --learn).")] = 1536,
) -> None:
    """Show the dream beside the real environment: one episode page by page, then a table over test tasks.

    With --learn, in place of these: what a small policy learns in the dream, and what it can then do in the real one.

    The episode is an oracle's, which knows the goal; the table is played by a noisy oracle, which often errs, so that
    the two environments can disagree about failures too.
    """
    from dreamgym_env.cli.episodes import print_pair
    from dreamgym_env.evaluation.environments import make_lanes
    from dreamgym_env.evaluation.pairs import draw_tasks

    console = make_console()
    if learn:
        _show_learning(console, domain, world_model, seed, steps, json_file)
        return
    if dream_only:
        _show_dream(console, domain, world_model, seed, json_file)
        return
    lanes = min(tasks, _MOST_LANES)
    dream = _open_dream(console, domain, lanes, world_model)
    with contextlib.closing(dream), contextlib.closing(make_lanes(domain, lanes, real=True, split=_SPLIT)) as real:
        shown, *compared = draw_tasks(dream.domain, _SPLIT, tasks + 1, seed)
        pair = _play_pair(console, dream, real, shown, seed)
        print_pair(console, dream.domain, pair)
        comparison = _compare(dream, real, compared or [shown], seed)
    _print_comparison(console, comparison)
    if json_file is not None:
        write_json({"episode": pair.to_json(), "side_by_side": comparison.to_json()}, json_file)
        console.print()
        _say(console, f"All figures are in {json_file}.")
    _say_next(console, domain, comparison.dream.env_id)


def _show_learning(
    console: Console, domain: str, world_model: str, seed: int, steps: int, json_file: Path | None
) -> None:
    """Let a policy learn in the dream, and print what that is worth in the real environment."""
    from dreamgym_env.cli.lesson import show_learning

    found = show_learning(console, domain, world_model, seed, steps, _LESSON_TASKS)
    if json_file is not None:
        write_json(found, json_file)
        _say(console, f"All figures are in {json_file}.")
    console.print()
    _say(console, f"Next: `dreamgym clone {domain} --out FOLDER`, then `dreamgym train {domain} --start FOLDER ...`.")


def _show_dream(console: Console, domain: str, world_model: str, seed: int, json_file: Path | None) -> None:
    """Play an episode in the dream and print it."""
    from dreamgym_env.cli.episodes import episode_json, print_episode
    from dreamgym_env.evaluation.environments import environment_id
    from dreamgym_env.evaluation.pairs import draw_tasks

    with contextlib.closing(_open_dream(console, domain, 1, world_model)) as dream:
        (task_id,) = draw_tasks(dream.domain, _SPLIT, 1, seed)
        dreamt = _play_dream(console, dream, task_id, seed)
        print_episode(console, dreamt.env_id, dreamt.episodes[0])
    if json_file is not None:
        write_json({"env_id": dreamt.env_id, "episode": episode_json(dreamt.episodes[0])}, json_file)
        _say(console, f"The episode is in {json_file}.")
    _say(console, f"Its real counterpart is {environment_id(domain, real=True)}; no step of it was taken here.")
    _say_next(console, domain, dreamt.env_id)


def _open_dream(console: Console, domain: str, lanes: int, world_model: str) -> TextVectorEnv:
    from dreamgym_env.evaluation.environments import make_lanes

    with _waiting(console, "Opening the dream; the first time, its experience is indexed"):
        return make_lanes(domain, lanes, real=False, split=_SPLIT, world_model=world_model, evaluation=True)


def _say_next(console: Console, domain: str, dream_id: str) -> None:
    console.print()
    _say(
        console,
        f"Next: type the actions yourself with `dreamgym play {domain}` (--real for the real engine), or in Python, "
        f"after `import dreamgym_env`, use `gymnasium.make({dream_id!r})`.",
    )


def _play_pair(console: Console, dream: TextVectorEnv, real: TextVectorEnv, task_id: str, seed: int) -> EpisodePair:
    """Play an episode in the dream and take its actions again in the real environment."""
    from dreamgym_env.cli.episodes import EpisodePair
    from dreamgym_env.evaluation.rollout import replay_actions

    dreamt = _play_dream(console, dream, task_id, seed)
    replayed = replay_actions(real, dreamt.episodes)
    return EpisodePair(dreamt.env_id, dreamt.episodes[0], replayed.env_id, replayed.episodes[0])


def _play_dream(console: Console, dream: TextVectorEnv, task_id: str, seed: int) -> Rollout:
    from dreamgym_env.evaluation.agents import agent_factory
    from dreamgym_env.evaluation.rollout import plan_episodes, play

    agents = {_SHOWN_AGENT: agent_factory(dream.domain, _SHOWN_AGENT)}
    with _waiting(console, f"Dreaming the task {task_id}"):
        return play(dream, agents, plan_episodes([task_id], _SHOWN_AGENT, seed))


def _compare(dream: TextVectorEnv, real: TextVectorEnv, task_ids: Sequence[str], seed: int) -> SideBySide:
    from tqdm import tqdm

    from dreamgym_env.evaluation.agents import agent_factory
    from dreamgym_env.evaluation.side_by_side import compare

    agents = {_COMPARED_AGENT: agent_factory(dream.domain, _COMPARED_AGENT)}
    with tqdm(total=3 * len(task_ids), unit="episode", desc="dream and real", disable=None, leave=False) as bar:
        return compare(dream, real, agents, _COMPARED_AGENT, task_ids, seed, progress=lambda episode: bar.update(1))


def _print_comparison(console: Console, comparison: SideBySide) -> None:
    console.print()
    console.print(comparison.table())
    for sentence in comparison.sentences():
        _say(console, sentence)


def _say(console: Console, text: str) -> None:
    console.print(textwrap.fill(text, console.width), markup=False)


def _waiting(console: Console, text: str) -> contextlib.AbstractContextManager[object]:
    """Say what is being waited for, on a terminal with something that moves."""
    if console.is_terminal:
        return console.status(f"{text} …")
    return contextlib.nullcontext()
