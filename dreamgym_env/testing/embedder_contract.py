"""The contract of :class:`~dreamgym_env.types.Embedder`, as a test class that any embedder can be put through.

Subclass it in a test module and let pytest collect it (pytest must be installed)::

    class TestMyEmbedder(EmbedderContract):
        @classmethod
        def make_embedder(cls):
            return MyEmbedder(...)
"""

from __future__ import annotations

import numpy as np
import pytest

from dreamgym_env.types import Embedder

__all__ = ["EmbedderContract"]

_TEXTS = (
    "search[red trail running shoes size 9]",
    "click[b09qcvct1q]",
    "Back to Search [SEP] < Prev [SEP] Price: $19.99 [SEP] Buy Now",
    "You open the drawer 1. In it, you see a cd 3.",
    "Größe 42, 赤い靴, обувь, 👟 \u200b\u0301",
    "lone \ud800 surrogate and \0 zero byte",
)


class EmbedderContract:
    """Every promise of ``Embedder`` as a test. Override :meth:`make_embedder`."""

    @classmethod
    def make_embedder(cls) -> Embedder:
        """Return a new embedder."""
        raise NotImplementedError("a subclass of EmbedderContract must override make_embedder()")

    @pytest.fixture(scope="class")
    @classmethod
    def embedder(cls) -> Embedder:
        """An embedder for all tests of the class."""
        return cls.make_embedder()

    def test_it_is_an_embedder(self, embedder: Embedder) -> None:
        """It has the protocol's members, and a name that can be stored."""
        assert isinstance(embedder, Embedder)
        assert isinstance(embedder.name, str) and embedder.name
        assert embedder.dimension > 0

    def test_shape_and_type(self, embedder: Embedder) -> None:
        """N texts give a float32 array of shape (n, dimension), for n = 0 too."""
        for texts in ((), _TEXTS[:1], _TEXTS):
            vectors = embedder.embed(list(texts))
            assert isinstance(vectors, np.ndarray)
            assert vectors.dtype == np.float32
            assert vectors.shape == (len(texts), embedder.dimension)

    def test_rows_have_length_one(self, embedder: Embedder) -> None:
        """Every text with content is a unit vector, whatever its characters."""
        np.testing.assert_allclose(np.linalg.norm(embedder.embed(_TEXTS), axis=1), 1.0, atol=1e-4)

    def test_texts_without_content_give_zeros(self, embedder: Embedder) -> None:
        """The empty text has no direction."""
        assert not embedder.embed(["", "shoes"])[0].any()

    def test_it_is_deterministic(self, embedder: Embedder) -> None:
        """A second embedder gives the same vectors."""
        np.testing.assert_allclose(embedder.embed(_TEXTS), self.make_embedder().embed(_TEXTS), atol=1e-5)

    def test_a_batch_is_like_single_texts(self, embedder: Embedder) -> None:
        """A vector does not depend on the other texts of the batch."""
        single = np.concatenate([embedder.embed([text]) for text in _TEXTS])
        np.testing.assert_allclose(embedder.embed(_TEXTS), single, atol=1e-4)

    def test_a_huge_text_is_embedded(self, embedder: Embedder) -> None:
        """A page of 100 kB is no error, beside short ones."""
        vectors = embedder.embed(["shoes", "red shoes and green boots " * 4_000, "boots"])
        np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1.0, atol=1e-4)

    def test_like_texts_are_nearer_than_unlike_ones(self, embedder: Embedder) -> None:
        """Cosines mean something."""
        anchor, near, far = embedder.embed(
            ["search[red running shoes]", "search[red shoes for running]", "go to desk 1"]
        )
        assert anchor @ near > anchor @ far
