"""GRPO for policies that score candidates: groups of episodes of one task, each judged by the others of its group.

The advantage of an episode is A_i = (R_i - mean of its group) / (standard deviation of its group + 1e-6), the same at
each of its steps, and the loss is the clipped one of PPO over all steps (Shao et al., "DeepSeekMath", 2024, equations 3
and 4, without the term that holds to a reference policy).  There is no value network.  A group whose members all fared
alike teaches nothing, and is left out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import torch
from torch.distributions import Categorical

from dreamgym_env.curriculum import TaskResult
from dreamgym_env.envs.text_vector_env import TextVectorEnv
from dreamgym_env.errors import TrainingError
from dreamgym_env.learning.checking import numbers_only, refuse_infinite
from dreamgym_env.learning.learner import Watch
from dreamgym_env.learning.states import load_state, save_state
from dreamgym_env.policies.features import Encoded, Situation
from dreamgym_env.policies.policy import Policy
from dreamgym_env.policies.scorer import pad
from dreamgym_env.training.randomness import own_randomness
from dreamgym_env.types import Turn

__all__ = ["DEFAULTS", "GRPOLearner", "group_advantages", "make"]

DEFAULTS: Mapping[str, Mapping[str, Any]] = MappingProxyType(
    {
        "grpo": MappingProxyType(
            {
                "learning_rate": 3e-4,
                "group_size": 8,
                "batch_size": 256,
                "n_epochs": 2,
                "clip_range": 0.2,
                "ent_coef": 0.01,
                "max_grad_norm": 0.5,
            }
        )
    }
)


def make(
    algorithm: str,
    envs: TextVectorEnv,
    policy: Policy,
    hyperparameters: Mapping[str, Any],
    total_steps: int,
    most_steps: int | None,
) -> GRPOLearner:
    """Make a learner; see :func:`dreamgym_env.learning.learner.make_learner`."""
    return GRPOLearner(envs, policy, hyperparameters)


@dataclass(slots=True)
class _Step:
    encoded: Encoded
    taken: int
    log_probability: float


@dataclass(slots=True)
class _Trajectory:
    """An episode as it is being played."""

    task_id: str
    instruction: str
    state: str
    offered: Sequence[str]
    history: list[Turn] = field(default_factory=list)
    steps: list[_Step] = field(default_factory=list)
    """What was decided; a state that offered nothing has none."""
    reward: float = 0.0
    score: float = 0.0
    won: bool = False
    failure: str = ""
    ended: bool = False

    def situation(self) -> Situation:
        """Return what the policy decides on."""
        return Situation(self.instruction, tuple(self.history), self.state, self.offered)

    def moved(self, action: str, state: str, reward: float, ended: bool, infos: Mapping[str, Any], at: int) -> None:
        """Take in what came of an action, the infos' ``at``-th."""
        self.history.append(Turn(self.state, action))
        self.state, self.offered = state, infos["available_actions"][at]
        self.reward += reward
        self.score, self.won = float(infos["task_score"][at]), bool(infos["won"][at])
        self.failure, self.ended = str(infos["failure"][at]), ended

    def result(self) -> TaskResult:
        """Return what it came to."""
        return TaskResult(self.task_id, self.reward, self.score, self.won, self.failure)


class GRPOLearner:
    """Improves a policy by comparing episodes of the same task."""

    update_steps = 1  # an update takes as many steps as its episodes have

    def __init__(self, envs: TextVectorEnv, policy: Policy, hyperparameters: Mapping[str, Any]) -> None:
        """Create one.

        Args:
            envs: all lanes play one batch of groups; their number must be a multiple of the group's size, and their
                ``autoreset_mode`` ``"Disabled"``: a lane that has ended waits for the others of its batch.
            policy: that it begins with; it is copied.
            hyperparameters: members of :data:`DEFAULTS`.

        Raises:
            TrainingError: the lanes are no multiple of ``group_size``, or a value is out of range.
        """
        _check(hyperparameters, envs.num_envs)
        self._hyper = dict(hyperparameters)
        self._envs = envs
        self._policy = policy.copy()
        self._optimizer = torch.optim.Adam(self._policy.scorer.parameters(), lr=self._hyper["learning_rate"], eps=1e-5)
        self.steps = 0

    @property
    def policy(self) -> Policy:
        """A copy of what was learnt so far."""
        return self._policy.copy()

    def learn(
        self, steps: int, *, seed: int, options: Mapping[str, Any], watch: Watch, most: int | None = None
    ) -> None:
        """Learn from whole batches, until they have taken a number of steps; ``most`` cuts the last one short."""
        goal, end = self.steps + steps, self.steps + (steps if most is None else most)
        seeds = np.random.SeedSequence(seed)
        with own_randomness(seed), numbers_only():
            while self.steps < goal:
                entropy = int(seeds.spawn(1)[0].generate_state(1)[0])
                played, goes_on = self._play(options, entropy, end - self.steps, watch)
                if not goes_on:
                    return
                self._update(played, watch)

    def save(self, folder: Path) -> None:
        """Write weights, optimiser and the number of steps."""
        save_state(folder, self._policy.scorer, self._optimizer, {"algorithm": "grpo", "steps": self.steps})

    def load(self, folder: Path) -> None:
        """Go on from what :meth:`save` wrote. Raises TrainingError."""
        self.steps = load_state(folder, self._policy.scorer, self._optimizer)["steps"]

    def _play(self, options: Mapping[str, Any], seed: int, most: int, watch: Watch) -> tuple[list[_Trajectory], bool]:
        """Play one episode a lane to its end, ``most`` steps in all; a lane that has ended costs nothing further.

        Returns:
            The episodes in the order of the lanes, and whether to go on.
        """
        group = {**options, "group_size": self._hyper["group_size"]}
        states, infos = self._envs.reset(seed=seed, options=group)
        played = [
            _Trajectory(
                infos["task_id"][lane], infos["instruction"][lane], states[lane], infos["available_actions"][lane]
            )
            for lane in range(self._envs.num_envs)
        ]
        while most:
            running = [lane for lane, one in enumerate(played) if not one.ended][:most]
            if not running:
                break
            actions = self._act([played[lane] for lane in running])
            self._envs.send(actions, running)
            states, rewards, terminations, truncations, infos = self._envs.recv(len(running))
            for at, lane in enumerate(infos["env_id"]):
                ended = bool(terminations[at] or truncations[at])
                played[lane].moved(actions[at], states[at], float(rewards[at]), ended, infos, at)
                if ended:
                    watch.finished(played[lane].result(), len(played[lane].history))
            self.steps += len(running)
            most -= len(running)
            if not watch.stepped(len(running)):
                return played, False
        return played, True

    def _act(self, trajectories: Sequence[_Trajectory]) -> list[str]:
        """Draw the next action of each, and keep what it was drawn from; an empty text where nothing is offered."""
        encoded = [self._policy.featuriser.encode(one.situation()) for one in trajectories]
        actions = []
        for one, vectors, logits in zip(trajectories, encoded, self._policy.logits(encoded), strict=True):
            if not vectors.choices:
                actions.append("")
                continue
            chances = Categorical(logits=logits)
            taken = chances.sample()
            one.steps.append(_Step(vectors, int(taken), float(chances.log_prob(taken))))
            actions.append(vectors.choices[int(taken)].action)
        return actions

    def _update(self, played: Sequence[_Trajectory], watch: Watch) -> None:
        """Improve the policy by what episodes came to, in groups that no end of the steps has cut short.

        Of those that were cut short only quick episodes would count, and these are not what a policy does on average.
        """
        hyper, size = self._hyper, self._hyper["group_size"]
        groups = [played[first : first + size] for first in range(0, len(played), size)]
        groups = [group for group in groups if all(one.ended for one in group)]
        steps: list[_Step] = []
        advantages: list[float] = []
        for group in groups:
            whole = [one for one in group if not one.failure]
            for one, advantage in zip(whole, group_advantages([one.reward for one in whole]), strict=True):
                if advantage:
                    steps += one.steps
                    advantages += [advantage] * len(one.steps)
        if not groups:
            return
        figures = {"groups_that_teach": float(np.mean([_differs(group) for group in groups]))}
        for _ in range(hyper["n_epochs"] if steps else 0):
            order = torch.randperm(len(steps)).tolist()
            for first in range(0, len(order), hyper["batch_size"]):
                batch = order[first : first + hyper["batch_size"]]
                figures.update(self._descend([steps[at] for at in batch], [advantages[at] for at in batch]))
        refuse_infinite(self._policy.scorer.parameters(), figures, self.steps)
        watch.updated(figures)

    def _descend(self, steps: Sequence[_Step], advantages: Sequence[float]) -> dict[str, float]:
        """Take one step of the optimiser; returns its losses."""
        logits, _ = self._policy.scorer(*pad([one.encoded for one in steps]))
        chances = Categorical(logits=logits.clamp(min=-1e8))  # of padding: minus infinity has no gradient
        taken = torch.tensor([one.taken for one in steps])
        ratio = (chances.log_prob(taken) - torch.tensor([one.log_probability for one in steps])).exp()
        gain, clip = torch.tensor(advantages), self._hyper["clip_range"]
        policy_loss = -torch.min(gain * ratio, gain * ratio.clamp(1 - clip, 1 + clip)).mean()
        entropy = chances.entropy().mean()
        loss = policy_loss - self._hyper["ent_coef"] * entropy
        self._optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self._policy.scorer.parameters(), self._hyper["max_grad_norm"])
        self._optimizer.step()
        clipped = ((ratio - 1).abs() > clip).float().mean()
        return {"policy_loss": policy_loss.item(), "entropy": entropy.item(), "clip_fraction": clipped.item()}


def group_advantages(rewards: Sequence[float]) -> list[float]:
    """Return the advantage of each member of a group; zeros where all fared alike.

    Args:
        rewards: returns of the group's episodes.
    """
    if not rewards:
        return []
    values = np.asarray(rewards, dtype=np.float64)
    spread = values.std()
    if spread == 0:
        return [0.0] * len(rewards)
    return [float(value) for value in (values - values.mean()) / (spread + 1e-6)]


def _differs(group: Sequence[_Trajectory]) -> bool:
    return len({one.reward for one in group if not one.failure}) > 1


def _check(hyperparameters: Mapping[str, Any], lanes: int) -> None:
    whole = {name: hyperparameters[name] for name in ("group_size", "batch_size", "n_epochs")}
    for name, value in whole.items():
        if isinstance(value, bool) or not isinstance(value, int) or value < 1:
            raise TrainingError(f"grpo's {name} must be a whole number of at least 1, not {value!r}.")
    for name in hyperparameters.keys() - whole.keys():
        value = hyperparameters[name]
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < float("inf"):
            raise TrainingError(f"grpo's {name} must be a number of at least 0, not {value!r}.")
    if whole["group_size"] < 2 or lanes % whole["group_size"]:
        raise TrainingError(
            f"grpo plays groups of {whole['group_size']} episodes of one task (group_size, at least 2) in {lanes} "
            "lanes: the lanes must be a multiple of it."
        )
