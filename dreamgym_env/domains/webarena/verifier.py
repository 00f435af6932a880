"""Judges an episode of the bundled sites, dreamt or real, by the evaluators of its task; needs no sites and no browser.

The answer and the final address stand in the episode.  What it has changed is done again on a replica of the sites:
each form that it has sent, with what it has typed, ticked and chosen, where the page that followed did not refuse it.
"""

from __future__ import annotations

from collections.abc import Sequence

from dreamgym_env.domains.browser.episode import read_course
from dreamgym_env.domains.browser.grammar import parse
from dreamgym_env.domains.browser.patterns import heading_of
from dreamgym_env.domains.webarena.repetition import Repetition
from dreamgym_env.domains.webarena.tasks import evaluate
from dreamgym_env.domains.webarena.tasks.task import WebTask, task_from_record
from dreamgym_env.errors import ResetOptionError, WebTaskError
from dreamgym_env.types import Task, Turn, Verdict

__all__ = ["WebArenaVerifier", "task_from_goal"]

_LAST = frozenset({"send_msg_to_user", "report_infeasible"})
_INFEASIBLE = "N/A"
"""The answer that counts where the user is told that a task cannot be done."""


class WebArenaVerifier:
    """The program that decides success on the bundled sites."""

    def __init__(self) -> None:
        """Create a verifier; its replica is made when an episode first has to be judged by what it has changed."""
        self._repetition = Repetition()

    def check(self, task: Task) -> None:
        """Raise ResetOptionError unless the task has a goal in WebArena's format that its evaluators can read."""
        task_from_goal(task)

    def verify(self, task: Task, history: Sequence[Turn], state: str, action: str, next_state: str) -> Verdict:
        """Judge the step: only a message to the user ends an episode.

        Raises:
            ResetOptionError: the task is none that :meth:`check` lets pass.
        """
        parsed = parse(action)
        if parsed is None or parsed.name not in _LAST or not isinstance(parsed.arguments[0], str):
            return Verdict(False, False, 0.0)
        web_task = task_from_goal(task)
        course = read_course(history, state, task.instruction)
        if course is None:
            return Verdict(False, True, 0.0)
        answer = parsed.arguments[0] if parsed.name == "send_msg_to_user" else _INFEASIBLE
        replica = self._repetition.after(course)
        page = course.page
        score = evaluate(web_task, answer, replica.address(page.url, heading_of(page)), replica)
        return Verdict(score > 0, True, score)


def task_from_goal(task: Task) -> WebTask:
    """Return what a task's goal says in WebArena's format. Raises ResetOptionError where that cannot be read."""
    record = {"sites": ["shop"], "start_url": "about:blank", **task.goal, "intent": task.instruction or "-"}
    try:
        return task_from_record(record)
    except WebTaskError as error:
        raise ResetOptionError(
            f"The goal of task {task.id!r} cannot be judged: {error} A goal holds 'eval' in WebArena's format. In a "
            "dream, success='model' lets the world model judge without a goal."
        ) from error
