"""What the commands do when something goes wrong: one sentence and an exit code instead of a traceback."""

from __future__ import annotations

import io
import sys
from typing import Any

import typer
import typer.core

from dreamgym_env.errors import DreamGymError
from dreamgym_env.masking import mask_secrets

__all__ = ["INTERRUPTED", "CommandGroup", "complain", "tolerate_odd_characters"]

INTERRUPTED = 130
"""Exit code after Ctrl-C, as shells expect it."""

_FILE_ERRORS = (FileNotFoundError, FileExistsError, IsADirectoryError, NotADirectoryError, PermissionError)
"""Errors about files also where they do not say which."""


class CommandGroup(typer.core.TyperGroup):
    """Ends a command that raised one of the library's errors with its message and exit code 1."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command."""
        try:
            return super().invoke(ctx)
        except DreamGymError as error:
            complain(str(error))
        except OSError as error:
            if not (error.filename or isinstance(error, _FILE_ERRORS)):
                raise
            complain(f"{error.filename}: {error.strerror}." if error.filename else str(error))
        raise typer.Exit(1)


def complain(message: str) -> None:
    """Write a sentence to standard error, red where that is a terminal and without secrets."""
    typer.secho(mask_secrets(message), fg=typer.colors.RED, err=True)


def tolerate_odd_characters() -> None:
    """Let a terminal's encoding never end a command: what cannot be read or written is escaped."""
    for stream, errors in ((sys.stdin, "replace"), (sys.stdout, "backslashreplace"), (sys.stderr, "backslashreplace")):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors=errors)
