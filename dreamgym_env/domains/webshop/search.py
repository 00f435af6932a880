"""The shop's search: BM25 over titles, descriptions, first bullet points and options.

Ranking is Lucene's (Robertson and Walker's BM25 with k1 = 0.9 and b = 0.4, document lengths rounded to the 256 values
that fit a byte, float32 scores, equal scores by asin), because WebShop searches with Lucene and near ties decide which
products a page shows.  ``bm25s`` computes the same formula, but on exact document lengths, and leaves the order of ties
open; on WebShop's 1,000 products that changes every fourth first page.  So the scores are laid out here, once per
(term, product), in flat numpy arrays; a query sums a few short slices.
"""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np

from dreamgym_env.domains.webshop.text_analysis import index_terms

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dreamgym_env.domains.webshop.products import Product

__all__ = ["MAX_RESULTS", "SearchEngine", "document_text"]

MAX_RESULTS = 50
"""A search finds at most this many products."""

_K1 = np.float32(0.9)
_B = np.float32(0.4)


def document_text(product: Product) -> str:
    """Return what the index holds of a product."""
    options = ", and ".join(f"{name}: {', '.join(values)}" for name, values in product.options.items())
    first_bullet = product.bullet_points[0] if product.bullet_points else ""
    return f"{product.title} {product.description} {first_bullet} {options}".lower()


class SearchEngine:
    """Ranks products by keywords. Immutable once built, so that any number of environments share it."""

    _changed: Mapping[int, Counter[str] | None] = MappingProxyType({})
    """Place -> what its document is in place of the indexed one; None where there is none."""

    def __init__(self, products: Sequence[Product]) -> None:
        """Index the products; their places in the sequence are what :meth:`search` returns."""
        documents = [Counter(index_terms(document_text(product))) for product in products]
        self._size = len(documents)
        self._tie_rank = np.argsort(np.argsort([product.asin for product in products])) if products else np.zeros(0)
        self._vocabulary: dict[str, int] = {}
        self._starts, self._places, self._tf = self._invert(documents)
        self._idf = self._inverse_document_frequencies()
        self._frequency_parts = self._length_normalised(documents)

    def search(self, keywords: str, k: int = MAX_RESULTS) -> list[int]:
        """Return the places of the best ``k`` products, best first; products without any of the words are left out."""
        scores = np.zeros(self._size, dtype=np.float64)
        terms = Counter(index_terms(keywords))
        for term, count in terms.items():
            number = self._vocabulary.get(term)
            if number is None:
                continue
            postings = slice(self._starts[number], self._starts[number + 1])
            weight = np.float32(count) * self._idf[number]
            scores[self._places[postings]] += weight - weight / (np.float32(1) + self._frequency_parts[postings])
        for place, document in self._changed.items():
            scores[place] = self._score(document, terms) if document is not None else 0.0
        found = np.flatnonzero(scores)
        ranked = scores[found].astype(np.float32)
        if found.size > 4 * k:
            best = ranked >= np.partition(ranked, -k)[-k]
            found, ranked = found[best], ranked[best]
        order = np.lexsort((self._tie_rank[found], -ranked))[:k]
        return [int(place) for place in found[order]]

    def has_term(self, term: str) -> bool:
        """Return whether some product's document holds a term."""
        number = self._vocabulary.get(term)
        if number is None:
            return False
        places = self._places[self._starts[number] : self._starts[number + 1]].tolist()
        unchanged = any(place not in self._changed for place in places)
        return unchanged or any(document and term in document for document in self._changed.values())

    def changed(self, products: Mapping[int, Product | None]) -> SearchEngine:
        """Return an engine in which some products are others, or are missing.

        It shares the index, and how rare a word is and how long documents are stay what they were: that is nearly what
        indexing anew gives, in a thousandth of the time.

        Args:
            products: place -> the product there, or None.
        """
        engine = copy.copy(self)
        engine._changed = {
            place: Counter(index_terms(document_text(product))) if product is not None else None
            for place, product in products.items()
        }
        return engine

    def _score(self, document: Counter[str], terms: Counter[str]) -> float:
        norm = _K1 * ((np.float32(1) - _B) + _B * np.float32(round_length(document.total())) / self._average)
        score = 0.0
        for term, count in terms.items():
            number = self._vocabulary.get(term)
            if number is not None and document[term]:
                weight = np.float32(count) * self._idf[number]
                score += float(weight - weight / (np.float32(1) + np.float32(document[term]) / norm))
        return score

    def _invert(self, documents: Sequence[Counter[str]]) -> tuple[NDArray, NDArray, NDArray]:
        """Return postings in term order: where each term's begin, the products' places, the terms' counts there."""
        term_numbers: list[int] = []
        places: list[int] = []
        counts: list[int] = []
        for place, document in enumerate(documents):
            for term, count in document.items():
                term_numbers.append(self._vocabulary.setdefault(term, len(self._vocabulary)))
                places.append(place)
                counts.append(count)
        numbers = np.asarray(term_numbers, dtype=np.int64)
        order = np.argsort(numbers, kind="stable")
        starts = np.concatenate(([0], np.cumsum(np.bincount(numbers, minlength=len(self._vocabulary)))))
        return starts, np.asarray(places, dtype=np.int32)[order], np.asarray(counts, dtype=np.float32)[order]

    def _inverse_document_frequencies(self) -> NDArray:
        """Return log(1 + (N - n + 0.5) / (n + 0.5)) of every term, n its number of products."""
        n = np.diff(self._starts).astype(np.float64)
        return np.log(1 + (self._size - n + 0.5) / (n + 0.5)).astype(np.float32)

    def _length_normalised(self, documents: Sequence[Counter[str]]) -> NDArray:
        """Return tf / (k1 (1 - b + b · length / average length)) of every posting."""
        lengths = [document.total() for document in documents]
        self._average = np.float32(sum(lengths) / max(1, sum(length > 0 for length in lengths))) or np.float32(1)
        rounded = np.asarray([round_length(length) for length in lengths], dtype=np.float32)
        inverse = np.float32(1) / (_K1 * ((np.float32(1) - _B) + _B * rounded / self._average))
        return self._tf * inverse[self._places]


def round_length(length: int) -> int:
    """Round a document length down to one that a byte can code: exact up to 40, then four leading bits."""
    if length < 40:
        return length
    excess = length - 24
    bits = excess.bit_length() - 4
    return 24 + (excess >> bits << bits)
