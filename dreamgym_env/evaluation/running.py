"""Episodes in the lanes of a vector environment: how one is played, and what comes of it.

The environment's backend is driven directly: a lane that has nothing left to play then costs no call of the world
model, which the step of a vector environment, taking an action in every lane, could not spare.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from dreamgym_env.envs.text_env import clean_action
from dreamgym_env.envs.text_vector_env import TextVectorEnv
from dreamgym_env.errors import WorldModelError
from dreamgym_env.evaluation.agents import Agent, AgentFactory, Crew, CrewMember
from dreamgym_env.simulation.episode import Episode, Outcome, OutcomeStream
from dreamgym_env.types import StopReason, Task

__all__ = ["Clock", "EnvironmentLostError", "EpisodePlan", "EpisodeResult", "RunningEpisodes", "Seat", "seat_agents"]


class EnvironmentLostError(WorldModelError):
    """The world model behind an environment cannot answer any more, whoever plays in it; not the model of an agent."""


@dataclass(frozen=True, slots=True)
class EpisodePlan:
    """One episode to play."""

    task_id: str
    agent: str
    """Name of the agent, a key of the rollout's table of agents."""
    seed: int
    """All that is random in the episode, on the agent's side and the environment's, follows from it."""


@dataclass(frozen=True, slots=True)
class EpisodeResult:
    """One episode as it was played."""

    task: Task
    agent: str
    seed: int
    outcomes: tuple[Outcome, ...]
    """What came of each action, in order."""
    agent_failure: str = ""
    """Why the agent could not go on; empty where it could."""

    @property
    def actions(self) -> tuple[str, ...]:
        """The actions, in order."""
        return tuple(outcome.transition.action for outcome in self.outcomes)

    @property
    def states(self) -> tuple[str, ...]:
        """The first state and the one after each action: ``steps + 1`` texts."""
        return (self.task.initial_state, *(outcome.transition.next_state for outcome in self.outcomes))

    @property
    def steps(self) -> int:
        """How many actions were taken."""
        return len(self.outcomes)

    @property
    def stop(self) -> StopReason:
        """Why it stopped; ``RUNNING`` if the agent left it."""
        return self.outcomes[-1].stop if self.outcomes else StopReason.RUNNING

    @property
    def success(self) -> bool:
        """Whether the task was solved; an episode that a failure of the model cut short was not."""
        return self.stop is StopReason.SUCCESS

    @property
    def score(self) -> float:
        """The domain's graded score of the last step, in [0, 1]."""
        return self.outcomes[-1].transition.score if self.outcomes else 0.0

    @property
    def failure(self) -> str:
        """Why the world model, the real engine or the agent gave no answer; empty where all did."""
        return self.agent_failure or (self.outcomes[-1].failure if self.outcomes else "")

    @property
    def failed(self) -> bool:
        """Whether a failure of the world model, of the real engine or of the agent's own model cut it short."""
        return bool(self.agent_failure) or self.stop in (StopReason.MODEL_FAILURE, StopReason.ENGINE_FAILURE)

    @property
    def answered_by(self) -> Mapping[str, int]:
        """How many steps each stage answered: ``{"model": 3, "guard": 1}``."""
        return dict(Counter(str(outcome.answered_by) for outcome in self.outcomes))


Seat = Callable[[Task, EpisodePlan], Agent]
"""Returns who plays an episode, which has begun for it."""


def seat_agents(agents: Mapping[str, AgentFactory]) -> Seat:
    """Return what seats a new agent of a plan's name at each episode."""

    def seat(task: Task, plan: EpisodePlan) -> Agent:
        agent = agents[plan.agent]()
        agent.begin(task, np.random.default_rng([plan.seed, 1]))
        return agent

    return seat


@dataclass(slots=True)
class Clock:
    """Sums up the time that an environment takes, and tells its errors from those of agents."""

    seconds: float = 0.0

    def __enter__(self) -> None:
        self.seconds -= time.perf_counter()

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        self.seconds += time.perf_counter()
        if isinstance(error, WorldModelError):
            raise EnvironmentLostError(str(error)) from error


@dataclass(slots=True)
class _Lane:
    """An episode that is being played."""

    number: int
    plan: EpisodePlan
    episode: Episode
    agent: Agent
    outcomes: list[Outcome] = field(default_factory=list)
    left: bool = False
    """Whether its player has no further action."""

    @property
    def running(self) -> bool:
        return not self.left and self.episode.stop is StopReason.RUNNING

    def result(self) -> EpisodeResult:
        failure = self.agent.failure if self.left and isinstance(self.agent, CrewMember) else ""
        return EpisodeResult(self.episode.task, self.plan.agent, self.plan.seed, tuple(self.outcomes), failure)


class RunningEpisodes:
    """Numbered episodes, at most ``env.num_envs`` at once; further ones may begin whenever one has ended."""

    def __init__(self, env: TextVectorEnv, stream: OutcomeStream, seat: Seat, clock: Clock | None = None) -> None:
        """Play none yet.

        Args:
            env: says how many lanes there are, which tasks, and when an episode is cut short.
            stream: of the environment's backend.  :class:`~.BatchedOutcomes` lets all lanes step together,
                :func:`~.open_stream` each as soon as its answer is there, where the world model allows that.
            seat: says who plays.
            clock: sums up the time that the environment takes.
        """
        self._env, self._stream, self._seat, self._clock = env, stream, seat, clock or Clock()
        self._ready: list[_Lane] = []
        self._under_way: dict[int, _Lane] = {}
        """Lanes that wait for what comes of their action, by the ``id`` of their episode."""

    @property
    def free(self) -> int:
        """How many lanes play nothing."""
        return self._env.num_envs - len(self)

    def __len__(self) -> int:
        """How many lanes play."""
        return len(self._ready) + len(self._under_way)

    def begin(self, plans: Sequence[tuple[int, EpisodePlan]]) -> None:
        """Begin numbered episodes, no more than lanes are free.

        Raises:
            UnknownTaskError: a plan names a task that the environment's domain does not have.
        """
        tasks = [self._env.domain.task(plan.task_id) for _, plan in plans]
        with self._clock:
            episodes = self._env.backend.begin(tasks, [plan.seed for _, plan in plans])
        self._ready += [
            _Lane(number, plan, episode, self._seat(task, plan))
            for (number, plan), task, episode in zip(plans, tasks, episodes, strict=True)
        ]

    def step(self) -> list[tuple[int, EpisodeResult]]:
        """Take an action in each lane whose player has its turn, wait for what comes of one, and return what has ended.

        Raises:
            WorldModelError: the world model as a whole cannot answer (EnvironmentLostError), or the model of an agent.
        """
        ready, self._ready = self._ready, []
        acting: list[_Lane] = []
        actions: list[str] = []
        for lane, action in zip(ready, self._choose(ready), strict=True):
            lane.left = action is None
            if action is not None:
                acting.append(lane)
                actions.append(clean_action(action))
        self._under_way.update({id(lane.episode): lane for lane in acting})
        moved = [lane for lane in ready if lane.left]
        with self._clock:
            if acting:
                self._stream.submit([lane.episode for lane in acting], actions, self._env.step_limit)
            # nobody waits for answers while an episode can be handed over
            received = self._stream.receive(0.0 if moved and self._under_way else None) if self._under_way else []
        for episode, outcome in received:
            lane = self._under_way.pop(id(episode))
            lane.outcomes.append(outcome)
            moved.append(lane)
        self._ready = [lane for lane in moved if lane.running]
        return [(lane.number, lane.result()) for lane in moved if not lane.running]

    def _choose(self, lanes: Sequence[_Lane]) -> Sequence[str | None]:
        """Return each lane's next action; those who play in one crew are asked at once."""
        backend = self._env.backend
        states = [lane.episode.state for lane in lanes]
        offered = [backend.available_actions(lane.episode) for lane in lanes]
        actions: list[str | None] = [None] * len(lanes)
        crews: dict[int, tuple[Crew, list[int]]] = {}
        for at, lane in enumerate(lanes):
            if isinstance(lane.agent, CrewMember):
                crews.setdefault(id(lane.agent.crew), (lane.agent.crew, []))[1].append(at)
            else:
                actions[at] = lane.agent.act(states[at], offered[at])
        for crew, places in crews.values():
            chosen = crew.act_all(
                [lanes[at].agent for at in places], [states[at] for at in places], [offered[at] for at in places]
            )
            for at, action in zip(places, chosen, strict=True):
                actions[at] = action
        return actions
