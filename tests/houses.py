"""The real toy house as environments, for tests of integrations."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from toy_domain import RealToyHouse, ToyHouse

from dreamgym_env.envs.text_env import TextEnv
from dreamgym_env.envs.text_vector_env import TextVectorEnv
from dreamgym_env.policies.features import FeatureSettings
from dreamgym_env.types import Task, Turn

FEATURES = FeatureSettings(("go", "look", "leave", "say", "take"), dimension=16, most_candidates=12)
"""The house has 9 candidates at most."""


class SealedHouse(ToyHouse):
    """A house whose hall offers nothing."""

    def available_actions(self, task: Task, history: Sequence[Turn], state: str) -> tuple[str, ...]:
        return ()


def single(domain: ToyHouse | None = None) -> TextEnv:
    """One episode."""
    domain = domain or ToyHouse()
    return TextEnv(domain, RealToyHouse(domain))


def vector(num_envs: int = 3, autoreset_mode: str = "SameStep", **settings: Any) -> TextVectorEnv:
    """Several episodes."""
    domain = ToyHouse()
    return TextVectorEnv(domain, RealToyHouse(domain), num_envs, autoreset_mode=autoreset_mode, **settings)


def number_of(candidates: Sequence[Any], action: str) -> int:
    """Return the number that stands for an action."""
    return [one.action for one in candidates].index(action)
