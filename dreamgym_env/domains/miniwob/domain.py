"""MiniWoB++: click a button, fill in a form, read a table, on single web pages that no one here wrote.

**Task.** "Enter the username "juan" and the password "Jc" into the text fields and press login.": 37 of the pages of
MiniWoB++ (Shi et al. 2017, Liu et al. 2018), those that can be done from their text; a seed draws what a page shows.

**Actions.** BrowserGym's, as far as they stay on the page: ``click('3')``, ``fill('1', 'juan')``,
``select_option('2', 'Ohio')``, ``press``, ``focus``, ``clear``, ``dblclick``, ``hover``, ``drag_and_drop``, ``scroll``,
``keyboard_press``, ``noop``.  An element is named by the number in front of it.  What cannot be carried out changes
nothing, and the state says why in BrowserGym's words.

**States.** The task, the page's title and address, and its elements, one a line; see
:mod:`dreamgym_env.domains.browser.texts`.

**Rewards.** 1 when the page says that its task is done, else 0.

**End.** The page ends an episode, often at the first wrong click; so do 15 actions.

**Tasks.** ``miniwob/<split>/<page>/<seed>``.  Splits are by seed: the pages of a test are those of training, filled
with what was not seen there.  (A dream cannot know a page that nobody has seen.)  The real environment needs the extra
``miniwob`` and Chromium; the dream does not.

**Ids.** ``DreamGym/MiniWoB-v0``, ``DreamGymReal/MiniWoB-v0``.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from dreamgym_env.domains.browser.domain import WebDomain
from dreamgym_env.domains.browser.grammar import PAGE_ACTIONS
from dreamgym_env.domains.miniwob import STEP_LIMIT
from dreamgym_env.domains.miniwob.tasks import read_tasks, task_ids
from dreamgym_env.errors import UnknownTaskError
from dreamgym_env.types import Task

__all__ = ["MiniWoB"]

_SEED_EXPERIENCE = Path(__file__).parent / "data" / "seed.jsonl.gz"

_RULES = """\
- A state is a web page: the task, the page's title and address, and its elements, one a line. An element that can \
be acted on has a number in brackets, then its role, its name, its value and its states. Numbers count from 1 in the \
page's order.
- click('3') clicks element 3. A checkbox or radio button becomes "checked" (a checkbox again: not checked); a tab \
becomes "selected, expanded" and shows its text, while the one shown before becomes "collapsed"; a text field becomes \
"focused".
- fill('1', 'text') gives a text field that value, and the focus; a password field shows dots.
- select_option('1', 'Ohio') gives a list that value, if it is among its options.
- Clicking the button that ends the task (Submit, Login, ...) ends the episode: success if everything is as the task \
says, failure otherwise. On pages with nothing to fill in, the click itself ends it: success if it is the element that \
the task names, failure if it is another one of the kind.
- What cannot be carried out changes nothing but a line "Error: ..." after the address, which the next action removes.
"""


class MiniWoB(WebDomain):
    """The domain."""

    name = "miniwob"
    max_episode_steps = STEP_LIMIT
    rules = _RULES
    actions = PAGE_ACTIONS

    def splits(self) -> tuple[str, ...]:
        """Return the names of the splits."""
        return tuple(task_ids())

    def task_ids(self, split: str) -> Sequence[str]:
        """Return the ids of a split's tasks. Raises UnknownTaskError."""
        if split not in task_ids():
            raise UnknownTaskError(f"MiniWoB has no split {split!r:.80}; it has: {', '.join(task_ids())}.")
        return task_ids()[split]

    def task(self, task_id: str) -> Task:
        """Return a task. Raises UnknownTaskError."""
        tasks = read_tasks()
        if task_id not in tasks:
            raise UnknownTaskError(
                f"MiniWoB has no task {task_id!r:.80}; it has {len(tasks):,}, such as {next(iter(tasks))!r}."
            )
        return tasks[task_id]

    def seed_experience(self) -> str:
        """Return the path of the shipped transitions, recorded on tasks of the train split; empty without them."""
        return str(_SEED_EXPERIENCE) if _SEED_EXPERIENCE.is_file() else ""
