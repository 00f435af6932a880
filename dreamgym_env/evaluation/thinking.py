"""The think-then-act prompt of a language agent, and how its reply is read.

After ReAct (Yao et al., ICLR 2023), as the agents of DreamGym are prompted: the model thinks in a few sentences and
ends with one line ``Action: ...``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from dreamgym_env.types import Domain, Prompt, Turn
from dreamgym_env.world_model.quoting import one_line

__all__ = [
    "STOP",
    "PromptBounds",
    "Reply",
    "agent_prompt",
    "following_message",
    "read_reply",
    "reply_end",
    "shown_state",
]

_SYSTEM = """You are an agent that acts in a text environment. You are given a task, what you did so far, the current \
state and the actions that it offers. You choose the next action.

How this environment behaves:
{rules}

Rules of answering:
- Think briefly first: what does the task still need, and which action brings it nearest?
- Then write one last line, and nothing after it:
Action: <the action, exactly as it is typed>
- In an offered action, <...> stands for a text of your own: write that text, without the <>.
- What did not help before will not help now: try something else."""

STOP = ("\nState:", "\nObservation:", "\n# ")
"""Where a reply ends at the latest: a model that goes on makes the environment up."""

_ACTION = re.compile(r"[\s>*_#`-]*action(?:\s+\d+)?[*_`]*\s*:[*_`]*(.*)", re.IGNORECASE)
_THOUGHTS = re.compile(r".*</think(?:ing)?>", re.DOTALL)
_WRAPPING = "`*\"' \t"
_LONGEST_ACTION = 2_000


@dataclass(frozen=True, slots=True)
class PromptBounds:
    """How much of an episode a prompt shows; characters are about four to a token."""

    turns: int = 12
    """Turns before the current state, the latest ones."""
    history_characters: int = 8_000
    """Characters of those turns in all; older ones are left out whole."""
    state_characters: int = 6_000
    """Characters of a state; its middle is left out."""
    actions: int = 80
    """Offered actions that are listed."""
    action_characters: int = 4_000
    """Characters of that list."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What a model's reply says."""

    action: str
    """What is sent to the environment."""
    well_formed: bool
    """Whether it is an action of the domain's grammar."""
    thought: str
    """What stands before it."""


def agent_prompt(
    domain: Domain,
    instruction: str,
    history: Sequence[Turn],
    state: str,
    available_actions: Sequence[str],
    bounds: PromptBounds,
) -> Prompt:
    """Return the prompt for an agent's next action: rules, task, history, state, offered actions, in this order."""
    parts = [f"# Task\n{one_line(instruction)}"]
    turns = _latest(history, bounds)
    if turns:
        left_out = len(history) - len(turns)
        parts.append("# So far" + (f" (without the first {left_out} actions)" if left_out else ""))
        parts += turns
    parts.append(following_message(state, available_actions, bounds))
    return Prompt(_SYSTEM.format(rules=domain.rules), "\n\n".join(parts))


def following_message(state: str, available_actions: Sequence[str], bounds: PromptBounds) -> str:
    """Return what an agent is told after an action where all turns are one conversation: state and offered actions.

    Such a conversation begins with :func:`agent_prompt` of an empty history.
    """
    shown = shown_state(state, available_actions, bounds)
    return f"{shown}\n\n# Your turn\nThink briefly, then write one line: Action: ..."


def shown_state(state: str, available_actions: Sequence[str], bounds: PromptBounds) -> str:
    """Return a state and what it offers as an agent reads them."""
    offered = _listed(available_actions, bounds)
    return f"# The current state\n{_shortened(state, bounds.state_characters)}\n\n# Actions that it offers\n{offered}"


def reply_end(text: str) -> int:
    """Return where a reply begins to make the environment up (:data:`STOP`); its length where it does not."""
    return min((at for stop in STOP if (at := text.find(stop)) >= 0), default=len(text))


def read_reply(text: str, canonical: Callable[[str], str | None]) -> Reply:
    """Read a reply, whatever it is.

    The last line ``Action: ...`` that holds an action of the grammar counts.  Where there is none it is the last line
    that is such an action by itself, else what the last ``Action:`` says, else the last line as it stands: an
    ill-formed action is the environment's to answer.  What stands in a block of thoughts (``<think>``) is no action.

    Args:
        text: any text.
        canonical: the domain's ``parse_action``.
    """
    said = _THOUGHTS.sub("", text)
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    named = [(at, match[1]) for at, line in enumerate(lines) if (match := _ACTION.fullmatch(line))]
    for at, written in (*reversed(named), *reversed(list(enumerate(lines)))):
        for form in (written.strip(), written.strip(_WRAPPING), written.strip(f".{_WRAPPING}")):
            if len(form) <= _LONGEST_ACTION and canonical(form) is not None:
                return Reply(form, True, "\n".join(lines[:at]))
    at, written = named[-1] if named else (len(lines) - 1, lines[-1]) if lines else (0, "")
    return Reply(written.strip(_WRAPPING)[:_LONGEST_ACTION], False, "\n".join(lines[:at]))


def _latest(history: Sequence[Turn], bounds: PromptBounds) -> list[str]:
    """Return the latest turns, oldest first, as many as there is room for."""
    written: list[str] = []
    room = bounds.history_characters
    for turn in reversed(history[max(0, len(history) - bounds.turns) :]):
        text = f"State:\n{_shortened(turn.state, bounds.state_characters // 4)}\nAction: {one_line(turn.action)}"
        room -= len(text)
        if room < 0:
            break
        written.append(text)
    return written[::-1]


def _listed(actions: Sequence[str], bounds: PromptBounds) -> str:
    lines: list[str] = []
    room = bounds.action_characters
    for action in actions[: bounds.actions]:
        room -= len(action) + 1
        if room < 0:
            break
        lines.append(one_line(action))
    if len(lines) < len(actions):
        lines.append(f"... and {len(actions) - len(lines)} more like these")
    return "\n".join(lines) or "none"


def _shortened(text: str, most: int) -> str:
    if len(text) <= most:
        return text
    return f"{text[: most * 2 // 3]} [...] {text[len(text) - most // 3 :]}"
