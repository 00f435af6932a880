"""From text to index terms, as Lucene's English analyser makes them.

WebShop's search engine is Lucene's, so this module follows its analysis chain: words by the Unicode text segmentation
rules (UAX #29, in the form Lucene's ``StandardTokenizer`` has), possessive endings cut, lower case, a stop list of 33
words, Porter's stemmer.  Written from the published rules and checked against the terms that Lucene itself gives.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache

__all__ = ["STOP_WORDS", "index_terms", "tokenize"]

STOP_WORDS = frozenset(
    re.findall(
        r"\w+",
        "a an and are as at be but by for if in into is it no not of on or such that the their then there these they "
        "this to was will with",
    )
)
"""The words that Lucene's English analyser leaves out of an index."""

_LONGEST_TOKEN = 255
"""Longer words are cut into pieces of this length."""

# Classes of UAX #29; a class that Python's ``re`` knows nearly is narrowed by the characters that it holds too many.
_EXTEND = (
    "\u00ad\u0300-\u036f\u0483-\u0489\u0591-\u05bd\u064b-\u065f\u200c-\u200f\u202a-\u202e\u2060-\u2064"
    "\u20d0-\u20f0\ufe00-\ufe0f\ufeff\uff9e\uff9f"
)
_NUMBER_SIGNS = (
    "\u00b2\u00b3\u00b9\u00bc-\u00be\u2070\u2074-\u2079\u2080-\u2089\u2150-\u215f\u2460-\u249b"
    "\u24ea-\u24ff\u2776-\u2793\u3192-\u3195\u3220-\u3229\u3248-\u324f\u3251-\u325f\u3280-\u3289"
    "\u32b1-\u32bf"
)
_KATAKANA = "\u3031-\u3035\u309b\u309c\u30a0-\u30fa\u30fc-\u30ff\u31f0-\u31ff\uff66-\uff9d"
_SOUTH_EAST_ASIAN = (
    "\u0e01-\u0e3a\u0e40-\u0e4e\u0e81-\u0edf\u1000-\u109f\u1780-\u17d3\u17d7\u17dc\u1950-\u1974\u1980-\u19df"
)
_ONE_BY_ONE = (  # ideographs and hiragana, then pictographs
    "\u2e80-\u2fd5\u3005\u3007\u3021-\u3029\u3038-\u303b\u3041-\u3096\u309d-\u309f\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufad9"
    "\u00a9\u00ae\u203c\u2049\u2122\u2139\u2194-\u2199\u21a9\u21aa\u231a\u231b\u2328\u2388\u23cf\u23e9-\u23f3\u23f8-\u23fa"
    "\u25aa\u25ab\u25b6\u25c0\u25fb-\u25fe\u2600-\u2605\u2607-\u2612\u2614-\u2685\u2690-\u2705\u2708-\u2712\u2714\u2716"
    "\u271d\u2721\u2728\u2733\u2734\u2744\u2747\u274c\u274e\u2753-\u2755\u2757\u2763-\u2767\u2795-\u2797\u27a1\u27b0\u27bf"
    "\u2934\u2935\u2b05-\u2b07\u2b1b\u2b1c\u2b50\u2b55\u3030\u303d\u3297\u3299"
    "\U0001f000-\U0001f0ff\U0001f10d-\U0001f10f\U0001f12f\U0001f16c-\U0001f171\U0001f17e\U0001f17f\U0001f18e"
    "\U0001f191-\U0001f19a\U0001f1ad-\U0001f1e5\U0001f201-\U0001f20f\U0001f21a\U0001f22f\U0001f232-\U0001f23a"
    "\U0001f23c-\U0001f23f\U0001f249-\U0001f3fa\U0001f400-\U0001f53d\U0001f546-\U0001f64f\U0001f680-\U0001f6ff"
    "\U0001f774-\U0001f77f\U0001f7d5-\U0001f7ff\U0001f80c-\U0001f80f\U0001f848-\U0001f84f\U0001f85a-\U0001f85f"
    "\U0001f888-\U0001f88f\U0001f8ae-\U0001f8ff\U0001f90c-\U0001f93a\U0001f93c-\U0001f945\U0001f947-\U0001fffd"
    "\U00020000-\U0002a6df"
)
_NOT_WORDS = "\uff9e\uff9f" + _NUMBER_SIGNS + _KATAKANA + _SOUTH_EAST_ASIAN + _ONE_BY_ONE
_LETTER = rf"(?![{_NOT_WORDS}])[^\W\d_]"
_MID_LETTER = ":\u00b7\u0387\u05f4\u2027\ufe13\ufe55\uff1a"
_MID_NUMBER = ",;\u037e\u0589\u060c\u060d\u066c\u2044\ufe10\ufe14\ufe50\ufe54\uff0c\uff1b"
_MID_BOTH = ".'\u2018\u2019\u2024\ufe52\uff07\uff0e"

_ASCII_TOKEN = re.compile(
    r"_*[A-Za-z0-9](?:[A-Za-z0-9_]|(?<=[A-Za-z])[:.'](?=[A-Za-z])|(?<=[0-9])[,;.'](?=[0-9]))*",
)
_TOKEN = re.compile(
    rf"_*(?:{_LETTER}|\d)"
    rf"(?:{_LETTER}|[\d_{_EXTEND}]"
    rf"|(?<=[^\W\d_])[{_MID_LETTER}{_MID_BOTH}][{_EXTEND}]*(?={_LETTER})"
    rf"|(?<=\d)[{_MID_NUMBER}{_MID_BOTH}][{_EXTEND}]*(?=\d))*"
    rf"|_*[{_KATAKANA}](?:[{_KATAKANA}_{_EXTEND}])*"
    rf"|[{_SOUTH_EAST_ASIAN}](?:[{_SOUTH_EAST_ASIAN}{_EXTEND}])*"
    rf"|[{_ONE_BY_ONE}](?:\u200d[{_ONE_BY_ONE}]|[\U0001f3fb-\U0001f3ff{_EXTEND}])*",
)
_POSSESSIVES = ("'s", "\u2019s", "\uff07s", "'S", "\u2019S", "\uff07S")


def tokenize(text: str) -> list[str]:
    """Split a text into words, as they stand."""
    tokens = (_ASCII_TOKEN if text.isascii() else _TOKEN).findall(text)
    if all(len(token) <= _LONGEST_TOKEN for token in tokens):
        return tokens
    return [token[at : at + _LONGEST_TOKEN] for token in tokens for at in range(0, len(token), _LONGEST_TOKEN)]


def index_terms(text: str) -> list[str]:
    """Return the terms of a text in order: stemmed words without the stop words."""
    words = [_without_possessive(token).lower() for token in tokenize(text)]
    return [_stem(word) for word in words if word not in STOP_WORDS]


def _without_possessive(token: str) -> str:
    return token[:-2] if token.endswith(_POSSESSIVES) else token


@cache
def _porter() -> Callable[[str], str]:
    import Stemmer

    stemmer: Callable[[str], str] = Stemmer.Stemmer("porter").stemWord
    return stemmer


def _stem(word: str) -> str:
    """Stem a lower-cased word by Porter's algorithm in its author's own code, which Lucene uses.

    That differs from the stemmer at hand in the rules ``-bli`` and ``-logi`` and in undoubling every consonant but
    l, s and z.
    """
    if len(word) <= 2:
        return word
    stem = _porter()(word)
    if stem.endswith(_DOUBLES_LEFT) and word.endswith(("ing", "ed")):
        return stem[:-1]
    if stem.endswith("bli") and _MEASURE_ABOVE_0.search(stem, 0, len(stem) - 3):
        return _porter()(stem[:-1] + "e")
    if stem.endswith("logi") and _MEASURE_ABOVE_0.search(stem, 0, len(stem) - 4):
        return stem[:-1]
    return stem


_DOUBLES_LEFT = ("cc", "hh", "jj", "kk", "qq", "vv", "ww", "xx")
_MEASURE_ABOVE_0 = re.compile("[aeiouy][^aeiouy]")
"""A vowel run that a consonant follows: Porter's measure m > 0."""
