"""How agents are written: ``oracle``, ``noisy-oracle(0.5)``, ``llm(MODEL)``, lists of them, and shares.

What stands in brackets may hold commas and colons, as strings of world models do: a list is split only outside of them.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass

from dreamgym_env.errors import DreamGymError

__all__ = ["AgentName", "UnknownAgentError", "parse_agents", "read_agent_name", "split_names", "split_share"]

_CALL = re.compile(r"([a-z][a-z0-9-]*)\((.*)\)", re.DOTALL)


class UnknownAgentError(DreamGymError, ValueError):
    """There is no such agent, or its name cannot be read; the message lists those there are."""


@dataclass(frozen=True, slots=True)
class AgentName:
    """An agent's name, read."""

    kind: str
    """What stands before the brackets, or the whole text where there are none."""
    argument: str | None
    """What stands in the brackets; None where there are none."""


def parse_agents(text: str) -> tuple[str, ...]:
    """Read ``"oracle,noisy-oracle(0.3),llm(openai:m@http://h:1/v1)"``: names separated by commas.

    Returns:
        The names, in order, without the blanks around them.

    Raises:
        UnknownAgentError: a name is missing or given twice, or brackets do not match.
    """
    names = tuple(split_names(text))
    if not all(names):
        raise UnknownAgentError(f"An agent's name is missing in {text!r}: write for example oracle,noisy-oracle(0.3).")
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise UnknownAgentError(f"The agent {twice[0]!r} is named twice in {text!r}: name each once.")
    return names


def read_agent_name(text: str) -> AgentName:
    """Read ``NAME`` or ``NAME(ARGUMENT)``; any text is the one or the other."""
    match = _CALL.fullmatch(text.strip())
    return AgentName(match[1], match[2].strip()) if match else AgentName(text.strip(), None)


def split_names(text: str) -> list[str]:
    """Split a list at its commas, but for those in brackets.

    Raises:
        UnknownAgentError: brackets do not match.
    """
    cuts = [-1, *(at for at, character in _outside(text) if character == ","), len(text)]
    return [text[start + 1 : end].strip() for start, end in itertools.pairwise(cuts)]


def split_share(text: str) -> tuple[str, str]:
    """Split ``NAME:SHARE`` at the last colon that is not in brackets; the share is empty where there is none.

    Raises:
        UnknownAgentError: brackets do not match.
    """
    colons = [at for at, character in _outside(text) if character == ":"]
    at = colons[-1] if colons else len(text)
    return text[:at].strip(), text[at + 1 :].strip()


def _outside(text: str) -> Iterator[tuple[int, str]]:
    """Yield the characters outside of brackets with their places."""
    depth = 0
    for at, character in enumerate(text):
        depth += (character == "(") - (character == ")")
        if depth < 0:
            break
        if depth == 0:
            yield at, character
    if depth:
        raise UnknownAgentError(f"The brackets of {text!r} do not match: write for example noisy-oracle(0.3).")
