"""Finds what a domain's folder offers beside its class: a function of a module of a certain name.

Such a module is optional, and the folder of a class that the domain is derived from serves as well.
"""

from __future__ import annotations

import functools
import importlib
import importlib.util
from typing import Any

from dreamgym_env.types import Domain

__all__ = ["made_beside"]


def made_beside(domain: Domain, module: str, function: str) -> Any:
    """Return what ``function(domain)`` of a module beside the domain's class returns; None where there is none."""
    for kind in type(domain).__mro__:
        make = _find(kind.__module__.rpartition(".")[0], module, function)
        if make is not None:
            return make(domain)
    return None


@functools.cache
def _find(package: str, module: str, function: str) -> Any:
    if not package or importlib.util.find_spec(f"{package}.{module}") is None:
        return None
    return getattr(importlib.import_module(f"{package}.{module}"), function, None)
