"""Rollouts: agents play tasks in all lanes of a vector environment at once (:mod:`.running`)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np

from dreamgym_env.envs.text_vector_env import TextVectorEnv
from dreamgym_env.evaluation.agents import Agent, AgentFactory
from dreamgym_env.evaluation.running import (
    Clock,
    EnvironmentLostError,
    EpisodePlan,
    EpisodeResult,
    RunningEpisodes,
    Seat,
    seat_agents,
)
from dreamgym_env.simulation.episode import BatchedOutcomes
from dreamgym_env.types import Task

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
    clock = Clock()
    return _collect(env, _run(env, plans, seat_agents(agents), clock), clock, progress)


def play_each(
    env: TextVectorEnv, agents: Mapping[str, AgentFactory], plans: Iterable[EpisodePlan]
) -> Iterator[EpisodeResult]:
    """Yield episodes in the plans' order as they end; arguments and errors are those of :func:`play`."""
    return _run(env, plans, seat_agents(agents), Clock())


def replay_actions(
    env: TextVectorEnv, episodes: Sequence[EpisodeResult], *, progress: Progress | None = None
) -> Rollout:
    """Take the actions of episodes again in another environment, whatever it answers.

    An episode ends when the environment ends it or when the actions are used up; in the latter case its ``stop`` is
    ``RUNNING``, and it is no success.
    """
    clock = Clock()
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


def _run(env: TextVectorEnv, plans: Iterable[EpisodePlan], seat: Seat, clock: Clock) -> Iterator[EpisodeResult]:
    """Keep all lanes busy until the plans are used up; yield in the plans' order."""
    running = RunningEpisodes(env, BatchedOutcomes(env.backend), seat, clock)
    waiting = enumerate(plans)
    done: dict[int, EpisodeResult] = {}
    following = 0
    while True:
        running.begin(list(islice(waiting, running.free)))
        if not len(running):
            return
        done.update(running.step())
        while following in done:
            yield done.pop(following)
            following += 1


def _collect(env: TextVectorEnv, episodes: Iterable[EpisodeResult], clock: Clock, progress: Progress | None) -> Rollout:
    played = []
    for episode in episodes:
        played.append(episode)
        if progress is not None:
            progress(episode)
    return Rollout(env_id(env), tuple(played), clock.seconds, env.num_envs)


def env_id(env: TextVectorEnv) -> str:
    """Return the id under which an environment was made."""
    return env.spec.id if env.spec is not None else type(env).__name__
