"""World models for tests: a function in place of a language model, and what it was asked."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from toy_domain import ToyHouse, play

from dreamgym_env.memory import ReplayBuffer
from dreamgym_env.simulation.simulator import SimulationOptions, Simulator
from dreamgym_env.types import Memory, Prediction, Query, WorldModel

Answer = Callable[[Query, Sequence[Memory], int], Prediction]


class ScriptedWorldModel:
    """Answers what a function says; keeps the batches that it was asked."""

    def __init__(self, answer: Answer, *, deterministic: bool = True) -> None:
        self.answer = answer
        self.deterministic = deterministic
        self.batches: list[list[Query]] = []
        self.closed = 0

    def predict(
        self, queries: Sequence[Query], memories: Sequence[Sequence[Memory]], seeds: Sequence[int]
    ) -> list[Prediction]:
        self.batches.append(list(queries))
        return [self.answer(*one) for one in zip(queries, memories, seeds, strict=True)]

    def close(self) -> None:
        self.closed += 1

    @property
    def asked(self) -> int:
        """How many questions it was asked in all."""
        return sum(map(len, self.batches))


def house_model(domain: ToyHouse | None = None, *, deterministic: bool = True) -> ScriptedWorldModel:
    """A world model that knows the house: dreams come out as reality."""
    house = domain or ToyHouse()

    def answer(query: Query, memories: Sequence[Memory], seed: int) -> Prediction:
        next_state = play(house, query.task, query.history, query.state, query.action)
        return Prediction("The house knows.", next_state, 0.0, False, prompt_tokens=7, completion_tokens=3)

    return ScriptedWorldModel(answer, deterministic=deterministic)


def copying_model(domain: ToyHouse | None = None) -> ScriptedWorldModel:
    """A world model that repeats its first memory, put into the words of the asking task."""
    house = domain or ToyHouse()

    def answer(query: Query, memories: Sequence[Memory], seed: int) -> Prediction:
        if not memories:
            return Prediction("I have never seen this.", "Fog.", 0.0, False)
        past = memories[0].transition
        segments = house.segment(past.next_state, past.instruction)
        return Prediction("As before.", house.render(segments, query.task.instruction), past.reward, past.terminated)

    return ScriptedWorldModel(answer)


def failing_model(reason: str = "The answer could not be read.") -> ScriptedWorldModel:
    """A world model whose every answer is unreadable."""
    return ScriptedWorldModel(lambda query, memories, seed: Prediction("", query.state, 0.0, False, failure=reason))


def simulator(model: WorldModel | None = None, domain: ToyHouse | None = None, **options: Any) -> Simulator:
    """A dream of the house; the options are those of the simulation."""
    domain = domain or ToyHouse()
    buffer = ReplayBuffer(domain, seed_experience=False)
    return Simulator(domain, model or house_model(domain), buffer, SimulationOptions(**options))
