"""The real WebArena-Lite: the bundled sites, or a deployment of WebArena's own, in a real browser."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dreamgym_env.domains.browser.real import BrowserTask, RealBrowser
from dreamgym_env.domains.webarena.domain import WebArena
from dreamgym_env.domains.webarena.official import deployment
from dreamgym_env.domains.webarena.verifier import task_from_goal
from dreamgym_env.errors import ResetOptionError, UnknownTaskError
from dreamgym_env.types import Task

__all__ = ["RealWebArena", "bundled_browser_task"]


class RealWebArena(RealBrowser):
    """Advances episodes on the sites of the domain; each episode on the bundled ones has sites of its own."""

    def __init__(self, domain: WebArena, **options: Any) -> None:
        """Prepare for browsers.

        Args:
            domain: where the tasks come from.
            options: those of :class:`~dreamgym_env.domains.browser.real.RealBrowser` in ``OPTIONS``.

        Raises:
            MissingDependencyError: the extra ``webarena`` or Chromium is not installed, or a variable that names a
                part of a deployment is missing.
            KeywordError: an option is of the wrong type or value.
        """
        packages = ["browsergym.core", "jinja2", "starlette", "uvicorn"]
        if domain.sites == "webarena":
            deployment()
            packages = ["browsergym.webarenalite", "browsergym.webarena", "webarena", "nltk"]
        super().__init__(
            domain, lambda task: _browser_task(domain, task), extra="webarena", packages=packages, **options
        )


def bundled_browser_task(task_id: str, varied: Mapping[str, Any] | None = None) -> BrowserTask:
    """Return what sets a bundled task up, or a variation of it, see :class:`~.bundled_page.BundledPage`."""
    arguments = {"task_id": task_id, "varied": dict(varied) if varied else None}
    return BrowserTask("dreamgym_env.domains.webarena.bundled_page:BundledPage", arguments)


def _browser_task(domain: WebArena, task: Task) -> BrowserTask:
    """Return what sets up a task, or the one that it varies. Raises ResetOptionError."""
    try:
        original = domain.task(task.family)
    except UnknownTaskError as error:
        raise ResetOptionError(
            f"The real sites play only tasks that they have, and {task.family!r:.80} is none. {error}"
        ) from error
    if domain.sites == "bundled":
        if task.goal.get("eval", original.goal["eval"]) == original.goal["eval"]:
            return bundled_browser_task(original.id)
        task_from_goal(task)  # a goal that cannot be judged is an error now
        varied = {"eval": task.goal["eval"], "start_url": task.goal.get("start_url", original.goal["start_url"])}
        return bundled_browser_task(original.id, varied)
    return BrowserTask(
        "dreamgym_env.domains.webarena.official_page:OfficialPage", {"task_id": original.goal["task_id"]}
    )
