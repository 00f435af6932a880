"""Which of many steps are judged: all kinds of actions, and early and late ones, in the same way each time."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import numpy as np

from dreamgym_env.types import Domain, Transition

__all__ = ["sample_transitions"]

_STEP_BOUNDS = (1, 3, 6, 12)
"""Steps are divided at these numbers: the first one, early ones, later ones."""


def sample_transitions(domain: Domain, transitions: Sequence[Transition], n: int, seed: int = 0) -> list[Transition]:
    """Draw steps, stratified by kind of action and by step.

    Each stratum gives its share of the sample, and at least one step as long as there are no more strata than steps to
    draw.

    Args:
        domain: names the kinds of actions.
        transitions: what to draw from, without replacement.
        n: how many to draw; all are returned where there are no more.
        seed: of the draw; the same transitions, n and seed give the same sample.

    Returns:
        min(n, len(transitions)) transitions, in their own order.

    Raises:
        ValueError: n is below 1.
    """
    if n < 1:
        raise ValueError(f"n must be at least 1, not {n!r}.")
    if n >= len(transitions):
        return list(transitions)
    strata: dict[tuple[str, int], list[int]] = defaultdict(list)
    for at, step in enumerate(transitions):
        kind = domain.action_kind(step.action) if step.valid else "not offered"
        strata[kind, int(np.searchsorted(_STEP_BOUNDS, step.step, side="right"))].append(at)
    rng = np.random.default_rng(seed)
    chosen: list[int] = []
    for key, count in _shares({key: len(strata[key]) for key in sorted(strata)}, n).items():
        chosen += rng.choice(strata[key], count, replace=False).tolist()
    return [transitions[at] for at in sorted(chosen)]


def _shares(sizes: dict[tuple[str, int], int], n: int) -> dict[tuple[str, int], int]:
    """Return how many each stratum gives: one each while there is room, the rest in proportion (largest remainder)."""
    first = dict.fromkeys(sorted(sizes, key=lambda key: (-sizes[key], key))[:n], 1)
    shares = {key: first.get(key, 0) for key in sizes}
    left = n - sum(shares.values())
    room = {key: sizes[key] - shares[key] for key in sizes}
    total = sum(room.values())
    exact = {key: left * room[key] / total for key in sizes}
    for key in sizes:
        shares[key] += int(exact[key])
    short = n - sum(shares.values())
    for key in sorted(sizes, key=lambda key: (int(exact[key]) - exact[key], key))[:short]:
        shares[key] += 1
    return shares
