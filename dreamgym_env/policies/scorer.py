"""The network: it scores any number of candidates, pointer-style (Vinyals et al., "Pointer Networks", 2015)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import nn

from dreamgym_env.policies.features import Encoded

__all__ = ["CandidateScorer", "pad"]


class CandidateScorer(nn.Module):
    """A state's vector and those of its candidates -> one logit a candidate, and the state's value."""

    def __init__(self, state_size: int, candidate_size: int, hidden: int, dropout: float = 0.0) -> None:
        """Create one with weights drawn from torch's generator; ``dropout`` acts while it is in training mode."""
        super().__init__()
        self.state = nn.Sequential(nn.Linear(state_size, hidden), nn.ReLU(), nn.Linear(hidden, hidden))
        self.candidate = nn.Linear(candidate_size, hidden)
        self.joint = nn.Sequential(
            nn.ReLU(),
            nn.Dropout(dropout),
            nn.Linear(hidden, hidden),
            nn.ReLU(),
            nn.Dropout(dropout),
            nn.Linear(hidden, 1),
        )
        self.value = nn.Sequential(nn.ReLU(), nn.Linear(hidden, 1))

    def forward(
        self, states: torch.Tensor, candidates: torch.Tensor, mask: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Score candidates.

        Args:
            states: shape (n, state_size).
            candidates: shape (n, K, candidate_size).
            mask: shape (n, K); True for what is a candidate and no padding.

        Returns:
            Logits of shape (n, K), minus infinity where the mask is False, and values of shape (n,).
        """
        context = self.state(states)
        logits = self.joint(self.candidate(candidates) + context.unsqueeze(1)).squeeze(-1)
        return logits.masked_fill(~mask, -torch.inf), self.value(context).squeeze(-1)


def pad(encoded: Sequence[Encoded]) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Return n situations, each with a candidate or more, as :meth:`CandidateScorer.forward` takes them."""
    most = max(len(one.choices) for one in encoded)
    candidates = np.zeros((len(encoded), most, encoded[0].candidates.shape[1]), dtype=np.float32)
    mask = np.zeros((len(encoded), most), dtype=bool)
    for at, one in enumerate(encoded):
        candidates[at, : len(one.choices)] = one.candidates
        mask[at, : len(one.choices)] = True
    states = np.stack([one.state for one in encoded])
    return torch.from_numpy(states), torch.from_numpy(candidates), torch.from_numpy(mask)
