"""One episode as the tokens that a model is trained on."""

from __future__ import annotations

import bisect
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from dreamgym_env.evaluation.thinking import reply_end

__all__ = ["OUT_OF_TOKENS", "EpisodeTokens", "columns", "until_stop"]

OUT_OF_TOKENS = "token_budget"
"""``stop_reason`` of an episode that was cut short because its tokens were used up."""
_FIELDS = (
    *("task_id", "episode_return", "won", "task_score", "stop_reason", "failure"),
    *("turns", "ill_formed", "cut_replies"),
)
"""What reward functions are told about an episode."""


@dataclass(slots=True)
class EpisodeTokens:
    """What the model read first, and all that came after it, with a mask of what is the model's own."""

    task_id: str
    prompt_ids: list[int]
    most: int
    """Bound on the completion."""
    completion_ids: list[int] = field(default_factory=list)
    env_mask: list[int] = field(default_factory=list)
    """1 for an id that the model sampled, 0 for one of the environment."""
    logprobs: list[float | None] | None = None
    """Of each id, 0 for those of the environment; None where the engine tells none."""
    turns: int = 0
    ill_formed: int = 0
    """Replies without a readable action."""
    cut_replies: int = 0
    """Replies that did not end by themselves."""
    episode_return: float = 0.0
    won: bool = False
    task_score: float = 0.0
    stop_reason: str = ""
    failure: str = ""
    """Why the episode has no verdict, or empty."""

    @property
    def ids(self) -> list[int]:
        """What the model reads next."""
        return self.prompt_ids + self.completion_ids

    def has_room(self, count: int) -> bool:
        """Return whether so many more ids fit."""
        return len(self.completion_ids) + count <= self.most

    def add_reply(self, ids: Sequence[int], logprobs: Sequence[float | None] | None) -> None:
        """Add what the model sampled."""
        self._add(ids, 1, logprobs)
        self.turns += 1

    def add_message(self, ids: Sequence[int]) -> None:
        """Add what stands between two replies."""
        self._add(ids, 0, None if self.logprobs is None else [0.0] * len(ids))

    def give_up(self, failure: str, filler: int, longest: int) -> None:
        """Make it an episode that teaches nothing: TRL wants at least one token, and there is none.

        Args:
            failure: why.
            filler: the token.
            longest: bound on the prompt, whose end is left out.
        """
        self.failure, self.stop_reason = failure, OUT_OF_TOKENS
        self.prompt_ids = self.prompt_ids[:longest]
        self.add_message([filler])

    def _add(self, ids: Sequence[int], own: int, logprobs: Sequence[float | None] | None) -> None:
        if logprobs is not None:
            self.logprobs = [*(self.logprobs or []), *logprobs]
        self.completion_ids += ids
        self.env_mask += [own] * len(ids)


def columns(episodes: Sequence[EpisodeTokens], *, told: bool) -> dict[str, Any]:
    """Return what TRL takes, a list for each of its names and of those that reward functions are told.

    Args:
        episodes: n episodes that have ended.
        told: whether the engine tells log probabilities; ``"logprobs"`` is None otherwise.
    """
    return {
        "prompt_ids": [episode.prompt_ids for episode in episodes],
        "completion_ids": [episode.completion_ids for episode in episodes],
        "env_mask": [episode.env_mask for episode in episodes],
        "logprobs": [one.logprobs or [0.0] * len(one.completion_ids) for one in episodes] if told else None,
        **{name: [getattr(episode, name) for episode in episodes] for name in _FIELDS},
    }


def until_stop(ids: Sequence[int], decode: Callable[[Sequence[int]], str]) -> tuple[list[int], str]:
    """Return a reply up to where it begins to make the environment up, and what it says before that.

    The last id is the one with which a stop string was complete: the model chose it, and it ended the turn.
    """
    text = decode(ids)
    end = reply_end(text)
    if end == len(text):
        return list(ids), text
    at = bisect.bisect_left(range(len(ids) + 1), True, key=lambda count: _stops(decode(ids[:count])))
    return list(ids[:at]), text[:end]


def _stops(text: str) -> bool:
    return reply_end(text) < len(text)
