"""What makes two transitions the same: content hashes, and the row ids that carry them.

A row's id says everything that the leak rules, the removal of duplicates and exact replay need, so that a search in
Chroma has to return ids and distances only (documents and metadata cost several times as much):

``real.<question>.<outcome>.<path>.<task>.<episode>.<step>``

``question`` is the page and the action, ``outcome`` the next page, reward and end, both without the task's
instruction; ``path`` is the task and all actions so far.  The id depends on nothing but the transition: the same one
added twice, in any process, is one row.
"""

from __future__ import annotations

import base64
import functools
import hashlib
import re
import sys
from collections.abc import Callable, Iterable
from typing import NamedTuple

from dreamgym_env.types import Domain, Query, Source, Transition

__all__ = ["Identifier", "RowId", "digest", "plain_name"]

_UNIT = "\x1f"  # ASCII unit separator: no text of an environment holds it
_REAL = str(Source.REAL)  # to compare with the member itself is slow


class RowId(NamedTuple):
    """The parts of a row's id."""

    source: str
    question: str
    outcome: str
    path: str
    task: str
    episode: str
    step: int

    def __str__(self) -> str:
        return ".".join(map(str, self))

    @classmethod
    def parse(cls, text: str) -> RowId:
        """Inverse of ``str()``. Raises ValueError for any other text."""
        source, question, outcome, path, task, episode, step = text.split(".")
        shared = map(sys.intern, (source, question, outcome, task, episode))  # many rows have the same
        source, question, outcome, task, episode = shared
        return cls(source, question, outcome, path, task, episode, int(step))

    @property
    def real(self) -> bool:
        """Whether it was recorded in the real environment."""
        return self.source == _REAL


class Identifier:
    """Computes ids for the transitions of one domain."""

    def __init__(self, domain: Domain) -> None:
        """Create an identifier; ``domain`` says where the instruction stands in a page and how actions are written."""
        self._page: Callable[[str, str], str] = functools.lru_cache(maxsize=16_384)(
            lambda state, instruction: digest(*domain.segment(state, instruction))
        )
        self._canonical: Callable[[str], str] = functools.lru_cache(maxsize=16_384)(
            lambda action: domain.parse_action(action) or action
        )
        self.question: Callable[[str, str, str], str] = functools.lru_cache(maxsize=16_384)(self._question)
        """``question(state, instruction, action)`` is the hash of a page (without the instruction) and an action."""
        self.episode: Callable[[str, str], str] = functools.lru_cache(maxsize=16_384)(digest)
        """``episode(task_id, episode)`` is the hash of an episode's name; under two tasks it names two episodes."""

    def row_id(self, transition: Transition) -> RowId:
        """Return the id of a transition."""
        next_page = self._page(transition.next_state, transition.instruction)
        return RowId(
            source=str(transition.source),
            question=self.question(transition.state, transition.instruction, transition.action),
            outcome=digest(next_page, repr(float(transition.reward)), repr(bool(transition.terminated))),
            path=self._path(transition.task_id, (*(turn.action for turn in transition.history), transition.action)),
            task=self.family(transition.family),
            episode=self.episode(transition.task_id, transition.episode),
            step=transition.step,
        )

    def _question(self, state: str, instruction: str, action: str) -> str:
        return digest(self._page(state, instruction), self._canonical(action))

    def path(self, query: Query) -> str:
        """Return the hash of a query's task and all actions of its episode, the one asked for included."""
        return self._path(query.task.id, (*(turn.action for turn in query.history), query.action))

    def family(self, task_id: str) -> str:
        """Return the hash of an original task's id, by which it and its variations are known."""
        return digest(task_id)

    def _path(self, task_id: str, actions: Iterable[str]) -> str:
        return digest(task_id, *map(self._canonical, actions))


def digest(*texts: str) -> str:
    """Return 64 bits of BLAKE2b over the texts, in 11 characters."""
    data = _UNIT.join(texts).encode("utf-8", "surrogatepass")
    return base64.urlsafe_b64encode(hashlib.blake2b(data, digest_size=8).digest()).decode().rstrip("=")


def plain_name(name: str) -> str:
    """Return a name in characters that folders and Chroma's collections take: a domain may be called anything."""
    return re.sub(r"[^A-Za-z0-9_-]+", "-", name).strip("-_") or "unnamed"
