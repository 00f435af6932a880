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
from dreamgym_env.world_model.written_steps import PAGE_LENGTH, StepWriter, written_action, written_task

__all__ = ["steps_prompt", "tutorial_prompt"]

_TRAJECTORY_LENGTH = 40_000
"""Characters that the pages of a whole trajectory share in a tutorial's question."""
_SHORTEST_PAGE = 200
_TRAJECTORY_STEPS = 100
"""A longer trajectory is shown by its first and last steps."""

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
    limit = max(_SHORTEST_PAGE, min(PAGE_LENGTH, _TRAJECTORY_LENGTH // len(trajectory)))
    pages = StepWriter(domain, limit)
    parts = [written_task(trajectory[0].instruction), "# Episode"]
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
    pages = StepWriter(domain)
    lessons = "\n".join(f"{name}: {one_line(getattr(tutorial, name))}" for name in TUTORIAL_PARTS)
    parts = [written_task(trajectory[0].instruction), f"# Tutorial\n{lessons}", f"# Outcome\n{_outcome(trajectory)}"]
    earlier = [f"{step.step}: {written_action(step.action)}" for step in trajectory if step.step < asked[0].step]
    if earlier:
        parts.append("\n".join(["# Actions before", *earlier[-_TRAJECTORY_STEPS:]]))
    parts.append("# Steps to explain")
    parts.extend(pages.step(step) for step in asked)
    numbers = ", ".join(str(step.step) for step in asked)
    parts.append(f"# The answer\nExplain these steps, in this order: {numbers}")
    return Prompt(_STEPS.format(rules=domain.rules), "\n\n".join(parts))


def _outcome(trajectory: Sequence[Transition]) -> str:
    last = trajectory[-1]
    if last.terminated and last.reward > 0:
        return f"Success at step {last.step}: the reward is {last.reward:g}."
    graded = f" (graded score {last.score:.2f} of 1)" if last.score else ""
    if last.terminated:
        return f"Failure at step {last.step}: the episode ended without success{graded}."
    return f"No success: the episode broke off after step {last.step}{graded}."
