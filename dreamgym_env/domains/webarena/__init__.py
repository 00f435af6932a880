"""WebArena-Lite: tasks on web sites, by a browser."""

from __future__ import annotations

__all__ = ["STEP_LIMIT"]

STEP_LIMIT = 30
"""Actions after which an episode is truncated, as in WebArena; here, as the table of ids imports nothing heavy."""
