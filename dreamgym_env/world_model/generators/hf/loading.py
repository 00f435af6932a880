"""Finding and loading models in Hugging Face format, with sentences for what goes wrong."""

from __future__ import annotations

import contextlib
import importlib.util
import logging
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dreamgym_env.errors import MissingDependencyError, WorldModelError

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

__all__ = ["load", "locate", "progress_bars_only_in_terminals", "readable_failures"]

_logger = logging.getLogger(__name__)


def load(
    model: str, device: str | None, dtype: str | None, options: Mapping[str, Any]
) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    """Load a causal language model and its tokenizer for inference.

    Args:
        model: what :func:`locate` finds.
        device: by default the first CUDA device, else the CPU.
        dtype: by default the checkpoint's own on a GPU and float32 on a CPU.
        options: further keywords of ``from_pretrained``.

    Raises:
        WorldModelError: there is no such model, or it cannot be loaded.
        MissingDependencyError: it is a ``.gguf`` file and the package gguf is missing.
    """
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    name, file = locate(model)
    chosen = device or ("cuda" if torch.cuda.is_available() else "cpu")
    precision = dtype or ("float32" if chosen.startswith("cpu") else "auto")
    with readable_failures(model):
        tokenizer = AutoTokenizer.from_pretrained(name, **file, **options)
        network: Any = AutoModelForCausalLM.from_pretrained(name, dtype=precision, **file, **options)
        network.to(chosen).eval()
    _logger.info("loaded %s on %s in %s", model, chosen, network.dtype)
    return network, tokenizer


def locate(model: str) -> tuple[str, dict[str, str]]:
    """Return what ``from_pretrained`` takes for a model: its name or folder, and keywords.

    Args:
        model: id on the Hugging Face hub, path of a folder in its format, or path of a ``.gguf`` file.

    Raises:
        WorldModelError: it is a path, and there is no model; transformers would ask a hub for it.
        MissingDependencyError: it is a ``.gguf`` file and the package gguf is missing.
    """
    model = str(Path(model).expanduser()) if model.startswith("~") else model
    path = Path(model)
    if path.suffix == ".gguf" and path.is_file():
        if importlib.util.find_spec("gguf") is None:
            raise MissingDependencyError("Reading a .gguf file needs the package gguf: pip install gguf.")
        return str(path.parent), {"gguf_file": path.name}
    if path.is_dir():
        if not (path / "config.json").is_file():
            raise WorldModelError(
                f"The folder {model} holds no config.json, so it is not a model in Hugging Face format; give the "
                "folder that save_pretrained() wrote, or a checkpoint folder inside it."
            )
    elif path.is_absolute() or model.startswith(".") or model.count("/") > 1:
        raise WorldModelError(
            f"There is no model folder {model}; check the path, or give the id of a model on the hub."
        )
    return model, {}


@contextlib.contextmanager
def readable_failures(model: str) -> Iterator[None]:
    """Turn whatever loading a model raises into a WorldModelError; progress bars show in terminals only."""
    try:
        with progress_bars_only_in_terminals():
            yield
    except Exception as error:  # the loaders of transformers raise nearly anything for a bad checkpoint
        raise WorldModelError(_why_not_loaded(model, error)) from error


@contextlib.contextmanager
def progress_bars_only_in_terminals() -> Iterator[None]:
    """Keep the progress bars of transformers out of files and pipes."""
    from transformers.utils import logging as transformers_logging

    quieten = not sys.stderr.isatty() and transformers_logging.is_progress_bar_enabled()
    if quieten:
        transformers_logging.disable_progress_bar()
    try:
        yield
    finally:
        if quieten:
            transformers_logging.enable_progress_bar()


def _why_not_loaded(model: str, error: Exception) -> str:
    first_line = (str(error).strip() or type(error).__name__).splitlines()[0]
    if Path(model).exists():
        kind = "folder" if Path(model).is_dir() else "file"
        return f"The model in the {kind} {model} could not be loaded as a causal language model: {first_line}"
    return (
        f"The model {model} could not be loaded: it is no folder here, and fetching it from the Hugging Face hub (or "
        f"from its cache) failed: {first_line}. Check the id and the network, download the model first "
        "(`hf download ID`), or give the path of a folder."
    )
