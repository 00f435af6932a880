"""Composes answers of an environment that nobody described, by what has explained such answers in its recordings.

An answer often follows from the episode itself (it is what the same action got before, or the page before the last
move, or nothing changes), or from recordings by analogy: "open gate" got "You open gate.", so "open chest" gets "You
open chest.".  Each of these is an *explanation*.  Of every recorded step it is noted which explanations give the real
answer, and the question is answered by the one that was right most often in circumstances like its own.
"""

from __future__ import annotations

import functools
import itertools
import operator
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from dreamgym_env.domains.composed import composed_memory, recorded_answers
from dreamgym_env.domains.recorded.actions import ReadAction, Template, fill, read_action, template_of
from dreamgym_env.types import Memory, Query, Transition, Turn

if TYPE_CHECKING:
    from dreamgym_env.types import Domain

__all__ = ["ExplainingComposer"]

_Segments = tuple[str, ...]
_REMEMBERED = 128
"""How many recorded steps in like circumstances are counted, the latest ones."""
_TEMPLATES = 3
"""How many templates are tried in like circumstances, the commonest ones."""
_ELSEWHERE, _HERE = "as recorded in other tasks", "as recorded in this task"


class _Step(NamedTuple):
    """What explains one recorded step."""

    family: str
    episode: str
    possible: tuple[str, ...]
    """Explanations that say something of it."""
    right: tuple[str, ...]
    """Those that say what the environment said."""
    template: Template
    terminated: bool


@dataclass(frozen=True, slots=True)
class _Guess:
    """An answer, and what speaks for it."""

    name: str
    segments: _Segments
    right: int
    tried: int
    ended: int
    """Of the steps that it was right for, how many ended their episode."""

    @property
    def share(self) -> float:
        """How often it was right, one failure added."""
        return self.right / (self.tried + 1)


_share = operator.attrgetter("share")


class ExplainingComposer:
    """Answers by the explanation that was right most often."""

    def __init__(self, domain: Domain, experience: Callable[[], Iterator[Transition]]) -> None:
        """Create a composer; the experience is read when it is first asked."""
        self._domain = domain
        self._records: Callable[[], _Records] = functools.cache(lambda: _Records(domain, experience()))

    def compose(
        self, query: Query, memories: Sequence[Memory], *, exclude_episode: bool = False, exclude_task: bool = False
    ) -> Memory | None:
        """Return the likeliest answer, never certain.

        There is none where no explanation has ever been right, or where a memory of the same action on the same page
        says the same: that one also tells how the step ended.

        Its reasoning tells how often that was right, how much of the action the task names, and whether such steps have
        ended episodes.

        Args:
            query: the question.
            memories: what was retrieved for it.
            exclude_episode: count nothing that the asking episode's own recordings have shown.
            exclude_task: count nothing that recordings of the asking task have shown.
        """
        family, episode = query.task.family if exclude_task else "", query.episode if exclude_episode else ""
        guess = self._records().guess(query, hidden_family=family, hidden_episode=episode)
        if guess is None:
            return None
        action = read_action(query.action)
        page = self._domain.render(guess.segments, query.task.instruction)
        if page in recorded_answers(self._domain, query, memories):
            return None
        named = _named(action, query.task.instruction)
        told = f"{guess.name}: {_often(guess.share)} so, {named} named by the task"
        ends = guess.ended > guess.right / 2
        if guess.ended and not ends:
            told = f"{told}, has ended"
        return composed_memory(query, action.text, page, told, terminated=ends)


class _Tally:
    """How often each explanation, and each template, was right for some steps."""

    __slots__ = ("ended", "right", "steps", "templates", "tried")

    def __init__(self, steps: Iterable[_Step]) -> None:
        self.steps = 0
        self.tried, self.right, self.ended = Counter[Hashable](), Counter[Hashable](), Counter[Hashable]()
        for step in steps:
            self.steps += 1
            self.tried.update(step.possible)
            self.right.update((*step.right, step.template))
            if step.terminated:
                self.ended.update((*step.right, step.template))
        self.templates = [found for found, _ in self.right.most_common() if isinstance(found, tuple)][:_TEMPLATES]

    def guesses(self, said: dict[str, _Segments], action: ReadAction) -> Iterator[_Guess]:
        """Yield what the explanations that apply, and the commonest templates, make of a question."""
        for name, segments in said.items():
            if self.right[name]:
                yield _Guess(name, segments, self.right[name], self.tried[name], self.ended[name])
        for template in self.templates:
            answer = fill(template, action.arguments)
            yield _Guess("by analogy", answer, self.right[template], self.steps, self.ended[template])


class _Group:
    """Recorded steps in like circumstances, the latest ones."""

    def __init__(self) -> None:
        self._steps: deque[_Step] = deque(maxlen=_REMEMBERED)
        self._all: _Tally | None = None
        self._origins: frozenset[str] = frozenset()

    def add(self, step: _Step) -> None:
        """Add one more."""
        self._steps.append(step)

    def tally(self, hidden_family: str, hidden_episode: str) -> _Tally:
        """Return how often what was right, but for the steps of a family and an episode."""
        if self._all is None:
            self._all = _Tally(self._steps)
            self._origins = frozenset(origin for step in self._steps for origin in (step.family, step.episode))
        if hidden_family not in self._origins and hidden_episode not in self._origins:
            return self._all
        return _Tally(step for step in self._steps if step.family != hidden_family and step.episode != hidden_episode)


class _Records:
    """Recorded steps by circumstances."""

    def __init__(self, domain: Domain, experience: Iterator[Transition]) -> None:
        self._domain = domain
        self._answers: defaultdict[tuple[_Segments, str], list[tuple[str, str, _Segments]]] = defaultdict(list)
        self._groups: defaultdict[Hashable, _Group] = defaultdict(_Group)
        recorded = list(experience)
        for step in recorded:
            page, answer = (domain.segment(text, step.instruction) for text in (step.state, step.next_state))
            self._answers[page, read_action(step.action).text].append((step.family, step.episode, answer))
        for step in recorded:
            query, action = step.question(), read_action(step.action)
            answer = domain.segment(step.next_state, step.instruction)
            said = self._explained(query, hidden_family="", hidden_episode=step.episode)
            noted = _Step(
                step.family,
                step.episode,
                tuple(said),
                tuple(name for name, segments in said.items() if segments == answer),
                template_of(answer, action.arguments),
                step.terminated,
            )
            for key in _circumstances(query, action):
                self._groups[key].add(noted)

    def guess(self, query: Query, *, hidden_family: str, hidden_episode: str) -> _Guess | None:
        """Return the best of all explanations in all circumstances that the question shares with recorded steps."""
        action = read_action(query.action)
        said = self._explained(query, hidden_family=hidden_family, hidden_episode=hidden_episode)
        groups = [self._groups[key] for key in _circumstances(query, action) if key in self._groups]
        guesses = [
            guess for group in groups for guess in group.tally(hidden_family, hidden_episode).guesses(said, action)
        ]
        return max(guesses, key=_share, default=None)

    def _explained(self, query: Query, *, hidden_family: str, hidden_episode: str) -> dict[str, _Segments]:
        """Return what each explanation says of a question, by its name."""
        said = {
            name: self._domain.segment(text, query.task.instruction) for name, text in _in_the_episode(query).items()
        }
        page = self._domain.segment(query.state, query.task.instruction)
        elsewhere, here = Counter[_Segments](), Counter[_Segments]()
        for family, episode, answer in self._answers.get((page, read_action(query.action).text), ()):
            if family != hidden_family and episode != hidden_episode:
                (here if family == query.task.family else elsewhere)[answer] += 1
        for name, answers in ((_HERE, here), (_ELSEWHERE, elsewhere)):
            if answers:
                said[name] = answers.most_common(1)[0][0]
        return said


def _in_the_episode(query: Query) -> dict[str, str]:
    """Return what an answer may be by the episode alone: name of the explanation -> text."""
    action = read_action(query.action)
    said = {"unchanged": query.state}
    turns = [*query.history, Turn(query.state, query.action)]
    said["as at the start"] = turns[0].state
    moves = [turns[0].state]  # the first page is as good as a move's
    for turn, following in itertools.pairwise(turns):
        past = read_action(turn.action)
        said[f"as after {past.verb}"] = following.state
        if past.text == action.text:
            said["as before"] = following.state
            if turn.state == query.state:
                said["as before on this page"] = following.state
        if past.verb == action.verb:
            moves.append(following.state)
    if len(moves) > 1:
        said["back"] = moves[-2]
    return said


def _circumstances(query: Query, action: ReadAction) -> Iterator[Hashable]:
    """Yield what a question has in common with others, the most telling first."""
    past = [read_action(turn.action) for turn in query.history]
    same_verb = next((turn.text for turn in reversed(past) if turn.verb == action.verb), "")
    handled = next((turn.verb for turn in reversed(past) if set(turn.arguments) & set(action.arguments)), "")
    latest = past[-1].verb if past else ""
    text = "\n".join([query.state, *(turn.state for turn in query.history)]).lower() if action.arguments else ""
    seen = tuple(argument.lower() in text for argument in action.arguments)
    named = _named(action, query.task.instruction)
    yield "action", action.text, same_verb
    yield "handled", action.form, seen, handled, named
    yield "handled", action.form, handled
    yield "latest", action.form, latest, seen
    yield "seen", action.form, seen, named
    yield "form", action.form
    yield "verb", action.verb, len(action.arguments)
    yield "any", len(action.arguments)


def _named(action: ReadAction, instruction: str) -> str:
    """Return how much of what an action is about the task names: ``all``, ``some`` or ``none``."""
    told = instruction.lower()
    named = [argument.lower() in told for argument in action.arguments]
    return "none" if not any(named) else "all" if all(named) else "some"


def _often(share: float) -> str:
    return "nearly always" if share > 0.85 else "mostly" if share > 0.5 else "sometimes" if share > 0.2 else "seldom"
