"""What an algorithm is to the loop, and the table of those there are."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, Protocol

from dreamgym_env.envs.text_vector_env import TextVectorEnv
from dreamgym_env.errors import TrainingError
from dreamgym_env.policies.policy import Policy

__all__ = ["ALGORITHMS", "DivergedError", "FinishedEpisode", "Learner", "Watch", "find_algorithm", "make_learner"]


class DivergedError(TrainingError):
    """A weight or a loss is no finite number any more; what was learnt in this chunk is worth nothing."""


@dataclass(frozen=True, slots=True)
class FinishedEpisode:
    """What an episode that was learnt from came to."""

    task_id: str
    reward: float
    """Sum of its rewards."""
    score: float
    """The domain's graded score of its last step, in [0, 1]."""
    won: bool
    length: int
    """Steps."""
    failure: str = ""
    """Why a model or an engine cut it short; empty where none did."""


class Watch(Protocol):
    """Who is told what happens while a policy learns."""

    def stepped(self, steps: int) -> bool:
        """Count steps of the environments; returns whether to go on."""
        ...

    def finished(self, episode: FinishedEpisode) -> None:
        """Take note of an episode."""
        ...

    def updated(self, figures: Mapping[str, float]) -> None:
        """Take note of an update of the policy: losses and the like."""
        ...


class Learner(Protocol):
    """An algorithm with a policy that it improves in one vector environment."""

    @property
    def steps(self) -> int:
        """Steps that the policy has learnt from so far, those before :meth:`load` included."""
        ...

    @property
    def update_steps(self) -> int:
        """Steps between two updates: what is learnt from is a multiple of it."""
        ...

    @property
    def policy(self) -> Policy:
        """A copy of what was learnt so far."""
        ...

    def learn(self, steps: int, *, seed: int, options: Mapping[str, Any], watch: Watch) -> None:
        """Begin all episodes anew, and learn from a number of steps.

        The same weights, seed and options give the same weights again where the environments are reproducible: what
        is random follows from the seed alone.

        Args:
            steps: a multiple of :attr:`update_steps`; fewer are taken where ``watch`` says so.
            seed: of all that is random.
            options: of the environments' ``reset``.
            watch: is told what happens.

        Raises:
            DivergedError: weights or losses are no finite numbers any more.
            WorldModelError: the world model as a whole cannot answer.
        """
        ...

    def save(self, folder: Path) -> None:
        """Write all that :meth:`load` needs to go on to a folder, which is there."""
        ...

    def load(self, folder: Path) -> None:
        """Go on from what :meth:`save` wrote. Raises TrainingError if it does not fit."""
        ...


Maker = Callable[..., Learner]

ALGORITHMS: Mapping[str, str] = MappingProxyType(
    {
        "maskable-ppo": "dreamgym_env.integrations.sb3.learner",
        "ppo": "dreamgym_env.integrations.sb3.learner",
        "dqn": "dreamgym_env.integrations.sb3.learner",
        "grpo": "dreamgym_env.learning.grpo",
    }
)
"""Name of an algorithm -> the module whose ``make`` makes it; ``DEFAULTS`` there are its hyper-parameters, and
``AUTORESET_MODE`` says how its environments begin anew."""


def find_algorithm(algorithm: str) -> Any:
    """Return an algorithm's module.

    Raises:
        TrainingError: there is no such algorithm.
        MissingDependencyError: its package is not installed.
    """
    if algorithm not in ALGORITHMS:
        raise TrainingError(f"There is no algorithm {algorithm!r}; there are: {', '.join(ALGORITHMS)}.")
    return importlib.import_module(ALGORITHMS[algorithm])


def make_learner(
    algorithm: str,
    envs: TextVectorEnv,
    policy: Policy,
    hyperparameters: Mapping[str, Any],
    *,
    total_steps: int,
    most_steps: int | None = None,
) -> Learner:
    """Make a learner.

    Args:
        algorithm: a key of :data:`ALGORITHMS`.
        envs: where it learns; it resets them, and does not close them.  Made with the algorithm's
            ``AUTORESET_MODE``.
        policy: that it begins with.
        hyperparameters: in place of the algorithm's defaults.
        total_steps: of all phases, for what changes over a run.
        most_steps: never learn from more than that many in these environments: updates are fitted to it.

    Raises:
        TrainingError: there is no such algorithm, or it has no such hyper-parameter, or not with that value.
        MissingDependencyError: its package is not installed.
    """
    module = find_algorithm(algorithm)
    defaults: Mapping[str, Any] = module.DEFAULTS[algorithm]
    for name in hyperparameters:
        if name not in defaults:
            raise TrainingError(
                f"{algorithm} has no hyper-parameter {name!r} here; it has: {', '.join(sorted(defaults))}."
            )
    make: Maker = module.make
    return make(algorithm, envs, policy, {**defaults, **hyperparameters}, total_steps, most_steps)
