"""What an algorithm is to the loop, and the table of those there are."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, Protocol

from dreamgym_env.curriculum import TaskResult
from dreamgym_env.envs.text_vector_env import TextVectorEnv
from dreamgym_env.errors import TrainingError
from dreamgym_env.policies.policy import Policy

__all__ = ["ALGORITHMS", "Algorithm", "DivergedError", "Learner", "Watch", "find_algorithm", "make_learner"]


class DivergedError(TrainingError):
    """A weight or a loss is no finite number any more; what was learnt in this chunk is worth nothing."""


class Watch(Protocol):
    """Who is told what happens while a policy learns."""

    def stepped(self, steps: int) -> bool:
        """Count steps of the environments; returns whether to go on."""
        ...

    def finished(self, result: TaskResult, length: int) -> None:
        """Take note of an episode that was learnt from, and of how many steps it had."""
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
        """Steps between two updates, of which what is learnt from is a multiple; 1 where they differ."""
        ...

    @property
    def policy(self) -> Policy:
        """A copy of what was learnt so far."""
        ...

    def learn(
        self, steps: int, *, seed: int, options: Mapping[str, Any], watch: Watch, most: int | None = None
    ) -> None:
        """Begin all episodes anew, and learn from a number of steps; an update that is under way then is finished.

        The same weights, seed and options give the same weights again where the environments are reproducible: what
        is random follows from the seed alone.

        Args:
            steps: a multiple of :attr:`update_steps`; fewer are taken where ``watch`` says so, and more where whole
                episodes end later.
            seed: of all that is random.
            options: of the environments' ``reset``.
            watch: is told what happens.
            most: steps that are never passed, whatever is under way; ``steps`` itself if None.

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


@dataclass(frozen=True, slots=True)
class Algorithm:
    """Where an algorithm is, and how it plays."""

    module: str
    """Its ``make`` makes a learner, and ``DEFAULTS`` are hyper-parameters by the algorithm's name."""
    autoreset_mode: str
    """Of the vector environments that it learns in."""
    plays_groups: bool = False
    """Whether it begins each task several times at once."""

    def load(self) -> Any:
        """Return the module. Raises MissingDependencyError: its package is not installed."""
        return importlib.import_module(self.module)


_SB3 = "dreamgym_env.integrations.sb3.learner"
ALGORITHMS: Mapping[str, Algorithm] = MappingProxyType(
    {
        "maskable-ppo": Algorithm(_SB3, "SameStep"),
        "ppo": Algorithm(_SB3, "SameStep"),
        "dqn": Algorithm(_SB3, "SameStep"),
        "grpo": Algorithm("dreamgym_env.learning.grpo", "Disabled", plays_groups=True),
    }
)


def find_algorithm(name: str) -> Algorithm:
    """Return an algorithm. Raises TrainingError: there is none of this name."""
    if name not in ALGORITHMS:
        raise TrainingError(f"There is no algorithm {name!r}; there are: {', '.join(ALGORITHMS)}.")
    return ALGORITHMS[name]


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
            ``autoreset_mode``.
        policy: that it begins with.
        hyperparameters: in place of the algorithm's defaults.
        total_steps: of all phases, for what changes over a run.
        most_steps: never learn from more than that many in these environments: updates are fitted to it.

    Raises:
        TrainingError: there is no such algorithm, or it has no such hyper-parameter, or not with that value.
        MissingDependencyError: its package is not installed.
    """
    module = find_algorithm(algorithm).load()
    defaults: Mapping[str, Any] = module.DEFAULTS[algorithm]
    for name in hyperparameters:
        if name not in defaults:
            raise TrainingError(
                f"{algorithm} has no hyper-parameter {name!r} here; it has: {', '.join(sorted(defaults))}."
            )
    made: Learner = module.make(algorithm, envs, policy, {**defaults, **hyperparameters}, total_steps, most_steps)
    return made
