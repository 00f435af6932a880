"""Options that several commands share."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dreamgym_env.errors import DreamGymError, ExperienceFormatError, KeywordError
from dreamgym_env.masking import mask_secrets

if TYPE_CHECKING:
    from dreamgym_env.types import Domain

__all__ = [
    "DomainArgument",
    "DomainSettingsOption",
    "SeedOption",
    "SettingsOption",
    "SplitOption",
    "WorldModelOption",
    "blame_settings",
    "configured_domain",
    "read_settings",
]

DomainArgument = Annotated[str, typer.Argument(help="Name of the domain, for example webshop.")]
SeedOption = Annotated[int, typer.Option(min=0, help="All that is random follows from it.")]
SplitOption = Annotated[str, typer.Option(help="Split that tasks are drawn from: train, eval or test.")]
WorldModelOption = Annotated[
    str,
    typer.Option(
        "--world-model",
        metavar="MODEL",
        help="embedded, transformers:ID_OR_PATH, vllm:ID_OR_PATH or openai:MODEL@http://host:8000/v1.",
    ),
]
SettingsOption = Annotated[
    list[str],
    typer.Option(
        "--set",
        metavar="NAME=VALUE",
        help="A keyword of the environment, such as k=3, products=PATH or buffer=FOLDER; may be repeated.",
    ),
]
DomainSettingsOption = Annotated[
    list[str],
    typer.Option(
        "--set", metavar="NAME=VALUE", help="A keyword of the domain, such as products=PATH; may be repeated."
    ),
]


def read_settings(texts: Sequence[str]) -> dict[str, Any]:
    """Read ``NAME=VALUE``; a value that is JSON counts as such, any other as text.

    Raises:
        typer.BadParameter: a text has no name.
    """
    settings: dict[str, Any] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or not name.isidentifier():
            raise typer.BadParameter(f"{mask_secrets(text)!r} is not of the form NAME=VALUE.", param_hint="--set")
        try:
            settings[name] = json.loads(value)
        except ValueError:
            settings[name] = value
    return settings


@contextlib.contextmanager
def blame_settings(settings: Mapping[str, Any]) -> Iterator[None]:
    """Turn a TypeError or ValueError into a complaint about ``--set``, if that was used at all.

    Raises:
        typer.BadParameter: in their place; the message is theirs.
    """
    try:
        yield
    except (TypeError, ValueError) as error:
        if not settings or (isinstance(error, DreamGymError) and not isinstance(error, KeywordError)):
            raise
        said = error.__cause__ if isinstance(error.__cause__, KeywordError) else error  # without gymnasium's additions
        raise typer.BadParameter(mask_secrets(str(said)), param_hint="--set") from error


def configured_domain(
    name: str, settings: Mapping[str, Any], others: Sequence[str] = (), transitions: Path | None = None
) -> Domain:
    """Build a domain with the keywords of ``--set``, and read the files that they name.

    Args:
        name: of the domain; a recorded one is known as ``recorded``, or as its transitions name it.
        settings: keywords and values; ``experience`` of a recorded domain.
        others: keywords that are not the domain's, but the command's own.
        transitions: file that makes a recorded domain where no ``experience`` is among the keywords.

    Raises:
        UnknownDomainError: there is no such domain.
        ExperienceFormatError: the transitions that should make it are those of another domain, or cannot be read.
        typer.BadParameter: it has no such keyword, or cannot be built with this value.
    """
    from dreamgym_env.domains import DOMAINS, RECORDED, domain_keywords, load_domain

    wanted = name
    if name not in DOMAINS and (transitions is not None or "experience" in settings):
        name, settings = RECORDED, {"experience": str(transitions), **settings}
    known = domain_keywords(name, real=False)
    for keyword in settings:
        if keyword not in (*known, *others):
            raise typer.BadParameter(
                f"there is no keyword {keyword!r} here; there are: {', '.join([*known, *others])}.", param_hint="--set"
            )
    with blame_settings(settings):
        domain = load_domain(name, **{keyword: value for keyword, value in settings.items() if keyword in known})
        domain.splits()  # what it reads late would fail late
    if wanted not in (name, domain.name):
        raise ExperienceFormatError(
            f"{settings['experience']} holds transitions of {domain.name!r}, and not of {wanted!r}: name that domain, "
            "or another file."
        )
    return domain
