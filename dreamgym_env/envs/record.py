"""``RecordTransitions``: writes what any text environment does to a transitions file."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gymnasium as gym
from gymnasium.error import ResetNeeded

from dreamgym_env.envs.reading import graded_score, name_of, named_task, observed_text, offered_actions, said, won
from dreamgym_env.envs.text_env import clean_action
from dreamgym_env.errors import RecordingError
from dreamgym_env.locking import only_writer
from dreamgym_env.memory.experience import TransitionWriter, read_transitions
from dreamgym_env.types import AnsweredBy, Source, Transition, Turn

__all__ = ["RecordTransitions", "Told"]

Told = str | Callable[[str, dict[str, Any]], str]
"""A text for all episodes, or what reads one off the first observation and its info."""


class RecordTransitions(gym.Wrapper[str, str, str, str]):
    """Writes every step as a :class:`~dreamgym_env.types.Transition` when it is taken.

    Works around any environment whose observations and actions are texts, in one line::

        env = RecordTransitions(env, "my_env.jsonl.gz", domain="my_env")

    What ``info`` says is used where it is there: at the start of an episode ``task_id``, ``instruction``, ``split`` and
    ``parent``; at each step ``available_actions`` (or ``admissible_commands``), ``won``, ``task_score``, ``valid`` and
    ``reasoning``.  Where it says nothing of a task, the instruction is the first observation, and the task is named
    after the environment's id and that observation; arguments say it better.

    A transition's reward is an outcome reward, 1.0 at success and else 0.0, whatever the environment pays: an episode
    succeeds where it terminates with ``info["won"]``, or where there is no such entry with a reward above 0.  What the
    environment paid is kept as the step's ``score`` where it lies in [0, 1].

    Every step is in the file before :meth:`step` returns.  A file has one recorder at a time.
    """

    def __init__(
        self,
        env: gym.Env[str, str],
        path: str | Path,
        *,
        domain: str = "",
        name: str = "recorded",
        split: str = "train",
        instruction: Told = "",
        task_id: Told = "",
        success: Callable[[str, float, dict[str, Any]], bool] | None = None,
    ) -> None:
        """Open the file.

        Args:
            env: the environment.
            path: a new file, or one written by this wrapper, which is continued; gzip if it ends in ``.gz``.
            domain: name of the domain; by default the environment's own, else its id.
            name: beginning of the episodes' names; they are numbered on in a file that is continued.
            split: of the tasks, where ``info`` names none.
            instruction: what the agent is asked to do, in place of what ``info`` says.
            task_id: names the task, in place of what ``info`` says; the same task must always begin in the same state.
            success: says of an observation, a reward and an info that ended an episode whether it is a success, in
                place of the rule above.

        Raises:
            ExperienceFormatError: the file is there and holds something else.
            RecordingError: another recorder writes to it.
        """
        super().__init__(env)
        known = getattr(getattr(env.unwrapped, "domain", None), "name", None)
        self._domain = domain or (known if isinstance(known, str) else name_of(env))
        self._split, self._instruction, self._task_id = split, instruction, task_id
        self._success = success or (lambda observation, reward, info: won(reward, info))
        path = Path(path)
        refusal = RecordingError(f"{path} is being recorded by another environment: close that, or name another file.")
        with contextlib.ExitStack() as opening:
            opening.enter_context(only_writer(path.with_name(f"{path.name}.lock"), refusal))
            self._writer = opening.enter_context(TransitionWriter(path))
            self._episodes = _last_number(path, name)
            self._opened = opening.pop_all()
        self._name = name
        self._state = ""
        self._about: dict[str, str] = {}
        self._history: list[Turn] = []
        self._running = False

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[str, dict[str, Any]]:
        """Begin another episode. Raises RecordingError if the environment shows no text."""
        observation, info = self.env.reset(seed=seed, options=options)
        self._state, self._history = self._text(observation), []
        self._episodes += 1
        self._about = self._task(self._state, info)
        self._running = True
        return observation, info

    def step(self, action: str) -> tuple[str, float, bool, bool, dict[str, Any]]:
        """Take an action and write what came of it; a step whose model answer failed is not experience.

        Raises:
            InvalidActionError: the action is not a text; nothing was done.
            RecordingError: the environment shows no text.
            ResetNeeded: no episode is running; nothing was done.
        """
        action = clean_action(action)
        if not self._running:
            raise ResetNeeded("No episode is running: call reset() before step(), and again after each episode's end.")
        observation, reward, terminated, truncated, info = self.env.step(action)
        next_state = self._text(observation)
        if not info.get("failure"):
            self._writer.write(self._transition(action, next_state, float(reward), bool(terminated), info))
            self._writer.flush()  # a real step is never lost
        self._history.append(Turn(self._state, action))
        self._state = next_state
        self._running = not (terminated or truncated)
        return observation, float(reward), terminated, truncated, info

    def close(self) -> None:
        """Close file and environment."""
        self._opened.close()
        self.env.close()

    def _task(self, observation: str, info: dict[str, Any]) -> dict[str, str]:
        """Return what a transition says of the task of an episode that begins so."""
        return {
            "task_id": _told(self._task_id, observation, info) or named_task(info, name_of(self.env), observation),
            "instruction": _told(self._instruction, observation, info) or said(info, "instruction", observation),
            "split": said(info, "split", self._split),
            "parent": said(info, "parent", ""),
        }

    def _transition(
        self, action: str, next_state: str, reward: float, terminated: bool, info: dict[str, Any]
    ) -> Transition:
        answered = info.get("answered_by", AnsweredBy.REAL)
        outcome = float(terminated and self._success(next_state, reward, info))
        return Transition(
            **self._about,
            domain=self._domain,
            episode=f"{self._name}/{self._episodes}",
            step=len(self._history),
            history=tuple(self._history),
            state=self._state,
            action=action,
            next_state=next_state,
            reward=outcome,
            terminated=terminated,
            source=Source.REAL if answered == AnsweredBy.REAL else Source.DREAM,
            reasoning=said(info, "reasoning", ""),
            score=graded_score(reward, info, outcome),
            valid=bool(info.get("valid", True)),
            available_actions=offered_actions(info),
        )

    def _text(self, observation: object) -> str:
        return observed_text(self.env, observation, "a recording", RecordingError)


def _told(told: Told, observation: str, info: dict[str, Any]) -> str:
    return told if isinstance(told, str) else str(told(observation, info))


def _last_number(path: Path, name: str) -> int:
    """Return the highest number of an episode of this name in a file, so that those that follow have other ones."""
    episodes = {step.episode for step in read_transitions(path)} if path.stat().st_size else set()
    numbers = (episode.removeprefix(f"{name}/") for episode in episodes)
    return max((int(number) for number in numbers if number.isdecimal()), default=0)
