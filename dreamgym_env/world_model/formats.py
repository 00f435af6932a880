"""Prompt formats: how a view becomes a prompt, and how an answer is written and read.

A format is one object with three members that belong together: :meth:`PromptFormat.prompt`,
:meth:`PromptFormat.parse`, and :meth:`PromptFormat.answer`, which writes the answer that a fine-tuned model is
trained to give.  ``chat`` asks an instruction-tuned model for JSON; ``compact`` is the short tagged form of models
that this project trains.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from dreamgym_env.types import Prediction, Prompt, Source, Transition
from dreamgym_env.world_model.codec import StateCodec
from dreamgym_env.world_model.view import RelatedMemory, View, Viewer

__all__ = [
    "MAX_STATE_LENGTH",
    "AnswerError",
    "PromptFormat",
    "checked_state",
    "evidence",
    "has_open_end",
    "outcome_word",
    "unreadable",
]

MAX_STATE_LENGTH = 1_000_000
"""Characters; no page of a text environment is longer, and a model that repeats itself must not fill the memory."""


class AnswerError(ValueError):
    """A model's answer cannot be read; the message says why."""


class PromptFormat(Protocol):
    """How questions and answers are written."""

    name: str
    viewer: Viewer
    codec: StateCodec
    stop: tuple[str, ...]
    json_schema: Mapping[str, Any] | None

    def prompt(self, view: View) -> Prompt:
        """Write the question."""
        ...

    def shown(self, view: View) -> Sequence[RelatedMemory]:
        """Return the memories that the prompt shows."""
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


def checked_state(state: str) -> str:
    """Return a next state that an answer calls for as valid Unicode; lone surrogates become question marks.

    Raises:
        AnswerError: it is empty or longer than :data:`MAX_STATE_LENGTH`.
    """
    if not state:
        raise AnswerError("The next state is empty.")
    if len(state) > MAX_STATE_LENGTH:
        raise AnswerError(f"The next state has {len(state):,} characters; the bound is {MAX_STATE_LENGTH:,}.")
    return state.encode("utf-8", "replace").decode("utf-8")


def has_open_end(memory: Transition) -> bool:
    """Return whether a memory says that the episode ends, and leaves open whether that is a success."""
    return memory.source is Source.COMPOSED and memory.terminated


def evidence(memory: Transition) -> str:
    """Return what a composed memory says for and against success; empty where it says nothing."""
    return memory.reasoning.partition(": ")[2] if memory.source is Source.COMPOSED else ""


def outcome_word(reward: float, terminated: bool) -> str:
    """Return ``continue``, ``success``, ``failure`` or ``rewarded`` (a reward without an end)."""
    if terminated:
        return "success" if reward > 0 else "failure"
    return "rewarded" if reward > 0 else "continue"
