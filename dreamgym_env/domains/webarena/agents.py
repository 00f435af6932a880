"""Scripted agents for the bundled sites, for recording experience and for measuring environments.

They see what any agent sees, so they act on the real sites and in their dream alike.  The oracle follows the steps that
a task carries; where it finds an element no more, for something else was done between, it begins again.  The
cataloguer looks at all pages that links lead to (:mod:`.cataloguing`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from dreamgym_env.domains.browser.laziness import LazyAgent
from dreamgym_env.domains.browser.texts import numbered
from dreamgym_env.domains.browser.wandering import ErringAgent, WanderingAgent
from dreamgym_env.domains.webarena.tasks import WebTask, bundled_ids, bundled_task, resolve_url
from dreamgym_env.domains.webarena.tasks.oracle import Answer, Click, Fill, Goto, Select, Step
from dreamgym_env.domains.webarena.tasks.shipped import SPLITS
from dreamgym_env.domains.webarena.verifier import task_from_goal

if TYPE_CHECKING:
    import numpy as np

    from dreamgym_env.types import Task

__all__ = ["AGENTS", "OracleAgent"]


class OracleAgent:
    """Follows a task's own steps."""

    name = "oracle"

    def begin(self, task: Task, rng: np.random.Generator) -> None:
        """Start an episode."""
        self._task = _bundled(task)
        self._steps: list[Step] = list(self._task.oracle) if self._task else []

    def act(self, state: str, available_actions: Sequence[str]) -> str:
        """Return the next action."""
        if not self._steps:
            return "send_msg_to_user('Done.')"
        action = _action(self._steps[0], state)
        if action is None:
            assert self._task is not None
            self._steps = list(self._task.oracle)
            return _action(Goto(self._task.start_url), state) or "noop()"
        del self._steps[0]
        return action


def _bundled(task: Task) -> WebTask | None:
    """Return the task whose steps lead to a task's goal: itself, or the one that it varies; None without any."""
    if "oracle" in task.goal:
        return task_from_goal(task)
    known = any(task.family in bundled_ids(split) for split in SPLITS)
    return bundled_task(task.family) if known else None


def _action(step: Step, state: str) -> str | None:
    """Return a step as an action on a page, or None where the page has no such element."""
    if isinstance(step, Answer):
        return f"send_msg_to_user({step.text!r})"
    if isinstance(step, Goto):
        return f"goto({resolve_url(step.url)!r})"
    number = _number(step, state)
    if number is None:
        return None
    if isinstance(step, Click):
        return f"click({number!r})"
    return (
        f"fill({number!r}, {step.text!r})" if isinstance(step, Fill) else f"select_option({number!r}, {step.option!r})"
    )


def _number(step: Click | Fill | Select, state: str) -> str | None:
    name = " ".join(step.name.split())
    found = [element for element in numbered(state).values() if (element.role, element.name) == (step.role, name)]
    return found[step.nth].number if step.nth < len(found) else None


def _cataloguer(domain: Any) -> Any:
    """Make an agent that needs the sites themselves to know where their links lead."""
    from dreamgym_env.domains.webarena.cataloguing import CataloguerAgent, linked_pages

    return CataloguerAgent(linked_pages(), domain.task_ids("train"))


AGENTS: Mapping[str, Callable[..., Any]] = MappingProxyType(
    {
        "oracle": lambda domain: OracleAgent(),
        "noisy-oracle": lambda domain, noise=0.2: ErringAgent(OracleAgent(), noise),
        "lazy": lambda domain: LazyAgent("send_msg_to_user('Done.')"),
        "random": lambda domain: WanderingAgent(),
        "cataloguer": _cataloguer,
    }
)
"""Name -> a function that makes one for a domain."""
