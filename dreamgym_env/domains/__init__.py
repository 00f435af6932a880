"""The benchmarks: one folder each, found through the table below; and any other environment, by what is recorded of it.

A new domain is a folder that holds a class with the members of :class:`dreamgym_env.types.Domain`, and one line here.
"""

from __future__ import annotations

import importlib
import inspect
import os
from typing import TYPE_CHECKING, Any

from dreamgym_env.errors import UnknownDomainError
from dreamgym_env.types import Domain

if TYPE_CHECKING:
    from dreamgym_env.simulation.episode import Backend

__all__ = [
    "DOMAINS",
    "RECORDED",
    "domain_keywords",
    "load_domain",
    "load_domain_of",
    "load_real",
    "load_real_of",
    "real_keywords",
]

DOMAINS: dict[str, tuple[str, str]] = {
    "alfworld": ("dreamgym_env.domains.alfworld.domain:ALFWorld", "dreamgym_env.domains.alfworld.real:RealALFWorld"),
    "miniwob": ("dreamgym_env.domains.miniwob.domain:MiniWoB", "dreamgym_env.domains.miniwob.real:RealMiniWoB"),
    "webarena": ("dreamgym_env.domains.webarena.domain:WebArena", "dreamgym_env.domains.webarena.real:RealWebArena"),
    "webshop": ("dreamgym_env.domains.webshop.domain:WebShop", "dreamgym_env.domains.webshop.real:RealWebShop"),
}
"""Name -> ``"module:Class"`` of the domain, and of its real environment (a class made from the domain)."""

RECORDED = "recorded"
"""Name by which :func:`load_domain` knows the domain that a transitions file makes; it has no real environment."""
_RECORDED_CLASS = "dreamgym_env.domains.recorded.domain:Recorded"


def load_domain(name: str, **options: Any) -> Domain:
    """Build the domain of that name.

    Args:
        name: a key of :data:`DOMAINS`, or :data:`RECORDED`.
        options: keyword arguments of the domain's class, for example ``products=PATH`` of WebShop.

    Raises:
        UnknownDomainError: there is no such domain; the message lists those there are.
    """
    domain: Domain = _load(name, 0)(**options)
    return domain


def load_domain_of(name: str, experience: str | os.PathLike[str], **options: Any) -> Domain:
    """Build the domain that transitions name: a benchmark, or else what the file itself makes.

    Args:
        name: of the transitions' domain.
        experience: the file that holds them.
        options: keyword arguments of the domain's class.

    Raises:
        ExperienceFormatError: it is no benchmark, and the file cannot be read, or holds no transitions of one domain.
    """
    if name in DOMAINS:
        return load_domain(name, **options)
    return load_domain(RECORDED, **{"experience": experience, **options})


def load_real(name: str, **options: Any) -> tuple[Domain, Backend]:
    """Build a domain and its real environment.

    Args:
        name: a key of :data:`DOMAINS`.
        options: those that the real environment's class lists in ``OPTIONS`` go to it, all others to the domain.

    Raises:
        UnknownDomainError: there is no such domain.
        MissingDependencyError: what the real environment needs is not installed.
    """
    own = {option: options.pop(option) for option in real_keywords(name) if option in options}
    domain = load_domain(name, **options)
    return domain, load_real_of(name, domain, **own)


def load_real_of(name: str, domain: Domain, **options: Any) -> Backend:
    """Build the real environment of a domain that is there already.

    Args:
        name: a key of :data:`DOMAINS`.
        domain: what :func:`load_domain` returned for it.
        options: some of :func:`real_keywords`.

    Raises:
        UnknownDomainError: there is no such domain.
        MissingDependencyError: what the real environment needs is not installed.
    """
    backend: Backend = _load(name, 1)(domain, **options)
    return backend


def real_keywords(name: str) -> tuple[str, ...]:
    """Return the keywords that are the real environment's alone. Raises UnknownDomainError."""
    keywords: tuple[str, ...] = _load(name, 1).OPTIONS
    return keywords


def domain_keywords(name: str, *, real: bool) -> list[str]:
    """Return the keywords of a domain's class, and of its real environment's.

    Raises:
        UnknownDomainError: there is no such domain.
    """
    return [*inspect.signature(_load(name, 0)).parameters, *(real_keywords(name) if real else ())]


def _load(name: str, which: int) -> Any:
    table = {**DOMAINS, RECORDED: (_RECORDED_CLASS,)} if which == 0 else DOMAINS
    if name not in table:
        raise UnknownDomainError(f"There is no domain {name!r}; there are: {', '.join(sorted(table))}.")
    module, _, attribute = table[name][which].partition(":")
    return getattr(importlib.import_module(module), attribute)
