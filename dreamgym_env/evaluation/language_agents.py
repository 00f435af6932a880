"""Agents that ask a language model; all of them ask in one call."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from dreamgym_env.evaluation.thinking import STOP, PromptBounds, Reply, agent_prompt, read_reply
from dreamgym_env.evaluation.usage import AgentUsage
from dreamgym_env.types import Completion, Domain, Prompt, Sampling, Task, TextGenerator, Turn

if TYPE_CHECKING:
    import numpy as np

__all__ = ["LanguageAgent", "LanguageCrew"]


class LanguageCrew:
    """Makes agents that share a text generator, asks it for all of them at once, and counts what that costs."""

    def __init__(
        self,
        domain: Domain,
        generator: TextGenerator,
        *,
        name: str,
        bounds: PromptBounds | None = None,
        temperature: float = 0.0,
        max_new_tokens: int = 256,
    ) -> None:
        """Create one; the generator is its own from now on.

        Args:
            domain: what the agents act in.
            generator: who answers.
            name: of the agents.
            bounds: how much of an episode a prompt shows.
            temperature: 0 is greedy.
            max_new_tokens: bound on a reply's length.
        """
        self.name = name
        self._domain, self._generator = domain, generator
        self._bounds = bounds or PromptBounds()
        self._sampling = Sampling(max_new_tokens, temperature, STOP)
        self._usage = AgentUsage()

    @property
    def usage(self) -> AgentUsage:
        """What all agents have used up so far."""
        return self._usage

    def __call__(self) -> LanguageAgent:
        """Make one more agent."""
        return LanguageAgent(self)

    def act_all(
        self, members: Sequence[LanguageAgent], states: Sequence[str], available_actions: Sequence[Sequence[str]]
    ) -> list[str | None]:
        """Return the next action of each, None for those whom the engine did not answer; one call of the generator.

        Raises:
            WorldModelError: the engine as a whole cannot answer.
        """
        prompts = [
            member.prompt(state, offered)
            for member, state, offered in zip(members, states, available_actions, strict=True)
        ]
        seeds = [member.next_seed() for member in members]
        completions = self._generator.generate(prompts, self._sampling, seeds)
        replies = [read_reply(completion.text, self._domain.parse_action) for completion in completions]
        self._count(completions, replies)
        return [
            member.decide(state, completion, reply)
            for member, state, completion, reply in zip(members, states, completions, replies, strict=True)
        ]

    def prompt(self, instruction: str, history: Sequence[Turn], state: str, offered: Sequence[str]) -> Prompt:
        """Return the prompt for a next action."""
        return agent_prompt(self._domain, instruction, history, state, offered, self._bounds)

    def close(self) -> None:
        """Close the generator."""
        self._generator.close()

    def _count(self, completions: Sequence[Completion], replies: Sequence[Reply]) -> None:
        answered = [not completion.error for completion in completions]
        unread = [not reply.well_formed for reply in replies]
        self._usage = replace(
            self._usage,
            calls=self._usage.calls + 1,
            actions=self._usage.actions + len(replies),
            prompt_tokens=self._usage.prompt_tokens + sum(one.prompt_tokens for one in completions),
            completion_tokens=self._usage.completion_tokens + sum(one.completion_tokens for one in completions),
            ill_formed=self._usage.ill_formed + sum(map(operator.and_, answered, unread)),
            failures=self._usage.failures + answered.count(False),
        )


class LanguageAgent:
    """Thinks, then acts (:mod:`.thinking`)."""

    def __init__(self, crew: LanguageCrew) -> None:
        """Join a crew."""
        self.crew, self.name = crew, crew.name
        self.failure = ""

    def begin(self, task: Task, rng: np.random.Generator) -> None:
        """Start an episode."""
        self._rng, self.failure = rng, ""
        self._instruction = task.instruction
        self._turns: list[Turn] = []

    def act(self, state: str, available_actions: Sequence[str]) -> str | None:
        """Return the next action; None where the engine did not answer."""
        return self.crew.act_all([self], [state], [available_actions])[0]

    def prompt(self, state: str, available_actions: Sequence[str]) -> Prompt:
        """Return what the model is asked."""
        return self.crew.prompt(self._instruction, self._turns, state, available_actions)

    def next_seed(self) -> int:
        """Draw the seed of the next reply."""
        return int(self._rng.integers(2**31))

    def decide(self, state: str, completion: Completion, reply: Reply) -> str | None:
        """Keep what the reply says is to be done, and return it; None, with a reason, where there was no reply."""
        if completion.error:
            self.failure = f"{self.name} got no answer: {completion.error}"
            return None
        self._turns.append(Turn(state, reply.action))
        return reply.action
