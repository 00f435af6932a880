"""Experience: transitions on disk, and the replay buffer that finds those similar to a state and an action."""

from __future__ import annotations

from dreamgym_env.memory.embedders import HashingEmbedder, embedder_from_name
from dreamgym_env.memory.experience import TransitionWriter, read_transitions, write_transitions
from dreamgym_env.memory.filters import DreamFilter
from dreamgym_env.memory.keys import KeyEncoder, KeyWeights
from dreamgym_env.memory.replay_buffer import ReplayBuffer, retrieve_similar_transitions

__all__ = [
    "DreamFilter",
    "HashingEmbedder",
    "KeyEncoder",
    "KeyWeights",
    "ReplayBuffer",
    "TransitionWriter",
    "embedder_from_name",
    "read_transitions",
    "retrieve_similar_transitions",
    "write_transitions",
]
