"""How a generated task is put into words: as varied as people are, but never ambiguous about what is wanted."""

from __future__ import annotations

import functools
import re

from dreamgym_env.domains.alfworld.affordances import CLASSES
from dreamgym_env.domains.alfworld.verifier import Goal
from dreamgym_env.domains.draws import Draws

__all__ = ["names", "sentence_of"]

_SENTENCES = {
    "pick_and_place_simple": (
        "put {a} {thing} {at} {place}",
        "move {a} {thing} to {place}",
        "find {a} {thing} and leave it {at} {place}",
        "take {a} {thing} and set it {at} {place}",
        "get {a} {thing} {at} {place}",
        "there should be {a} {thing} {at} {place}",
        "bring {a} {thing} to {place}",
        "{place} is where {a} {thing} belongs, so put one there",
    ),
    "look_at_obj_in_light": (
        "look at {a} {thing} under {place}",
        "examine {a} {thing} with {place}",
        "hold {a} {thing} in the light of {place}",
        "switch on {place} and look at {a} {thing} with it",
        "pick up {a} {thing} and read it by {place}",
        "find {a} {thing}, then turn {place} on to see it better",
        "inspect {a} {thing} by the light of {place}",
    ),
    "pick_clean_then_place_in_recep": (
        "put a clean {thing} {at} {place}",
        "wash {a} {thing} and put it {at} {place}",
        "clean {a} {thing}, then leave it {at} {place}",
        "rinse {a} {thing} and set it {at} {place}",
        "{a} {thing} has to be washed and placed {at} {place}",
        "make sure that a clean {thing} is {at} {place}",
        "move a freshly washed {thing} to {place}",
    ),
    "pick_heat_then_place_in_recep": (
        "put a hot {thing} {at} {place}",
        "heat {a} {thing} and put it {at} {place}",
        "warm up {a} {thing}, then leave it {at} {place}",
        "microwave {a} {thing} and set it {at} {place}",
        "{a} {thing} has to be heated and placed {at} {place}",
        "make sure that a hot {thing} is {at} {place}",
        "move a heated {thing} to {place}",
    ),
    "pick_cool_then_place_in_recep": (
        "put a cold {thing} {at} {place}",
        "cool {a} {thing} and put it {at} {place}",
        "chill {a} {thing}, then leave it {at} {place}",
        "let {a} {thing} get cold and set it {at} {place}",
        "{a} {thing} has to be cooled and placed {at} {place}",
        "make sure that a chilled {thing} is {at} {place}",
        "move a cooled {thing} to {place}",
    ),
    "pick_two_obj_and_place": (
        "put two {things} {at} {one_place}",
        "find two {things} and leave them {at} {one_place}",
        "move two {things} to {one_place}",
        "take two {things} and set both {at} {one_place}",
        "gather two {things} {at} {one_place}",
        "two {things} should be {at} {one_place}, both in the same one",
        "bring a pair of {things} to {one_place}",
    ),
}
_SURFACES = frozenset(
    [
        "armchair",
        "bed",
        "cart",
        "coffeetable",
        "countertop",
        "desk",
        "diningtable",
        "dresser",
        "handtowelholder",
        "ottoman",
        "shelf",
        "sidetable",
        "sofa",
        "stoveburner",
        "toilet",
        "toiletpaperhanger",
        "towelholder",
        "tvstand",
    ]
)
_WORDS = {
    "alarmclock": "alarm clock",
    "armchair": "arm chair",
    "baseballbat": "baseball bat",
    "bathtubbasin": "bathtub basin",
    "butterknife": "butter knife",
    "cd": "CD",
    "cellphone": "cell phone",
    "coffeemachine": "coffee machine",
    "coffeetable": "coffee table",
    "countertop": "counter top",
    "creditcard": "credit card",
    "desklamp": "desk lamp",
    "diningtable": "dining table",
    "dishsponge": "dish sponge",
    "garbagecan": "garbage can",
    "glassbottle": "glass bottle",
    "handtowel": "hand towel",
    "handtowelholder": "hand towel holder",
    "keychain": "key chain",
    "laundryhamper": "laundry hamper",
    "papertowelroll": "paper towel roll",
    "peppershaker": "pepper shaker",
    "remotecontrol": "remote control",
    "saltshaker": "salt shaker",
    "sidetable": "side table",
    "sinkbasin": "sink basin",
    "soapbar": "soap bar",
    "soapbottle": "soap bottle",
    "spraybottle": "spray bottle",
    "stoveburner": "stove burner",
    "tennisracket": "tennis racket",
    "tissuebox": "tissue box",
    "toiletpaper": "toilet paper roll",
    "toiletpaperhanger": "toilet paper hanger",
    "towelholder": "towel holder",
    "tvstand": "TV stand",
    "wateringcan": "watering can",
    "winebottle": "wine bottle",
}


def sentence_of(goal: Goal, draws: Draws) -> str:
    """Return a sentence, with a full stop, that asks for a goal."""
    thing, place = _written(goal.object, draws), _written(goal.receptacle or goal.lamp, draws)
    article = draws.pick(("the", _article(place), "the"))
    text = draws.pick(_SENTENCES[goal.type]).format(
        a="some" if draws.chance(0.15) else _article(thing),
        thing=thing,
        things=_plural(thing),
        at="on" if goal.receptacle in _SURFACES else "in",
        place=f"{article} {place}",
        one_place=f"one {place}",
    )
    text = re.sub(r"\ba (?=[aeio])", "an ", text)
    return f"{text[0].upper()}{text[1:]}." if draws.chance(0.5) else f"{text}."


def names(instruction: str, kind: str) -> bool:
    """Return whether an instruction names things of a class, one or several, as the engine or as people write it.

    Of names within each other the longest counts: a desk lamp is no desk.
    """
    return kind in _named(instruction)


@functools.lru_cache(maxsize=16_384)
def _named(instruction: str) -> frozenset[str]:
    forms = _forms()
    pattern = "|".join(re.escape(form) for form in sorted(forms, key=len, reverse=True))
    return frozenset(forms[found] for found in re.findall(rf"\b(?:{pattern})\b", instruction.lower()))


@functools.cache
def _forms() -> dict[str, str]:
    """Return each way to write a class -> the class."""
    forms = {}
    for kind in sorted(CLASSES):
        for word in (kind, _WORDS.get(kind, kind).lower()):
            forms.update({word: kind, _plural(word): kind})
    return forms


def _written(kind: str, draws: Draws) -> str:
    """Return a class as people write it, or now and then as the engine does."""
    return kind if draws.chance(0.3) else _WORDS.get(kind, kind)


def _article(word: str) -> str:
    return "an" if word[0] in "aeiou" else "a"


def _plural(word: str) -> str:
    if word.endswith(("knife",)):
        return f"{word[:-2]}ves"
    return f"{word}es" if word.endswith(("s", "x", "ch", "sh", "potato", "tomato")) else f"{word}s"
