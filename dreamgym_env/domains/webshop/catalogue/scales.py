"""Option scales that several departments share.

Two values of one scale must differ enough that the reward tells them apart: it matches fuzzily and reduces a text to
the first colour word that it contains, even inside a word ("botanical" holds "tan").  So no palette holds both "navy"
and "dark navy", no size list both "x-large" and "xx-large", and no value hides a colour word inside another word;
there are no half shoe sizes, as "8" would pass for "8.5".
"""

from __future__ import annotations

from dreamgym_env.domains.webshop.catalogue.vocabulary import OptionScale

__all__ = [
    "CLOTHES_COLOR",
    "CLOTHES_SIZE",
    "FINISH_COLOR",
    "GADGET_COLOR",
    "HOME_COLOR",
    "LEATHER_COLOR",
    "MEN_SHOE_SIZE",
    "PANTS_SIZE",
    "PET_SIZE",
    "SPORT_COLOR",
    "WOMEN_SHOE_SIZE",
]

CLOTHES_COLOR = OptionScale(
    "color",
    (
        "black",
        "white",
        "navy",
        "heather grey",
        "burgundy",
        "olive",
        "khaki",
        "sky blue",
        "rust",
        "charcoal",
        "teal",
        "mustard",
        "dusty pink",
        "forest green",
    ),
    3,
    7,
)
CLOTHES_SIZE = OptionScale("size", ("xs", "small", "medium", "large", "xl", "2xl", "3xl", "4xl"), 3, 6, ordered=True)
PANTS_SIZE = OptionScale("size", ("28x30", "30x30", "30x32", "32x30", "32x32", "34x32", "36x32", "38x34"), 3, 6, True)
MEN_SHOE_SIZE = OptionScale("size", ("6", "7", "8", "9", "10", "11", "12", "13", "14"), 3, 6, True)
WOMEN_SHOE_SIZE = OptionScale("size", ("4", "5", "6", "7", "8", "9", "10", "11"), 3, 6, True)
SPORT_COLOR = OptionScale(
    "color", ("black", "white", "royal blue", "crimson red", "lime", "orange", "slate", "purple", "teal", "pink"), 2, 6
)
LEATHER_COLOR = OptionScale("color", ("black", "dark brown", "tan", "cognac", "wine red", "navy", "stone"), 2, 5)
GADGET_COLOR = OptionScale(
    "color", ("black", "white", "silver", "midnight", "rose gold", "mint", "lavender", "coral red"), 2, 5
)
HOME_COLOR = OptionScale(
    "color",
    (
        "ivory",
        "light grey",
        "charcoal",
        "navy",
        "sage green",
        "terracotta",
        "mustard",
        "blush",
        "taupe",
        "teal",
        "white",
        "plum",
    ),
    3,
    7,
)
FINISH_COLOR = OptionScale(
    "color", ("walnut", "white", "black", "rustic brown", "natural oak", "espresso", "smoke grey"), 2, 5
)
PET_SIZE = OptionScale("size", ("xs", "small", "medium", "large", "xl"), 3, 5, ordered=True)
