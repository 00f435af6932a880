"""The nouns of a product's title, by rules.

WebShop compares two titles by the nouns (common and proper) that spaCy's small English model tags in them.  That model
is a dependency too heavy for this comparison and not in the package index, so its behaviour on *titles* is approximated
by what governs it there:

* tokens are cut as spaCy cuts them (hyphens and slashes between letters part, parentheses inside a word do not,
  possessive endings and units of measurement come off);
* in a title nearly every capitalised word is tagged a proper noun, adjectives and participles included
  (``Long Sleeve``, ``Hiking Trousers``), unless it is a function word, a number, an adverb, or an adjective that a
  preposition follows (``Perfect for``, ``Compatible with``);
* a word in lower case is a noun unless a list or its ending says otherwise.

What is approximated: single words may be tagged differently by the model, which looks at the whole title.  The score
only matters at 0, 0.1 and 0.2, so that most such differences change no reward.
"""

from __future__ import annotations

import re
from functools import lru_cache

__all__ = ["nouns", "title_score"]

_FUNCTION_WORDS = frozenset(
    re.findall(
        r"\S+",
        """
        a an the this that these those my your his her its our their every each all any both either neither no
        some such and or but nor yet so if than then as while when where because although plus of in on at by
        for with without from to into onto upon over under up out off about above across after against along
        among around before behind below beneath beside besides between beyond during except inside like near
        outside per since through throughout till until toward towards underneath via within i me you he him she
        it we us they them who whom whose which what is are was were be been being am do does did has have had
        can could will would shall should may might must not n't 's there here how why w/ x
        """,
    )
)
_NUMBERS = frozenset(
    re.findall(
        r"\S+",
        """
        zero one two three four five six seven eight nine ten eleven twelve fifteen twenty thirty forty fifty
        sixty hundred thousand first second third 1st 2nd 3rd 4th 5th
        """,
    )
)
_ADVERBS_AND_VERBS = frozenset(
    re.findall(
        r"\S+",
        """
        very fully easily really also just only too more most much even ever never always now again together
        includes including included contains containing fits make makes made gives keeps helps provides
        featuring features works compatible available suitable
        """,
    )
)
_ADJECTIVES = frozenset(
    re.findall(
        r"\S+",
        """
        new old big small large little long short high low wide narrow thick thin heavy light soft hard warm
        cool cold hot dry wet fresh clean clear smooth rough sharp strong firm gentle mild sweet dark bright
        deep full empty open slim loose tight great good better best perfect ideal fine nice cute pretty sexy
        cozy easy simple safe fast quick slow free rich natural organic original classic modern vintage retro
        rustic casual formal elegant comfortable breathable adjustable portable durable removable reusable
        washable waterproof lightweight foldable stretchy stylish fashionable funny electric electronic digital
        manual automatic wireless stainless solid plain fancy double single multi mini black white red blue
        green yellow pink purple grey gray brown beige orange golden indoor outdoor daily weekly human female
        male extra premium deluxe ultra super real pure raw whole ready vegan gluten professional personal
        medical dental facial royal regular skinny compact unique various different
        """,
    )
)
_ADJECTIVE_ENDINGS = ("able", "ible", "ous", "ful", "less", "ive", "ish", "ic", "ical", "proof", "ed", "y-free")
_VERB_ENDINGS = ("ly", "ing")
_PREPOSITIONS_AFTER_ADJECTIVES = frozenset(["for", "with", "to", "of", "as", "and"])

_UNIT = re.compile(
    r"\d(km|m|cm|mm|dm|ft|in|inch|kg|g|gm|mg|lb|lbs|oz|ml|l|gb|mb|tb|kb|kpa|mbar|hz|w|v|a|mah)\Z", re.IGNORECASE
)
_EDGE = "\"'“”‘’`«»()[]{}<>.,;:!?…•·*#|~_=+-–—&$£€%/\\©®™★☆✔✅【】「」（），。！：；、"
_LETTERS = r"[^\W\d_]"
_INFIX = re.compile(
    rf"(?<={_LETTERS})(?:--?-?|[–—~,]|\.\.+|…)(?={_LETTERS})|(?<=[^\W_])[:<>=/](?={_LETTERS})|(?<=[a-zß-ÿ])\.(?=[A-Z])"
)
_POSSESSIVE = re.compile(r"['’][sS]\Z")


@lru_cache(maxsize=65536)
def nouns(title: str) -> tuple[str, ...]:
    """Return the nouns of a title in lower case, in order, each as often as it occurs."""
    tokens = _tokens(title)
    following = [token.lower() for token in tokens[1:]] + [""]
    return tuple(token.lower() for token, after in zip(tokens, following, strict=False) if _is_noun(token, after))


def title_score(bought: str, wanted: str) -> float:
    """Return the share of the wanted title's nouns that the bought title has: distinct shared ones ÷ all wanted ones.

    0.2 where the wanted title has no nouns.
    """
    wanted_nouns = nouns(wanted)
    if not wanted_nouns:
        return 0.2
    return len(set(wanted_nouns) & set(nouns(bought))) / len(wanted_nouns)


def _tokens(title: str) -> list[str]:
    tokens: list[str] = []
    for chunk in title.split():
        for piece in _INFIX.split(chunk.strip(_EDGE)):
            word = _POSSESSIVE.sub("", piece).strip(_EDGE)
            unit = _UNIT.search(word)
            tokens += [word[: unit.start(1)], unit[1]] if unit else [word]
    return [token for token in tokens if token]


def _is_noun(token: str, after: str) -> bool:
    word = token.lower()
    if word in _FUNCTION_WORDS or word in _NUMBERS or word in _ADVERBS_AND_VERBS or not token[0].isalpha():
        return False
    if not token.islower():
        adjective = word in _ADJECTIVES or word.endswith(_ADJECTIVE_ENDINGS[:6])
        return not (adjective and after in _PREPOSITIONS_AFTER_ADJECTIVES and not token.isupper())
    return not (word in _ADJECTIVES or word.endswith(_ADJECTIVE_ENDINGS) or word.endswith(_VERB_ENDINGS))
