"""The embedders keep the contract of every embedder; those with a package of their own where it is installed."""

from __future__ import annotations

from typing import TypeVar

import pytest

from dreamgym_env.errors import MissingDependencyError
from dreamgym_env.memory.embedders import HashingEmbedder, MiniLMEmbedder, WordLlamaEmbedder
from dreamgym_env.testing.embedder_contract import EmbedderContract

T = TypeVar("T")


class TestHashingEmbedder(EmbedderContract):
    @classmethod
    def make_embedder(cls) -> HashingEmbedder:
        return HashingEmbedder()


class TestSmallHashingEmbedder(EmbedderContract):
    @classmethod
    def make_embedder(cls) -> HashingEmbedder:
        return HashingEmbedder(31)


class TestWordLlamaEmbedder(EmbedderContract):
    @classmethod
    def make_embedder(cls) -> WordLlamaEmbedder:
        return _or_skip(WordLlamaEmbedder)


class TestMiniLMEmbedder(EmbedderContract):
    @classmethod
    def make_embedder(cls) -> MiniLMEmbedder:
        return _or_skip(MiniLMEmbedder)


def _or_skip(make: type[T]) -> T:
    try:
        return make()
    except MissingDependencyError as error:
        pytest.skip(str(error))
