"""The colour words that options are compared by: ``navy heather`` and ``heather`` count as the same option."""

from __future__ import annotations

from functools import lru_cache

__all__ = ["COLOUR_WORDS", "normalise_colour"]

_BY_HUE = {
    "reds, pinks, purples": (
        "red burgundy maroon wine bordeaux merlot cranberry rose blush pink coral magenta fuchsia plum mauve "
        "purple violet lavender lilac eggplant grape"
    ),
    "oranges, yellows, browns": (
        "orange peach apricot rust copper bronze gold yellow lemon mustard sunflower banana wheat tan camel "
        "caramel khaki brown chestnut chocolate coffee cognac espresso mocha mushroom walnut"
    ),
    "greens, blues": (
        "green olive lime mint grass ivy teal turquoise aqua azure blue navy royal sapphire indigo midnight "
        "denim stonewash"
    ),
    "whites, greys, blacks": (
        "white ivory cream nude alabaster champagne beige sand seashell crystal natural silver pewter steel "
        "slate stone granite graphite charcoal asphalt ash gray grey heather taupe black"
    ),
    "shades and patterns": ("light dark multicolor rainbow camo leopard cheetah tiger elephant skull christmas"),
}

COLOUR_WORDS: tuple[str, ...] = tuple(sorted(word for words in _BY_HUE.values() for word in words.split()))
"""In the order in which they are looked for."""


@lru_cache(maxsize=65536)
def normalise_colour(option: str) -> str:
    """Return the first colour word, in alphabetical order, that occurs anywhere in the text; else the text itself."""
    return next((word for word in COLOUR_WORDS if word in option), option)
