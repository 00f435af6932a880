"""One batched vector environment as a ``VecEnv`` of Stable-Baselines3."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import numpy.typing as npt
from gymnasium.envs.registration import EnvSpec
from gymnasium.vector import AutoresetMode, VectorEnv
from stable_baselines3.common.vec_env import VecEnv, VecMonitor

from dreamgym_env.errors import KeywordError, ResetOptionError
from dreamgym_env.integrations.candidate_features import CandidateFeaturesVector, Observation
from dreamgym_env.policies.candidates import Candidate
from dreamgym_env.policies.features import FeatureSettings, domain_features
from dreamgym_env.policies.policy import Policy

__all__ = ["TextVecEnv", "make_sb3_vec_env"]


def make_sb3_vec_env(
    env_id: str,
    n_envs: int = 1,
    *,
    seed: int | None = None,
    most_candidates: int = 80,
    policy: str | Path | None = None,
    monitor_dir: str | Path | None = None,
    **settings: Any,
) -> VecMonitor:
    """Make n text environments that Stable-Baselines3 trains in, and that ask the world model once a step.

    Args:
        env_id: ``DreamGym/...``, or ``DreamGymReal/...`` for the same tasks, texts and actions in the real one.
        n_envs: episodes at once.
        seed: lane i begins with seed + i; None for another seed each time (an algorithm's own ``seed=`` comes later,
            and counts).
        most_candidates: K of ``Discrete(K)``, see :mod:`~dreamgym_env.integrations.candidate_features`.
        policy: folder of a policy that :func:`~.folders.load_policy` is to continue: situations are encoded as it knows
            them, whatever its K was.
        monitor_dir: folder for ``monitor.csv``; None for no file.
        settings: those of ``gymnasium.make_vec``, such as ``world_model``, ``split``, ``anchor``,
            ``max_episode_steps``.

    Returns:
        The environments in a ``VecMonitor``: ``info["episode"]`` of an episode's last step has its return ``r``, its
        length ``l``, its ``task_score`` and whether it was ``won``.

    Raises:
        KeywordError: a keyword that nobody knows, or ``autoreset_mode``: SB3 resets in the same step.
        PolicyError: the policy cannot be read, or is one of another domain.
        DreamGymError: the environment cannot be made; the message says why.
    """
    if "autoreset_mode" in settings:
        raise KeywordError("autoreset_mode cannot be chosen here: Stable-Baselines3 resets in the same step.")
    made = gym.make_vec(env_id, num_envs=n_envs, autoreset_mode=AutoresetMode.SAME_STEP, **settings)
    try:
        domain = made.unwrapped.domain  # type: ignore[attr-defined]
        if policy is None:
            features = domain_features(domain, most_candidates=most_candidates)
        else:
            features = replace(Policy.load(policy, domain).settings, most_candidates=most_candidates)
        envs = TextVecEnv(made, features)
        if seed is not None:
            envs.seed(seed)
        log = None if monitor_dir is None else Path(monitor_dir)
        if log is not None:
            log.mkdir(parents=True, exist_ok=True)
        return VecMonitor(envs, log and str(log / "monitor.csv"), info_keywords=("task_score", "won"))
    except BaseException:
        made.close()  # an engine must not outlive an environment that was never made
        raise


class TextVecEnv(VecEnv):
    """n lanes of ONE vector environment, as Stable-Baselines3 knows n environments.

    Observations and actions are those of :class:`~dreamgym_env.integrations.candidate_features.CandidateFeatures`.
    A lane that ends begins anew in the same step: its ``info`` is that of the last step, with
    ``terminal_observation``, ``TimeLimit.truncated`` (the episode was cut short, by its limit or by a failure) and
    ``is_success``; ``reset_infos`` has the new episode's.  ``set_options`` takes those of a vector environment's
    ``reset``; they hold for automatic resets too, until the next ``reset``.  A source of ``tasks`` is the caller's own
    object, and no copy: what it learns counts from the next draw on.

    ``get_attr``, ``set_attr`` and ``env_method`` address lanes: ``action_masks()``, ``candidates`` and whatever
    ``set_attr`` has put on one; beside that get what all share, such as ``spec``, ``domain`` and
    ``real_transitions``.
    """

    def __init__(
        self, envs: VectorEnv[tuple[str, ...], Sequence[str], Any], features: FeatureSettings | None = None
    ) -> None:
        """Take over a vector environment of this library, before its first ``reset``; closing this closes it.

        Args:
            envs: made with ``autoreset_mode="SameStep"``, with or without wrappers that leave texts as they are.
            features: as in :class:`~dreamgym_env.integrations.candidate_features.CandidateFeatures`.

        Raises:
            KeywordError: it resets otherwise, or is no vector environment of this library.
        """
        if envs.metadata.get("autoreset_mode") is not AutoresetMode.SAME_STEP:
            raise KeywordError(
                "Stable-Baselines3 resets in the same step: make the environment with autoreset_mode='SameStep'."
            )
        self.envs = CandidateFeaturesVector(envs, features)
        self._lanes = [_Lane(self.envs, at) for at in range(envs.num_envs)]
        self._actions: npt.NDArray[np.int64] = np.zeros(envs.num_envs, dtype=np.int64)
        super().__init__(envs.num_envs, self.envs.single_observation_space, self.envs.single_action_space)

    @property
    def spec(self) -> EnvSpec | None:
        """What the environment was made of."""
        return self.envs.spec

    @property
    def features(self) -> FeatureSettings:
        """How situations are encoded."""
        return self.envs.features

    @property
    def candidates(self) -> tuple[tuple[Candidate, ...], ...]:
        """What can be chosen now in each lane, in order."""
        return self.envs.candidates

    def action_masks(self) -> npt.NDArray[np.bool_]:
        """Return which actions are candidates and no padding, shape (n, K)."""
        return self.envs.action_masks()

    def reset(self) -> Observation:
        """Begin all episodes, with the seeds and options that were set since the last time.

        Raises:
            ResetOptionError: the lanes' options differ in more than their values; and what ``reset`` itself raises.
        """
        observations, infos = self.envs.reset(seed=self._seeds, options=_shared_options(self._options))
        self.reset_infos = _rows(infos, self.num_envs)
        self._reset_seeds()
        self._reset_options()
        return observations

    def set_options(self, options: list[dict[str, Any]] | dict[str, Any] | None = None) -> None:
        """Keep options for the next :meth:`reset`: the same for all, or a list of one dictionary for each lane."""
        rows = [options or {}] * self.num_envs if options is None or isinstance(options, dict) else options
        self._options = [dict(row) for row in rows]  # the base class copies deeply, and a source of tasks must not be

    def step_async(self, actions: npt.NDArray[np.int64]) -> None:
        """Keep the actions for :meth:`step_wait`, shape (n,)."""
        self._actions = actions

    def step_wait(self) -> tuple[Observation, npt.NDArray[np.float32], npt.NDArray[np.bool_], list[dict[str, Any]]]:
        """Take the actions; return observations, rewards, dones and infos, see the class."""
        observations, rewards, terminations, truncations, infos = self.envs.step(self._actions)
        dones = terminations | truncations
        final = _rows(infos.pop("final_info", {}), self.num_envs)
        last = infos.pop("final_obs", [None] * self.num_envs)
        rows = _rows(infos, self.num_envs)
        for at, row in enumerate(rows):
            if dones[at]:
                self.reset_infos[at] = {key: value for key, value in row.items() if key != "action"}
                rows[at] = row = {
                    **final[at],
                    "action": row["action"],
                    "terminal_observation": last[at],
                    "is_success": final[at]["won"],
                }
            row["TimeLimit.truncated"] = bool(truncations[at] and not terminations[at])
        return observations, rewards.astype(np.float32), dones, rows

    def close(self) -> None:
        """Close the environment."""
        self.envs.close()

    def get_attr(self, attr_name: str, indices: int | Sequence[int] | None = None) -> list[Any]:
        """Return an attribute of some lanes. Raises AttributeError."""
        return [getattr(lane, attr_name) for lane in self._some(indices)]

    def set_attr(self, attr_name: str, value: Any, indices: int | Sequence[int] | None = None) -> None:
        """Put an attribute on some lanes; what they share stays as it is."""
        for lane in self._some(indices):
            setattr(lane, attr_name, value)

    def env_method(
        self, method_name: str, *method_args: Any, indices: int | Sequence[int] | None = None, **method_kwargs: Any
    ) -> list[Any]:
        """Call a method of some lanes. Raises AttributeError."""
        return [getattr(lane, method_name)(*method_args, **method_kwargs) for lane in self._some(indices)]

    def env_is_wrapped(self, wrapper_class: type, indices: int | Sequence[int] | None = None) -> list[bool]:
        """Return False for each lane: none has a wrapper of its own."""
        return [False for _ in self._some(indices)]

    def _some(self, indices: int | Sequence[int] | None) -> Iterator[_Lane]:
        return (self._lanes[at] for at in self._get_indices(indices))


class _Lane:
    """One lane, as Stable-Baselines3 knows one environment."""

    render_mode = None

    def __init__(self, envs: CandidateFeaturesVector, at: int) -> None:
        self._envs, self._at = envs, at

    @property
    def candidates(self) -> tuple[Candidate, ...]:
        """What can be chosen now, in order."""
        return self._envs.candidates[self._at]

    def action_masks(self) -> npt.NDArray[np.bool_]:
        """Return which actions are candidates, shape (K,)."""
        return self._envs.action_masks()[self._at]

    def __getattr__(self, name: str) -> Any:
        """Return what all lanes share."""
        if name.startswith("_"):
            raise AttributeError(f"A lane has no attribute {name!r}.")
        holder: Any = self._envs
        while not hasattr(holder, name) and holder is not self._envs.unwrapped:
            holder = holder.env
        if not hasattr(holder, name):
            raise AttributeError(f"Neither a lane nor its {type(holder).__name__} has {name!r}.")
        found = getattr(holder, name)
        if callable(found):
            raise AttributeError(f"{name}() is one call for all lanes: call it on the environment as a whole.")
        return found


def _shared_options(options: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the lanes' options as ``reset`` of a vector environment takes them: shared, or lists of n."""
    first = options[0]
    if all(one == first for one in options):
        return dict(first)
    if any(one.keys() != first.keys() for one in options):
        raise ResetOptionError(
            "The options of all environments must have the same names: give each a task_id, say, or none."
        )
    return {name: [one[name] for one in options] for name in first}


def _rows(infos: Mapping[str, Any], num_envs: int) -> list[dict[str, Any]]:
    """Return the infos of a vector environment as one dictionary for each lane, with what it has."""
    rows: list[dict[str, Any]] = [{} for _ in range(num_envs)]
    for key, column in infos.items():
        if f"_{key}" not in infos:
            continue
        values = _rows(column, num_envs) if isinstance(column, dict) else column.tolist()
        for at in np.flatnonzero(infos[f"_{key}"]):
            rows[at][key] = values[at]
    return rows
