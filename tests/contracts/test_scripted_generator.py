"""The scripted generator keeps the contract of every generator."""

from __future__ import annotations

from dreamgym_env.testing.generator_contract import TextGeneratorContract
from dreamgym_env.world_model.generators.scripted import ScriptedGenerator


class TestScriptedGenerator(TextGeneratorContract):
    samples = False
    limits_length = False
    too_long = None

    def make_generator(self) -> ScriptedGenerator:
        return ScriptedGenerator(lambda prompt: f"You asked: {prompt.user[::-1]} ({len(prompt.system)})")
