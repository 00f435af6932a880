"""What any text environment shows, and its ``info`` says, under the names of this library and of others."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

import gymnasium as gym

from dreamgym_env.errors import DreamGymError, KeywordError

__all__ = ["graded_score", "name_of", "named_task", "observed_text", "offered_actions", "said", "won"]

_OFFERS = ("available_actions", "admissible_commands")
"""Where an info may list the actions that the state offers; the second is TextWorld's name."""


def name_of(env: gym.Env[Any, Any]) -> str:
    """Return the id under which an environment was made, or its class's name."""
    return env.spec.id if env.spec is not None else type(env.unwrapped).__name__


def observed_text(
    env: gym.Env[Any, Any], observation: object, asker: str, refusal: type[DreamGymError] = KeywordError
) -> str:
    """Return an observation, if it is a text; else raise ``refusal``, in which ``asker`` is who needs texts."""
    if not isinstance(observation, str):
        shown = type(observation).__name__
        raise refusal(
            f"{name_of(env)} shows {shown} as its observation, and {asker} needs texts: wrap it in a "
            "gymnasium.ObservationWrapper that writes what the agent should read (and register that, where an id is "
            "asked for)."
        )
    return str(observation)


def said(info: Mapping[str, Any], name: str, otherwise: str) -> str:
    """Return an entry as a text, or ``otherwise`` where there is none."""
    value = info.get(name)
    return otherwise if value is None else str(value)


def named_task(info: Mapping[str, Any], env_name: str, observation: str) -> str:
    """Return the id of the task that began: what the info says, else one of the environment and its first text."""
    digest = hashlib.sha256(observation.encode("utf-8", "replace")).hexdigest()[:12]
    return said(info, "task_id", f"{env_name}/{digest}")


def offered_actions(info: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the actions that the state offers; none where the info lists none."""
    offered = next((info[name] for name in _OFFERS if info.get(name) is not None), ())
    return (offered,) if isinstance(offered, str) else tuple(map(str, offered))


def won(reward: float, info: Mapping[str, Any]) -> bool:
    """Return whether an episode that has terminated is a success: ``info["won"]``, else a reward above 0."""
    return bool(info["won"]) if info.get("won") is not None else reward > 0


def graded_score(reward: float, info: Mapping[str, Any], outcome: float) -> float:
    """Return ``info["task_score"]``, else the reward, where it lies in [0, 1]; else the outcome."""
    value = reward if info.get("task_score") is None else info["task_score"]
    return float(value) if 0 <= value <= 1 else outcome
