"""Option scales that several departments share.

Two values of one scale must differ enough that the reward tells them apart: it matches fuzzily and reduces a text to
the first colour word that it contains, so that no palette holds both "navy" and "dark navy", and no size list both
"x-large" and "xx-large".
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
    "PACK",
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
MEN_SHOE_SIZE = OptionScale("size", ("7", "7.5", "8", "8.5", "9", "9.5", "10", "10.5", "11", "12", "13"), 4, 7, True)
WOMEN_SHOE_SIZE = OptionScale("size", ("5", "5.5", "6", "6.5", "7", "7.5", "8", "8.5", "9", "9.5", "10"), 4, 7, True)
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
PACK = OptionScale("number of items", ("single", "3 pack", "6 pack", "12 pack"), 2, 3, ordered=True)
