"""What the transcript viewer shows of an episode."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dreamgym_env.evaluation.report.differences import Block, compare_pages, lines_of, shared_lines
from dreamgym_env.evaluation.report.reading import items, number, part, text
from dreamgym_env.evaluation.report.wording import NONE, decimal
from dreamgym_env.types import StopReason

__all__ = ["End", "MemoryShown", "MemoryText", "Page", "Step", "Transcript", "Viewer", "make_viewer"]

_STOPS = {
    StopReason.RUNNING: "not ended when the actions were used up",
    StopReason.SUCCESS: "solved",
    StopReason.FAILURE: "ended without success",
    StopReason.STEP_LIMIT: "step limit reached",
    StopReason.MODEL_FAILURE: "cut short by an answer that could not be read",
    StopReason.ENGINE_FAILURE: "cut short by the loss of the real engine",
}
OUTCOMES = {
    (True, True): "solved in both",
    (True, False): "solved in the dream only",
    (False, True): "solved in the real environment only",
    (False, False): "solved in neither",
}
"""(in the dream, by the same actions in the real environment) -> class of outcome."""
CUT_SHORT = "cut short by a failure"
"""Class of an episode whose outcome a failure hides."""
_FAILURES = (StopReason.MODEL_FAILURE, StopReason.ENGINE_FAILURE)


@dataclass(frozen=True, slots=True)
class MemoryText:
    """A page that memories hold and no step shows; it stands at the end of the report, once."""

    id: str
    source: str
    action: str
    page: str


@dataclass(frozen=True, slots=True)
class MemoryShown:
    """A memory behind a step."""

    similarity: float | None
    shared: int
    """Lines that the dream's page has, too."""
    lines: int
    id: str
    source: str
    action: str
    place: str
    """Id of the element that holds its page; empty where it has none."""

    @property
    def alike(self) -> str:
        """The similarity in words."""
        return decimal(self.similarity)

    @property
    def bar(self) -> float:
        """Length of the bar that shows the similarity, of 48."""
        return round(48 * min(1.0, max(0.0, self.similarity or 0.0)), 1)


@dataclass(frozen=True, slots=True)
class Page:
    """What a step led to, on one side or on both."""

    kind: str
    """``same`` in both, ``different``, ``dream`` or ``real`` alone, ``still`` (as before the action), or ``known`` (the
    same action led to the same page in this step beside the dream)."""
    whole: str = ""
    """The page, where there is one text to show."""
    lines: int = 0
    place: str = ""
    """Id of the element that holds the page."""
    elsewhere: bool = False
    """Whether the page stands in the report already."""
    blocks: Sequence[Block] = ()


@dataclass(frozen=True, slots=True)
class Step:
    """One action and what came of it."""

    number: int
    action: str
    facts: tuple[str, ...]
    """Small print: who answered, how long it took, whether the page offered the action."""
    rewards: tuple[tuple[str, str], ...]
    """(side, reward)."""
    page: Page
    reasoning: str = ""
    memories: tuple[MemoryShown, ...] = ()


@dataclass(frozen=True, slots=True)
class End:
    """How an episode ended."""

    side: str
    name: str
    success: bool
    stop: str
    score: str
    steps: int
    failure: str


@dataclass(frozen=True, slots=True)
class Transcript:
    """An episode of the dream beside the real environment."""

    number: int
    agent: str
    task_id: str
    seed: str
    instruction: str
    outcome: str
    kept_because: str
    initial: str
    start: Page | None
    """Both first pages, where they differ."""
    ends: tuple[End, ...]
    same_pages: int
    compared_pages: int
    steps: tuple[Step, ...]
    own_steps: tuple[Step, ...]
    """The agent's own episode in the real environment."""

    @property
    def outcome_class(self) -> str:
        """Which of the two environments was too kind: ``dream``, ``real``, or ``same`` for neither."""
        return {OUTCOMES[True, False]: "dream", OUTCOMES[False, True]: "real"}.get(self.outcome, "same")


@dataclass(frozen=True, slots=True)
class Viewer:
    """All transcripts, and the pages of memories that no step shows."""

    transcripts: list[Transcript]
    memories: list[MemoryText]

    @property
    def agents(self) -> list[str]:
        """The agents, in the order in which they are first seen."""
        return list(dict.fromkeys(transcript.agent for transcript in self.transcripts))

    @property
    def outcomes(self) -> list[str]:
        """The classes of outcome that there are."""
        found = {transcript.outcome for transcript in self.transcripts}
        return [outcome for outcome in (*OUTCOMES.values(), CUT_SHORT) if outcome in found]


class _Texts:
    """Knows which pages stand where, so that none has to stand in the report again and again."""

    def __init__(self) -> None:
        self._pages: dict[str, str] = {}
        self._memories: dict[str, MemoryText] = {}

    @property
    def memories(self) -> list[MemoryText]:
        """What stands at the end of the report."""
        return list(self._memories.values())

    def page(self, kind: str, state: str, *, fixed: bool) -> Page:
        """Return a page to be shown, or where it is shown already.

        Args:
            kind: of the page.
            state: its text.
            fixed: whether others can be sent to it; what stands behind a tab may be out of sight.
        """
        lines = lines_of(state)
        if place := self._pages.get(state):
            return Page(kind, lines=len(lines), place=place, elsewhere=True)
        if not fixed:
            return Page(kind, "\n".join(lines), len(lines))
        self._pages[state] = f"page-{len(self._pages) + 1}"
        return Page(kind, "\n".join(lines), len(lines), self._pages[state])

    def memory(self, source: str, action: str, state: str) -> str:
        """Return where the page of a memory stands."""
        if not state or state in self._pages:
            return self._pages.get(state, "")
        new = MemoryText(f"memory-{len(self._memories) + 1}", source, action, "\n".join(lines_of(state)))
        return self._memories.setdefault(state, new).id


def make_viewer(comparison: Mapping[str, Any]) -> Viewer:
    """Prepare all transcripts of a comparison."""
    texts = _Texts()
    entries = [entry for entry in items(comparison, "transcripts") if isinstance(entry, Mapping)]
    transcripts = [_transcript(at, entry, texts) for at, entry in enumerate(entries, start=1)]
    return Viewer(transcripts, texts.memories)


def _transcript(at: int, entry: Mapping[str, Any], texts: _Texts) -> Transcript:
    dream, again, own = (part(entry, name) for name in ("dream", "dream_actions_in_real", "real"))
    initial = text(entry, "initial_state")
    real_initial = text(entry, "real_initial_state") or initial
    pairs = list(itertools.zip_longest(_steps(dream), _steps(again)))
    both = [(left, right) for left, right in pairs if left is not None and right is not None]
    solved = bool(dream.get("success")), bool((again or own).get("success"))
    is_cut_short = any(text(one, "failure") or text(one, "stop") in _FAILURES for one in (dream, again or own))
    return Transcript(
        number=at,
        agent=text(entry, "agent"),
        task_id=text(entry, "task_id"),
        seed=text(entry, "seed"),
        instruction=text(entry, "instruction"),
        outcome=CUT_SHORT if is_cut_short else OUTCOMES[solved],
        kept_because=text(entry, "kept_because"),
        initial="\n".join(lines_of(initial)),
        start=None if initial == real_initial else Page("different", blocks=compare_pages(initial, real_initial)),
        ends=tuple(
            _end(side, name, rollout)
            for side, name, rollout in (
                ("dream", "dream", dream),
                ("real", "same actions", again),
                ("real", "agent's own episode", own),
            )
            if rollout
        ),
        same_pages=sum(left.get("state") == right.get("state") for left, right in both),
        compared_pages=len(both),
        steps=tuple(_paired_steps((initial, real_initial), pairs, texts)),
        own_steps=tuple(_own_steps(real_initial, _steps(own), _steps(again), texts)),
    )


def _steps(rollout: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [step for step in items(rollout, "steps") if isinstance(step, Mapping)]


def _end(side: str, name: str, rollout: Mapping[str, Any]) -> End:
    stop = text(rollout, "stop")
    return End(
        side=side,
        name=name,
        success=bool(rollout.get("success")),
        stop=_STOPS[StopReason(stop)] if stop in set(StopReason) else stop or NONE,
        score=decimal(number(rollout.get("score"))),
        steps=len(_steps(rollout)),
        failure=text(rollout, "failure"),
    )


def _paired_steps(
    before: tuple[str, str],
    pairs: Sequence[tuple[Mapping[str, Any] | None, Mapping[str, Any] | None]],
    texts: _Texts,
) -> Iterator[Step]:
    for at, (dream, real) in enumerate(pairs, start=1):
        left, right = (None if step is None else text(step, "state") for step in (dream, real))
        shown = dream or real or {}
        yield Step(
            number=at,
            action=text(shown, "action"),
            facts=tuple(_facts(shown)),
            rewards=tuple(_rewards(dream=dream, real=real)),
            page=_page(left, right, before, texts),
            reasoning=text(dream, "reasoning"),
            memories=tuple(_memories(items(dream, "memories"), left or "", texts)),
        )
        before = (before[0] if left is None else left, before[1] if right is None else right)


def _own_steps(
    initial: str, steps: Sequence[Mapping[str, Any]], others: Sequence[Mapping[str, Any]], texts: _Texts
) -> Iterator[Step]:
    before, together = initial, True
    for at, (step, other) in enumerate(itertools.zip_longest(steps, others[: len(steps)]), start=1):
        state = text(step, "state")
        together = together and other is not None and step.get("action") == other.get("action")
        if together and state == text(other, "state"):
            page = Page("known")
        elif state == before:
            page = Page("still")
        else:
            page = texts.page("real", state, fixed=False)
        yield Step(at, text(step, "action"), tuple(_facts(step)), tuple(_rewards(real=step)), page)
        before = state


def _page(left: str | None, right: str | None, before: tuple[str, str], texts: _Texts) -> Page:
    if left is None or right is None:
        return texts.page("real" if left is None else "dream", left or right or "", fixed=True)
    if (left, right) == before:
        return Page("still")
    if left == right:
        return texts.page("same", left, fixed=True)
    return Page("different", blocks=compare_pages(left, right))


def _facts(step: Mapping[str, Any]) -> Iterator[str]:
    if answered := text(step, "answered_by"):
        yield f"answered by {answered}"
    if seconds := number(step.get("seconds")):
        yield f"{decimal(seconds, 2)}\u00a0s" if seconds >= 0.1 else f"{decimal(seconds * 1000, 1)}\u00a0ms"
    if step.get("valid") is False:
        yield "not offered by the page"
    if failure := text(step, "failure"):
        yield failure


def _rewards(**sides: Mapping[str, Any] | None) -> Iterator[tuple[str, str]]:
    for side, step in sides.items():
        reward = number(step.get("reward")) if step is not None else None
        if reward is not None:
            yield side, f"{reward:g}"


def _memories(memories: Sequence[Any], page: str, texts: _Texts) -> Iterator[MemoryShown]:
    for memory in memories:
        if isinstance(memory, Mapping):
            source, action, state = (text(memory, name) for name in ("source", "action", "state"))
            shared, lines = shared_lines(state, page)
            place = texts.memory(source, action, state)
            yield MemoryShown(
                number(memory.get("similarity")), shared, lines, text(memory, "id"), source, action, place
            )
