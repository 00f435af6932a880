"""The engines behind a world model, all behind the protocol :class:`~dreamgym_env.types.TextGenerator`.

- :class:`~dreamgym_env.world_model.generators.hf.TransformersGenerator`: any causal language model, on CPU or GPU.
- :class:`~dreamgym_env.world_model.generators.vllm.VLLMGenerator`: vLLM in this process.
- :class:`~dreamgym_env.world_model.generators.openai.OpenAIGenerator`: any OpenAI-compatible server.
- :class:`~dreamgym_env.world_model.generators.scripted.ScriptedGenerator`: a function, for tests.
- :func:`~dreamgym_env.world_model.generators.strings.generator_from_string`: one of the first three from a string.
"""

from __future__ import annotations

from dreamgym_env.world_model.generators.hf import TransformersGenerator
from dreamgym_env.world_model.generators.openai import OpenAIGenerator, RetryPolicy
from dreamgym_env.world_model.generators.scripted import ScriptedGenerator
from dreamgym_env.world_model.generators.strings import generator_from_string
from dreamgym_env.world_model.generators.vllm import VLLMGenerator

__all__ = [
    "OpenAIGenerator",
    "RetryPolicy",
    "ScriptedGenerator",
    "TransformersGenerator",
    "VLLMGenerator",
    "generator_from_string",
]
