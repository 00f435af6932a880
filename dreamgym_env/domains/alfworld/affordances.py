"""What can be done with a thing of each class: the facts of ALFWorld's houses that no text of an episode tells.

Classes are written as in the texts: lower case, without a number.
"""

from __future__ import annotations

__all__ = [
    "ALWAYS_OPEN",
    "APPLIANCES",
    "CLASSES",
    "CONDITIONABLE",
    "CONDITION_AFTER",
    "FIXED",
    "KNIVES",
    "LAMPS",
    "SLICEABLE",
    "VESSELS",
    "accepts",
    "is_receptacle_class",
]


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_TABLETOP = """
    alarmclock apple baseballbat basketball book bowl box bread butterknife candle cd cellphone cloth creditcard cup
    dishsponge egg fork glassbottle handtowel kettle keychain knife ladle laptop lettuce mug newspaper pan papertowel
    pen pencil peppershaker plate pot potato remotecontrol saltshaker soapbar soapbottle spatula spoon spraybottle
    statue tennisracket tissuebox toiletpaper toiletpaperroll tomato vase watch wateringcan winebottle
"""
_SEAT = "basketball book box cellphone cloth creditcard keychain laptop newspaper pillow remotecontrol"
_DRESSER = """
    alarmclock basketball book bowl box candle cd cellphone cloth creditcard cup glassbottle keychain laptop mug
    newspaper pen pencil plate remotecontrol spraybottle statue tennisracket tissuebox toiletpaper toiletpaperroll vase
    watch wateringcan winebottle
"""
_CONTENTS = {
    "armchair": _SEAT,
    "bathtubbasin": "cloth dishsponge handtowel soapbar",
    "bed": "baseballbat basketball book cellphone laptop newspaper pillow tennisracket",
    "cabinet": """
        book bowl box candle cd cloth cup dishsponge glassbottle handtowel kettle ladle mug newspaper pan peppershaker
        plate plunger pot saltshaker soapbar soapbottle spraybottle tissuebox toiletpaper toiletpaperroll vase
        wateringcan winebottle
    """,
    "cart": """
        candle cloth dishsponge handtowel mug papertowel plunger soapbar soapbottle spraybottle statue tissuebox
        toiletpaper toiletpaperroll vase
    """,
    "coffeemachine": "mug",
    "coffeetable": _TABLETOP,
    "countertop": _TABLETOP,
    "desk": _DRESSER + "soapbottle",
    "diningtable": _TABLETOP,
    "drawer": """
        book butterknife candle cd cellphone cloth creditcard dishsponge fork handtowel keychain knife ladle newspaper
        pen pencil peppershaker remotecontrol saltshaker soapbar soapbottle spatula spoon spraybottle tissuebox
        toiletpaper toiletpaperroll watch wateringcan
    """,
    "dresser": _DRESSER,
    "fridge": "apple bowl bread cup egg glassbottle lettuce mug pan plate pot potato tomato winebottle",
    "garbagecan": """
        apple bread cd cloth dishsponge egg handtowel lettuce newspaper papertowel pen pencil potato soapbar soapbottle
        spraybottle tissuebox toiletpaper toiletpaperroll tomato winebottle
    """,
    "handtowelholder": "handtowel",
    "laundryhamper": "cloth",
    "microwave": "apple bowl bread cup egg glassbottle mug plate potato tomato",
    "ottoman": _SEAT,
    "safe": "cd cellphone creditcard keychain statue vase watch",
    "shelf": """
        alarmclock book bowl box candle cd cellphone cloth creditcard cup dishsponge glassbottle handtowel kettle
        keychain mug newspaper papertowel pen pencil peppershaker plate pot remotecontrol saltshaker soapbar soapbottle
        spraybottle statue tissuebox toiletpaper toiletpaperroll vase watch wateringcan winebottle
    """,
    "sidetable": _TABLETOP,
    "sinkbasin": """
        apple bowl butterknife cloth cup dishsponge egg fork glassbottle handtowel kettle knife ladle lettuce mug pan
        plate pot potato soapbar spatula spoon tomato
    """,
    "sofa": _SEAT,
    "stoveburner": "kettle pan pot",
    "toaster": "",
    "toilet": """
        candle cloth dishsponge handtowel newspaper papertowel soapbar soapbottle spraybottle tissuebox toiletpaper
        toiletpaperroll
    """,
    "toiletpaperhanger": "toiletpaper toiletpaperroll",
    "towelholder": "towel",
    "tvstand": "tissuebox",
}
_ACCEPTED = {receptacle: _words(objects) for receptacle, objects in _CONTENTS.items()}

ALWAYS_OPEN = frozenset(_CONTENTS) - {"cabinet", "drawer", "fridge", "microwave", "safe"}
"""Classes of receptacles without a door; every fridge and microwave has one, so do most cabinets, drawers and safes."""

FIXED = _words(
    """
    bathtub blinds chair curtains desklamp floorlamp houseplant laundryhamperlid lightswitch mirror painting poster
    showerdoor showerglass sink stoveknob television window
    """
)
"""Classes of objects that cannot be taken."""

CLASSES = frozenset(_CONTENTS) | FIXED | frozenset(thing for things in _ACCEPTED.values() for thing in things)
"""All classes of things that are known here."""

LAMPS = frozenset({"desklamp", "floorlamp"})
"""Classes of objects that can be switched on."""

VESSELS = _words("bowl box cup mug pan plate pot")
"""Classes of objects that can hold others, though the engine never puts one in."""

KNIVES = frozenset({"butterknife", "knife"})
"""Classes of objects that slice."""

SLICEABLE = frozenset({"apple", "bread", "egg", "lettuce", "potato", "tomato"})
"""Classes of objects that can be sliced."""

APPLIANCES = {"heat": "microwave", "clean": "sinkbasin", "cool": "fridge"}
"""Class of the receptacle that each of these verbs needs."""

CONDITION_AFTER = {"heat": "hot", "clean": "clean", "cool": "cool"}
"""What an object is after each of these verbs."""

CONDITIONABLE = {
    "heat": _words("apple bread cup egg mug plate potato tomato"),
    "clean": _words(
        """
        apple bowl butterknife cloth cup dishsponge egg fork kettle knife ladle lettuce mug pan plate pot potato soapbar
        spatula spoon tomato
        """
    ),
    "cool": _words("apple bowl bread cup egg lettuce mug pan plate pot potato tomato winebottle"),
}
"""Classes of objects that each of these verbs works on."""


def accepts(receptacle: str, thing: str) -> bool:
    """Return whether a receptacle of a class takes objects of a class; classes that nobody knows take nothing."""
    return thing in _ACCEPTED.get(receptacle, ())


def is_receptacle_class(name: str) -> bool:
    """Return whether a class is one of receptacles."""
    return name in _ACCEPTED
