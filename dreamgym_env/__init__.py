"""dreamgym_env: Gymnasium environments that a world model dreams, grounded in real experience.

Importing the package registers the environment ids; everything heavy is imported where it is used.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from dreamgym_env.envs.registration import register_envs

if TYPE_CHECKING:
    from dreamgym_env.envs.record import RecordTransitions

__all__ = ["RecordTransitions", "__version__"]

__version__ = "0.1.0"

register_envs()


def __getattr__(name: str) -> object:
    """Import :class:`~dreamgym_env.envs.record.RecordTransitions` when it is first asked for."""
    if name == "RecordTransitions":
        return importlib.import_module("dreamgym_env.envs.record").RecordTransitions
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
