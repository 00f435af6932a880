"""From a situation to vectors: the state as one, and one for each candidate action.

Nothing here is learnt, and nothing knows a domain.  Texts are hashed (:mod:`dreamgym_env.memory.hashing`); beside that
stand a few figures that no hash can give: how many words a candidate shares with the instruction, whether
it was taken before in the episode and what it showed then, whether a price fits.

A candidate often says little by itself, ``click[b0kawavvsl]`` or ``click('12')``.  Then the state's segment that shows
its argument speaks for it, and for a code the two after that.
"""

from __future__ import annotations

import functools
import itertools
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from dreamgym_env.memory.experience import read_domain_transitions
from dreamgym_env.memory.hashing import HashingEmbedder
from dreamgym_env.policies.candidates import Candidate, list_candidates, words
from dreamgym_env.types import Domain, Transition, Turn

__all__ = ["Encoded", "FeatureSettings", "Featuriser", "Situation", "action_kinds", "domain_features"]

Floats = npt.NDArray[np.float32]

_PLACES = 10
"""Places among the candidates of a kind that are told apart."""
_ARGUMENT = re.compile(r"\[([^\]]*)\]$|\(\s*'([^']*)'|\(\s*\"([^\"]*)\"")
_CODE = re.compile(r"(?=.*\d)[a-z0-9]{8,}")
_NUMBERED = re.compile(r"\[(\d+)\] ")
_AMOUNT = re.compile(r"[$€]\s?(\d+(?:\.\d+)?)|(\d+(?:\.\d+)?) (?:dollars|euros)")
_FIGURES = 18
"""Figures of a candidate, see :meth:`Featuriser._figures`."""


@dataclass(frozen=True, slots=True)
class FeatureSettings:
    """What a featuriser does; kept with a policy, since the network's sizes follow from it."""

    kinds: tuple[str, ...]
    """Kinds of actions that are told apart; all others are one."""
    dimension: int = 64
    """Length of a hashed text."""
    most_candidates: int = 128
    """Candidates of a state that are looked at; those after them are left out."""

    def __post_init__(self) -> None:
        """Check the sizes. Raises ValueError."""
        if self.dimension < 8 or self.most_candidates < 1:
            raise ValueError("dimension must be at least 8, and most_candidates at least 1.")

    @property
    def state_size(self) -> int:
        """Length of a state's vector."""
        return 2 * self.dimension + 3 * (len(self.kinds) + 1) + 3

    @property
    def candidate_size(self) -> int:
        """Length of a candidate's vector."""
        return 2 * self.dimension + (len(self.kinds) + 1) + _PLACES + 1 + _FIGURES


@dataclass(frozen=True, slots=True)
class Situation:
    """What a policy decides on: all that an agent may see."""

    instruction: str
    history: Sequence[Turn]
    """The turns before, oldest first."""
    state: str
    offered: Sequence[str]
    """The actions that the state offers."""


@dataclass(frozen=True, slots=True)
class Encoded:
    """A situation as numbers."""

    state: Floats
    """Shape (state_size,)."""
    candidates: Floats
    """Shape (K, candidate_size)."""
    choices: tuple[Candidate, ...]
    """The K candidates."""


def action_kinds(domain: Domain, transitions: Sequence[Transition]) -> tuple[str, ...]:
    """Return the kinds of the actions taken in some transitions, but for those that are no actions; sorted."""
    found = {domain.action_kind(step.action) for step in transitions if domain.parse_action(step.action) is not None}
    return tuple(sorted(found))


def domain_features(domain: Domain, *, most_candidates: int = 80, dimension: int = 64) -> FeatureSettings:
    """Return settings that fit a domain: the kinds of actions are those of its shipped experience.

    Args:
        domain: that is played; one without experience has a single kind.
        most_candidates: see :class:`FeatureSettings`.  Of 200 states drawn from the shipped experience the one with
            most candidates has 19 in WebShop, 31 in MiniWoB, 66 in ALFWorld and 76 in WebArena-Lite.
        dimension: see :class:`FeatureSettings`.
    """
    experience = domain.seed_experience()
    kinds = action_kinds(domain, read_domain_transitions(experience, domain.name)) if experience else ()
    return FeatureSettings(kinds, dimension, most_candidates)


class Featuriser:
    """Encodes situations of one domain; the same situation always gives the same vectors."""

    def __init__(self, domain: Domain, settings: FeatureSettings) -> None:
        """Create one; it keeps hashed texts of its own and may be shared."""
        self.settings = settings
        self._domain = domain
        self._embedder = HashingEmbedder(settings.dimension)
        self._places = {kind: place for place, kind in enumerate(settings.kinds)}
        self._embedded: dict[str, Floats] = {}

    def encode(self, situation: Situation) -> Encoded:
        """Return a situation's vectors; without candidates where the state offers none."""
        choices = list_candidates(situation.instruction, situation.offered, self.settings.most_candidates)
        view = _View(self._domain, situation)
        kinds = [self._places.get(self._domain.action_kind(one.action), len(self._places)) for one in choices]
        figures = np.zeros((len(choices), _FIGURES), dtype=np.float32)
        texts = [view.says(one) for one in choices]
        for at, (one, text) in enumerate(zip(choices, texts, strict=True)):
            figures[at] = self._figures(view, one, text)
        place, first = self._place_in_kind(kinds), np.eye(_PLACES + 1, dtype=np.float32)
        candidates = np.concatenate(
            [
                self._embed([one.action for one in choices]),
                self._embed(texts),
                np.eye(len(self._places) + 1, dtype=np.float32)[kinds],
                first[np.minimum(place, _PLACES)],
                figures,
            ],
            axis=1,
        )
        return Encoded(self._state(view, kinds, figures), candidates, choices)

    def _state(self, view: _View, kinds: Sequence[int], figures: Floats) -> Floats:
        """Return the state's vector: texts, how long ago each kind was taken, what its candidates promise at best."""
        count = len(self._places) + 1
        recency, promise, open_share = (np.zeros(count, dtype=np.float32) for _ in range(3))
        for ago, turn in enumerate(reversed(view.situation.history)):
            kind = self._places.get(self._domain.action_kind(turn.action), count - 1)
            recency[kind] = max(recency[kind], 1 / (1 + ago))
        for kind, row in zip(kinds, figures, strict=True):
            open_share[kind] += 1
            if not row[_TAKEN]:
                promise[kind] = max(promise[kind], row[_SHARE])
        steps = len(view.situation.history) / self._domain.max_episode_steps
        return np.concatenate(
            [
                *self._embed([view.page, view.situation.instruction]),
                recency,
                promise,
                np.minimum(open_share, 20) / 20,
                np.array([steps, *view.state_figures()], dtype=np.float32),
            ]
        )

    def _figures(self, view: _View, one: Candidate, text: str) -> Sequence[float]:
        """Return what no hash can give, all in [0, 1].

        In this order: the share of the candidate's words that the instruction says; whether it was taken before; how
        many of its words the instruction says, and which share of the instruction's they are; whether the instruction
        says them in this order, and whether all of them; how lately it was taken, and what it showed then; what earlier
        actions said of it; whether it says anything wanted that none did; what the last action said of it; whether its
        price fits, or is too high; whether it is a phrase; its length; its telling words; whether it was the last
        action; how often it was taken in this very state.
        """
        said = words(text)
        known = [word for word in said if word in view.wanted]
        share = len(known) / len(said) if said else 0.0
        taken = view.taken.get(one.action)
        before = len(view.situation.history)
        fits, dear = view.fits(text)
        return (
            share,
            float(taken is not None),
            min(len(set(known)), 8) / 8,
            len(set(known)) / max(1, len(view.wanted)),
            float(view.quotes(said)),
            float(share == 1.0) * min(len(said), 4) / 4,
            1 / (before - taken) if taken is not None else 0.0,
            view.shown(one.action),
            view.mentioned(said),
            float(bool(set(known) - view.covered)),
            float(view.says_of_last(said)),
            fits,
            dear,
            float(bool(one.phrase)),
            min(len(said), 12) / 12,
            sum(view.weight(word) for word in set(known)) / max(1e-6, view.total_weight),
            float(taken is not None and taken == before - 1),
            min(view.repeated(one.action), 4) / 4,
        )

    def _place_in_kind(self, kinds: Sequence[int]) -> npt.NDArray[np.int64]:
        seen = [0] * (len(self._places) + 1)
        places = []
        for kind in kinds:
            places.append(seen[kind])
            seen[kind] += 1
        return np.array(places, dtype=np.int64)

    def _embed(self, texts: Sequence[str]) -> Floats:
        missing = [text for text in dict.fromkeys(texts) if text not in self._embedded]
        if len(self._embedded) + len(missing) > _MOST_EMBEDDED:
            self._embedded.clear()
            missing = list(dict.fromkeys(texts))
        if missing:
            self._embedded.update(zip(missing, self._embedder.embed(missing), strict=True))
        if not texts:
            return np.zeros((0, self.settings.dimension), dtype=np.float32)
        return np.stack([self._embedded[text] for text in texts])


_SHARE, _TAKEN = 0, 1
_MOST_EMBEDDED = 100_000


class _View:
    """A situation with what its candidates are compared with."""

    def __init__(self, domain: Domain, situation: Situation) -> None:
        self.situation = situation
        segments = domain.segment(situation.state, situation.instruction)
        self._shown = segments
        self.page = " ".join(segments)
        self.wanted = _wanted(situation.instruction)
        self._instruction = " ".join(words(situation.instruction))
        self._segments = _index(segments)
        self.taken = {turn.action: at for at, turn in enumerate(situation.history)}
        states = [*(turn.state for turn in situation.history), situation.state]
        self._outcomes = {turn.action: states[at + 1] for at, turn in enumerate(situation.history)}
        self._repeated = Counter(turn.action for turn in situation.history if turn.state == situation.state)
        self._past = {word for turn in situation.history for word in words(turn.action)}
        self._last = set(words(situation.history[-1].action)) if situation.history else set()
        self.covered = self._past & self.wanted
        self._limit = _amount(situation.instruction)
        self._domain = domain
        self._counts = _counted(segments)
        self.total_weight = sum(self.weight(word) for word in self.wanted)

    def says(self, candidate: Candidate) -> str:
        """Return what a candidate says: its phrase or itself, or what the state shows of its argument."""
        if candidate.phrase:
            return candidate.phrase
        match = _ARGUMENT.search(candidate.action)
        if match is None:
            return candidate.action
        argument = next(group for group in match.groups() if group is not None)
        return self._segments.get(argument.lower(), argument)

    def weight(self, word: str) -> float:
        """Return how telling a word is: the less, the more often the state says it."""
        return 1 / (1 + self._counts.get(word, 0))

    def quotes(self, said: Sequence[str]) -> bool:
        """Return whether the instruction says these words in this order."""
        return bool(said) and f" {' '.join(said)} " in f" {self._instruction} "

    def shown(self, action: str) -> float:
        """Return the share of the instruction's words in what an action showed when it was last taken."""
        outcome = self._outcomes.get(action)
        if outcome is None:
            return 0.0
        return _overlap(self._domain.segment(outcome, self.situation.instruction), self.situation.instruction)

    def repeated(self, action: str) -> int:
        """Return how often an action was taken in this very state."""
        return self._repeated.get(action, 0)

    def mentioned(self, said: Sequence[str]) -> float:
        """Return the share of these words that earlier actions said."""
        return sum(word in self._past for word in said) / len(said) if said else 0.0

    def says_of_last(self, said: Sequence[str]) -> float:
        """Return the share of these words that the last action said."""
        return sum(word in self._last for word in said) / len(said) if said else 0.0

    def fits(self, text: str) -> tuple[float, float]:
        """Return whether a price in a text is within the instruction's, and whether it is above."""
        price = _amount(text)
        if price is None or self._limit is None:
            return 0.0, 0.0
        return float(price <= self._limit), float(price > self._limit)

    def state_figures(self) -> tuple[float, float]:
        """Return the share of the instruction's words on the page, and whether the page's price is too high."""
        return _overlap(self._shown, self.situation.instruction), self.fits(self.page)[1]


@functools.lru_cache(maxsize=4096)
def _wanted(instruction: str) -> frozenset[str]:
    """Return the words of an instruction, and its pairs of words in one, as names of things are often written."""
    said = words(instruction)
    joined = [first + second for first, second in itertools.pairwise(said)]
    return frozenset({*(word for word in said if len(word) > 2 or not word.isalpha()), *joined})


@functools.lru_cache(maxsize=8192)
def _overlap(segments: tuple[str, ...], instruction: str) -> float:
    """Return the share of an instruction's words that a state says beside the instruction itself."""
    said = {word for segment in segments for word in words(segment)}
    wanted = _wanted(instruction)
    return len(said & wanted) / max(1, len(wanted))


@functools.lru_cache(maxsize=4096)
def _index(segments: tuple[str, ...]) -> dict[str, str]:
    """Return what a state shows of an argument: lower-cased segment, or an element's number -> text."""
    found: dict[str, str] = {}
    for at, segment in enumerate(segments):
        numbered = _NUMBERED.match(segment)
        if numbered:
            found.setdefault(numbered[1], segment[numbered.end() :])
        elif _CODE.fullmatch(segment.lower()):
            found.setdefault(segment.lower(), " ".join(segments[at + 1 : at + 3]))
    return found


@functools.lru_cache(maxsize=4096)
def _counted(segments: tuple[str, ...]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for segment in segments:
        for word in set(words(segment)):
            counts[word] = counts.get(word, 0) + 1
    return counts


@functools.lru_cache(maxsize=65_536)
def _amount(text: str) -> float | None:
    """Return the first amount of money that a text names."""
    match = _AMOUNT.search(text)
    return float(match[1] or match[2]) if match else None
