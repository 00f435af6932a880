"""A transcript of an episode that a person can read."""

from __future__ import annotations

import re
import textwrap

from dreamgym_env.simulation.episode import Episode, Outcome
from dreamgym_env.types import StopReason

__all__ = ["Transcript", "printable"]

_WIDTH = 110
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


class Transcript:
    """Grows with the episode; terminal control characters in model or page text are made visible."""

    def __init__(self) -> None:
        """Start empty."""
        self.text = ""

    def begin(self, episode: Episode) -> str:
        """Write task and first state; return what was added."""
        return self._grow(f"Task {episode.task.id}: {printable(episode.task.instruction)}\n\n{_page(episode.state)}\n")

    def add(self, outcome: Outcome) -> str:
        """Write an action and what came of it; return what was added."""
        step = outcome.transition
        lines = [f"\n[{step.step + 1}] > {printable(step.action)}    ({outcome.answered_by})"]
        if step.reasoning:
            lines.append(textwrap.indent(textwrap.fill(printable(step.reasoning), _WIDTH), "    # "))
        if outcome.failure:
            lines.append(f"    ! {printable(outcome.failure)}")
        lines.append(_page(step.next_state))
        if outcome.stop is not StopReason.RUNNING:
            lines.append(f"\nEnd: {outcome.stop}, reward {step.reward:g}, score {step.score:.2f}")
        return self._grow("\n".join(lines) + "\n")

    def _grow(self, text: str) -> str:
        self.text += text
        return text


def printable(text: str) -> str:
    """Return a text with its control characters escaped, so that it cannot drive a terminal."""
    return _CONTROL.sub(lambda match: f"\\x{ord(match[0]):02x}", text)


def _page(state: str) -> str:
    return textwrap.indent(textwrap.fill(printable(state), _WIDTH), "    ")
