"""WebArena-Lite: tasks on web sites: a shop and its back office, a forum, a code host, a map.

**Task.** "What is the status of my order 1038?", "Star the project paperclip.": find something out, go somewhere, or
change something.  After Zhou et al., "WebArena" (ICLR 2024), and Liu et al., "VisualAgentBench" (its 165 Lite tasks).

**Actions.** BrowserGym's: ``click('12')``, ``fill('7', 'red shoes')``, ``select_option('3', 'Ohio')``, ``press``,
``hover``, ``scroll``, ``go_back()``, ``goto('...')``, tabs, ``send_msg_to_user('...')``, ``report_infeasible('...')``,
``noop()`` and others.  An element is named by the number in front of it.  What cannot be carried out changes nothing,
and the state says why in BrowserGym's words.

**States.** The task, the page's title and address, and its elements, one a line; see
:mod:`dreamgym_env.domains.browser.texts`.

**Rewards.** 1 when the evaluators of the task agree once the user has got an answer, else 0.

**End.** A message to the user ends an episode; so do 30 actions.

**Sites.** The bundled sites by default: small web applications of our own, served on loopback, with tasks of our own
(``webarena/<split>/<number>``; no template of a test is in another split).  ``sites="webarena"`` plays the 165 tasks of
WebArena-Lite (``webarenalite.<number>``, split ``test``) against a deployment of WebArena's own sites that the ``WA_*``
variables name.  The real environment needs the extra ``webarena`` and Chromium; the dream of the bundled sites needs
neither.

**Ids.** ``DreamGym/WebArenaLite-v0``, ``DreamGymReal/WebArenaLite-v0``.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from pathlib import Path

from dreamgym_env.domains.browser.domain import WebDomain
from dreamgym_env.domains.webarena import STEP_LIMIT
from dreamgym_env.domains.webarena.first_pages import bundled_tasks
from dreamgym_env.domains.webarena.official import official_tasks
from dreamgym_env.domains.webarena.verifier import WebArenaVerifier
from dreamgym_env.errors import KeywordError, UnknownTaskError
from dreamgym_env.types import Task, Verifier

__all__ = ["WebArena"]

_SEED_EXPERIENCE = Path(__file__).parent / "data" / "seed.jsonl.gz"
_SITES = ("bundled", "webarena")

_RULES = """\
- A state is a web page: the task, the page's title and address, and its elements, one a line. An element that can \
be acted on has a number in brackets, then its role, its name, its value and its states. Numbers count from 1 in the \
page's order. "row:" joins the cells of a table's row; what can be clicked in it follows.
- click('3') follows a link, presses a button or ticks a box. A button of a form sends it: the next page shows what \
came of it.
- fill('1', 'text') gives a field that value and the focus; select_option('1', 'Ohio') chooses an option of a list. \
Nothing else changes on the page until the form is sent.
- goto('address') opens an address; go_back() the page before. A page seen again is the same, unless something was \
changed since.
- send_msg_to_user('answer') ends the episode: success if the answer is right, or everything is as the task wants it.
- What cannot be carried out changes nothing but a line "Error: ..." after the address, which the next action removes.
"""


class WebArena(WebDomain):
    """The domain."""

    name = "webarena"
    max_episode_steps = STEP_LIMIT
    rules = _RULES

    def __init__(self, sites: str = "bundled") -> None:
        """Choose the sites.

        Args:
            sites: ``"bundled"`` or ``"webarena"``.

        Raises:
            KeywordError: ``sites`` is neither.
        """
        if sites not in _SITES:
            raise KeywordError(f"sites takes 'bundled' or 'webarena', not {sites!r:.80}.")
        self.sites = sites
        self._verifier = WebArenaVerifier()

    def splits(self) -> tuple[str, ...]:
        """Return the names of the splits. Raises MissingDependencyError if the tasks are not installed."""
        return tuple(self._ids)

    def task_ids(self, split: str) -> Sequence[str]:
        """Return the ids of a split's tasks. Raises UnknownTaskError, and what :meth:`splits` raises."""
        if split not in self._ids:
            raise UnknownTaskError(f"These tasks have no split {split!r:.80}; they have: {', '.join(self._ids)}.")
        return self._ids[split]

    def task(self, task_id: str) -> Task:
        """Return a task. Raises UnknownTaskError, and what :meth:`splits` raises."""
        if task_id not in self._tasks:
            raise UnknownTaskError(
                f"There is no task {task_id!r:.80} here; there are {len(self._tasks)}, such as "
                f"{next(iter(self._tasks))!r}."
            )
        return self._tasks[task_id]

    def verifier(self) -> Verifier | None:
        """Return what judges the tasks of the bundled sites; None for those of other sites."""
        return self._verifier if self.sites == "bundled" else None

    def seed_experience(self) -> str:
        """Return the path of the shipped transitions, recorded on train templates; empty without them."""
        return str(_SEED_EXPERIENCE) if self.sites == "bundled" and _SEED_EXPERIENCE.is_file() else ""

    @functools.cached_property
    def _tasks(self) -> Mapping[str, Task]:
        return bundled_tasks() if self.sites == "bundled" else official_tasks()

    @functools.cached_property
    def _ids(self) -> dict[str, list[str]]:
        ids: dict[str, list[str]] = {}
        for task in self._tasks.values():
            ids.setdefault(task.split, []).append(task.id)
        return ids
