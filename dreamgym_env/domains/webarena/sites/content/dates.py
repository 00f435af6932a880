"""The calendar of the bundled sites, where time stands still."""

from __future__ import annotations

import datetime

__all__ = ["TODAY", "day_before_today", "days_after"]

TODAY = "2025-03-14"
"""The date of the sites; what is created gets it."""


def day_before_today(days: int) -> str:
    """Return the date that many days before :data:`TODAY`."""
    return days_after(TODAY, -days)


def days_after(date: str, days: int) -> str:
    """Return the date that many days after another one; both as ``"2025-03-14"``."""
    return (datetime.date.fromisoformat(date) + datetime.timedelta(days=days)).isoformat()
