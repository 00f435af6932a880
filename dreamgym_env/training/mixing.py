"""Which transitions to learn from: rare ones more often than they happen, frequent ones less often.

Experience is lopsided: agents click far more products than they buy, and most orders fail.  Transitions are therefore
sorted into classes (kind of action; offered or not; whether the state changes; success, failure or neither) and drawn
by a tempered share, n ** 0.5 of a class of n, as multilingual models draw languages (Conneau and Lample,
"Cross-lingual Language Model Pretraining", NeurIPS 2019, section 3.1).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Sequence

import numpy as np

from dreamgym_env.types import Domain, Transition

__all__ = ["mix", "transition_class"]

_TEMPER = 0.5


def mix(domain: Domain, transitions: Sequence[Transition], count: int, rng: np.random.Generator) -> list[Transition]:
    """Draw transitions without replacement, by tempered shares of their classes.

    Args:
        domain: names the kinds of actions.
        transitions: what to draw from.
        count: how many to draw; all of them where there are no more.
        rng: decides which.

    Returns:
        ``min(count, len(transitions))`` of them in random order.
    """
    members: defaultdict[Hashable, list[int]] = defaultdict(list)
    for at, step in enumerate(transitions):
        members[transition_class(domain, step)].append(at)
    classes = [members[name] for name in sorted(members, key=str)]
    quotas = _quotas(np.array([len(places) for places in classes]), min(count, len(transitions)))
    drawn = [place for places, quota in zip(classes, quotas, strict=True) for place in rng.permutation(places)[:quota]]
    return [transitions[place] for place in rng.permutation(drawn)] if drawn else []


def transition_class(domain: Domain, step: Transition) -> tuple[str, bool, bool, str]:
    """Return (kind of action, offered, state changes, ``success`` or ``failure`` at an end, else nothing)."""
    end = ("success" if step.reward > 0 else "failure") if step.terminated else ""
    return domain.action_kind(step.action), step.valid, step.next_state != step.state, end


def _quotas(sizes: np.ndarray[tuple[int], np.dtype[np.int64]], count: int) -> list[int]:
    """Return how many of each class to draw; ``count`` in all, never more of a class than it has."""
    quotas = np.zeros(len(sizes), dtype=np.int64)
    while (missing := count - int(quotas.sum())) > 0:
        shares = np.where(quotas < sizes, sizes**_TEMPER, 0.0)
        further = np.minimum(np.floor(shares / shares.sum() * missing).astype(np.int64), sizes - quotas)
        if not further.any():  # fewer are missing than there are classes: one each, the largest first
            further[np.argsort(-shares, kind="stable")[:missing]] = 1
        quotas += further
    return [int(quota) for quota in quotas]
