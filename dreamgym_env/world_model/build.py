"""From a world-model string to a world model.

===================================================  =====================================================
``embedded``                                         the small model that the package ships
``transformers:ID_OR_PATH``                          a causal language model, in this process
``vllm:ID_OR_PATH``                                  the same through vLLM
``openai:MODEL@http://host:8000/v1[,http://...]``    any OpenAI-compatible server, or several that share the load
===================================================  =====================================================

A folder that this project's training wrote carries ``dreamgym.json``, which names the prompt format and codec that the
model was trained on; any other model is asked in the chat format.
"""

from __future__ import annotations

import functools
import json
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

from dreamgym_env.domains.recorded.domain import Recorded
from dreamgym_env.errors import WorldModelError, WorldModelStringError
from dreamgym_env.masking import mask_secrets
from dreamgym_env.types import Domain, TextGenerator
from dreamgym_env.world_model.chat import ChatFormat
from dreamgym_env.world_model.codec import CODECS
from dreamgym_env.world_model.compact import CompactFormat
from dreamgym_env.world_model.formats import PromptFormat
from dreamgym_env.world_model.generators.lazy import LazyGenerator
from dreamgym_env.world_model.generators.strings import FORMS, generator_from_string
from dreamgym_env.world_model.language import LanguageWorldModel

__all__ = ["EMBEDDED_PATH", "MODEL_SETTINGS_FILE", "format_settings", "prompt_format", "world_model_from_string"]

_LOGGER = logging.getLogger(__name__)
EMBEDDED_PATH = Path(__file__).parent / "embedded"
MODEL_SETTINGS_FILE = "dreamgym.json"
_FORMATS: dict[str, Callable[..., PromptFormat]] = {"chat": ChatFormat, "compact": CompactFormat}


def world_model_from_string(
    spec: str,
    domain: Domain,
    *,
    codec: str | None = None,
    reasoning: bool = True,
    temperature: float = 0.0,
    max_new_tokens: int = 1024,
    retries: int = 1,
    generator: TextGenerator | None = None,
) -> LanguageWorldModel:
    """Build the world model that a string names.

    Args:
        spec: one of the forms above.
        domain: whose environment is dreamt.
        codec: ``"full"`` or ``"edits"``; None for what the model was trained on, or ``full``.
        reasoning: whether the model reasons before it answers (the paper's ablation; leave it on).
        temperature: 0 is greedy.
        max_new_tokens: bound on an answer's length.
        retries: how often an answer that cannot be read is asked for again.
        generator: used in place of the one that the string names (its prompt format still follows the string).

    Raises:
        WorldModelStringError: the string has none of the forms.
        WorldModelError: the model cannot be loaded, or is the embedded one, which has not learnt this domain.
        MissingDependencyError: the engine's package is not installed.
    """
    backend, _, model = spec.partition(":")
    make: Callable[[], TextGenerator] = functools.partial(generator_from_string, spec)
    if spec == "embedded":
        backend, model = "transformers", str(EMBEDDED_PATH)
        if not (EMBEDDED_PATH / "config.json").is_file():
            raise WorldModelError(f"The embedded model's files are missing from {EMBEDDED_PATH}: reinstall it.")
        if generator is None:
            _check_learnt(domain)
        make = functools.partial(LazyGenerator, functools.partial(generator_from_string, f"{backend}:{model}"))
    elif backend not in FORMS:
        forms = ", ".join(f'"{form.example}"' for form in FORMS.values())
        raise WorldModelStringError(
            f'{mask_secrets(spec)[:200]!r} names no world model. The forms are "embedded", {forms}.'
        )
    settings = format_settings(model) if backend in ("transformers", "vllm") else {}
    if codec is not None:
        settings["codec"] = codec
    if not reasoning:
        settings["reasoning"] = False
    return LanguageWorldModel(
        prompt_format(domain, **settings),
        generator or make(),
        temperature=temperature,
        max_new_tokens=max_new_tokens,
        retries=retries,
        # engines that batch on their own may answer differently with what else is in the batch
        deterministic=backend == "transformers",
    )


def _check_learnt(domain: Domain) -> None:
    """Raise WorldModelError where the embedded model has seen nothing of a domain: its answers would be noise.

    For a recorded environment there is nothing else to start with, and to copy what a memory shows is what the model
    does best, so it is let through with a warning.
    """
    if isinstance(domain, Recorded):
        _LOGGER.warning(
            "The embedded world model has learnt nothing of %r: it copies what the memories show. `dreamgym finetune "
            "--base embedded --transitions %s --out FOLDER` teaches it, on a CPU in minutes.",
            domain.name,
            domain.seed_experience(),
        )
        return
    learnt = json.loads((EMBEDDED_PATH / MODEL_SETTINGS_FILE).read_text(encoding="utf-8"))["domains"]
    if domain.name not in learnt:
        raise WorldModelError(
            f"The embedded world model has learnt {', '.join(learnt)}, and nothing of {domain.name!r}. Name another by "
            'world_model=, for example "openai:MODEL@http://localhost:8000/v1", or "transformers:FOLDER" of a model '
            "that `dreamgym finetune` trained."
        )


def prompt_format(domain: Domain, format: str = "chat", **settings: Any) -> PromptFormat:  # noqa: A002 - the file's key
    """Build a prompt format by name. Raises WorldModelError for an unknown name or codec."""
    if format not in _FORMATS:
        raise WorldModelError(f"There is no prompt format {format!r}; there are: {', '.join(_FORMATS)}.")
    codec = settings.get("codec", "full")
    if codec not in CODECS:
        raise WorldModelError(f"There is no state codec {codec!r}; there are: {', '.join(CODECS)}.")
    return _FORMATS[format](domain, **settings)


def format_settings(model: str) -> dict[str, Any]:
    """Return what a model folder says of its prompt format; nothing for a folder without the file."""
    path = Path(model).expanduser() / MODEL_SETTINGS_FILE
    if not path.is_file():
        return {}
    try:
        settings = json.loads(path.read_text(encoding="utf-8"))
        return {name: settings[name] for name in ("format", "codec", "max_memories") if name in settings}
    except (json.JSONDecodeError, TypeError) as error:
        raise WorldModelError(f"{path} is not the settings file of a model of this project: {error}") from error
