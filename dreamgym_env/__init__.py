"""dreamgym_env: Gymnasium environments that a world model dreams, grounded in real experience.

Importing the package registers the environment ids; everything heavy is imported where it is used.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from dreamgym_env.envs.registration import register_envs

if TYPE_CHECKING:
    from dreamgym_env.envs.record import RecordTransitions
    from dreamgym_env.shadow import ShadowReal, ShadowRealVector

__all__ = ["RecordTransitions", "ShadowReal", "ShadowRealVector", "__version__"]

__version__ = "0.1.0"

register_envs()


_WRAPPERS = {
    "RecordTransitions": "dreamgym_env.envs.record",
    "ShadowReal": "dreamgym_env.shadow",
    "ShadowRealVector": "dreamgym_env.shadow",
}


def __getattr__(name: str) -> object:
    """Import a wrapper when it is first asked for."""
    if name in _WRAPPERS:
        return getattr(importlib.import_module(_WRAPPERS[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
