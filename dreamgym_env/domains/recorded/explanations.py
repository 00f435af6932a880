"""How often each explanation of recorded answers was right, in groups of like circumstances."""

from __future__ import annotations

import operator
from collections import Counter, deque
from collections.abc import Hashable, Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from dreamgym_env.domains.exclusion import Exclusion
from dreamgym_env.domains.recorded.actions import ReadAction, Template, fill
from dreamgym_env.domains.recorded.edits import Edit, apply_edits

__all__ = ["UNCHANGED", "ExplainedStep", "Guess", "Segments", "StepGroup", "by_worth"]

Segments = tuple[str, ...]

UNCHANGED = "unchanged"
"""The explanation that nothing changes."""

_REMEMBERED = 128
"""How many recorded steps in like circumstances are counted, the latest ones."""
_COMMONEST = 3
"""How many templates, and how many edits, are tried in like circumstances."""
_UNLIKELY = 0.3
"""An answer that was right less often is worth less than one that is right in most of its segments."""


class ExplainedStep(NamedTuple):
    """What explains one recorded step."""

    family: str
    episode: str
    possible: tuple[str, ...]
    """Explanations that say something of it."""
    right: tuple[str, ...]
    """Those that say what the environment said."""
    template: Template
    edits: tuple[Edit, ...] | None
    terminated: bool


@dataclass(frozen=True, slots=True)
class Guess:
    """An answer, and what speaks for it."""

    name: str
    segments: Segments
    right: int
    tried: int
    ended: int
    """Of the steps that it was right for, how many ended their episode."""
    likely_near: bool = False
    """Whether most of its segments were right, each by itself, in most steps."""

    @property
    def share(self) -> float:
        """How often it was right, one failure added."""
        return self.right / (self.tried + 1)

    @property
    def worth(self) -> tuple[float, bool, float]:
        """By what the best guess is chosen."""
        return (self.share if self.share > _UNLIKELY else 0.0, self.likely_near, self.share)


by_worth = operator.attrgetter("worth")


class _Tally:
    """How often each explanation, and each template, was right for some steps."""

    __slots__ = ("edits", "ended", "page_stays", "right", "steps", "templates", "tried", "usual_edits")

    def __init__(self, steps: Iterable[ExplainedStep]) -> None:
        self.steps = 0
        self.tried, self.right, self.ended = Counter[Hashable](), Counter[Hashable](), Counter[Hashable]()
        templates, edits, each = Counter[Template](), Counter[tuple[Edit, ...]](), Counter[Edit]()
        for step in steps:
            self.steps += 1
            self.tried.update(step.possible)
            right: list[Hashable] = [*step.right, step.template]
            templates[step.template] += 1
            if step.edits is not None:
                edits[step.edits] += 1
                each.update(step.edits)
                right.append(step.edits)
            self.right.update(right)
            if step.terminated:
                self.ended.update(right)
        self.templates = [template for template, _ in templates.most_common(_COMMONEST)]
        self.edits = [found for found, _ in edits.most_common(_COMMONEST) if found]
        self.usual_edits = tuple(edit for edit, count in each.items() if count > edits.total() / 2)
        self.page_stays = edits.total() > self.steps / 2

    def guesses(self, said: dict[str, Segments], action: ReadAction) -> Iterator[Guess]:
        """Yield what the explanations that apply, and the commonest templates and edits, make of a question."""
        for name, segments in said.items():
            if self.right[name]:
                yield Guess(name, segments, self.right[name], self.tried[name], self.ended[name])
        for template in self.templates:
            answer = fill(template, action.arguments)
            yield Guess("by analogy", answer, self.right[template], self.steps, self.ended[template])
        for edits in self.edits:
            edited = apply_edits(edits, said[UNCHANGED], action.arguments)
            if edited is not None:
                yield Guess("as such pages change", edited, self.right[edits], self.steps, self.ended[edits])
        if self.page_stays and self.usual_edits:
            edited = apply_edits(self.usual_edits, said[UNCHANGED], action.arguments)
            if edited is not None:
                right, ended = self.right[self.usual_edits], self.ended[self.usual_edits]
                yield Guess("as such pages mostly change", edited, right, self.steps, ended, likely_near=True)


class StepGroup:
    """Recorded steps in like circumstances, the latest ones."""

    def __init__(self) -> None:
        self._steps: deque[ExplainedStep] = deque(maxlen=_REMEMBERED)
        self._all: _Tally | None = None
        self._origins: frozenset[str] = frozenset()

    def add(self, step: ExplainedStep) -> None:
        """Add one more."""
        self._steps.append(step)

    def tally(self, exclusion: Exclusion) -> _Tally:
        """Return how often what was right, but for the steps that are excluded."""
        if self._all is None:
            self._all = _Tally(self._steps)
            self._origins = frozenset(origin for step in self._steps for origin in (step.family, step.episode))
        if exclusion.family not in self._origins and exclusion.episode not in self._origins:
            return self._all
        return _Tally(step for step in self._steps if exclusion.allows(step.family, step.episode))
