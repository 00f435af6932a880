"""Judges from strings, as a command names them."""

from __future__ import annotations

from collections.abc import Sequence

from dreamgym_env.evaluation.judging.generator_judge import GeneratorJudge
from dreamgym_env.evaluation.judging.judgements import Judge
from dreamgym_env.evaluation.judging.rule_judge import RULES, RuleJudge
from dreamgym_env.masking import mask_secrets
from dreamgym_env.types import TextGenerator, Transition
from dreamgym_env.world_model.generators.strings import lazy_generator

__all__ = ["judge_from_string"]


def judge_from_string(
    spec: str,
    *,
    reference: Sequence[Transition] = (),
    seed: int = 0,
    generator: TextGenerator | None = None,
    progress: bool = False,
) -> Judge:
    """Build the judge that a string names; a model is loaded when it is first asked.

    Args:
        spec: ``"rules"``, or a string of a language model: ``"transformers:ID_OR_PATH"``, ``"vllm:ID_OR_PATH"``,
            ``"openai:MODEL@http://host:8000/v1"``.
        reference: real steps, by which rules measure diversity.
        seed: of the sampling of a language model's further attempts.
        generator: used in place of the one that the string names.
        progress: show a progress bar while a model is asked (on a terminal only).

    Raises:
        WorldModelStringError: the string has none of the forms, or names the embedded world model.
    """
    if spec == RULES:
        return RuleJudge(reference)
    named = lazy_generator(spec, role="judge", task="judge", besides=RULES)
    return GeneratorJudge(mask_secrets(spec), generator or named, seed=seed, progress=progress)
