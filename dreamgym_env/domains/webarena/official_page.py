"""A task of WebArena-Lite as BrowserGym plays it, without a download; runs in the browser's process."""

from __future__ import annotations

import functools
from typing import Any

from dreamgym_env.domains.webarena.official import deployment

__all__ = ["OfficialPage"]


class OfficialPage:
    """BrowserGym's own task of that number, against the deployment that the ``WA_*`` variables name."""

    confined = False

    def __init__(self, task_id: int) -> None:
        """Load the task."""
        self._task = _lite_task(task_id)
        self.viewport = self._task.viewport
        self.sites = deployment()

    def setup(self, page: Any) -> tuple[str, dict[str, Any]]:
        """Log in and open the start pages; returns the instruction."""
        goal, info = self._task.setup(page=page)
        return goal, info

    def validate(self, page: Any, messages: list[dict[str, Any]]) -> tuple[float, bool, str, dict[str, Any]]:
        """Let WebArena-Lite's evaluators judge."""
        reward, done, message, info = self._task.validate(page, messages)
        return reward, done, message, info

    def teardown(self) -> None:
        """Remove the task's files."""
        self._task.teardown()


def _lite_task(task_id: int) -> Any:
    """Return BrowserGym's task, with an nltk that needs no data.

    Importing the package downloads nltk's sentence splitter unless it is there.  Its evaluators use it only to count
    the words of a single reference, for which nltk's word splitter alone does.
    """
    import nltk

    find, nltk.data.find = nltk.data.find, lambda *arguments, **keywords: ""
    try:
        from browsergym.webarenalite.task import WebArenaLiteTask

        made = WebArenaLiteTask(seed=0, task_id=task_id)  # tells the evaluators' package where the sites are
        from browsergym.webarenalite import evaluators
    finally:
        nltk.data.find = find
    evaluators.word_tokenize = functools.partial(nltk.word_tokenize, preserve_line=True)
    return made
