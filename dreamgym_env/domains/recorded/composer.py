"""Composes answers of an environment that nobody described, by what has explained such answers in its recordings.

An answer often follows from the episode itself (it is what the same action got before, or the page before the last
move, or nothing changes), or from recordings by analogy: "open gate" got "You open gate.", so "open chest" gets "You
open chest.", or the page changes as such pages do (:mod:`~.edits`).  Each of these is an *explanation*.  Of every
recorded step it is noted which explanations give the real answer, and the question is answered by the one that was
right most often in circumstances like its own.
"""

from __future__ import annotations

import functools
from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterator, Sequence
from typing import TYPE_CHECKING

from dreamgym_env.domains.composed import composed_memory, recorded_answers
from dreamgym_env.domains.exclusion import Exclusion
from dreamgym_env.domains.recorded.actions import read_action, template_of
from dreamgym_env.domains.recorded.circumstances import circumstances, in_the_episode, named_share
from dreamgym_env.domains.recorded.edits import edits_of
from dreamgym_env.domains.recorded.explanations import UNCHANGED, ExplainedStep, Guess, Segments, StepGroup, by_worth
from dreamgym_env.types import Memory, Query, Transition

if TYPE_CHECKING:
    from dreamgym_env.types import Domain

__all__ = ["ExplainingComposer"]

_OFTEN = 20
_ELSEWHERE, _HERE = "as recorded in other tasks", "as recorded in this task"


class ExplainingComposer:
    """Answers by the explanation that was right most often."""

    def __init__(self, domain: Domain, experience: Callable[[], Iterator[Transition]]) -> None:
        """Create a composer; the experience is read when it is first asked."""
        self._domain = domain
        self._records: Callable[[], _Records] = functools.cache(lambda: _Records(domain, experience()))

    def compose(
        self, query: Query, memories: Sequence[Memory], *, exclude_episode: bool = False, exclude_task: bool = False
    ) -> Memory | None:
        """Return the likeliest answer; it is certain where its explanation was right in all of twenty cases or more.

        There is none where no explanation has ever been right, or where a memory of the same action on the same page
        says the same and tells how the episode ended.

        Its reasoning tells how often that was right, how much of the action the task names, and whether such steps have
        ended episodes.

        Args:
            query: the question.
            memories: what was retrieved for it.
            exclude_episode: count nothing that the asking episode's own recordings have shown.
            exclude_task: count nothing that recordings of the asking task have shown.
        """
        exclusion = Exclusion.of(query, exclude_episode=exclude_episode, exclude_task=exclude_task)
        guess = self._records().guess(query, exclusion)
        if guess is None:
            return None
        action = read_action(query.action)
        page = self._domain.render(guess.segments, query.task.instruction)
        ends = [memory for memory in memories if memory.transition.terminated]
        if page in recorded_answers(self._domain, query, ends):
            return None
        named = named_share(action, query.task.instruction)
        told = f"{guess.name}: {_often(guess.share)} so, {named} named by the task"
        is_end = guess.ended > guess.right / 2
        if guess.ended and not is_end:
            told = f"{told}, has ended"
        certain = guess.right == guess.tried >= _OFTEN
        return composed_memory(query, action.text, page, told, terminated=is_end, certain=certain)


class _Records:
    """Recorded steps by circumstances."""

    def __init__(self, domain: Domain, experience: Iterator[Transition]) -> None:
        self._domain = domain
        self._answers: defaultdict[tuple[Segments, str], list[tuple[str, str, Segments]]] = defaultdict(list)
        self._groups: defaultdict[Hashable, StepGroup] = defaultdict(StepGroup)
        recorded = list(experience)
        for step in recorded:
            page, answer = (domain.segment(text, step.instruction) for text in (step.state, step.next_state))
            self._answers[page, read_action(step.action).text].append((step.family, step.episode, answer))
        for step in recorded:
            query, action = step.question(), read_action(step.action)
            answer = domain.segment(step.next_state, step.instruction)
            said = self._explained(query, Exclusion(episode=step.episode))
            noted = ExplainedStep(
                step.family,
                step.episode,
                tuple(said),
                tuple(name for name, segments in said.items() if segments == answer),
                template_of(answer, action.arguments),
                edits_of(said[UNCHANGED], answer, action.arguments),
                step.terminated,
            )
            for key in circumstances(query, action, said[UNCHANGED]):
                self._groups[key].add(noted)

    def guess(self, query: Query, exclusion: Exclusion) -> Guess | None:
        """Return the best of all explanations in all circumstances that the question shares with recorded steps."""
        action = read_action(query.action)
        said = self._explained(query, exclusion)
        groups = [self._groups[key] for key in circumstances(query, action, said[UNCHANGED]) if key in self._groups]
        guesses = [guess for group in groups for guess in group.tally(exclusion).guesses(said, action)]
        return max(guesses, key=by_worth, default=None)

    def _explained(self, query: Query, exclusion: Exclusion) -> dict[str, Segments]:
        """Return what each explanation says of a question, by its name."""
        said = {
            name: self._domain.segment(text, query.task.instruction) for name, text in in_the_episode(query).items()
        }
        elsewhere, here = Counter[Segments](), Counter[Segments]()
        for family, episode, answer in self._answers.get((said[UNCHANGED], read_action(query.action).text), ()):
            if exclusion.allows(family, episode):
                (here if family == query.task.family else elsewhere)[answer] += 1
        for name, answers in ((_HERE, here), (_ELSEWHERE, elsewhere)):
            if answers:
                said[name] = answers.most_common(1)[0][0]
        return said


def _often(share: float) -> str:
    return "nearly always" if share > 0.85 else "mostly" if share > 0.5 else "sometimes" if share > 0.2 else "seldom"
