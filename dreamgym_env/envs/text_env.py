"""One episode at a time: the Gymnasium environment over any backend."""

from __future__ import annotations

import sys
from types import FrameType
from typing import Any

import gymnasium as gym
from gymnasium.envs.registration import EnvSpec
from gymnasium.error import ClosedEnvironmentError, ResetNeeded
from gymnasium.wrappers import TimeLimit

from dreamgym_env.envs.info import reset_info, step_info
from dreamgym_env.envs.spaces import AnyText
from dreamgym_env.envs.tasks import TaskSampler, choice_from_options, read_options
from dreamgym_env.envs.transcript import Transcript
from dreamgym_env.errors import InvalidActionError
from dreamgym_env.simulation.episode import Backend, Episode
from dreamgym_env.types import Domain, StopReason

__all__ = ["MAX_ACTION_LENGTH", "MAX_OBSERVATION_LENGTH", "TextEnv", "clean_action"]

MAX_ACTION_LENGTH = 4096
"""Characters; what is longer is cut there and ends in an ellipsis, lest the cut make an action out of what is none."""
MAX_OBSERVATION_LENGTH = 10_000_000
"""Characters."""


class TextEnv(gym.Env[str, str]):
    """A text environment: observations and actions are texts, a batch of one for its backend.

    Observation: the state's text. Action: any text; what the state does not offer changes nothing. Reward: 1.0 at
    success, else 0.0. ``info``: see :func:`dreamgym_env.envs.info.step_info`.

    Episodes are truncated at the domain's ``max_episode_steps``; under ``gymnasium.make`` and in a ``TimeLimit`` at
    theirs, which :func:`_wrapped_limit` finds.  ``reset(options=)`` takes ``task_id``, ``split``, ``task`` (a
    :class:`~dreamgym_env.types.Task`) or ``tasks`` (a :class:`~dreamgym_env.types.TaskSource`, asked for one).
    """

    metadata: dict[str, Any] = {"render_modes": ["ansi", "human"], "render_fps": 1}  # noqa: RUF012 - gymnasium's form

    def __init__(self, domain: Domain, backend: Backend, split: str = "train", render_mode: str | None = None) -> None:
        """Create the environment.

        Args:
            domain: where tasks come from.
            backend: what advances episodes; the environment owns it and closes it.
            split: tasks are drawn from it unless ``reset`` is told otherwise.
            render_mode: None, ``"ansi"`` or ``"human"``.

        Raises:
            UnknownTaskError: no such split.
        """
        self.domain = domain
        self.backend = backend
        self.render_mode = render_mode
        self.observation_space = AnyText(MAX_OBSERVATION_LENGTH)
        self.action_space = AnyText(MAX_ACTION_LENGTH)
        self._sampler = TaskSampler(domain, split)
        self._episode: Episode | None = None
        self._step_limit: int | None = domain.max_episode_steps
        self._transcript = Transcript()
        self._closed = False
        self._real_transitions = 0

    @property
    def real_transitions(self) -> int:
        """How many transitions the real environment has taken since this one was made.

        Under ``DreamGymReal/`` all are, in a dream those of its anchors.  An action that a lost engine did not answer
        is none.
        """
        return self._real_transitions

    @property
    def episode(self) -> Episode | None:
        """The episode, with what is hidden from the agent; None before the first reset."""
        return self._episode

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[str, dict[str, Any]]:
        """Begin an episode.

        Raises:
            UnknownTaskError: no such task or split.
            ResetOptionError: an unknown option, one of the wrong type, or a task whose goal cannot be checked; a source
                that gives no task.
            GameError: a real environment cannot play the task's game.
            ClosedEnvironmentError: the environment was closed.
        """
        refuse_closed(self._closed)
        choice = choice_from_options(read_options(options))
        super().reset(seed=seed)
        task, episode_seed = self._sampler.draw(choice, self.np_random)
        self._episode = self.backend.begin([task], [episode_seed])[0]
        self._step_limit = _wrapped_limit(self, None if _is_limited(self.spec) else self.domain.max_episode_steps)
        self._transcript = Transcript()
        self._show(self._transcript.begin(self._episode))
        return self._episode.state, reset_info(self.backend, self._episode)

    def step(self, action: str) -> tuple[str, float, bool, bool, dict[str, Any]]:
        """Take an action.

        Raises:
            InvalidActionError: the action is not a text.
            ResetNeeded: no episode is running.
            ClosedEnvironmentError: the environment was closed.
            WorldModelError: the world model as a whole cannot answer; the episode is unchanged.
        """
        refuse_closed(self._closed)
        episode = self._episode
        if episode is None or episode.stop is not StopReason.RUNNING:
            raise ResetNeeded("No episode is running: call reset() before step(), and again after each episode's end.")
        outcome = self.backend.advance([episode], [clean_action(action)], self._step_limit)[0]
        self._real_transitions += outcome.is_real
        self._show(self._transcript.add(outcome))
        return (
            episode.state,
            outcome.transition.reward,
            outcome.transition.terminated,
            is_truncated(episode.stop),
            step_info(self.backend, episode, outcome),
        )

    def render(self) -> str | None:
        """Return the episode's transcript so far (``ansi``); ``human`` has printed it already."""
        return self._transcript.text if self.render_mode == "ansi" else None

    def close(self) -> None:
        """Close the backend."""
        self._closed = True
        self.backend.close()

    def _show(self, text: str) -> None:
        if self.render_mode == "human":
            sys.stdout.write(text)
            sys.stdout.flush()


def _wrapped_limit(env: gym.Env[Any, Any], default: int | None) -> int | None:
    """Return the smallest limit of the ``TimeLimit`` wrappers through which ``env.reset`` is being called.

    A ``TimeLimit`` overwrites ``truncated`` after the environment's step and tells nobody, so that ``info`` would say
    that the episode runs on.  What it is called by is the only way in which an environment can find it:
    ``gymnasium.make`` keeps ``max_episode_steps`` to itself, and ``gymnasium.make_vec`` refuses ids that are registered
    with a wrapper of their own.
    """
    limits = []
    frame: FrameType | None = sys._getframe(2)
    while frame is not None and frame.f_code.co_name == "reset":  # each wrapper's reset calls the next one's
        wrapper = frame.f_locals.get("self")
        if isinstance(wrapper, TimeLimit) and wrapper.unwrapped is env:
            limits.append(wrapper._max_episode_steps)
        frame = frame.f_back
    return min(limits, default=default)


def _is_limited(spec: EnvSpec | None) -> bool:
    """Return whether ``gymnasium.make`` made the environment from an id with a limit, and left it to a wrapper."""
    registered = gym.registry.get(spec.id) if spec is not None else None
    return registered is not None and registered.max_episode_steps is not None


def refuse_closed(closed: bool) -> None:
    """Raise ClosedEnvironmentError if the environment was closed."""
    if closed:
        raise ClosedEnvironmentError("This environment was closed: make another one.")


_TRUNCATING: frozenset[StopReason] = frozenset(
    {StopReason.STEP_LIMIT, StopReason.MODEL_FAILURE, StopReason.ENGINE_FAILURE, StopReason.DRIFT}
)


def is_truncated(stop: StopReason) -> bool:
    """Return whether an episode that stopped so counts as truncated."""
    return stop in _TRUNCATING


def clean_action(action: object) -> str:
    """Return an action as valid Unicode of at most :data:`MAX_ACTION_LENGTH` characters.

    Raises:
        InvalidActionError: it is not a text.
    """
    if not isinstance(action, str):
        raise InvalidActionError(f"An action must be a text such as 'search[red shoes]', not {type(action).__name__}.")
    if len(action) > MAX_ACTION_LENGTH:
        action = action[: MAX_ACTION_LENGTH - 1] + "…"
    return str(action).encode("utf-8", "replace").decode("utf-8")
