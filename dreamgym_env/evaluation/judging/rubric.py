"""What judges are asked: four criteria, each marked 0, 1 or 2, in words of our own.

The criteria are those of DreamGym (Chen et al., arXiv 2511.03773).  Marks under different versions of the rubric cannot
be compared: whoever changes a word here changes the version too.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass

from dreamgym_env.domains.objections import CONSISTENCY, HALLUCINATION, INFORMATIVENESS

__all__ = ["DIVERSITY", "MARKS", "RUBRIC", "Criterion", "Rubric"]

DIVERSITY = "diversity"
"""Whether different situations get different answers."""

MARKS = (0, 1, 2)


@dataclass(frozen=True, slots=True)
class Criterion:
    """One question, and what each mark means."""

    name: str
    question: str
    marks: tuple[str, str, str]
    """What 0, 1 and 2 stand for."""


@dataclass(frozen=True, slots=True)
class Rubric:
    """The questions that a judge answers on a step."""

    version: str
    role: str
    """What the judge is told before the criteria."""
    criteria: tuple[Criterion, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the criteria, in order."""
        return tuple(criterion.name for criterion in self.criteria)

    @property
    def digest(self) -> str:
        """Sixteen hexadecimal digits that any change of the rubric changes."""
        text = json.dumps(asdict(self), sort_keys=True, ensure_ascii=False)
        return hashlib.sha256(text.encode()).hexdigest()[:16]


RUBRIC = Rubric(
    version="1",
    role=(
        "You mark single steps of a text environment. You are told how the environment behaves, and shown a task, what "
        "the episode has shown before, the page on which the agent acted, its action, and the page, the reward and the "
        "end that followed. Somebody has to know whether an agent can learn from such steps: mark what is there, not "
        'whether the agent acted well. A page is shown by its texts, one behind each "| "; {instruction} there stands '
        "for the task's instruction. A page that is too long is shown without its middle; that is no fault of the step."
    ),
    criteria=(
        Criterion(
            CONSISTENCY,
            "Does the page that followed come of this action, on this page, after what the episode has shown?",
            (
                "it does not: another action's page, an effect that is missing, or one that nothing has caused",
                "the action's main effect is there, but something else changed, or stayed, that should not have",
                "all of it follows from the action, and whatever the action does not touch is as it was",
            ),
        ),
        Criterion(
            DIVERSITY,
            "Is the page that followed particular to this situation?",
            (
                "a stock page that could stand anywhere, or its parts repeat each other",
                "particular in part, with stock texts where different ones are to be expected",
                "as particular as the situation calls for; a short set answer is right where the environment gives one",
            ),
        ),
        Criterion(
            INFORMATIVENESS,
            "Does the page tell what the agent needs to go on?",
            (
                "it is empty, broken off, or only says again what the agent was told before",
                "it tells something, but leaves out contents or ways to go on that this environment would show",
                "it tells and offers what this environment would; a short refusal is enough where an action is refused",
            ),
        ),
        Criterion(
            HALLUCINATION,
            "Is everything on the page, the reward and the end true of this environment, as far as one can tell?",
            (
                "a success or an effect is made up, or things are shown that contradict what was shown before",
                "a detail is doubtful, or slightly other than it was shown before",
                "nothing is made up: what failed is told as failed, and things are as they were shown before",
            ),
        ),
    ),
)
"""The rubric of this version."""
