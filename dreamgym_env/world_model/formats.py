"""Prompt formats: how a view becomes a prompt, and how an answer is written and read.

A format is one object with three members that belong together: :meth:`PromptFormat.prompt`,
:meth:`PromptFormat.parse`, and :meth:`PromptFormat.answer`, which writes the answer that a fine-tuned model is
trained to give.  ``chat`` asks an instruction-tuned model for JSON; ``compact`` is the short tagged form of models
that this project trains.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from dreamgym_env.types import Prediction, Prompt, Transition
from dreamgym_env.world_model.view import View, Viewer

__all__ = ["AnswerError", "PromptFormat", "outcome_word", "unreadable"]


class AnswerError(ValueError):
    """A model's answer cannot be read; the message says why."""


class PromptFormat(Protocol):
    """How questions and answers are written."""

    name: str
    viewer: Viewer
    stop: tuple[str, ...]
    json_schema: Mapping[str, Any] | None

    def prompt(self, view: View) -> Prompt:
        """Write the question."""
        ...

    def parse(self, text: str, view: View) -> Prediction:
        """Read an answer. Raises AnswerError."""
        ...

    def answer(self, view: View, transition: Transition) -> str:
        """Write the answer that ``transition`` calls for, which :meth:`parse` reads back."""
        ...


def unreadable(view: View, reason: str) -> Prediction:
    """Return the prediction that stands for an answer which could not be read: nothing changes, nothing is earned."""
    return Prediction("", view.query.state, 0.0, False, failure=reason)


def outcome_word(reward: float, terminated: bool) -> str:
    """Return ``continue``, ``success``, ``failure`` or ``rewarded`` (a reward without an end)."""
    if terminated:
        return "success" if reward > 0 else "failure"
    return "rewarded" if reward > 0 else "continue"
