"""The benchmarks: one folder each, found through the table below.

A new domain is a folder that holds a class with the members of :class:`dreamgym_env.types.Domain`, and one line here.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from dreamgym_env.errors import UnknownDomainError
from dreamgym_env.types import Domain

if TYPE_CHECKING:
    from dreamgym_env.simulation.episode import Backend

__all__ = ["DOMAINS", "load_domain", "load_real"]

DOMAINS: dict[str, tuple[str, str]] = {
    "webshop": ("dreamgym_env.domains.webshop.domain:WebShop", "dreamgym_env.domains.webshop.real:RealWebShop"),
}
"""Name -> ``"module:Class"`` of the domain, and of its real environment (a class made from the domain)."""


def load_domain(name: str, **options: Any) -> Domain:
    """Build the domain of that name.

    Args:
        name: a key of :data:`DOMAINS`.
        options: keyword arguments of the domain's class, for example ``products=PATH`` of WebShop.

    Raises:
        UnknownDomainError: there is no such domain; the message lists those there are.
    """
    domain: Domain = _load(name, 0)(**options)
    return domain


def load_real(domain: Domain) -> Backend:
    """Build the real environment of a domain.

    Raises:
        UnknownDomainError: the domain has none here.
        MissingDependencyError: what the real environment needs is not installed.
    """
    backend: Backend = _load(domain.name, 1)(domain)
    return backend


def _load(name: str, which: int) -> Any:
    if name not in DOMAINS:
        raise UnknownDomainError(f"There is no domain {name!r}; there are: {', '.join(sorted(DOMAINS))}.")
    module, _, attribute = DOMAINS[name][which].partition(":")
    return getattr(importlib.import_module(module), attribute)
