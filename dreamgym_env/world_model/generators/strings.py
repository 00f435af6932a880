"""Generators from strings, so that an environment's specification can hold them: ``"transformers:ID_OR_PATH"`` etc."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from dreamgym_env.errors import WorldModelStringError
from dreamgym_env.masking import mask_secrets
from dreamgym_env.types import TextGenerator
from dreamgym_env.world_model.generators.lazy import LazyGenerator

__all__ = ["FORMS", "GeneratorForm", "generator_from_string", "lazy_generator"]


@dataclass(frozen=True, slots=True)
class GeneratorForm:
    """A way to write a generator as a string."""

    example: str
    """The whole string, as a message shows it."""
    make: Callable[[str], TextGenerator]
    """Makes the generator from what follows the first colon, which is not empty."""


def generator_from_string(specification: str) -> TextGenerator:
    """Return the generator that a string names.

    Args:
        specification: ``"transformers:ID_OR_PATH"``, ``"vllm:ID_OR_PATH"`` or
            ``"openai:MODEL@http://host:8000/v1[,http://host2:8000/v1]"``.

    Raises:
        WorldModelStringError: it is none of these; the message lists the forms.
        WorldModelError: the model cannot be loaded.
        MissingDependencyError: the engine is not installed.
    """
    kind, _, rest = specification.partition(":")
    form = FORMS.get(kind)
    if form is None or not rest:
        raise _unreadable(specification, "it has none of the known forms")
    return form.make(rest)


def lazy_generator(specification: str, *, role: str, task: str, besides: str) -> TextGenerator:
    """Return the language model that a string names for some role; it is loaded when it is first asked.

    Args:
        specification: as for :func:`generator_from_string`.
        role: what the model is to be, for messages: ``"judge"``.
        task: what it is to do with pages, for messages: ``"judge"``.
        besides: the string of what needs no model in that role.

    Raises:
        WorldModelStringError: it names no language model, or the embedded world model; the message lists the forms.
    """
    kind, _, rest = specification.partition(":")
    if kind not in FORMS or not rest:
        forms = ", ".join(f'"{form.example}"' for form in FORMS.values())
        embedded = specification == "embedded"
        reason = f"predicts pages and cannot {task} them" if embedded else f"names no {role}"
        told = mask_secrets(specification)[:200]
        raise WorldModelStringError(f'{told!r} {reason}. {role.capitalize()}s are "{besides}", {forms}.')
    return LazyGenerator(functools.partial(generator_from_string, specification))


def _transformers(model: str) -> TextGenerator:
    from dreamgym_env.world_model.generators.hf import TransformersGenerator

    return TransformersGenerator(model)


def _vllm(model: str) -> TextGenerator:
    from dreamgym_env.world_model.generators.vllm import VLLMGenerator

    return VLLMGenerator(model)


def _openai(rest: str) -> TextGenerator:
    from dreamgym_env.world_model.generators.openai import OpenAIGenerator

    # The last @ that a URL follows: names of models may hold one as well.
    model, separator, urls = rest.rpartition("@http")
    if not model:
        raise _unreadable(f"openai:{rest}", "after 'openai:' it needs a model, an @ and an http(s) URL")
    try:
        return OpenAIGenerator(model, [url.strip() for url in (separator[1:] + urls).split(",") if url.strip()])
    except ValueError as error:
        raise _unreadable(f"openai:{rest}", str(error)) from error


FORMS: Mapping[str, GeneratorForm] = MappingProxyType(
    {
        "transformers": GeneratorForm("transformers:ID_OR_PATH", _transformers),
        "vllm": GeneratorForm("vllm:ID_OR_PATH", _vllm),
        "openai": GeneratorForm("openai:MODEL@http://host:8000/v1[,http://host2:8000/v1]", _openai),
    }
)
"""The forms by what stands before the colon."""


def _unreadable(specification: str, reason: str) -> WorldModelStringError:
    forms = ", ".join(f'"{form.example}"' for form in FORMS.values())
    return WorldModelStringError(f"{specification!r} names no text generator: {reason}. The forms are {forms}.")
