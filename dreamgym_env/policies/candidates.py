"""What a policy chooses among: the offered actions, with free arguments filled in.

A state offers actions such as ``search[<keywords>]`` or ``fill('7', '<text>')``.  A policy that scores whole actions
cannot write a text of its own, so each such action is offered with several phrases of the instruction: what it quotes,
its telling words, and the groups of words between commas and words that tell nothing.  A free argument that no phrase
of the instruction can be (an address) leaves the action out.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

__all__ = ["Candidate", "find_candidate", "list_candidates", "phrases", "words"]

_PLACEHOLDER = re.compile(r"'<([a-z]+)>'|<([a-z]+)>")
_UNFILLED = frozenset({"url"})
_QUOTED = re.compile(r'"([^"\n]{1,80})"')
_PRICE = re.compile(r"[$€]\S*|\d+\.\d\d")
_WORD = re.compile(r"[^\W_]+(?:['.][^\W_]+)*")
_MOST_PHRASES = 10
_LONGEST = 12
"""Words of the longest phrase."""
_LEAST_ALIKE = 0.3
"""What a typed text and a phrase must have in common (F1 of their words) to count as the same choice."""
_TELLING_NOTHING = frozenset(
    """
    a about all also am an and any are as at be been below both buy but by can cheaper color colour cost costing could
    do does dollars each enter expensive field find for from get give go had has have help how i i'd i'm if in into is
    it it's item its lower less like looking love make me more must my need needs no not number of off on one only or
    our out page pay please press price priced put really searching select set shop should show size some style submit
    such take tell than that the their them then there these they this to too type under up use want was we what when
    where which who will with within would you your
    """.split()  # noqa: SIM905 - a word a line would be longer than the rest of the module
)


@dataclass(frozen=True, slots=True)
class Candidate:
    """An action that a policy may choose."""

    action: str
    """As it is sent to the environment."""
    template: str = ""
    """The offered action that it fills in; empty for one that was offered as it is."""
    phrase: str = ""
    """What stands in place of the free argument."""


@functools.lru_cache(maxsize=65_536)
def words(text: str) -> tuple[str, ...]:
    """Return the words of a text in order, lower-cased, plural endings left out."""
    return tuple(map(_stem, _WORD.findall(text.lower())))


def phrases(instruction: str) -> tuple[str, ...]:
    """Return what an instruction gives to type: quoted texts, all telling words, groups of them; each once."""
    return _phrases(instruction)


def list_candidates(instruction: str, offered: Sequence[str], most: int) -> tuple[Candidate, ...]:
    """Return the candidates of a state, in the order of the offered actions.

    Args:
        instruction: of the task.
        offered: the actions that the state offers.
        most: how many at most; those after them are left out.
    """
    found: list[Candidate] = []
    for action in offered:
        found.extend(_filled(action, instruction) if "<" in action else (Candidate(action),))
        if len(found) >= most:
            break
    return tuple(found[:most])


def find_candidate(action: str, candidates: Sequence[Candidate], canonical: Callable[[str], str | None]) -> int | None:
    """Return which candidate an action is; of those with a phrase, the most alike.

    Args:
        action: what was done.
        candidates: what a policy could choose.
        canonical: the domain's ``parse_action``.

    Returns:
        Its place, or None where no candidate is that action.
    """
    wanted = canonical(action)
    if wanted is None:
        return None
    for at, candidate in enumerate(candidates):
        if canonical(candidate.action) == wanted:
            return at
    alike = {at: _likeness(action, candidate) for at, candidate in enumerate(candidates) if candidate.template}
    best = max(alike, key=alike.__getitem__, default=None)
    return best if best is not None and alike[best] >= _LEAST_ALIKE else None


def _filled(template: str, instruction: str) -> Iterator[Candidate]:
    match = _PLACEHOLDER.search(template)
    if match is None:  # a text that only looks like one
        yield Candidate(template)
        return
    if (match[1] or match[2]) in _UNFILLED:
        return
    for phrase in phrases(instruction):
        written = repr(phrase) if match[1] else phrase.translate(_NO_BRACKETS)
        yield Candidate(template[: match.start()] + written + template[match.end() :], template, phrase)


_NO_BRACKETS = str.maketrans("[]<>", "    ")


def _likeness(action: str, candidate: Candidate) -> float:
    """Return the F1 of the words of what was typed and of a phrase; 0 for another action."""
    head = candidate.template[: candidate.template.index("<")].rstrip("'\"")
    if not action.startswith(head):
        return 0.0
    typed, phrase = set(words(action[len(head) :])), set(words(candidate.phrase))
    return 2 * len(typed & phrase) / (len(typed) + len(phrase)) if typed and phrase else 0.0


@functools.lru_cache(maxsize=4096)
def _phrases(instruction: str) -> tuple[str, ...]:
    groups = [group for part in re.split(r"[,;:!?()\"\n]|\.(?=\s|$)", instruction) for group in _groups(part)]
    telling = " ".join([word for group in groups for word in group if not _PRICE.fullmatch(word)][:_LONGEST])
    texts = [*_QUOTED.findall(instruction), telling]
    texts += [" ".join(group[-_LONGEST:]) for group in groups]
    texts += [" ".join(group[-2:]) for group in groups if len(group) > 2]
    return tuple(dict.fromkeys(text for text in texts if text))[:_MOST_PHRASES]


def _groups(part: str) -> list[list[str]]:
    """Return the runs of telling words in a part of an instruction."""
    groups: list[list[str]] = [[]]
    for word in re.findall(r"[^\s]+", part):
        bare = word.strip("'\"$€").lower()
        if not bare or bare in _TELLING_NOTHING:
            groups.append([])
        else:
            groups[-1].append(word.strip("'\""))
    return [group for group in groups if group]


def _stem(word: str) -> str:
    if len(word) > 4 and word.endswith("ies"):
        return word[:-3] + "y"
    if len(word) > 4 and word.endswith(("ses", "xes", "ches", "shes", "oes")):
        return word[:-2]
    return word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith("ss") else word
