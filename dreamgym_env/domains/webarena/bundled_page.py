"""A bundled task in BrowserGym's protocol; runs in the browser's process."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from dreamgym_env.domains.webarena.sites import Sites, resolve_url
from dreamgym_env.domains.webarena.tasks import bundled_task, evaluate

__all__ = ["BundledPage"]

_FREE: list[Sites] = []
"""Sites that no episode uses."""


class BundledPage:
    """One episode on sites of its own; a message to the user ends it, and then its evaluators judge."""

    sites: Mapping[str, str] = {}
    confined = False
    viewport = None

    def __init__(self, task_id: str, varied: Mapping[str, Any] | None = None) -> None:
        """Name the task, and get sites with their first content.

        Args:
            task_id: a bundled one's.
            varied: members of :class:`~.tasks.WebTask` in which a variation of it is another.
        """
        self._task = replace(bundled_task(task_id), **(varied or {}))
        self._served = _FREE.pop() if _FREE else Sites()
        self._lane = self._served.lanes[0]
        self._lane.reset()
        # the sites are the browser's proxy, for addresses of this machine too: it reaches nothing else
        self.context = {"proxy": {"server": self._lane.proxy, "bypass": "<-loopback>"}}

    def setup(self, page: Any) -> tuple[str, dict[str, Any]]:
        """Open the start page; returns the instruction."""
        page.goto(resolve_url(self._task.start_url))
        return self._task.intent, {}

    def validate(self, page: Any, messages: Sequence[Mapping[str, Any]]) -> tuple[float, bool, str, dict[str, Any]]:
        """Judge the episode if the user has got an answer."""
        answers = [message["message"] for message in messages if message["role"] in ("assistant", "infeasible")]
        if not answers:
            return 0.0, False, "", {}
        answer = "N/A" if messages[-1]["role"] == "infeasible" else answers[-1]
        return evaluate(self._task, answer, page.url, self._lane), True, "", {}

    def teardown(self) -> None:
        """Give the sites back."""
        _FREE.append(self._served)
