"""Reading the JSON object that a language model was asked for, strictly: nothing is read into an answer."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from dreamgym_env.world_model.formats import AnswerError
from dreamgym_env.world_model.generators.batches import clean_text

__all__ = ["object_schema", "read_object", "read_sentences"]


def object_schema(properties: Mapping[str, Any]) -> dict[str, Any]:
    """Return the JSON schema of an object that has all of these members, and no others."""
    return {
        "type": "object",
        "properties": dict(properties),
        "required": list(properties),
        "additionalProperties": False,
    }


def read_object(text: str, members: Sequence[str]) -> dict[str, Any]:
    """Return the one JSON object of an answer, with just these members; thoughts before and a fence around it go.

    Raises:
        AnswerError: the answer is anything else.
    """
    written = text.rpartition("</think>")[2].strip()
    if written.startswith("```") and written.endswith("```"):
        written = written.strip("`").removeprefix("json").strip()
    try:
        # models leave line breaks in their strings
        value = json.loads(written, strict=False, object_pairs_hook=_without_repeats)
    except (ValueError, RecursionError) as error:  # ValueError also for a number of thousands of digits
        raise AnswerError(f"The answer is not one JSON object: {text[:80]!r}") from error
    if not isinstance(value, dict) or set(value) != set(members):
        raise AnswerError(f"The answer must be an object with just: {', '.join(members)}.")
    return value


def _without_repeats(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a member stands twice")
    return found


def read_sentences(value: object, name: str, longest: int) -> str:
    """Return a text in one line.

    Args:
        value: what stands in the answer.
        name: of the member, for a message.
        longest: the most characters that it may have.

    Raises:
        AnswerError: it is no text, has no letter, or is too long.
    """
    if not isinstance(value, str):
        raise AnswerError(f"{name} must be a text, not {type(value).__name__}.")
    line = " ".join(clean_text(value).split())
    if not any(character.isalpha() for character in line):
        raise AnswerError(f"{name} says nothing: {line[:40]!r}.")
    if len(line) > longest:
        raise AnswerError(f"{name} has {len(line):,} characters; the bound is {longest:,}.")
    return line
