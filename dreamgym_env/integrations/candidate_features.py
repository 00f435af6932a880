"""Text environments for trainers that know vectors and numbers only: two Gymnasium wrappers.

An observation is a dictionary of arrays, an action the number of a candidate::

    envs = CandidateFeaturesVector(gym.make_vec("DreamGym/WebShop-v0", num_envs=16))
    observations, infos = envs.reset(seed=0)
    observations["state"]       # float32, (16, state_size): the page, the instruction, what was done so far
    observations["candidates"]  # float32, (16, K, candidate_size): one vector for each candidate action
    observations["mask"]        # int8, (16, K): 1 for a candidate, 0 for padding
    envs.candidates[0][5].action  # the text that action 5 stands for in lane 0

The candidates of a state are its offered actions, in their order, with phrases of the instruction in place of free
arguments (:mod:`dreamgym_env.policies.candidates`).  K is ``FeatureSettings.most_candidates``: fewer are padded with
zeros at the end, and those after the K-th are left out.  The vectors are those of
:mod:`dreamgym_env.policies.features`, so that a :class:`~dreamgym_env.policies.policy.Policy` can be trained on them
and played by its path (``policy(PATH)``).

Any number from 0 to K - 1 is an action: one on the padding counts round and stands for the candidate ``number % n`` of
the n that there are, so that an agent without masks explores candidates too.  Where a state offers nothing, every
number stands for an empty text, which is no action.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import gymnasium as gym
import numpy as np
import numpy.typing as npt
from gymnasium import spaces
from gymnasium.utils import RecordConstructorArgs
from gymnasium.vector import AutoresetMode, VectorEnv, VectorWrapper
from gymnasium.vector.utils import batch_space

from dreamgym_env.envs.info import add_infos
from dreamgym_env.errors import InvalidActionError, KeywordError
from dreamgym_env.policies.candidates import Candidate
from dreamgym_env.policies.features import Encoded, FeatureSettings, Featuriser, Situation, domain_features
from dreamgym_env.types import Domain, Task, Turn

__all__ = ["CandidateFeatures", "CandidateFeaturesVector", "Observation"]

Observation = dict[str, npt.NDArray[Any]]
"""``state``, ``candidates`` and ``mask``, see the module."""
Bools = npt.NDArray[np.bool_]


class CandidateFeatures(gym.Wrapper[Any, Any, Any, Any], RecordConstructorArgs):
    """One text environment with the observations and actions of this module.

    ``info`` is the environment's own, and ``info["action"]`` the text that was sent.
    """

    def __init__(self, env: gym.Env[str, str], features: FeatureSettings | None = None) -> None:
        """Put it around an environment of this library, or around wrappers of one that leave texts as they are.

        Args:
            env: ``DreamGym/...`` or ``DreamGymReal/...``.
            features: how situations are encoded; by default as
                :func:`~dreamgym_env.policies.features.domain_features` says.

        Raises:
            KeywordError: it is no environment of this library.
        """
        RecordConstructorArgs.__init__(self, features=features)
        gym.Wrapper.__init__(self, env)
        domain = _domain_of(env.unwrapped)
        self.features = features or domain_features(domain)
        self.observation_space, self.action_space = _spaces(self.features)
        self._lane = _Lane(domain, Featuriser(domain, self.features))

    @property
    def candidates(self) -> tuple[Candidate, ...]:
        """What can be chosen now, in order."""
        return self._lane.encoded.choices

    def action_masks(self) -> Bools:
        """Return which actions are candidates and no padding, shape (K,)."""
        return _mask(self._lane.encoded, self.features.most_candidates)

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Observation, dict[str, Any]]:
        """Begin an episode; raises what the environment raises."""
        state, info = self.env.reset(seed=seed, options=options)
        self._lane.begin(state, info)
        return self._observation(), info

    def step(self, action: int) -> tuple[Observation, float, bool, bool, dict[str, Any]]:
        """Take the action that a number stands for.

        Raises:
            InvalidActionError: it is no number from 0 to K - 1.
        """
        text = self._lane.text_of(_place(action, self.features.most_candidates))
        state, reward, terminated, truncated, info = self.env.step(text)
        self._lane.move(text, state, info, terminated=terminated, truncated=truncated)
        return self._observation(), float(reward), terminated, truncated, {**info, "action": text}

    def _observation(self) -> Observation:
        return {key: rows[0] for key, rows in _stack([self._lane.encoded], self.features).items()}


class CandidateFeaturesVector(VectorWrapper[Observation, npt.NDArray[np.int64], tuple[str, ...], Sequence[str], Any]):
    """A vector environment with the observations and actions of this module, n lanes at once.

    ``infos`` are the environment's own, and ``infos["action"]`` the texts that were sent; under ``SameStep``
    ``infos["final_obs"]`` holds observations of this module, one dictionary for each lane that ended.
    """

    def __init__(
        self, env: VectorEnv[tuple[str, ...], Sequence[str], Any], features: FeatureSettings | None = None
    ) -> None:
        """Put it around a vector environment of this library, in any autoreset mode, before its first ``reset``.

        Arguments and errors are those of :class:`CandidateFeatures`.
        """
        super().__init__(env)
        domain = _domain_of(env.unwrapped)
        self.features = features or domain_features(domain)
        self.single_observation_space, self.single_action_space = _spaces(self.features)
        self.observation_space = batch_space(self.single_observation_space, self.num_envs)
        self.action_space = batch_space(self.single_action_space, self.num_envs)
        featuriser = Featuriser(domain, self.features)
        self._lanes = [_Lane(domain, featuriser) for _ in range(self.num_envs)]
        self._same_step = self.metadata["autoreset_mode"] is AutoresetMode.SAME_STEP

    @property
    def candidates(self) -> tuple[tuple[Candidate, ...], ...]:
        """What can be chosen now in each lane, in order."""
        return tuple(lane.encoded.choices for lane in self._lanes)

    def action_masks(self) -> Bools:
        """Return which actions are candidates and no padding, shape (n, K)."""
        return np.stack([_mask(lane.encoded, self.features.most_candidates) for lane in self._lanes])

    def reset(
        self, *, seed: int | Sequence[int | None] | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Observation, dict[str, Any]]:
        """Begin episodes in all lanes, or in those of ``options["reset_mask"]``; raises what the environment raises."""
        states, infos = self.env.reset(seed=seed, options=options)  # type: ignore[arg-type]  # a list of seeds
        for at in map(int, np.flatnonzero(infos["_task_id"])):
            self._lanes[at].begin(states[at], _row(infos, at))
        return self._observations(), infos

    def step(self, actions: npt.NDArray[np.int64]) -> tuple[Observation, Any, Bools, Bools, dict[str, Any]]:
        """Take the actions that n numbers stand for; in a lane that begins anew, the number is ignored.

        Raises:
            InvalidActionError: one is no number from 0 to K - 1.
            ValueError: there are not n of them.
        """
        if len(actions) != self.num_envs:
            raise ValueError(f"step takes {self.num_envs} actions, one for each environment, not {len(actions)}.")
        places = [_place(action, self.features.most_candidates) for action in actions]
        beginning = [lane.ended for lane in self._lanes]  # of the automatic reset in the next step
        texts = [lane.text_of(place) for lane, place in zip(self._lanes, places, strict=True)]
        states, rewards, terminations, truncations, infos = self.env.step(texts)
        final: dict[int, Encoded] = {}
        for at, lane in enumerate(self._lanes):
            if beginning[at]:
                lane.begin(states[at], _row(infos, at))
                continue
            ends = {"terminated": bool(terminations[at]), "truncated": bool(truncations[at])}
            if self._same_step and any(ends.values()):
                lane.move(texts[at], infos["final_obs"][at], _row(infos["final_info"], at), **ends)
                final[at] = lane.encoded
                lane.begin(states[at], _row(infos, at))
            else:
                lane.move(texts[at], states[at], _row(infos, at), **ends)
        self._tell(infos, texts, beginning, final)
        return self._observations(), rewards, terminations, truncations, infos

    def _tell(
        self, infos: dict[str, Any], texts: Sequence[str], beginning: Sequence[bool], final: Mapping[int, Encoded]
    ) -> None:
        """Add to the infos what was sent, and the last observations of the lanes that began anew at once."""
        for at, encoded in final.items():
            infos["final_obs"][at] = {key: rows[0] for key, rows in _stack([encoded], self.features).items()}
        moved = [at for at in range(self.num_envs) if not beginning[at]]
        add_infos(infos, moved, [{"action": texts[at]} for at in moved], self.num_envs)

    def _observations(self) -> Observation:
        return _stack([lane.encoded for lane in self._lanes], self.features)


class _Lane:
    """What an agent has seen of one episode, and what it can choose."""

    def __init__(self, domain: Domain, featuriser: Featuriser) -> None:
        self._domain, self._featuriser = domain, featuriser
        self._task = Task("", domain.name, "", "")
        self._history: list[Turn] = []
        self._state = ""
        self.encoded = _nothing(featuriser.settings)
        """The present situation; before the first one nothing."""
        self.ended = False

    def begin(self, state: str, info: Mapping[str, Any]) -> None:
        """Start an episode."""
        # the task as the agent knows it: neither goal nor facts
        self._task = Task(info["task_id"], self._domain.name, info["instruction"], state, info["split"])
        self._history, self._state, self.ended = [], state, False
        self._look(info["available_actions"])

    def text_of(self, place: int) -> str:
        """Return the text that a number stands for."""
        choices = self.encoded.choices
        return choices[place % len(choices)].action if choices and not self.ended else ""

    def move(self, action: str, state: str, info: Mapping[str, Any], *, terminated: bool, truncated: bool) -> None:
        """Take in what came of an action.

        An episode that was cut short offers nothing any more.  Its last observation shows what the state would offer
        all the same: its value is asked for, and that of a state without candidates was never learnt.
        """
        self._history.append(Turn(self._state, action))
        self._state, self.ended = state, terminated or truncated
        cut_short = truncated and not terminated
        self._look(
            self._domain.available_actions(self._task, tuple(self._history), state)
            if cut_short
            else info["available_actions"]
        )

    def _look(self, offered: Sequence[str]) -> None:
        situation = Situation(self._task.instruction, tuple(self._history), self._state, offered)
        self.encoded = self._featuriser.encode(situation)


def _domain_of(env: Any) -> Domain:
    domain = getattr(env, "domain", None)
    if not isinstance(domain, Domain):
        raise KeywordError(
            f"env must be a text environment of this library, such as gymnasium.make('DreamGym/WebShop-v0'), not "
            f"{type(env).__name__}: the vectors follow from its domain."
        )
    return domain


def _spaces(features: FeatureSettings) -> tuple[spaces.Space[Any], spaces.Space[Any]]:
    most = features.most_candidates
    observations = spaces.Dict(
        {
            "state": spaces.Box(-np.inf, np.inf, (features.state_size,), np.float32),
            "candidates": spaces.Box(-np.inf, np.inf, (most, features.candidate_size), np.float32),
            "mask": spaces.MultiBinary(most),
        }
    )
    return observations, spaces.Discrete(most)


def _nothing(features: FeatureSettings) -> Encoded:
    state, candidates = (features.state_size,), (0, features.candidate_size)
    return Encoded(np.zeros(state, dtype=np.float32), np.zeros(candidates, dtype=np.float32), ())


def _stack(encoded: Sequence[Encoded], features: FeatureSettings) -> Observation:
    """Return n situations as new arrays, padded to K candidates."""
    candidates = np.zeros((len(encoded), features.most_candidates, features.candidate_size), dtype=np.float32)
    mask = np.zeros((len(encoded), features.most_candidates), dtype=np.int8)
    for at, one in enumerate(encoded):
        candidates[at, : len(one.choices)] = one.candidates
        mask[at, : len(one.choices)] = 1
    return {"state": np.stack([one.state for one in encoded]), "candidates": candidates, "mask": mask}


def _mask(encoded: Encoded, most: int) -> Bools:
    return np.arange(most) < len(encoded.choices)


def _place(action: Any, most: int) -> int:
    whole = np.issubdtype(getattr(action, "dtype", type(action)), np.integer) and np.ndim(action) == 0
    if not whole or not 0 <= action < most:
        raise InvalidActionError(f"An action must be a whole number from 0 to {most - 1}, not {action!r:.60}.")
    return int(action)


def _row(infos: Mapping[str, Any], at: int) -> dict[str, Any]:
    """Return what the infos of a vector environment say of a lane's episode."""
    return {key: infos[key][at] for key in ("task_id", "instruction", "split", "available_actions")}
