"""What can be said of an environment that others make, on other machines."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import gymnasium as gym

import dreamgym_env  # noqa: F401 - registers the ids
from dreamgym_env.domains import domain_keywords, load_domain
from dreamgym_env.errors import CollectionError, KeywordError
from dreamgym_env.memory.store import is_url
from dreamgym_env.types import Domain

__all__ = ["check_settings", "domain_of"]


def check_settings(settings: Mapping[str, Any], *, enrich: bool) -> None:
    """Check keywords of ``gymnasium.make_vec`` that actors are to use.

    Args:
        settings: the keywords.
        enrich: whether what is dreamt shall enter the buffer.

    Raises:
        KeywordError: one of them cannot be sent, is decided elsewhere, or does not go together with ``enrich``.
    """
    if settings.get("enrich"):
        raise KeywordError(
            "An actor does not enrich the buffer, lest an episode depend on who played it: leave enrich out of the "
            "settings, and give enrich=True to the collector, which adds what it has accepted after each round."
        )
    if "num_envs" in settings:
        raise KeywordError("num_envs is said by envs_per_actor: leave it out of the settings.")
    model, buffer = settings.get("world_model", "embedded"), settings.get("buffer")
    if not isinstance(model, str):
        raise KeywordError(
            f"world_model must be a string such as 'embedded', from which every actor makes its own, not "
            f"{type(model).__name__}."
        )
    if not isinstance(buffer, str | os.PathLike | None):
        raise KeywordError(f"buffer must be a folder or the URL of a Chroma server, not {type(buffer).__name__}.")
    if enrich and not (isinstance(buffer, str) and is_url(buffer)):
        raise KeywordError(
            "enrich=True needs a buffer that all actors share: run `chroma run --path FOLDER`, and write "
            "settings={'buffer': 'http://host:8000'}."
        )


def domain_of(env_id: str, settings: Mapping[str, Any]) -> Domain:
    """Build the domain of an environment, and nothing else of it.

    Args:
        env_id: ``DreamGym/...`` or ``DreamGymReal/...``.
        settings: keywords of the environment; those of the domain are used.

    Raises:
        CollectionError: it is no environment of this library.
        gymnasium.error.Error: there is no such id.
    """
    name = gym.spec(env_id).kwargs.get("domain")
    if not isinstance(name, str):
        raise CollectionError(f"{env_id} is no text environment of this library.")
    known = domain_keywords(name, real=False)
    return load_domain(name, **{key: value for key, value in settings.items() if key in known})
