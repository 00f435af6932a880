"""Transitions and queries of the toy house, for the tests of the memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from toy_domain import ToyHouse, record

from dreamgym_env.types import Query, Source, Task, Transition, Turn

HOUSE = ToyHouse()
WALK = ("go kitchen", "go hall", "go cellar", "look", "say hello")


def walk(number: int = 0, *, episode: str = "walk", actions: Sequence[str] = WALK) -> list[Transition]:
    """Return what really happens in a train task of the house."""
    return record(f"toyhouse/train/{number}", actions, episode=episode, domain=HOUSE)


def query_of(transition: Transition, *, episode: str = "asking", task: str = "") -> Query:
    """Return the question that a transition answers, asked in another episode."""
    first = transition.history[0].state if transition.history else transition.state
    asked = Task(task or transition.task_id, HOUSE.name, transition.instruction, first)
    return Query(asked, transition.history, transition.state, transition.action, episode)


def dream(number: int, *, text: str = "", **changes: object) -> Transition:
    """Return a dream transition that no other number repeats."""
    task = HOUSE.task("toyhouse/train/0")
    transition = Transition(
        domain=HOUSE.name,
        task_id=task.id,
        instruction=task.instruction,
        split="train",
        episode=f"dream-{number}",
        step=0,
        history=(),
        state=task.initial_state,
        action=f"say word{number}",
        next_state=text or f"Room: hall | You hear an echo of word{number}.",
        reward=0.0,
        terminated=False,
        source=Source.DREAM,
    )
    return replace(transition, **changes)  # type: ignore[arg-type]


def next_in(episode: Sequence[Transition], action: str, next_state: str, **changes: object) -> Transition:
    """Return a further step of an episode."""
    last = episode[-1]
    following = replace(
        last,
        step=last.step + 1,
        history=(*last.history, Turn(last.state, last.action)),
        state=last.next_state,
        action=action,
        next_state=next_state,
    )
    return replace(following, **changes)  # type: ignore[arg-type]
