"""A generator behind the OpenAI protocol; see :class:`OpenAIGenerator`."""

from __future__ import annotations

from dreamgym_env.world_model.generators.openai.generator import OpenAIGenerator
from dreamgym_env.world_model.generators.openai.retry import RetryPolicy

__all__ = ["OpenAIGenerator", "RetryPolicy"]
