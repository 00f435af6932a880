"""One transition as a JSON object: the form it has in a transitions file and in a Chroma row.

A transition's history repeats the whole episode before it, so it is written only where nothing else holds it: a record
without ``"history"`` starts an episode (step 0) or continues another record, its *predecessor*.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from typing import Any

from dreamgym_env.types import Source, Transition, Turn

__all__ = ["continues", "dump_line", "from_record", "to_record"]

_SOURCES = {str(source): source for source in (Source.REAL, Source.DREAM)}


def continues(transition: Transition, predecessor: Transition) -> bool:
    """Return whether ``transition`` is the step right after ``predecessor`` in the same episode, history and all."""
    before = predecessor.history
    return (
        transition.step == predecessor.step + 1
        and transition.episode == predecessor.episode
        and transition.task_id == predecessor.task_id
        and len(transition.history) == len(before) + 1
        and transition.history[-1] == Turn(predecessor.state, predecessor.action)
        and transition.history[:-1] == before
    )


def to_record(transition: Transition, predecessor: Transition | None = None) -> dict[str, Any]:
    """Return a transition as JSON values; members that hold their default are left out.

    Args:
        transition: what to write.
        predecessor: the record that a reader will have at hand, or None. The history is left out if it follows
            from the predecessor, or if there is none at step 0.
    """
    record: dict[str, Any] = {
        "domain": transition.domain,
        "task_id": transition.task_id,
        "instruction": transition.instruction,
        "split": transition.split,
        "episode": transition.episode,
        "step": transition.step,
        "state": transition.state,
        "action": transition.action,
        "next_state": transition.next_state,
        "reward": float(transition.reward),
        "terminated": bool(transition.terminated),
        "source": str(transition.source),
    }
    starts = transition.step == 0 and not transition.history
    if not starts and not (predecessor is not None and continues(transition, predecessor)):
        record["history"] = [[turn.state, turn.action] for turn in transition.history]
    if transition.reasoning:
        record["reasoning"] = transition.reasoning
    if transition.score != transition.reward:
        record["score"] = float(transition.score)
    if not transition.valid:
        record["valid"] = False
    if transition.available_actions:
        record["available_actions"] = list(transition.available_actions)
    if transition.parent:
        record["parent"] = transition.parent
    return record


def from_record(record: Mapping[str, Any], predecessor: Transition | None = None) -> Transition:
    """Inverse of :func:`to_record`; equal texts become one object in memory.

    Raises:
        ValueError: a member is missing or of a wrong type, or the history hangs on a predecessor that is not given.
    """
    step = _integer(record, "step")
    reward = _number(record, "reward")
    actions = record.get("available_actions", ())
    if not isinstance(actions, (list, tuple)) or not all(isinstance(action, str) for action in actions):
        raise ValueError('"available_actions" must be a list of texts')
    return Transition(
        domain=_text(record, "domain"),
        task_id=_text(record, "task_id"),
        instruction=_text(record, "instruction"),
        split=_text(record, "split"),
        episode=_text(record, "episode"),
        step=step,
        history=_history(record, step, predecessor),
        state=_text(record, "state"),
        action=_text(record, "action"),
        next_state=_text(record, "next_state"),
        reward=reward,
        terminated=_flag(record, "terminated"),
        source=_source(record),
        reasoning=_text(record, "reasoning", ""),
        parent=_text(record, "parent", ""),
        score=_number(record, "score", reward),
        valid=_flag(record, "valid", True),
        available_actions=tuple(sys.intern(action) for action in actions),
    )


def dump_line(record: Mapping[str, Any]) -> str:
    """Return a record as one line of JSON that can be encoded as UTF-8, whatever characters an agent typed."""
    line = json.dumps(record, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    try:
        line.encode()
    except UnicodeEncodeError:  # a lone surrogate: only an escape can carry it
        line = json.dumps(record, ensure_ascii=True, allow_nan=False, separators=(",", ":"))
    return line


def _history(record: Mapping[str, Any], step: int, predecessor: Transition | None) -> tuple[Turn, ...]:
    turns = record.get("history")
    if turns is None:
        if step == 0:
            return ()
        if predecessor is None or predecessor.step != step - 1:
            raise ValueError(f'it has no "history", and step {step - 1} of its episode does not come before it')
        return (*predecessor.history, Turn(predecessor.state, predecessor.action))
    if not isinstance(turns, list):
        raise ValueError('"history" must be a list of [state, action] pairs')
    history = []
    for turn in turns:
        if not isinstance(turn, list) or len(turn) != 2 or not all(isinstance(text, str) for text in turn):
            raise ValueError('"history" must be a list of [state, action] pairs')
        history.append(Turn(sys.intern(turn[0]), sys.intern(turn[1])))
    return tuple(history)


def _wrong(record: Mapping[str, Any], name: str, wanted: str) -> ValueError:
    if record.get(name) is None:
        return ValueError(f'"{name}" is missing')
    return ValueError(f'"{name}" must be {wanted}, not {record[name]!r:.60}')


def _text(record: Mapping[str, Any], name: str, default: str | None = None) -> str:
    value = record.get(name, default)
    if type(value) is not str:
        raise _wrong(record, name, "a text")
    return sys.intern(value)


def _integer(record: Mapping[str, Any], name: str) -> int:
    value = record.get(name)
    if type(value) is not int or value < 0:
        raise _wrong(record, name, "a whole number from 0")
    return value


def _number(record: Mapping[str, Any], name: str, default: float | None = None) -> float:
    value = record.get(name, default)
    if (type(value) is not int and type(value) is not float) or not abs(value) <= sys.float_info.max:
        raise _wrong(record, name, "a finite number")
    return float(value)


def _flag(record: Mapping[str, Any], name: str, default: bool | None = None) -> bool:
    value = record.get(name, default)
    if type(value) is not bool:
        raise _wrong(record, name, "true or false")
    return value


def _source(record: Mapping[str, Any]) -> Source:
    source = _SOURCES.get(_text(record, "source", str(Source.REAL)))
    if source is None:
        raise _wrong(record, "source", '"real" or "dream"')
    return source
