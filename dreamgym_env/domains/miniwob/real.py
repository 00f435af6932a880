"""The real MiniWoB++: its own pages in a real browser."""

from __future__ import annotations

from typing import Any

from dreamgym_env.domains.browser.real import BrowserTask, RealBrowser
from dreamgym_env.domains.miniwob.domain import MiniWoB
from dreamgym_env.errors import ResetOptionError, UnknownTaskError
from dreamgym_env.types import Task

__all__ = ["RealMiniWoB", "browser_task"]


class RealMiniWoB(RealBrowser):
    """Advances episodes on MiniWoB++'s pages."""

    def __init__(self, domain: MiniWoB, **options: Any) -> None:
        """Prepare for browsers.

        Args:
            domain: where the tasks come from.
            options: those of :class:`~dreamgym_env.domains.browser.real.RealBrowser` in ``OPTIONS``.

        Raises:
            MissingDependencyError: the extra ``miniwob`` or Chromium is not installed.
            KeywordError: an option is of the wrong type or value.
        """
        super().__init__(
            domain,
            lambda task: _page_of(domain, task),
            extra="miniwob",
            packages=("browsergym.miniwob", "miniwob"),
            **options,
        )


def browser_task(page: str, seed: int) -> BrowserTask:
    """Return what sets a page up with a seed."""
    return BrowserTask("dreamgym_env.domains.miniwob.pages:MiniWoBPage", {"page": page, "seed": seed})


def _page_of(domain: MiniWoB, task: Task) -> BrowserTask:
    """Return the page of a task, or of the one that it varies. Raises ResetOptionError."""
    try:
        original = domain.task(task.family)
    except UnknownTaskError as error:
        raise ResetOptionError(
            f"The real MiniWoB plays only tasks of its pages, and {task.family!r:.80} is none. {error}"
        ) from error
    return browser_task(original.goal["page"], original.goal["seed"])
