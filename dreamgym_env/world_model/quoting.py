"""Quoting texts in prompts, so that what a page or an agent says is never taken for a part of the prompt."""

from __future__ import annotations

__all__ = ["one_line"]


def one_line(text: str) -> str:
    """Return a text on one line that is no heading, so that no page, task or action can write a part of the prompt."""
    line = text.replace("\\", "\\\\").replace("\n", "\\n").replace("\r", "\\r")
    line = " ".join(line.splitlines())  # what else ends a line, such as a line separator
    return f"\\{line}" if line.startswith("#") else line
