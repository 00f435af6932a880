"""The embedders by name.

``hash-<dimension>-v1`` (:class:`HashingEmbedder`) needs no package and is the default; ``wordllama-l2-256`` and
``minilm-l6-v2`` need one each.  benchmarks/embedders.py compares them.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from dreamgym_env.errors import ReplayBufferError
from dreamgym_env.memory.hashing import HashingEmbedder
from dreamgym_env.memory.pretrained import MiniLMEmbedder, WordLlamaEmbedder
from dreamgym_env.types import Embedder

__all__ = ["HashingEmbedder", "MiniLMEmbedder", "WordLlamaEmbedder", "default_embedder", "embedder_from_name"]

_PRETRAINED: dict[str, Callable[[], Embedder]] = {
    WordLlamaEmbedder.name: WordLlamaEmbedder,
    MiniLMEmbedder.name: MiniLMEmbedder,
}


def default_embedder() -> Embedder:
    """Return the embedder of a buffer that is given none."""
    return HashingEmbedder()


def embedder_from_name(name: str) -> Embedder:
    """Return the embedder of a name, as it is stored with a buffer.

    Raises:
        ReplayBufferError: no embedder has this name.
        MissingDependencyError: its package is not installed.
    """
    if match := re.fullmatch(r"hash-([1-9]\d{0,4})-v1", name):
        return HashingEmbedder(int(match[1]))
    if name in _PRETRAINED:
        return _PRETRAINED[name]()
    raise ReplayBufferError(
        f"There is no embedder named {name!r}. There are: hash-<dimension>-v1, {', '.join(_PRETRAINED)}."
    )
