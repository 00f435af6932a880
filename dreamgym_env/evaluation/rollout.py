"""Rollouts: agents play tasks in all lanes of a vector environment at once.

The environment's backend is driven directly: a lane that has nothing left to play then costs no call of the world
model, which the step of a vector environment, taking an action in every lane, could not spare.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice

import numpy as np

from dreamgym_env.envs.text_env import clean_action
from dreamgym_env.envs.text_vector_env import TextVectorEnv
from dreamgym_env.errors import WorldModelError
from dreamgym_env.evaluation.agents import Agent, AgentFactory, Crew, CrewMember
from dreamgym_env.simulation.episode import Episode, Outcome
from dreamgym_env.types import StopReason, Task

__all__ = [
    "EnvironmentLostError",
    "EpisodePlan",
    "EpisodeResult",
    "Rollout",
    "plan_episodes",
    "play",
    "play_each",
    "replay_actions",
]


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


@dataclass(frozen=True, slots=True)
class Rollout:
    """Episodes played in one environment, in the order in which they were asked for."""

    env_id: str
    """Id of the environment that every figure here comes from."""
    episodes: tuple[EpisodeResult, ...]
    seconds: float
    """Time that the environment took for all resets and steps; what the agents took is not in it."""
    lanes: int
    """How many episodes ran at once, at most."""

    @property
    def solved(self) -> int:
        """How many episodes succeeded."""
        return sum(episode.success for episode in self.episodes)

    @property
    def failures(self) -> int:
        """How many episodes a failure cut short (:attr:`EpisodeResult.failed`); they are not solved."""
        return sum(episode.failed for episode in self.episodes)

    @property
    def steps(self) -> int:
        """How many actions were taken in all."""
        return sum(episode.steps for episode in self.episodes)

    @property
    def steps_per_second(self) -> float:
        """Environment steps a second of the environment's own time."""
        return self.steps / self.seconds if self.seconds else 0.0

    @property
    def mean_score(self) -> float:
        """Mean graded score."""
        return sum(episode.score for episode in self.episodes) / len(self.episodes) if self.episodes else 0.0

    @property
    def answered_by(self) -> Mapping[str, int]:
        """How many steps each stage answered."""
        total: Counter[str] = Counter()
        for episode in self.episodes:
            total.update(episode.answered_by)
        return dict(total)


Progress = Callable[[EpisodeResult], object]


def plan_episodes(task_ids: Iterable[str], agent: str, seed: int) -> list[EpisodePlan]:
    """Return one episode of one agent a task; each has a seed of its own that follows from ``seed``."""
    return [
        EpisodePlan(task_id, agent, int(np.random.SeedSequence([seed, number]).generate_state(1, np.uint64)[0]))
        for number, task_id in enumerate(task_ids)
    ]


def play(
    env: TextVectorEnv,
    agents: Mapping[str, AgentFactory],
    plans: Sequence[EpisodePlan],
    *,
    progress: Progress | None = None,
) -> Rollout:
    """Play episodes, ``env.num_envs`` at a time.

    Args:
        env: a dream or a real environment, as ``gymnasium.make_vec`` returns it; stays open.
        agents: makes the agents that the plans name; each episode has its own.
        plans: what to play.
        progress: called with each episode, in the plans' order.

    Raises:
        UnknownTaskError: a plan names a task that the environment's domain does not have.
        WorldModelError: the world model as a whole cannot answer (EnvironmentLostError), or the model of an agent.
    """
    clock = _Clock()
    return _collect(env, _run(env, plans, _seat_agents(agents), clock), clock, progress)


def play_each(
    env: TextVectorEnv, agents: Mapping[str, AgentFactory], plans: Iterable[EpisodePlan]
) -> Iterator[EpisodeResult]:
    """Yield episodes in the plans' order as they end; arguments and errors are those of :func:`play`."""
    return _run(env, plans, _seat_agents(agents), _Clock())


def replay_actions(
    env: TextVectorEnv, episodes: Sequence[EpisodeResult], *, progress: Progress | None = None
) -> Rollout:
    """Take the actions of episodes again in another environment, whatever it answers.

    An episode ends when the environment ends it or when the actions are used up; in the latter case its ``stop`` is
    ``RUNNING``, and it is no success.
    """
    clock = _Clock()
    plans = [EpisodePlan(episode.task.id, episode.agent, episode.seed) for episode in episodes]
    scripts = iter(episode.actions for episode in episodes)

    def seat(task: Task, plan: EpisodePlan) -> Agent:
        return _Script(plan.agent, next(scripts))

    return _collect(env, _run(env, plans, seat, clock), clock, progress)


class _Script:
    """Takes given actions, then leaves the episode."""

    def __init__(self, name: str, actions: Sequence[str]) -> None:
        self.name = name
        self._left = iter(actions)

    def begin(self, task: Task, rng: np.random.Generator) -> None: ...

    def act(self, state: str, available_actions: Sequence[str]) -> str | None:
        return next(self._left, None)


_Seat = Callable[[Task, EpisodePlan], Agent]
"""Returns who plays an episode, which has begun for it."""


@dataclass(slots=True)
class _Clock:
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
    """Position in the plans."""
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


def _seat_agents(agents: Mapping[str, AgentFactory]) -> _Seat:
    def seat(task: Task, plan: EpisodePlan) -> Agent:
        agent = agents[plan.agent]()
        agent.begin(task, np.random.default_rng([plan.seed, 1]))
        return agent

    return seat


def _run(env: TextVectorEnv, plans: Iterable[EpisodePlan], seat: _Seat, clock: _Clock) -> Iterator[EpisodeResult]:
    """Keep all lanes busy until the plans are used up; yield in the plans' order."""
    waiting = enumerate(plans)
    lanes: list[_Lane] = []
    done: dict[int, EpisodeResult] = {}
    following = 0
    while True:
        lanes.extend(_begin(env, list(islice(waiting, env.num_envs - len(lanes))), seat, clock))
        if not lanes:
            return
        _step(env, lanes, clock)
        done.update((lane.number, lane.result()) for lane in lanes if not lane.running)
        lanes = [lane for lane in lanes if lane.running]
        while following in done:
            yield done.pop(following)
            following += 1


def _begin(
    env: TextVectorEnv,
    plans: Sequence[tuple[int, EpisodePlan]],
    seat: _Seat,
    clock: _Clock,
) -> list[_Lane]:
    tasks = [env.domain.task(plan.task_id) for _, plan in plans]
    with clock:
        episodes = env.backend.begin(tasks, [plan.seed for _, plan in plans])
    return [
        _Lane(number, plan, episode, seat(task, plan))
        for (number, plan), task, episode in zip(plans, tasks, episodes, strict=True)
    ]


def _step(env: TextVectorEnv, lanes: Sequence[_Lane], clock: _Clock) -> None:
    """Take one action in each lane whose player has one."""
    actions: list[str] = []
    for lane, action in zip(lanes, _choose(env, lanes), strict=True):
        lane.left = action is None
        if action is not None:
            actions.append(clean_action(action))
    acting = [lane for lane in lanes if not lane.left]
    with clock:
        outcomes = env.backend.advance([lane.episode for lane in acting], actions, env.step_limit)
    for lane, outcome in zip(acting, outcomes, strict=True):
        lane.outcomes.append(outcome)


def _choose(env: TextVectorEnv, lanes: Sequence[_Lane]) -> Sequence[str | None]:
    """Return each lane's next action; those who play in one crew are asked at once."""
    states = [lane.episode.state for lane in lanes]
    offered = [env.backend.available_actions(lane.episode) for lane in lanes]
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


def _collect(
    env: TextVectorEnv, episodes: Iterable[EpisodeResult], clock: _Clock, progress: Progress | None
) -> Rollout:
    played = []
    for episode in episodes:
        played.append(episode)
        if progress is not None:
            progress(episode)
    return Rollout(env_id(env), tuple(played), clock.seconds, env.num_envs)


def env_id(env: TextVectorEnv) -> str:
    """Return the id under which an environment was made."""
    return env.spec.id if env.spec is not None else type(env).__name__
