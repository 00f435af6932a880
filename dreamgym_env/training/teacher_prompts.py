"""What a language model that explains recorded steps is asked.

The paper's structure: first a tutorial of the task from the whole trajectory and its outcome (a plan, what success
looks like, what failure looks like), then the steps, each with its state, action, next state and reward.  Page texts
stand behind ``| ``, so that nothing on a page can be taken for a part of the prompt.
"""

from __future__ import annotations

from collections.abc import Sequence

from dreamgym_env.training.teacher_answers import TUTORIAL_PARTS, Tutorial
from dreamgym_env.types import Domain, Prompt, Transition
from dreamgym_env.world_model.quoting import one_line

__all__ = ["steps_prompt", "tutorial_prompt"]

_PAGE_LENGTH = 2_000
"""Characters of a page that a step's question shows."""
_TRAJECTORY_LENGTH = 40_000
"""Characters that the pages of a whole trajectory share in a tutorial's question."""
_SHORTEST_PAGE = 200
_TRAJECTORY_STEPS = 100
"""A longer trajectory is shown by its first and last steps."""
_ACTION_LENGTH = 300

_ROLE = """You explain recorded episodes of a text agent to a student who will have to predict this environment. \
A page is shown by its texts, one behind each "| "; {{instruction}} there stands for the task's instruction.

How this environment behaves:
{rules}

"""
_TUTORIAL = (
    _ROLE
    + """You are given one episode and its outcome. Write a short tutorial of its task: the plan that leads to \
success, how success is recognised here (success_mode), and how this task is failed (failure_mode). Say only what \
the episode and the rules show.

Answer with one JSON object and nothing else:
{{"plan": "...", "success_mode": "...", "failure_mode": "..."}}
Each is one to three sentences."""
)
_STEPS = (
    _ROLE
    + """You are given a task, a tutorial of it, the outcome of an episode, and some of its steps. Explain each step: \
first whether the action leads toward success or toward failure (a step that gains nothing leads toward failure), then \
how the environment responds and why. The pages before and after show what happened: never explain anything else.

Answer with one JSON object and nothing else, the asked steps in their order:
{{"steps": [{{"step": 0, "toward": "success" or "failure", "response": "one or two sentences: how the environment \
responds and why"}}]}}"""
)


def tutorial_prompt(domain: Domain, trajectory: Sequence[Transition]) -> Prompt:
    """Ask for the tutorial of a trajectory's task.

    Args:
        domain: the trajectory's.
        trajectory: the recorded steps of an episode, in order; at least one.
    """
    limit = max(_SHORTEST_PAGE, min(_PAGE_LENGTH, _TRAJECTORY_LENGTH // len(trajectory)))
    pages = _Pages(domain, limit)
    parts = [_task(trajectory[0]), "# Episode"]
    half = _TRAJECTORY_STEPS // 2
    left_out = range(half, len(trajectory) - half)
    for at, step in enumerate(trajectory):
        if at not in left_out:
            parts.append(pages.step(step))
        elif at == left_out.start:
            parts.append(f"({len(left_out):,} steps are left out here)")
    parts.append(f"# Outcome\n{_outcome(trajectory)}")
    return Prompt(_TUTORIAL.format(rules=domain.rules), "\n\n".join(parts))


def steps_prompt(
    domain: Domain, trajectory: Sequence[Transition], tutorial: Tutorial, asked: Sequence[Transition]
) -> Prompt:
    """Ask for the reasoning traces of some steps.

    Args:
        domain: the trajectory's.
        trajectory: the recorded steps of an episode, in order.
        tutorial: of its task.
        asked: those of its steps that are to be explained, in order.
    """
    pages = _Pages(domain, _PAGE_LENGTH)
    lessons = "\n".join(f"{name}: {one_line(getattr(tutorial, name))}" for name in TUTORIAL_PARTS)
    parts = [_task(trajectory[0]), f"# Tutorial\n{lessons}", f"# Outcome\n{_outcome(trajectory)}"]
    earlier = [f"{step.step}: {_action(step)}" for step in trajectory if step.step < asked[0].step]
    if earlier:
        parts.append("\n".join(["# Actions before", *earlier[-_TRAJECTORY_STEPS:]]))
    parts.append("# Steps to explain")
    parts.extend(pages.step(step) for step in asked)
    numbers = ", ".join(str(step.step) for step in asked)
    parts.append(f"# The answer\nExplain these steps, in this order: {numbers}")
    return Prompt(_STEPS.format(rules=domain.rules), "\n\n".join(parts))


class _Pages:
    """Writes steps; a page that was written before is referred to."""

    def __init__(self, domain: Domain, limit: int) -> None:
        self._domain = domain
        self._limit = limit
        self._written: dict[str, str] = {}
        """State -> where it was written."""

    def step(self, step: Transition) -> str:
        before = self._page(step.state, step, f"before step {step.step}")
        after = "the same page"
        if step.next_state != step.state:
            after = self._page(step.next_state, step, f"after step {step.step}")
        ends = "the episode ends" if step.terminated else "the episode goes on"
        offered = "" if step.valid else "\nThe page does not offer this action."
        return (
            f"## Step {step.step}\nPage before:\n{before}\nAction: {_action(step)}{offered}\n"
            f"Page after:\n{after}\nReward: {step.reward:g}, {ends}"
        )

    def _page(self, state: str, step: Transition, name: str) -> str:
        if known := self._written.get(state):
            return f"the page {known}"
        self._written[state] = name
        segments = self._domain.segment(state, step.instruction)
        return _clipped("\n".join(f"| {one_line(segment)}" for segment in segments), self._limit)


def _clipped(page: str, limit: int) -> str:
    """Return a page without its middle where it is too long, and say so; the mark is no text of the page."""
    left_out = len(page) - limit
    if left_out <= 0:
        return page
    head, tail = limit * 3 // 4, limit // 4
    return f"{page[:head]}\n({left_out:,} characters of the page are left out here)\n| {page[len(page) - tail :]}"


def _task(step: Transition) -> str:
    return f"# Task\n{one_line(step.instruction[:_PAGE_LENGTH])}"


def _action(step: Transition) -> str:
    line = one_line(step.action)
    return line if len(line) <= _ACTION_LENGTH else f"{line[:_ACTION_LENGTH]} (clipped here)"


def _outcome(trajectory: Sequence[Transition]) -> str:
    last = trajectory[-1]
    if last.terminated and last.reward > 0:
        return f"Success at step {last.step}: the reward is {last.reward:g}."
    graded = f" (graded score {last.score:.2f} of 1)" if last.score else ""
    if last.terminated:
        return f"Failure at step {last.step}: the episode ended without success{graded}."
    return f"No success: the episode broke off after step {last.step}{graded}."
