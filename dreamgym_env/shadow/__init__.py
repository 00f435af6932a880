"""``ShadowReal``: the dream answers the agent, the real environment runs along, and ``info`` says how they differ."""

from __future__ import annotations

from dreamgym_env.shadow.single import ShadowReal
from dreamgym_env.shadow.vector import ShadowRealVector

__all__ = ["ShadowReal", "ShadowRealVector"]
