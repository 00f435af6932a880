"""Timing proxies: how long each stage of a simulator takes, without a line of timing code in the library."""

from __future__ import annotations

import functools
import time
from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Any

from dreamgym_env.simulation.simulator import Simulator
from dreamgym_env.types import StreamingGenerator
from dreamgym_env.world_model.language import LanguageWorldModel

__all__ = ["STAGES", "Stopwatch", "watch"]

STAGES = ("guard", "embed", "retrieve", "compose", "prompt", "generate", "parse", "verify")
"""In the order in which a step goes through them; what is left of a step is "other"."""


class Stopwatch:
    """Adds up the time spent in named stages; time in an inner stage does not count for the outer one."""

    def __init__(self) -> None:
        """Start at zero."""
        self.seconds: defaultdict[str, float] = defaultdict(float)
        self._inner: list[float] = []

    def wrap(self, owner: Any, method: str, stage: str) -> None:
        """Replace a method of one object by itself with a stopwatch around it."""
        setattr(owner, method, self.timed(getattr(owner, method), stage))

    def wrap_made(self, owner: Any, maker: str, methods: Iterable[str], stage: str) -> None:
        """Replace a method that makes objects, so that there is a stopwatch around some methods of each of them."""
        make = getattr(owner, maker)

        @functools.wraps(make)
        def making(*args: Any, **kwargs: Any) -> Any:
            made = make(*args, **kwargs)
            for method in methods:
                self.wrap(made, method, stage)
            return made

        setattr(owner, maker, making)

    def timed(self, function: Callable[..., Any], stage: str) -> Callable[..., Any]:
        """Return a function with a stopwatch around it."""

        @functools.wraps(function)
        def measured(*args: Any, **kwargs: Any) -> Any:
            self._inner.append(0.0)
            began = time.perf_counter()
            try:
                return function(*args, **kwargs)
            finally:
                took = time.perf_counter() - began
                self.seconds[stage] += took - self._inner.pop()
                if self._inner:
                    self._inner[-1] += took

        return measured


def watch(simulator: Simulator) -> Stopwatch:
    """Put a stopwatch around every stage of a simulator whose world model is a language model."""
    watch = Stopwatch()
    domain, model = simulator.domain, simulator.world_model
    assert isinstance(model, LanguageWorldModel)
    watch.wrap(domain, "guard", "guard")
    watch.wrap(simulator.buffer.encoder, "encode", "embed")
    watch.wrap(simulator.buffer, "retrieve", "retrieve")
    watch.wrap(model.format.viewer, "view", "prompt")
    watch.wrap(model.format, "prompt", "prompt")
    watch.wrap(model.format, "parse", "parse")
    if isinstance(model.generator, StreamingGenerator):
        watch.wrap_made(model.generator, "open", ("submit", "receive"), "generate")
    else:
        watch.wrap(model.generator, "generate", "generate")
    watch.wrap_made(domain, "composer", ("compose",), "compose")
    verifier = simulator.stages.verifier
    if verifier is not None:
        watch.wrap(verifier, "verify", "verify")
    return watch
