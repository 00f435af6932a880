"""From the keywords of ``gym.make`` to the parts of a dream."""

from __future__ import annotations

import dataclasses
import inspect
from pathlib import Path
from typing import Any

from dreamgym_env.domains import domain_keywords, load_domain
from dreamgym_env.errors import KeywordError, ReplayBufferError
from dreamgym_env.memory import ReplayBuffer
from dreamgym_env.memory.store import is_url
from dreamgym_env.simulation.simulator import SimulationOptions, Simulator
from dreamgym_env.types import WorldModel
from dreamgym_env.world_model.build import world_model_from_string

__all__ = ["build_simulator", "dream_keywords"]

_SIMULATION = frozenset(field.name for field in dataclasses.fields(SimulationOptions))
_GENERATION = frozenset({"codec", "temperature", "max_new_tokens", "reasoning", "retries"})


def build_simulator(
    domain: str,
    *,
    world_model: str | WorldModel = "embedded",
    buffer: str | Path | ReplayBuffer | None = None,
    seed_experience: str | Path | bool = True,
    **settings: Any,
) -> Simulator:
    """Build the simulator behind a ``DreamGym/...`` environment.

    Args:
        domain: name of the domain.
        world_model: a world-model string (see :mod:`dreamgym_env.world_model.build`), or an object, which stays the
            caller's to close.
        buffer: None (in memory), a folder (opened for reading only unless ``enrich`` is on), ``"http://host:8000"``
            (a Chroma server), or an open buffer, which stays the caller's to close.
        seed_experience: whether the buffer is joined with the domain's shipped experience, or the path of another
            transitions file to join.
        settings: members of :class:`~dreamgym_env.simulation.simulator.SimulationOptions` (``k``, ``guard``,
            ``replay``, ``memo``, ``success``, ``enrich``, ``evaluation``); ``codec``, ``temperature``,
            ``max_new_tokens``, ``reasoning`` and ``retries`` of a world-model string; all others go to the domain,
            such as WebShop's ``products`` and ``goals``.

    Raises:
        TypeError: a keyword that nobody knows, or a value of the wrong type.
        WorldModelError, ReplayBufferError, MissingDependencyError: a part cannot be made; the message says why.
    """
    simulation = {name: settings.pop(name) for name in _SIMULATION & settings.keys()}
    generation = {name: settings.pop(name) for name in _GENERATION & settings.keys()}
    options = SimulationOptions(**simulation)
    built = load_domain(domain, **settings)
    owns_model = isinstance(world_model, str)
    if isinstance(world_model, str):
        model: WorldModel = world_model_from_string(world_model, built, **generation)
    elif not isinstance(world_model, WorldModel):
        raise KeywordError(
            f"world_model takes a string such as 'embedded' or a WorldModel (an object with predict, deterministic and "
            f"close), not {type(world_model).__name__}."
        )
    elif generation:
        raise KeywordError(f"{', '.join(sorted(generation))}: keywords of a world-model string, not of an object.")
    else:
        model = world_model
    if isinstance(buffer, ReplayBuffer):
        return Simulator(built, model, buffer, options, owns_model=owns_model, owns_buffer=False)
    try:
        reads_only = not options.enrich and _is_to_be_read(buffer)
        opened = ReplayBuffer(built, buffer, seed_experience=seed_experience, read_only=reads_only)
    except BaseException:
        if owns_model:
            model.close()  # an engine must not outlive an environment that was never made
        raise
    if options.evaluation:
        opened.freeze()
    return Simulator(built, model, opened, options, owns_model=owns_model)


def _is_to_be_read(buffer: str | Path | None) -> bool:
    """Return whether there is a folder to read. Raises ReplayBufferError where one is named and there is none."""
    if buffer is None or is_url(buffer):
        return False
    folder = Path(buffer)
    if not folder.exists():
        raise ReplayBufferError(f"There is no replay buffer {str(buffer)!r}; enrich=True makes one of what is dreamt.")
    return folder.is_dir() and any(folder.iterdir())


def dream_keywords(domain: str) -> list[str]:
    """Return the keywords of :func:`build_simulator` for a domain. Raises UnknownDomainError."""
    own = [name for name in inspect.signature(build_simulator).parameters if name not in ("domain", "settings")]
    return [*own, *_SIMULATION, *_GENERATION, *domain_keywords(domain, real=False)]
