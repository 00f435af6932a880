"""What a language model answers that explains recorded steps: the schemas, and how an answer is read.

Nothing is read into an answer: it is exactly what was asked for, or an :class:`AnswerError`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from dreamgym_env.types import Transition
from dreamgym_env.world_model.formats import AnswerError
from dreamgym_env.world_model.json_answers import object_schema, read_object, read_sentences

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


TUTORIAL_PARTS = ("plan", "success_mode", "failure_mode")
_TOWARD = ("success", "failure")
TUTORIAL_SCHEMA = object_schema(
    {name: {"type": "string", "maxLength": _MAX_TUTORIAL_LENGTH} for name in TUTORIAL_PARTS}
)
STEPS_SCHEMA = object_schema(
    {
        "steps": {
            "type": "array",
            "items": object_schema(
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
    answer = read_object(text, TUTORIAL_PARTS)
    return Tutorial(*(read_sentences(answer[name], name, _MAX_TUTORIAL_LENGTH) for name in TUTORIAL_PARTS))


def read_traces(text: str, asked: Sequence[Transition]) -> list[str]:
    """Read the answer to a question about steps: one reasoning trace for each asked step, in order.

    Raises:
        AnswerError: it is not exactly that; a trace for most of the steps is none.
    """
    entries = read_object(text, ("steps",))["steps"]
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
    return f"Toward {entry['toward']}: {read_sentences(entry['response'], 'response', MAX_RESPONSE_LENGTH)}"
