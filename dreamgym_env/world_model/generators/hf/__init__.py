"""A generator for any causal language model of Hugging Face transformers; see :class:`TransformersGenerator`."""

from __future__ import annotations

from dreamgym_env.world_model.generators.hf.generator import TransformersGenerator

__all__ = ["TransformersGenerator"]
