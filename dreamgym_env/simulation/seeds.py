"""Seeds of episodes: 64 bits; the upper half is a group's of identical starts, the lower half each member's own."""

from __future__ import annotations

import hashlib

import numpy as np

__all__ = ["episode_seed", "group_draw", "source_generator"]


def episode_seed(entropy: int, member: int) -> int:
    """Return the seed of a member of a group; an episode without a group is member 0 of its own.

    Args:
        entropy: what was drawn for the group.
        member: position within the group, from 0.
    """
    first, own = (_words(entropy, position) for position in (0, member))
    return (first >> 32) << 32 | (own & 0xFFFFFFFF)


def group_draw(seed: int, purpose: str) -> float:
    """Return a number in [0, 1) for one decision about an episode; it is the same for all members of its group.

    Args:
        seed: of the episode.
        purpose: what is decided; each purpose has numbers of its own.
    """
    digest = hashlib.blake2b(f"{purpose}.{seed >> 32}".encode(), digest_size=8).digest()
    return (int.from_bytes(digest, "little") >> 11) / 2**53


def source_generator(entropy: int) -> np.random.Generator:
    """Return a generator for what decides a group's task; it has no numbers in common with the seeds of its members."""
    return np.random.default_rng(np.random.SeedSequence(entropy, spawn_key=(1,)))


def _words(entropy: int, position: int) -> int:
    return int(np.random.SeedSequence([entropy, position]).generate_state(1, np.uint64)[0])
