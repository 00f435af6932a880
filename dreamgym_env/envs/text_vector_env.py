"""n episodes in one batch: the Gymnasium vector environment over any backend."""

from __future__ import annotations

import contextlib
import copy
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from gymnasium.error import AlreadyPendingCallError, NoAsyncCallError, ResetNeeded
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space

from dreamgym_env.deadline import Deadline
from dreamgym_env.envs.info import add_infos, reset_info, step_info
from dreamgym_env.envs.lanes import read_choices, read_group_size, read_mask, read_seeds
from dreamgym_env.envs.spaces import AnyText
from dreamgym_env.envs.tasks import GroupDraws, TaskChoice, TaskSampler, read_options
from dreamgym_env.envs.text_env import (
    MAX_ACTION_LENGTH,
    MAX_OBSERVATION_LENGTH,
    clean_action,
    is_truncated,
    refuse_closed,
)
from dreamgym_env.simulation.episode import Backend, Episode, Outcome, OutcomeStream, open_stream
from dreamgym_env.types import Domain, StopReason, Task

__all__ = ["TextVectorEnv"]

Bools = np.typing.NDArray[np.bool_]
Floats = np.typing.NDArray[np.float64]


class TextVectorEnv(VectorEnv[tuple[str, ...], Sequence[str], np.ndarray]):
    """n text environments that step together, or each when its answer is there (:meth:`send` and :meth:`recv`).

    Observations: tuple of n texts. Actions: n texts. Lane i with seed s behaves as one :class:`TextEnv` with seed
    s + i. ``reset(options=)`` takes, beside those of :class:`TextEnv`, lists of n of them, ``group_size`` G (lanes
    0..G-1 play the same task, G..2G-1 the next, ...; n must be a multiple of G) and ``reset_mask`` (bool array of
    shape (n,): only these lanes are reset). Options hold for automatic resets too, until the next ``reset``.
    A source of ``tasks`` is asked once for each group, whenever its members begin.
    """

    def __init__(
        self,
        domain: Domain,
        backend: Backend,
        num_envs: int,
        split: str = "train",
        max_episode_steps: int | None = None,
        autoreset_mode: str | AutoresetMode = AutoresetMode.NEXT_STEP,
        render_mode: str | None = None,
    ) -> None:
        """Create the environment.

        Args:
            domain: where tasks come from.
            backend: what advances episodes; the environment owns it and closes it.
            num_envs: n, at least 1.
            split: tasks are drawn from it unless ``reset`` is told otherwise.
            max_episode_steps: actions after which an episode is truncated; None for the domain's own number, -1 for
                never (as in ``gymnasium.make``).
            autoreset_mode: ``"NextStep"``, ``"SameStep"`` or ``"Disabled"``.
            render_mode: must be None; a batch is not rendered.

        Raises:
            UnknownTaskError: no such split.
            ValueError: ``num_envs``, ``max_episode_steps``, ``autoreset_mode`` or ``render_mode`` is none of these.
        """
        if num_envs < 1:
            raise ValueError(f"num_envs must be at least 1, not {num_envs}.")
        if render_mode is not None:
            raise ValueError("A vector environment is not rendered; use gymnasium.make(id, render_mode=...).")
        self.domain = domain
        self.backend = backend
        self.num_envs = num_envs
        self.step_limit = _step_limit(domain.max_episode_steps if max_episode_steps is None else max_episode_steps)
        self.autoreset_mode = AutoresetMode(autoreset_mode)
        self.metadata = {"render_modes": [], "autoreset_mode": self.autoreset_mode}
        self.render_mode = None
        self.single_observation_space = AnyText(MAX_OBSERVATION_LENGTH)
        self.single_action_space = AnyText(MAX_ACTION_LENGTH)
        self.observation_space = batch_space(self.single_observation_space, num_envs)
        self.action_space = batch_space(self.single_action_space, num_envs)
        self._sampler = TaskSampler(domain, split)
        self._choices = [TaskChoice()] * num_envs
        self._groups = GroupDraws()
        self._rngs = [np.random.default_rng() for _ in range(num_envs)]
        self._episodes: list[Episode | None] = [None] * num_envs
        self._stream: OutcomeStream | None = None
        self._under_way: dict[int, int] = {}
        """Lanes that were sent an action, by the ``id`` of their episode."""
        self._arrived: dict[int, Outcome] = {}
        """What came of actions and was not received yet, by lane."""
        self._ended_lanes: list[int] = []
        """Lanes that were sent an action after their episode had ended, and begin anew when they are received."""
        self._real_transitions = 0

    @property
    def real_transitions(self) -> int:
        """As :attr:`TextEnv.real_transitions`, of all lanes."""
        return self._real_transitions

    def install(self, backend: Backend) -> None:
        """Let another backend advance the episodes, such as one around the present one; the environment owns it then.

        Raises:
            ValueError: episodes have begun.
        """
        if any(episode is not None for episode in self._episodes):
            raise ValueError("Episodes have begun: wrap a vector environment before its first reset().")
        self.backend = backend

    def reset(
        self,
        *,
        seed: int | Sequence[int | None] | None = None,
        options: dict[str, Any] | None = None,
    ) -> tuple[tuple[str, ...], dict[str, Any]]:
        """Begin episodes in all lanes, or in those of ``options["reset_mask"]``.

        Returns:
            Observations of all lanes; infos of those that were reset.

        Raises:
            UnknownTaskError: no such task or split.
            ResetOptionError: an unknown option, one of the wrong type or length, a task whose goal cannot be
                checked, or a source that gives no task.  All lanes are then unchanged.
            gymnasium.error.AlreadyPendingCallError: one of these lanes was sent an action and not received.
            ClosedEnvironmentError: the environment was closed.
        """
        refuse_closed(self.closed)
        options = read_options(options)
        mask = options.pop("reset_mask", None)
        lanes = read_mask(mask, self.num_envs)
        self._refuse_under_way(lanes, "reset")
        asked = options.pop("group_size", None)
        groups = self._groups.copy() if mask is not None else GroupDraws()
        if asked is not None and (size := read_group_size(asked, self.num_envs)) != groups.size:
            groups = GroupDraws(size)
        choices = read_choices(options, self.num_envs)
        seeds = read_seeds(seed, self.num_envs)
        rngs = self._generators(lanes, seeds, groups.size, partial=mask is not None)
        drawn = [self._sampler.draw(choices[lane], rngs[lane], groups, lane) for lane in lanes]
        infos: dict[str, Any] = {}
        self._begin(lanes, drawn, infos, {lane: lane for lane in range(self.num_envs)})
        self._groups = groups  # nothing is refused from here on
        for lane in lanes:
            self._choices[lane], self._rngs[lane] = choices[lane], rngs[lane]
        return self._observations(), infos

    def step(self, actions: Sequence[str]) -> tuple[tuple[str, ...], Floats, Bools, Bools, dict[str, Any]]:
        """Take one action in each lane.

        A lane that ended in the step before ignores its action and begins anew (``NextStep``), or the call is refused
        (``Disabled``); in ``SameStep`` a lane that ends begins anew at once, and ``infos["final_obs"]`` and
        ``infos["final_info"]`` keep its last observation and info.

        Raises:
            InvalidActionError: an action is not a text.
            ResetNeeded: a lane has no episode.
            gymnasium.error.AlreadyPendingCallError: a lane was sent an action and not received.
            ClosedEnvironmentError: the environment was closed.
            WorldModelError: the world model as a whole cannot answer; all lanes are unchanged.
        """
        refuse_closed(self.closed)
        if isinstance(actions, str) or not isinstance(actions, Sequence | np.ndarray) or len(actions) != self.num_envs:
            raise ValueError(f"step takes a sequence of {self.num_envs} actions, one for each environment.")
        everyone = range(self.num_envs)
        self._refuse_under_way(everyone, "step")
        running, ended = self._running_and_ended(everyone)
        episodes = [self._episode(lane) for lane in running]
        cleaned = [clean_action(actions[lane]) for lane in running]
        outcomes = self.backend.advance(episodes, cleaned, self.step_limit)
        self._real_transitions += sum(outcome.is_real for outcome in outcomes)
        return self._results(everyone, dict(zip(running, outcomes, strict=True)), ended)

    def send(self, actions: Sequence[str], env_ids: Sequence[int] | None = None) -> None:
        """Take actions in some lanes without waiting for what comes of them; :meth:`recv` tells that.

        This is the asynchronous interface of EnvPool (Weng et al., NeurIPS 2022): while a slow world model answers
        some lanes, the agent acts in others.  A lane behaves as it does under :meth:`step`, automatic resets included.

        Args:
            actions: m texts.
            env_ids: m different lanes that are not under way, as ints (no mask of bools); None for all.

        Raises:
            InvalidActionError: an action is not a text.
            ValueError: ``env_ids`` is none of these, or does not fit ``actions``.
            gymnasium.error.AlreadyPendingCallError: a lane is under way.
            ResetNeeded: a lane has no episode, or it ended and does not begin anew by itself.
            ClosedEnvironmentError: the environment was closed.
            WorldModelError: the world model as a whole cannot be asked; nothing is under way any more, and the
                episodes that were are unchanged.
        """
        refuse_closed(self.closed)
        lanes = self._read_env_ids(range(self.num_envs) if env_ids is None else env_ids)
        if isinstance(actions, str) or not isinstance(actions, Sequence | np.ndarray) or len(actions) != len(lanes):
            raise ValueError(f"send takes a sequence of {len(lanes)} actions, one for each of the environments.")
        action_of = dict(zip(lanes, actions, strict=True))
        running, ended = self._running_and_ended(lanes)
        cleaned = [clean_action(action_of[lane]) for lane in running]
        if self._stream is None:
            self._stream = open_stream(self.backend)
        with self._ending_with_the_backend():
            self._stream.submit([self._episode(lane) for lane in running], cleaned, self.step_limit)
        self._under_way.update({id(self._episode(lane)): lane for lane in running})
        self._ended_lanes.extend(ended)

    def recv(
        self, min_envs: int = 1, timeout: float | None = None
    ) -> tuple[tuple[str, ...], Floats, Bools, Bools, dict[str, Any]]:
        """Return what came of actions that were sent.

        Args:
            min_envs: how many lanes to wait for; all that are under way if there are fewer.
            timeout: seconds to wait at most; None for as long as it takes.  A world model that answers whole batches
                (``embedded``, ``transformers:``, ``vllm:``) cannot be interrupted: 0 asks it when it is called a second
                time, any other at once.

        Returns:
            What :meth:`step` returns, but for m lanes in place of all; ``infos["env_id"]`` is the int array of shape
            (m,) that says which, in rising order.  m is less than ``min_envs`` (it may be 0) only after a timeout.

        Raises:
            ValueError: ``min_envs`` or ``timeout`` is none of these.
            gymnasium.error.NoAsyncCallError: no lane is under way.
            ClosedEnvironmentError: the environment was closed.
            WorldModelError: the world model as a whole cannot answer.  Lanes that it was asked about are unchanged:
                send their actions again.  What had come before is returned by the next call.
        """
        refuse_closed(self.closed)
        if isinstance(min_envs, bool) or not isinstance(min_envs, int | np.integer) or min_envs < 1:
            raise ValueError(f"min_envs must be a whole number of at least 1, not {min_envs!r}.")
        if timeout is not None and not timeout >= 0:
            raise ValueError(f"timeout must be None or a number of seconds of at least 0, not {timeout!r}.")
        if not self._pending:
            raise NoAsyncCallError("No environment is under way: send() actions before recv().", "recv")
        self._listen(min(int(min_envs), len(self._pending)), timeout)
        order = sorted([*self._arrived, *self._ended_lanes])
        results = self._results(order, self._arrived, self._ended_lanes)
        self._arrived, self._ended_lanes = {}, []
        results[-1]["env_id"] = np.array(order, dtype=np.int64)
        return results

    def close_extras(self, **kwargs: Any) -> None:
        """Forget what is under way, and close the backend."""
        if self._stream is not None:
            self._stream.close()
        self.backend.close()

    @property
    def _pending(self) -> set[int]:
        """Lanes that were sent an action and not received."""
        return {*self._under_way.values(), *self._arrived, *self._ended_lanes}

    def _refuse_under_way(self, lanes: Sequence[int], call: str) -> None:
        busy = sorted(self._pending.intersection(lanes))
        if busy:
            raise AlreadyPendingCallError(
                f"Environments {busy[:10]} are under way: recv() what comes of their last actions before {call}().",
                call,
            )

    def _listen(self, enough: int, timeout: float | None) -> None:
        """Take in what came of actions: once in any case, and until it is enough or the time is over."""
        deadline = Deadline(timeout)
        while self._under_way:
            missing = enough - len(self._arrived) - len(self._ended_lanes)
            patience = deadline.left()
            assert self._stream is not None
            with self._ending_with_the_backend():
                received = self._stream.receive(patience if missing > 0 else 0.0)
            self._real_transitions += sum(outcome.is_real for _, outcome in received)
            self._arrived.update({self._under_way.pop(id(episode)): outcome for episode, outcome in received})
            if missing - len(received) <= 0 or patience == 0:
                break

    @contextlib.contextmanager
    def _ending_with_the_backend(self) -> Iterator[None]:
        """Where the backend cannot go on, nothing is under way any more."""
        try:
            yield
        except BaseException:
            self._under_way.clear()
            raise

    def _read_env_ids(self, env_ids: Sequence[int]) -> list[int]:
        given = np.asarray(env_ids)
        lanes = given.tolist() if given.ndim == 1 and (given.dtype.kind in "iu" or not given.size) else [-1]
        if len(set(lanes)) < len(lanes) or not all(0 <= lane < self.num_envs for lane in lanes):
            raise ValueError(
                f"env_ids must be a list of different numbers from 0 to {self.num_envs - 1}, not {str(env_ids)[:100]}."
            )
        self._refuse_under_way(lanes, "send")
        return lanes

    def _results(
        self, order: Sequence[int], moved: Mapping[int, Outcome], ended: Sequence[int]
    ) -> tuple[tuple[str, ...], Floats, Bools, Bools, dict[str, Any]]:
        """Return what a step gives for lanes in some order.

        Args:
            order: m lanes, all of those below.
            moved: lanes whose episode moved on.
            ended: lanes whose episode ended before, and which begin anew.
        """
        place = {lane: at for at, lane in enumerate(order)}
        rewards = np.zeros(len(order))
        terminations, truncations = (np.zeros(len(order), dtype=np.bool_) for _ in range(2))
        rows: dict[int, dict[str, Any]] = {}
        for lane, outcome in moved.items():
            episode, at = self._episode(lane), place[lane]
            rewards[at] = outcome.transition.reward
            terminations[at] = outcome.transition.terminated
            # as TimeLimit does it: the last step truncates even where it also ends the episode
            at_limit = self.step_limit is not None and episode.step >= self.step_limit
            truncations[at] = is_truncated(outcome.stop) or at_limit
            rows[lane] = step_info(self.backend, episode, outcome)
        infos: dict[str, Any] = {}
        if self.autoreset_mode is AutoresetMode.SAME_STEP:
            finished = [lane for lane in moved if terminations[place[lane]] or truncations[place[lane]]]
            self._add_final(infos, place, {lane: rows.pop(lane) for lane in finished})
            ended = [*ended, *finished]
        add_infos(infos, [place[lane] for lane in rows], list(rows.values()), len(order))
        drawn = [self._sampler.draw(self._choices[lane], self._rngs[lane], self._groups, lane) for lane in ended]
        self._begin(ended, drawn, infos, place)
        return tuple(self._episode(lane).state for lane in order), rewards, terminations, truncations, infos

    def _add_final(self, infos: dict[str, Any], place: Mapping[int, int], rows: Mapping[int, dict[str, Any]]) -> None:
        """Keep the last observations and infos of lanes that are about to begin anew."""
        if rows:
            places = [place[lane] for lane in rows]
            seen = [{"final_obs": self._episode(lane).state, "final_info": None} for lane in rows]
            add_infos(infos, places, seen, len(place))
            infos["final_info"] = {}
            add_infos(infos["final_info"], places, list(rows.values()), len(place))

    def _begin(
        self,
        lanes: Sequence[int],
        drawn: Sequence[tuple[Task, int]],
        infos: dict[str, Any],
        place: Mapping[int, int],
    ) -> None:
        """Begin an episode of a task with a seed in each of the lanes and add their infos in their places."""
        episodes = self.backend.begin([task for task, _ in drawn], [seed for _, seed in drawn])
        for lane, episode in zip(lanes, episodes, strict=True):
            self._episodes[lane] = episode
        rows = [reset_info(self.backend, episode) for episode in episodes]
        add_infos(infos, [place[lane] for lane in lanes], rows, len(place))

    def _episode(self, lane: int) -> Episode:
        episode = self._episodes[lane]
        if episode is None:
            raise ResetNeeded("Call reset() before step().")
        return episode

    def _running_and_ended(self, lanes: Sequence[int]) -> tuple[list[int], list[int]]:
        """Return those of the lanes that run, and those to begin anew."""
        running: list[int] = []
        ended: list[int] = []
        for lane in lanes:
            (running if self._episode(lane).stop is StopReason.RUNNING else ended).append(lane)
        if ended and self.autoreset_mode is AutoresetMode.DISABLED:
            raise ResetNeeded(
                f"The episodes of lanes {ended[:10]} have ended: call reset(options={{'reset_mask': mask}}) for them."
            )
        return running, ended

    def _observations(self) -> tuple[str, ...]:
        return tuple(episode.state if episode is not None else "" for episode in self._episodes)

    def _generators(
        self, lanes: Sequence[int], seeds: Sequence[int | None], group_size: int, *, partial: bool
    ) -> dict[int, np.random.Generator]:
        """Return new generators for the lanes of a reset; members of a group get equal ones, to draw the same tasks."""
        generators = {}
        for lane in lanes:
            leader = lane - lane % group_size
            if seeds[leader] is not None:
                generators[lane] = np.random.default_rng(seeds[leader])
                continue
            regrouped = group_size != self._groups.size
            generator = copy.deepcopy(self._rngs[lane if partial and not regrouped else leader])
            if regrouped:  # lanes that were one group draw alike: tell the new groups apart
                generator = np.random.default_rng([int(generator.integers(2**63)), leader])
            generators[lane] = generator
        return generators


def _step_limit(value: int) -> int | None:
    """Return a limit as backends take it. Raises ValueError."""
    if isinstance(value, bool) or not isinstance(value, int) or (value < 1 and value != -1):
        raise ValueError(f"max_episode_steps must be a whole number of at least 1, or -1 for no limit, not {value!r}.")
    return None if value == -1 else value
