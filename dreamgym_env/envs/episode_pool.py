"""Any number of episodes of one environment, each stepped by whoever holds it, answered together.

Some trainers know no batch: they hold one environment an episode, in threads or coroutines.  A pool gives each of them
its episode, and asks the world model for all who are waiting at once::

    pool = open_pool("DreamGym/WebShop-v0", split="train")
    episode = pool.begin(task_id="webshop/train/17")
    state, reward, terminated, truncated, info = episode.step("search[red shoes]")   # or: await episode.step_async(...)

One thread of the pool asks; it never waits for stragglers longer than :data:`GATHERING_SECONDS`, and not at all when
every running episode has asked.  While a batch is being answered, the next one gathers.  A world model that answers
one by one (``openai:``) is asked as actions come.
"""

from __future__ import annotations

import asyncio
import atexit
import json
import queue
import threading
import time
import weakref
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium.error import AlreadyPendingCallError, ClosedEnvironmentError, ResetNeeded

from dreamgym_env.envs.info import reset_info, step_info
from dreamgym_env.envs.tasks import GroupDraws, TaskChoice, TaskSampler
from dreamgym_env.envs.text_env import clean_action, is_truncated
from dreamgym_env.envs.text_vector_env import TextVectorEnv
from dreamgym_env.errors import DreamGymError, KeywordError, ResetOptionError
from dreamgym_env.simulation.episode import Episode, Outcome, open_stream
from dreamgym_env.types import Domain, StopReason

__all__ = ["EpisodePool", "PooledEpisode", "StepResult", "open_pool", "shared_pool"]

GATHERING_SECONDS = 0.005
"""How long the first of a batch waits for the others at most."""
_GLANCE_SECONDS = 0.02
"""How long answers are waited for before further actions are taken."""

StepResult = tuple[str, float, bool, bool, dict[str, Any]]
"""Observation, reward, terminated, truncated and info, as of Gymnasium."""


@dataclass(slots=True)
class _Beginning:
    choice: TaskChoice
    seed: int | None
    member: int
    answer: Future[PooledEpisode]


@dataclass(slots=True)
class _Step:
    held: PooledEpisode
    action: str
    answer: Future[StepResult]


class PooledEpisode:
    """One episode of a pool, for whoever holds it; dropping it ends it."""

    def __init__(self, pool: EpisodePool, episode: Episode, info: dict[str, Any]) -> None:
        """Hold an episode that has begun; made by :meth:`EpisodePool.begin`."""
        self.episode = episode
        self.info = info
        """Of the latest observation, as of ``reset`` and ``step``."""
        self._pool = pool

    @property
    def observation(self) -> str:
        """The present state."""
        return self.episode.state

    @property
    def is_running(self) -> bool:
        """Whether it takes further actions."""
        return self.episode.stop is StopReason.RUNNING

    def step(self, action: str) -> StepResult:
        """Take an action, and wait for what comes of it.

        Raises:
            InvalidActionError: the action is not a text.
            ResetNeeded: the episode has ended.
            gymnasium.error.AlreadyPendingCallError: another action is on its way.
            ClosedEnvironmentError: the pool was closed.
            WorldModelError: the world model as a whole cannot answer; the episode is unchanged.
        """
        return self._pool.submit(self, action).result()

    async def step_async(self, action: str) -> StepResult:
        """Do the same without holding up the event loop."""
        return await asyncio.wrap_future(self._pool.submit(self, action))


class EpisodePool:
    """Episodes of one environment for many holders; safe to use from any threads and event loops."""

    def __init__(self, envs: TextVectorEnv, split: str = "train", seed: int | None = None) -> None:
        """Take over an environment: its tasks, its backend and its step limit; closing the pool closes it.

        Args:
            envs: a vector environment that was not reset, of any number of lanes: they are not used.
            split: tasks are drawn from it unless ``begin`` is told otherwise.
            seed: seeds of episodes that are begun without one follow from it, in the order in which they begin.

        Raises:
            UnknownTaskError: no such split.
        """
        self.domain: Domain = envs.domain
        self.real_transitions = 0
        """How many transitions the real environment has taken."""
        self._envs, self._backend, self._limit = envs, envs.backend, envs.step_limit
        self._stream = open_stream(envs.backend)
        self._sampler = TaskSampler(envs.domain, split)
        self._rng = np.random.default_rng(seed)
        self._asked: queue.SimpleQueue[_Beginning | _Step | None] = queue.SimpleQueue()
        self._under_way: dict[int, _Step] = {}
        self._running: weakref.WeakSet[PooledEpisode] = weakref.WeakSet()
        self._closed = False
        self._closing = threading.Lock()
        self._thread = threading.Thread(target=self._work, name="dreamgym-episodes", daemon=True)
        self._thread.start()

    @property
    def is_closed(self) -> bool:
        """Whether it was closed."""
        return self._closed

    def begin(self, *, task_id: str = "", split: str = "", seed: int | None = None, member: int = 0) -> PooledEpisode:
        """Begin an episode.

        Args:
            task_id: of the task; empty to draw one.
            split: to draw from; empty for the pool's.
            seed: the episode is then that of ``env.reset(seed=seed)``; None for the pool's next.
            member: position in a group of identical starts (GRPO): equal seeds draw equal tasks, and what is sampled
                in their episodes differs.

        Raises:
            UnknownTaskError: no such task or split.
            ResetOptionError: the seed is none, or the task's goal cannot be checked.
            ClosedEnvironmentError: the pool was closed.
            GameError: a real environment cannot play the task's game.
        """
        return self._ask_to_begin(task_id, split, seed, member).result()

    async def begin_async(
        self, *, task_id: str = "", split: str = "", seed: int | None = None, member: int = 0
    ) -> PooledEpisode:
        """Do the same without holding up the event loop."""
        return await asyncio.wrap_future(self._ask_to_begin(task_id, split, seed, member))

    def submit(self, held: PooledEpisode, action: str) -> Future[StepResult]:
        """Take an action without waiting; errors as of :meth:`PooledEpisode.step`, the first one at once."""
        step = _Step(held, clean_action(action), Future())
        self._put(step)
        return step.answer

    def close(self) -> None:
        """End all episodes and close the environment; calling it twice is allowed."""
        with self._closing:
            if not self._closed:
                self._closed = True
                self._asked.put(None)
        self._thread.join()
        self._envs.close()

    def _ask_to_begin(self, task_id: str, split: str, seed: int | None, member: int) -> Future[PooledEpisode]:
        if seed is not None and (type(seed) is not int or seed < 0):
            raise ResetOptionError(f"seed must be None or a whole number of at least 0, not {seed!r:.40}.")
        asked = _Beginning(TaskChoice(task_id=task_id, split=split), seed, member, Future())
        self._put(asked)
        return asked.answer

    def _put(self, asked: _Beginning | _Step) -> None:
        with self._closing:
            if self._closed:
                raise ClosedEnvironmentError("This pool of episodes was closed: open another one.")
            self._asked.put(asked)

    # all below runs in the pool's thread

    def _work(self) -> None:
        while (asked := self._gather()) is not None:
            try:
                self._begin([one for one in asked if isinstance(one, _Beginning)])
                self._send([one for one in asked if isinstance(one, _Step)])
                for episode, outcome in self._stream.receive(_GLANCE_SECONDS) if self._under_way else ():
                    self._answer(self._under_way.pop(id(episode)), outcome)
            except Exception as error:  # the holders' to handle: whoever waits must be told
                self._fail([*asked, *self._under_way.values()], error)
                self._under_way.clear()
        self._stream.close()
        left: list[_Beginning | _Step] = [*self._under_way.values()]
        self._fail(left, ClosedEnvironmentError("This pool of episodes was closed while an action was on its way."))

    def _gather(self) -> list[_Beginning | _Step] | None:
        """Return what is asked now, waiting for a first one where nothing is under way; None at the end."""
        asked: list[_Beginning | _Step] = []
        ends_at = None if not self._under_way else 0.0
        while True:
            try:
                left = None if ends_at is None else max(0.0, ends_at - time.monotonic())
                one = self._asked.get(timeout=left) if left != 0.0 else self._asked.get_nowait()
            except queue.Empty:
                return asked
            if one is None:
                self._fail(asked, ClosedEnvironmentError("This pool of episodes was closed."))
                return None
            if one.answer.set_running_or_notify_cancel():  # who does not wait any more has not acted
                asked.append(one)
            if ends_at is None:
                ends_at = time.monotonic() + GATHERING_SECONDS
            if len(asked) + len(self._under_way) >= len(self._running) and self._asked.empty():
                return asked

    def _begin(self, asked: Sequence[_Beginning]) -> None:
        try:
            drawn = [self._draw(one) for one in asked]
            episodes = self._backend.begin([task for task, _ in drawn], [seed for _, seed in drawn]) if drawn else []
        except DreamGymError as error:
            if len(asked) == 1:
                return self._fail(asked, error)
            for one in asked:  # a task that cannot be played is the trouble of who asked for it
                self._begin([one])
            return None
        for one, episode in zip(asked, episodes, strict=True):
            held = PooledEpisode(self, episode, reset_info(self._backend, episode))
            self._running.add(held)
            one.answer.set_result(held)
        return None

    def _draw(self, asked: _Beginning) -> tuple[Any, int]:
        if asked.seed is None:
            asked.seed = int(self._rng.integers(2**63))
        group = GroupDraws(asked.member + 1)  # of which it is the last
        return self._sampler.draw(asked.choice, np.random.default_rng(asked.seed), group, asked.member)

    def _send(self, steps: Sequence[_Step]) -> None:
        taken: list[_Step] = []
        for step in steps:
            episode = step.held.episode
            if not step.held.is_running:
                step.answer.set_exception(ResetNeeded("This episode has ended: begin another one."))
            elif id(episode) in self._under_way:
                error = AlreadyPendingCallError("An action of this episode is on its way: wait for its answer.", "step")
                step.answer.set_exception(error)
            else:
                self._under_way[id(episode)] = step
                taken.append(step)
        if taken:
            self._stream.submit([one.held.episode for one in taken], [one.action for one in taken], self._limit)

    def _answer(self, step: _Step, outcome: Outcome) -> None:
        held, episode = step.held, step.held.episode
        self.real_transitions += outcome.is_real
        held.info = step_info(self._backend, episode, outcome)
        if not held.is_running:
            self._running.discard(held)
        transition = outcome.transition
        ends = transition.terminated, is_truncated(episode.stop)
        step.answer.set_result((episode.state, transition.reward, *ends, held.info))

    def _fail(self, asked: Sequence[_Beginning | _Step], error: Exception) -> None:
        for one in asked:
            if not one.answer.done():
                one.answer.set_exception(error)


def open_pool(env_id: str, *, split: str = "train", seed: int | None = None, **settings: Any) -> EpisodePool:
    """Make an environment for any number of episodes.

    Args:
        env_id: ``DreamGym/...`` or ``DreamGymReal/...``.
        split: tasks are drawn from it unless ``begin`` is told otherwise.
        seed: as of :class:`EpisodePool`.
        settings: those of ``gymnasium.make_vec``, such as ``world_model``, ``buffer``, ``max_episode_steps``.

    Raises:
        KeywordError: a setting that nobody knows.
        DreamGymError: the environment cannot be made; the message says why.
    """
    made = gym.make_vec(env_id, num_envs=1, **settings)
    try:
        if not isinstance(made.unwrapped, TextVectorEnv):
            raise KeywordError(
                f"{env_id} is no environment of this library: name one under DreamGym/ or DreamGymReal/."
            )
        return EpisodePool(made.unwrapped, split, seed)
    except BaseException:
        made.close()
        raise


_shared: dict[str, EpisodePool] = {}
_sharing = threading.Lock()


def shared_pool(env_id: str, **settings: Any) -> EpisodePool:
    """Return this process's pool of an environment, opened when it is first asked for and closed at exit.

    Arguments and errors are those of :func:`open_pool`; equal ones give the same pool, so that all episodes share one
    world model and one buffer.
    """
    key = json.dumps([env_id, settings], sort_keys=True, default=id)
    with _sharing:
        if key not in _shared or _shared[key].is_closed:
            _shared[key] = open_pool(env_id, **settings)
            atexit.register(_shared[key].close)
        return _shared[key]
