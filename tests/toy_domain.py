"""A second domain, for tests: a house of three rooms with one hidden key.

It proves that nothing between ``gym.make`` and the prompt is special to WebShop, and it is small enough to reason
about: pages are joined by `` | ``, an action that is not offered leads to a page of its own ("Nothing happens."),
taking the wanted thing succeeds, leaving the house fails.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from dreamgym_env.domains.segments import join_segments, split_segments
from dreamgym_env.errors import ResetOptionError, UnknownTaskError
from dreamgym_env.simulation.episode import Episode, Outcome, episode_name
from dreamgym_env.types import (
    AnsweredBy,
    Composer,
    Memory,
    Query,
    Source,
    StopReason,
    Task,
    Transition,
    Turn,
    Verdict,
    Verifier,
)

SEPARATOR = " | "
NOTHING = "Nothing happens."
ROOMS = {"hall": ("kitchen", "cellar"), "kitchen": ("hall",), "cellar": ("hall",)}
THINGS = ("key", "lamp", "rope", "coin")


class ToyHouse:
    """The domain."""

    name = "toyhouse"
    max_episode_steps = 6
    rules = "go ROOM, take THING, look, leave; say <words> is heard by nobody."

    def __init__(self, sizes: dict[str, int] | None = None) -> None:
        self._sizes = sizes or {"train": 12, "eval": 3, "test": 4}

    def splits(self) -> tuple[str, ...]:
        return tuple(self._sizes)

    def task_ids(self, split: str) -> Sequence[str]:
        if split not in self._sizes:
            raise UnknownTaskError(f"The house has no split {split!r}; it has: {', '.join(self._sizes)}.")
        return [f"toyhouse/{split}/{number}" for number in range(self._sizes[split])]

    def task(self, task_id: str) -> Task:
        _, _, rest = task_id.partition("/")
        split, _, number = rest.partition("/")
        if not number.isdigit() or int(number) >= self._sizes.get(split, 0):
            raise UnknownTaskError(f"The house has no task {task_id!r}; try 'toyhouse/train/0'.")
        thing = THINGS[int(number) % len(THINGS)]
        instruction = f"Find the {thing} (task {number} of {split})."
        return Task(
            id=task_id,
            domain=self.name,
            instruction=instruction,
            initial_state=page("hall", instruction, ()),
            split=split,
            goal={"thing": thing},
            facts={"place": "cellar" if int(number) % 2 else "kitchen"},
        )

    def segment(self, state: str, instruction: str) -> tuple[str, ...]:
        return split_segments(state, instruction, SEPARATOR, marker="Task:")

    def render(self, segments: Sequence[str], instruction: str) -> str:
        return join_segments(segments, instruction, SEPARATOR)

    def available_actions(self, task: Task, history: Sequence[Turn], state: str) -> tuple[str, ...]:
        states = [state, *(turn.state for turn in reversed(history))]
        shown = next((text for text in states if text != NOTHING), task.initial_state)
        parts = shown.split(SEPARATOR)
        exits = [part.removeprefix("Exit: ") for part in parts if part.startswith("Exit: ")]
        things = [part.removeprefix("Here: ") for part in parts if part.startswith("Here: ")]
        return (
            *(f"go {room}" for room in exits),
            *(f"take {thing}" for thing in things),
            "look",
            "say <words>",
            "leave",
        )

    def parse_action(self, action: str) -> str | None:
        text = " ".join(action.lower().split())
        verb, _, argument = text.partition(" ")
        if text in ("look", "leave") or (verb in ("go", "take", "say") and argument):
            return text
        return None

    def guard(self, task: Task, history: Sequence[Turn], state: str, action: str) -> str | None:
        parsed = self.parse_action(action)
        if parsed is not None and parsed.startswith("say "):
            return None
        return None if parsed in self.available_actions(task, history, state) else NOTHING

    def action_kind(self, action: str) -> str:
        parsed = self.parse_action(action)
        return parsed.partition(" ")[0] if parsed else "invalid"

    def page_kind(self, state: str) -> str:
        return "room" if state.startswith("Room: ") else "end" if state.startswith("End") else "other"

    def verifier(self) -> Verifier | None:
        return ToyVerifier()

    def composer(self, experience: Callable[[], Iterator[Transition]]) -> Composer:
        return NoComposer()

    def teach(self, transition: Transition, memories: Sequence[Memory]) -> Transition:
        return replace(transition, reasoning=self.explain(transition))

    def explain(self, transition: Transition) -> str:
        return "That is how the house is built."

    def seed_experience(self) -> str:
        return ""


class ToyVerifier:
    """Success is the wanted thing in one's hand; leaving is the end without it."""

    def check(self, task: Task) -> None:
        if not isinstance(task.goal.get("thing"), str):
            raise ResetOptionError(f"The goal of task {task.id!r} names no 'thing'.")

    def verify(self, task: Task, history: Sequence[Turn], state: str, action: str, next_state: str) -> Verdict:
        if f"Hand: {task.goal['thing']}" in next_state.split(SEPARATOR):
            return Verdict(True, True, 1.0)
        if next_state.startswith("End"):
            return Verdict(False, True, 0.25)
        return Verdict(False, False, 0.0)


class NoComposer:
    """Composes nothing."""

    def compose(
        self, query: Query, memories: Sequence[Memory], *, exclude_episode: bool = False, exclude_task: bool = False
    ) -> Memory | None:
        return None


@dataclass(slots=True)
class House:
    """One episode of the real house."""

    task: Task
    room: str = "hall"
    hand: str = ""

    def play(self, domain: ToyHouse, history: Sequence[Turn], state: str, action: str) -> str:
        """Return the next page."""
        if domain.guard(self.task, history, state, action) is not None:
            return NOTHING
        verb, _, argument = str(domain.parse_action(action)).partition(" ")
        if verb == "leave":
            return SEPARATOR.join(("End", "Task:", self.task.instruction, "You leave the house."))
        if verb == "go":
            self.room = argument
        if verb == "take":
            self.hand = argument
        return self.page()

    def page(self) -> str:
        """Return the current page."""
        visible = self.room == self.task.facts["place"] and not self.hand
        return page(self.room, self.task.instruction, (self.task.goal["thing"],) if visible else (), self.hand)


def page(room: str, instruction: str, things: Sequence[str], hand: str = "") -> str:
    """Write a page of the house."""
    parts = [f"Room: {room}", "Task:", instruction, *(f"Exit: {name}" for name in ROOMS[room])]
    parts += [f"Here: {thing}" for thing in things]
    return SEPARATOR.join([*parts, f"Hand: {hand or 'empty'}"])


def play(domain: ToyHouse, task: Task, history: Sequence[Turn], state: str, action: str) -> str:
    """Return what the real house answers to the last action of an episode."""
    house = House(task)
    for at, turn in enumerate(history):
        house.play(domain, history[:at], turn.state, turn.action)
    return house.play(domain, history, state, action)


class RealToyHouse:
    """The real house as a backend."""

    def __init__(self, domain: ToyHouse) -> None:
        self.domain = domain
        self.closed = 0

    def begin(self, tasks: Sequence[Task], seeds: Sequence[int]) -> list[Episode]:
        for task in tasks:
            ToyVerifier().check(task)
        return [
            Episode(task, episode_name(task, seed), seed, task.initial_state, session=House(task))
            for task, seed in zip(tasks, seeds, strict=True)
        ]

    def advance(
        self, episodes: Sequence[Episode], actions: Sequence[str], step_limit: int | None = None
    ) -> list[Outcome]:
        return [self._advance(*pair, step_limit) for pair in zip(episodes, actions, strict=True)]

    def available_actions(self, episode: Episode) -> tuple[str, ...]:
        if episode.stop is not StopReason.RUNNING:
            return ()
        return self.domain.available_actions(episode.task, episode.history, episode.state)

    def close(self) -> None:
        self.closed += 1

    def _advance(self, episode: Episode, action: str, step_limit: int | None) -> Outcome:
        history = tuple(episode.history)
        state, task = episode.state, episode.task
        next_state = episode.session.play(self.domain, history, state, action)
        verdict = ToyVerifier().verify(task, history, state, action, next_state)
        episode.history.append(Turn(state, action))
        episode.state = next_state
        if verdict.terminated:
            episode.stop = StopReason.SUCCESS if verdict.success else StopReason.FAILURE
        elif step_limit is not None and episode.step >= step_limit:
            episode.stop = StopReason.STEP_LIMIT
        transition = Transition(
            domain=self.domain.name,
            task_id=task.id,
            instruction=task.instruction,
            split=task.split,
            episode=episode.name,
            step=len(history),
            history=history,
            state=state,
            action=action,
            next_state=next_state,
            reward=float(verdict.success),
            terminated=verdict.terminated,
            source=Source.REAL,
            score=verdict.score,
            valid=next_state != NOTHING,
        )
        return Outcome(transition, AnsweredBy.REAL, episode.stop)


def record(
    task_id: str, actions: Sequence[str], *, episode: str = "", domain: ToyHouse | None = None
) -> list[Transition]:
    """Play actions in the real house and return what happened."""
    domain = domain or ToyHouse()
    backend = RealToyHouse(domain)
    running = backend.begin([domain.task(task_id)], [0])[0]
    if episode:
        running.name = episode
    return [backend.advance([running], [action])[0].transition for action in actions]
