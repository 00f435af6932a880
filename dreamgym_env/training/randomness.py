"""Randomness that stays inside a training."""

from __future__ import annotations

import contextlib
import random
from collections.abc import Iterator

import numpy as np
import torch

__all__ = ["own_randomness"]


@contextlib.contextmanager
def own_randomness(seed: int) -> Iterator[None]:
    """Seed torch; give it, numpy and ``random``, which transformers' Trainer seeds, their states back at the end.

    Args:
        seed: of torch's generators inside.
    """
    python, numpy = random.getstate(), np.random.get_state()
    with torch.random.fork_rng(range(torch.cuda.device_count())):
        torch.manual_seed(seed)
        try:
            yield
        finally:
            random.setstate(python)
            np.random.set_state(numpy)
