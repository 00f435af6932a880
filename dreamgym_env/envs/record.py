"""``RecordTransitions``: writes what any text environment does to a transitions file."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import gymnasium as gym

from dreamgym_env.envs.text_env import clean_action
from dreamgym_env.memory.experience import TransitionWriter, read_transitions
from dreamgym_env.types import AnsweredBy, Source, Transition, Turn

__all__ = ["RecordTransitions"]


class RecordTransitions(gym.Wrapper[str, str, str, str]):
    """Writes every step as a :class:`~dreamgym_env.types.Transition` when it is taken.

    Works around any environment whose observations and actions are texts.  What ``info`` says is used where it is
    there (``task_id``, ``instruction``, ``split``, ``task_score``, ``valid``, ``reasoning``, ``available_actions``);
    where it is not, the instruction is the first observation, and the task is named after it and the environment's id.
    """

    def __init__(self, env: gym.Env[str, str], path: str | Path, *, domain: str = "", name: str = "recorded") -> None:
        """Open the file.

        Args:
            env: the environment.
            path: a new file, or one written by this wrapper, which is continued; gzip if it ends in ``.gz``.
            domain: name of the domain; by default the environment's own, else its id.
            name: beginning of the episodes' names; they are numbered on in a file that is continued.

        Raises:
            ExperienceFormatError: the file is there and holds something else.
        """
        super().__init__(env)
        known = getattr(env.unwrapped, "domain", None)
        self._domain = domain or (known.name if known is not None else self._env_id())
        self._writer = TransitionWriter(path)
        self._name = name
        self._episodes = _last_number(Path(path), name)
        self._state = ""
        self._about: dict[str, Any] = {}
        self._history: list[Turn] = []

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[str, dict[str, Any]]:
        """Begin another episode."""
        observation, info = self.env.reset(seed=seed, options=options)
        self._episodes += 1
        self._state, self._history = observation, []
        digest = hashlib.sha256(observation.encode("utf-8", "replace")).hexdigest()[:12]
        self._about = {"instruction": observation, "task_id": f"{self._env_id()}/{digest}", **info}
        return observation, info

    def step(self, action: str) -> tuple[str, float, bool, bool, dict[str, Any]]:
        """Take an action and write what came of it; a step whose model answer failed is not experience.

        Raises:
            InvalidActionError: the action is not a text; nothing was done.
        """
        action = clean_action(action)
        observation, reward, terminated, truncated, info = self.env.step(action)
        if not info.get("failure"):
            self._writer.write(self._transition(action, observation, float(reward), terminated, info))
            self._writer.flush()  # a real step is never lost
        self._history.append(Turn(self._state, action))
        self._state = observation
        return observation, float(reward), terminated, truncated, info

    def close(self) -> None:
        """Close file and environment."""
        self._writer.close()
        self.env.close()

    def _transition(
        self, action: str, observation: str, reward: float, terminated: bool, info: dict[str, Any]
    ) -> Transition:
        answered = info.get("answered_by", AnsweredBy.REAL)
        return Transition(
            domain=self._domain,
            task_id=str(self._about["task_id"]),
            instruction=str(self._about["instruction"]),
            split=str(self._about.get("split", "train")),
            parent=str(self._about.get("parent", "")),
            episode=f"{self._name}/{self._episodes}",
            step=len(self._history),
            history=tuple(self._history),
            state=self._state,
            action=action,
            next_state=observation,
            reward=reward,
            terminated=terminated,
            source=Source.REAL if answered == AnsweredBy.REAL else Source.DREAM,
            reasoning=str(info.get("reasoning", "")),
            score=float(info.get("task_score", reward)),
            valid=bool(info.get("valid", True)),
            available_actions=_texts(info.get("available_actions", ())),
        )

    def _env_id(self) -> str:
        return self.env.spec.id if self.env.spec is not None else type(self.env.unwrapped).__name__


def _last_number(path: Path, name: str) -> int:
    """Return the highest number of an episode of this name in a file, so that those that follow have other ones."""
    episodes = {step.episode for step in read_transitions(path)} if path.stat().st_size else set()
    numbers = (episode.removeprefix(f"{name}/") for episode in episodes)
    return max((int(number) for number in numbers if number.isdecimal()), default=0)


def _texts(values: Sequence[object]) -> tuple[str, ...]:
    return tuple(str(value) for value in values)
