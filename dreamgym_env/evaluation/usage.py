"""What agents that ask a language model use up."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["AgentUsage"]


@dataclass(frozen=True, slots=True)
class AgentUsage:
    """Sums over all episodes that agents of one name have played so far."""

    calls: int = 0
    """How often the generator was called; one call serves all lanes of a rollout."""
    actions: int = 0
    """How many actions were asked for."""
    prompt_tokens: int = 0
    completion_tokens: int = 0
    ill_formed: int = 0
    """Replies that held no action of the domain's grammar; the environment was given what stood there instead."""
    failures: int = 0
    """Prompts that the engine did not answer at all; their episodes are failures, and no result of the agent's."""
