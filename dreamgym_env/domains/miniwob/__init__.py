"""MiniWoB++: small tasks on single web pages."""

from __future__ import annotations

__all__ = ["STEP_LIMIT"]

STEP_LIMIT = 15
"""Actions after which an episode is truncated; here, because the table of environment ids imports nothing heavy."""
