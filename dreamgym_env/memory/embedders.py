"""The embedders by name: hashing (no extra package), static word vectors, and a sentence encoder."""

from __future__ import annotations

import re

from dreamgym_env.errors import ReplayBufferError
from dreamgym_env.memory.hashing import HashingEmbedder
from dreamgym_env.types import Embedder

__all__ = ["HashingEmbedder", "default_embedder", "embedder_from_name"]


def default_embedder() -> Embedder:
    """Return the embedder of a buffer that is given none."""
    return HashingEmbedder()


def embedder_from_name(name: str) -> Embedder:
    """Return the embedder of a name, as it is stored with a buffer.

    Raises:
        ReplayBufferError: no embedder has this name.
        MissingDependencyError: its package is not installed.
    """
    if match := re.fullmatch(r"hash-(\d+)-v1", name):
        return HashingEmbedder(int(match[1]))
    raise ReplayBufferError(f"There is no embedder named {name!r}. The names are 'hash-<dimension>-v1'.")
