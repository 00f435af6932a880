"""``dreamgym play``: a person types the actions."""

from __future__ import annotations

import contextlib
import re
import shutil
import sys
import textwrap
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dreamgym_env.cli.options import (
    DomainArgument,
    SettingsOption,
    SplitOption,
    WorldModelOption,
    blame_settings,
    read_settings,
)

if TYPE_CHECKING:
    import gymnasium as gym

__all__ = ["play"]

_HELP = """\
Type an action as it is listed, or its number; a number whose action has a <blank> asks for the words.
help shows this, look shows the page again, quit (or Ctrl-D) ends; where the page lists such an action, write :help,
:look, :quit for these."""
_BLANK = re.compile(r"<([^<>]*)>")


def play(
    domain: DomainArgument,
    real: Annotated[bool, typer.Option("--real", help="Play the real environment (else its dream).")] = False,
    task_id: Annotated[str | None, typer.Option(help="Task to play, such as webshop/test/17.")] = None,
    split: SplitOption = "train",
    seed: Annotated[int | None, typer.Option(min=0, help="Draws the task; by default another each time.")] = None,
    world_model: WorldModelOption = "embedded",
    settings: SettingsOption = [],  # noqa: B006 - typer reads it
) -> None:
    """Play an episode by hand, in the dream or in the real environment."""
    import gymnasium as gym

    from dreamgym_env.evaluation.environments import environment_id

    keywords = read_settings(settings)
    env_id = environment_id(domain, real=real)
    chosen = keywords if real else {"world_model": world_model, **keywords}
    with blame_settings(keywords):
        env: gym.Env[str, str] = gym.make(env_id, split=split, **chosen)
    with contextlib.closing(env):
        observation, info = env.reset(seed=seed, options={"task_id": task_id} if task_id else {})
        try:
            _Game(env, env_id, observation, info).run()
        except (EOFError, KeyboardInterrupt):
            typer.echo("\nLeft.")


class _Game:
    """One episode at the keyboard."""

    def __init__(self, env: gym.Env[str, str], env_id: str, observation: str, info: dict[str, Any]) -> None:
        self._env = env
        self._env_id = env_id
        self._observation = observation
        self._info = info
        self._width = min(shutil.get_terminal_size((100, 24)).columns, 110)

    def run(self) -> None:
        """Play until the episode ends or the player leaves."""
        with contextlib.suppress(ImportError):
            import readline  # noqa: F401 - gives input() a history and a line editor
        typer.secho(f"{self._info['task_id']} in {self._env_id}", bold=True)
        self._say(self._info["instruction"])
        typer.echo(f"\n{_HELP}")
        self._show_page()
        steps = 0
        for action in self._typed_actions():
            steps += 1
            observation, _, terminated, truncated, info = self._env.step(action)
            self._observation, self._info = observation, info
            self._show_outcome()
            if terminated or truncated:
                return self._show_end(steps)
            self._show_page()
        typer.echo(f"Left after {steps} actions.")
        return None

    def _typed_actions(self) -> Iterator[str]:
        """Yield what the player wants done; ends at ``quit``."""
        while True:
            typed = _ask("> ").strip()
            command = typed.removeprefix(":") if typed not in self._info["available_actions"] else ""
            if command in ("quit", "exit"):
                return
            if command == "help":
                typer.echo(_HELP)
            elif command == "look":
                self._show_page()
            elif typed:
                action = self._numbered(typed) if typed.isdecimal() else typed
                if action:
                    yield action

    def _numbered(self, typed: str) -> str:
        """Return the action of a number with its blanks filled, or an empty text."""
        offered = self._info["available_actions"]
        if not 1 <= int(typed) <= len(offered):
            typer.echo(f"There are actions 1 to {len(offered)} here.")
            return ""
        action: str = offered[int(typed) - 1]
        while blank := _BLANK.search(action):
            words = _BLANK.sub("", _ask(f"{blank[1]}: ")).strip()
            if not words:
                return ""
            action = f"{action[: blank.start()]}{words}{action[blank.end() :]}"
        return action

    def _show_page(self) -> None:
        typer.echo("")
        self._say(self._observation, indent="    ")
        typer.echo("")
        for line in _columns(self._info["available_actions"], self._width):
            typer.secho(line, fg=typer.colors.CYAN)

    def _show_outcome(self) -> None:
        info = self._info
        seconds = f", {info['seconds']:.1f} s" if info["seconds"] else ""
        typer.secho(f"\nanswered by: {info['answered_by']}{seconds}", dim=True)
        if info["reasoning"]:
            self._say(info["reasoning"], indent="  # ", dim=True)
        if not info["valid"]:
            typer.secho("The page does not offer this action.", fg=typer.colors.YELLOW)
        if info["failure"]:
            self._say(info["failure"], indent="  ! ", fg=typer.colors.RED)

    def _show_end(self, steps: int) -> None:
        info = self._info
        typer.echo("")
        self._say(self._observation, indent="    ")
        typer.secho(
            f"\n{info['stop_reason']} after {steps} actions, score {info['task_score']:.2f} (in {self._env_id})",
            bold=True,
            fg=typer.colors.GREEN if info["won"] else typer.colors.YELLOW,
        )

    def _say(self, text: str, indent: str = "", **style: Any) -> None:
        from dreamgym_env.envs.transcript import printable

        wrapped = textwrap.fill(printable(text), self._width, initial_indent=indent, subsequent_indent=indent)
        typer.secho(wrapped, **style)


def _ask(prompt: str) -> str:
    """Read a line; where it does not come from a terminal, repeat it, so that the output reads as a dialogue."""
    from dreamgym_env.envs.transcript import printable

    typed = input(prompt)
    if not sys.stdin.isatty():
        typer.echo(printable(typed))
    return typed


def _columns(actions: Sequence[str], width: int) -> list[str]:
    """Number the actions and set them in as many columns as fit."""
    from dreamgym_env.envs.transcript import printable

    cells = [f"{number:>3} {printable(action)}" for number, action in enumerate(actions, start=1)]
    if not cells:
        return []
    cell_width = max(len(cell) for cell in cells) + 2
    count = max(1, width // cell_width)
    rows = -(-len(cells) // count)
    return ["".join(cell.ljust(cell_width) for cell in cells[row::rows]).rstrip() for row in range(rows)]
