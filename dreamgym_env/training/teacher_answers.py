"""What a language model answers that explains recorded steps: the schemas, and how an answer is read.

Nothing is read into an answer: it is exactly what was asked for, or an :class:`AnswerError`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dreamgym_env.types import Transition
from dreamgym_env.world_model.formats import AnswerError
from dreamgym_env.world_model.generators.batches import clean_text

__all__ = [
    "MAX_RESPONSE_LENGTH",
    "STEPS_SCHEMA",
    "TUTORIAL_PARTS",
    "TUTORIAL_SCHEMA",
    "Tutorial",
    "read_traces",
    "read_tutorial",
]

MAX_RESPONSE_LENGTH = 600
"""Characters; two sentences on what an environment does are never longer."""
_MAX_TUTORIAL_LENGTH = 1_500


def _object_schema(properties: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": dict(properties),
        "required": list(properties),
        "additionalProperties": False,
    }


TUTORIAL_PARTS = ("plan", "success_mode", "failure_mode")
_TOWARD = ("success", "failure")
TUTORIAL_SCHEMA = _object_schema(
    {name: {"type": "string", "maxLength": _MAX_TUTORIAL_LENGTH} for name in TUTORIAL_PARTS}
)
STEPS_SCHEMA = _object_schema(
    {
        "steps": {
            "type": "array",
            "items": _object_schema(
                {
                    "step": {"type": "integer"},
                    "toward": {"type": "string", "enum": list(_TOWARD)},
                    "response": {"type": "string", "maxLength": MAX_RESPONSE_LENGTH},
                }
            ),
        }
    }
)


@dataclass(frozen=True, slots=True)
class Tutorial:
    """What a trajectory teaches of its task."""

    plan: str
    success_mode: str
    failure_mode: str


def read_tutorial(text: str) -> Tutorial:
    """Read the answer to a tutorial's question. Raises AnswerError."""
    answer = _object(text, TUTORIAL_PARTS)
    return Tutorial(*(_sentences(answer[name], name, _MAX_TUTORIAL_LENGTH) for name in TUTORIAL_PARTS))


def read_traces(text: str, asked: Sequence[Transition]) -> list[str]:
    """Read the answer to a question about steps: one reasoning trace for each asked step, in order.

    Raises:
        AnswerError: it is not exactly that; a trace for most of the steps is none.
    """
    entries = _object(text, ("steps",))["steps"]
    if not isinstance(entries, list) or len(entries) != len(asked):
        many = len(entries) if isinstance(entries, list) else "no list of"
        raise AnswerError(f"The answer explains {many} steps, where {len(asked)} were asked.")
    return [_trace(entry, step) for entry, step in zip(entries, asked, strict=True)]


def _trace(entry: object, step: Transition) -> str:
    if not isinstance(entry, dict) or set(entry) != {"step", "toward", "response"}:
        raise AnswerError("Each step of the answer must be an object with just: step, toward, response.")
    if type(entry["step"]) is not int or entry["step"] != step.step:
        raise AnswerError(f"The answer explains step {str(entry['step'])[:20]!r} where step {step.step} was asked.")
    if entry["toward"] not in _TOWARD:
        raise AnswerError(f"toward must be success or failure, not {str(entry['toward'])[:40]!r}.")
    return f"Toward {entry['toward']}: {_sentences(entry['response'], 'response', MAX_RESPONSE_LENGTH)}"


def _sentences(value: object, name: str, longest: int) -> str:
    """Return a text in one line."""
    if not isinstance(value, str):
        raise AnswerError(f"{name} must be a text, not {type(value).__name__}.")
    line = " ".join(clean_text(value).split())
    if not any(character.isalpha() for character in line):
        raise AnswerError(f"{name} says nothing: {line[:40]!r}.")
    if len(line) > longest:
        raise AnswerError(f"{name} has {len(line):,} characters; the bound is {longest:,}.")
    return line


def _object(text: str, members: Sequence[str]) -> dict[str, Any]:
    """Return the one JSON object of an answer, with just these members; thoughts before and a fence around it go."""
    written = text.rpartition("</think>")[2].strip()
    if written.startswith("```") and written.endswith("```"):
        written = written.strip("`").removeprefix("json").strip()
    try:
        value = json.loads(written, strict=False)  # models leave line breaks in their strings
    except (ValueError, RecursionError) as error:  # ValueError also for a number of thousands of digits
        raise AnswerError(f"The answer is not one JSON object: {text[:80]!r}") from error
    if not isinstance(value, dict) or set(value) != set(members):
        raise AnswerError(f"The answer must be an object with just: {', '.join(members)}.")
    return value
