"""What the tests of environments share."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from scripted import simulator

from dreamgym_env.envs.text_vector_env import TextVectorEnv
from dreamgym_env.types import WorldModel


@pytest.fixture
def make_vec() -> Iterator[Callable[..., TextVectorEnv]]:
    """Build vector environments of the dreamt house; they are closed after the test."""
    built: list[TextVectorEnv] = []

    def make(num_envs: int = 3, model: WorldModel | None = None, **settings: Any) -> TextVectorEnv:
        options = {name: settings.pop(name) for name in ("memo", "enrich") if name in settings}
        backend = simulator(model, settings.pop("domain", None), **options)
        built.append(TextVectorEnv(backend.domain, backend, num_envs, **settings))
        return built[-1]

    yield make
    for envs in built:
        envs.close()
