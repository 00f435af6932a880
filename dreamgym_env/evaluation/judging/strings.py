"""Judges from strings, as a command names them."""

from __future__ import annotations

from collections.abc import Sequence

from dreamgym_env.errors import WorldModelStringError
from dreamgym_env.evaluation.judging.generator_judge import GeneratorJudge
from dreamgym_env.evaluation.judging.judgements import Judge
from dreamgym_env.evaluation.judging.rule_judge import RULES, RuleJudge
from dreamgym_env.masking import mask_secrets
from dreamgym_env.types import TextGenerator, Transition
from dreamgym_env.world_model.generators.strings import lazy_generator

__all__ = ["judge_from_string", "judges_from_strings"]


def judges_from_strings(
    specs: Sequence[str], *, reference: Sequence[Transition] = (), seed: int = 0, progress: bool = False
) -> list[Judge]:
    """Build several judges, as :func:`judge_from_string` does one; no model is loaded yet.

    Raises:
        WorldModelStringError: a string names no judge, or two name the same.
    """
    made: dict[str, Judge] = {}
    for spec in specs:
        judge = judge_from_string(spec.strip(), reference=reference, seed=seed, progress=progress)
        if judge.name in made:
            raise WorldModelStringError(f"The judge {judge.name!r} is named twice: name each once.")
        made[judge.name] = judge
    return list(made.values())


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
