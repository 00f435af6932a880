"""What a Ray actor does: it keeps the lanes of one vector environment busy with the units that it is given."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol, runtime_checkable

import gymnasium as gym

import dreamgym_env  # noqa: F401 - an actor's process has to register the ids
from dreamgym_env.envs.text_vector_env import TextVectorEnv
from dreamgym_env.errors import CollectionError
from dreamgym_env.evaluation.agents import Agent, AgentFactory, Agents, agent_factory
from dreamgym_env.evaluation.rollout import EpisodeResult
from dreamgym_env.evaluation.running import RunningEpisodes, seat_agents
from dreamgym_env.integrations.ray.ledger import Unit
from dreamgym_env.simulation.episode import open_stream
from dreamgym_env.types import Domain

__all__ = ["AgentMaker", "Learner", "RolloutWorker", "WorkerSetup"]

AgentMaker = Callable[[Domain], AgentFactory]
"""Makes, in an actor, what makes agents of a name; a function that Ray can send there."""


@runtime_checkable
class Learner(Protocol):
    """A factory whose agents act by weights that change."""

    def __call__(self) -> Agent:
        """Make one more agent."""
        ...

    def load_weights(self, weights: Mapping[str, Any]) -> None:
        """Act by these weights from now on."""
        ...


@dataclass(frozen=True, slots=True)
class WorkerSetup:
    """All that an actor has to know."""

    env_id: str
    lanes: int
    """How many episodes it plays at once."""
    settings: Mapping[str, Any] = field(default_factory=dict)
    """Keywords of ``gymnasium.make_vec``."""
    agents: Mapping[str, AgentMaker] = field(default_factory=dict)
    """Agents by name, besides those that :func:`~dreamgym_env.evaluation.agents.agent_factory` knows."""


class RolloutWorker:
    """Plays units in a shard of the lanes; it knows nothing of Ray."""

    def __init__(self) -> None:
        """Make nothing yet: what fails in the making of an actor is hard to tell from its death."""
        self._env: TextVectorEnv | None = None
        self._factories: dict[str, AgentFactory] = {}
        self._weights: Mapping[str, Mapping[str, Any]] = {}

    def begin(self, setup: WorkerSetup, weights: Mapping[str, Mapping[str, Any]], *, renew: bool) -> None:
        """Begin a round of units; what is left of an earlier one is forgotten.

        Args:
            setup: what to do, the same in each round.
            weights: what agents shall act by in it, by their names.
            renew: make the environment anew, because its buffer was changed.

        Raises:
            CollectionError: the environment is none of this library, or an agent has no weights.
            DreamGymError: the environment cannot be made; the message says why.
        """
        self._setup = setup
        if renew:
            self.close()
        if self._env is None:
            made = gym.make_vec(self._setup.env_id, num_envs=self._setup.lanes, **dict(self._setup.settings))
            if not isinstance(made, TextVectorEnv):
                made.close()
                raise CollectionError(f"{self._setup.env_id} is no text environment of this library.")
            self._env, self._stream = made, open_stream(made.backend)
        self._weights = weights
        for name in weights.keys() & self._factories.keys():
            self._load_weights(name)
        self._stream.close()  # of an earlier round; it can be used again
        self._waiting: deque[Unit] = deque()
        self._running = RunningEpisodes(self._env, self._stream, seat_agents(self._factories))

    def work(self, units: Sequence[Unit]) -> list[tuple[int, EpisodeResult]]:
        """Take units, play until one is done, and return all that are; nothing where nothing is left to play.

        The outcomes come without the memories that grounded them, which are many times their size.

        Raises:
            UnknownAgentError, UnknownTaskError, PolicyError: a unit names what does not exist.
            WorldModelError: the world model as a whole cannot answer.
        """
        assert self._env is not None, "begin() comes first"
        for _, plan in units:
            self._seat(plan.agent, self._env.domain)
        self._waiting.extend(units)
        ended: list[tuple[int, EpisodeResult]] = []
        while not ended and (self._waiting or len(self._running)):
            free = min(self._running.free, len(self._waiting))
            self._running.begin([self._waiting.popleft() for _ in range(free)])
            ended = self._running.step()
        return [(number, _without_memories(episode)) for number, episode in ended]

    def close(self) -> None:
        """Close the environment and the agents; calling it twice is allowed."""
        Agents(self._factories).close()
        self._factories.clear()
        if self._env is not None:
            self._stream.close()
            self._env.close()
            self._env = None

    def _seat(self, name: str, domain: Domain) -> None:
        if name not in self._factories:
            make = self._setup.agents.get(name)
            self._factories[name] = agent_factory(domain, name) if make is None else make(domain)
            if name in self._weights:
                self._load_weights(name)

    def _load_weights(self, name: str) -> None:
        factory = self._factories[name]
        if not isinstance(factory, Learner):
            raise CollectionError(f"The agent {name!r} has no weights to load: its factory has no method load_weights.")
        factory.load_weights(self._weights[name])


def _without_memories(episode: EpisodeResult) -> EpisodeResult:
    return replace(episode, outcomes=tuple(replace(outcome, memories=()) for outcome in episode.outcomes))
