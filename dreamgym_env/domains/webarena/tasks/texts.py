"""How an evaluator compares texts: what people write in different ways is the same."""

from __future__ import annotations

import re
import unicodedata

__all__ = ["equal", "includes", "normalised"]

OR = "|OR|"
"""Between two texts of a reference either of which will do."""

_THOUSANDS = re.compile(r"(?<=\d),(?=\d{3}(?!\d))")
_ZEROS = re.compile(r"(?<![\d.])(\d+)\.(\d*?)0+(?![\d.]*\d)")
_QUOTES = str.maketrans({"\u2018": "'", "\u2019": "'", "\u201c": '"', "\u201d": '"', "\u2013": "-", "\u2014": "-"})


def normalised(text: str) -> str:
    """Return a text in lower case, with plain quotes, single blanks, and numbers written one way.

    ``$1,250.50`` and ``1250.5`` hold the same number, ``$57.00`` and ``57`` too.
    """
    plain = " ".join(unicodedata.normalize("NFKC", text).translate(_QUOTES).lower().split())
    plain = _THOUSANDS.sub("", plain)
    plain = _ZEROS.sub(lambda found: f"{found[1]}.{found[2]}".rstrip("."), plain)
    return plain.strip("\"' ").removesuffix(".")


def equal(text: str, reference: str) -> bool:
    """Return whether a text is a reference, or one of several with ``|OR|`` between them."""
    return normalised(text) in [normalised(choice) for choice in reference.split(OR)]


def includes(text: str, reference: str) -> bool:
    """Return whether a reference, or one of several, stands in a text as whole words: ``3`` not in ``31``."""
    return any(_stands_in(normalised(choice), normalised(text)) for choice in reference.split(OR))


def _stands_in(words: str, text: str) -> bool:
    before = r"(?<!\w)(?<!\d[.,])" if words[:1].isalnum() else ""
    after = r"(?!\w)(?![.,]\d)" if words[-1:].isalnum() else ""
    return bool(words) and re.search(before + re.escape(words) + after, text) is not None
