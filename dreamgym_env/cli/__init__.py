"""The command line, ``dreamgym COMMAND``.

One module a command; what they run lies elsewhere.  Heavy packages are imported inside the commands, so that
``dreamgym --help`` answers at once.
"""

from __future__ import annotations

import logging
import os
from typing import Annotated

import typer

from dreamgym_env.cli import annotate, buffer, clone, compare, demo, fidelity, finetune, judge, play, record, train
from dreamgym_env.cli.errors import CommandGroup, tolerate_odd_characters

__all__ = ["app"]

# Read when torch is loaded.  Threads that spin while they wait for each other slow a small model down where other
# processes want the same cores.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

app = typer.Typer(
    name="dreamgym",
    cls=CommandGroup,
    no_args_is_help=True,
    pretty_exceptions_show_locals=False,
    help="Dreams of text environments, grounded in recorded experience, beside the real ones.",
)
app.command("demo")(demo.demo)
app.command("play")(play.play)
app.command("record")(record.record)
app.command("annotate")(annotate.annotate)
app.command("finetune")(finetune.finetune)
app.command("compare")(compare.compare)
app.command("clone")(clone.clone)
app.command("train")(train.train)
app.command("fidelity")(fidelity.fidelity)
app.command("judge")(judge.judge)
app.add_typer(buffer.app, name="buffer")


def _print_version(wanted: bool) -> None:
    if wanted:
        from dreamgym_env import __version__

        typer.echo(f"dreamgym_env {__version__}")
        raise typer.Exit


@app.callback()
def _main(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit.")
    ] = False,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Log what the library does.")] = False,
) -> None:
    # what a command counts and prints (unreadable answers, say) need not be logged beside it
    logging.basicConfig(level=logging.INFO if verbose else logging.ERROR, format="%(message)s")
    tolerate_odd_characters()
