"""How a dream's episode compares with the real one that runs along on the same actions."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from dreamgym_env.errors import KeywordError
from dreamgym_env.evaluation.fidelity import line_f1

__all__ = ["Comparison", "Segment", "Step", "check_bound"]

Segment = Callable[[str], tuple[str, ...]]
"""Splits a state into the parts that are counted."""


@dataclass(frozen=True, slots=True)
class Step:
    """What one of the two environments answered to an action."""

    state: str
    reward: float
    terminated: bool
    truncated: bool
    success: bool
    """Whether the episode ended, and ended well."""
    failure: str = ""
    """Why the real engine has no answer; empty where it has one."""


class Comparison:
    """Two episodes side by side, from their first states on.

    A step differs where the states are not the same text, where one of the two terminates and the other does not, or
    where one succeeds and the other does not.  A step that the dream takes after the real episode has ended differs,
    too.  Where the real engine fails, nothing is known from then on: no further step is counted as one that differs.

    :attr:`info` says of the latest step (after ``reset``: of the first states):

    - ``env_id``: id of the real environment;
    - ``compared``: whether it answered; otherwise its episode has ended before, or its engine has failed;
    - ``state_same``: whether both show the same text; False where nothing was compared;
    - ``line_f1``: how alike the texts are, from 0 to 1, as bags of a domain's segments, or of lines; nan where nothing
      was compared;
    - ``reward``, ``terminated``, ``truncated``: of the real step; 0.0 and False where it took none;
    - ``success_same``: False once it is known that one of the two has succeeded and the other has not;
    - ``steps_differing``: how many steps of this episode have differed so far;
    - ``first_difference``: number of the first of them, from 1; 0 where the first states differ; -1 where none does;
    - ``ended``: whether the real episode has ended;
    - ``failure``: why the real engine could not go on; empty where it could;
    - ``seconds``: what the real step took, in a vector environment its share of the batch.
    """

    def __init__(self, env_id: str, segment: Segment, dream_state: str, real_state: str, seconds: float) -> None:
        """Compare the first states; where they differ, step 0 is the first difference, and no step has differed yet.

        Args:
            env_id: id of the real environment.
            segment: splits states of this episode.
            dream_state: first state of the dream.
            real_state: first state of the real episode.
            seconds: what its beginning took.
        """
        self._env_id, self._segment = env_id, segment
        self._steps = 0
        self.differing = 0
        """How many steps have differed."""
        self._first = 0 if dream_state != real_state else -1
        self._succeeded = False
        self._failure = ""
        self.ended = False
        """Whether the real episode has ended."""
        shown = Step(real_state, 0.0, False, False, False)
        self.info = self._describe(dream_state, shown, success_same=True, seconds=seconds)

    def add(self, dream: Step, real: Step | None, seconds: float = 0.0) -> None:
        """Compare a step, and replace :attr:`info`.

        Args:
            dream: the dream's answer.
            real: the real one; None where the real episode had ended before.
            seconds: what the real step took.
        """
        self._steps += 1
        if real is not None:
            self._succeeded, self._failure = real.success, real.failure
            self.ended = real.terminated or real.truncated
        success_same = bool(self._failure) or dream.success == self._succeeded
        if not self._failure and (real is None or not success_same or _differ(dream, real)):
            self.differing += 1
            self._first = self._steps if self._first < 0 else self._first
        self.info = self._describe(dream.state, real, success_same=success_same, seconds=seconds)

    def _describe(self, dream_state: str, real: Step | None, *, success_same: bool, seconds: float) -> dict[str, Any]:
        compared = real is not None and not real.failure
        likeness = math.nan
        if real is not None and compared:
            is_same = dream_state == real.state
            likeness = 1.0 if is_same else line_f1(self._segment(dream_state), self._segment(real.state))
        return {
            "env_id": self._env_id,
            "compared": compared,
            "state_same": real is not None and compared and dream_state == real.state,
            "line_f1": likeness,
            "reward": 0.0 if real is None else real.reward,
            "terminated": real is not None and real.terminated,
            "truncated": real is not None and real.truncated,
            "success_same": success_same,
            "steps_differing": self.differing,
            "first_difference": self._first,
            "ended": self.ended,
            "failure": self._failure,
            "seconds": seconds,
        }


def _differ(dream: Step, real: Step) -> bool:
    return (dream.state, dream.terminated) != (real.state, real.terminated)


def check_bound(value: int | None) -> None:
    """Raise KeywordError unless a number of differing steps after which an episode is truncated is None or one."""
    if value is not None and (isinstance(value, bool) or not isinstance(value, int) or value < 1):
        raise KeywordError(f"max_differing_steps takes a whole number of at least 1, or None, not {value!r:.80}.")
