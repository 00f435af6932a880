"""Variators from strings, as a command names them."""

from __future__ import annotations

from dreamgym_env.curriculum.generated import GeneratedVariator
from dreamgym_env.curriculum.variations import RuleVariator
from dreamgym_env.types import Domain, TextGenerator
from dreamgym_env.world_model.generators.strings import lazy_generator

__all__ = ["RULES", "variator_from_string"]

RULES = "rules"
"""The string that stands for the domain's own rules."""


def variator_from_string(
    spec: str, domain: Domain, *, seed: int = 0, generator: TextGenerator | None = None
) -> RuleVariator | GeneratedVariator:
    """Build what makes variations from the string that names it; a model is loaded when it is first asked.

    The caller closes it.

    Args:
        spec: ``"rules"``, or a string of a language model: ``"transformers:ID_OR_PATH"``, ``"vllm:ID_OR_PATH"``,
            ``"openai:MODEL@http://host:8000/v1"``.
        domain: of the tasks.
        seed: of the sampling of a language model's further attempts.
        generator: used in place of the one that the string names.

    Raises:
        WorldModelStringError: the string has none of the forms, or names the embedded world model.
        CurriculumError: the domain knows no variations of its tasks.
    """
    if spec == RULES:
        return RuleVariator(domain)
    named = lazy_generator(spec, role="task generator", task="vary", besides=RULES)
    return GeneratedVariator(domain, generator or named, seed=seed)
