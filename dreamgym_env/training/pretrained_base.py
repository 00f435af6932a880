"""Models that exist: any causal language model of transformers, trained whole or through LoRA adapters."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterable
from typing import Any

import torch
from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer, PreTrainedModel, PreTrainedTokenizerBase
from transformers.models.auto.modeling_auto import MODEL_FOR_CAUSAL_LM_MAPPING_NAMES

from dreamgym_env.errors import MissingDependencyError, TrainingError
from dreamgym_env.training.options import TrainingOptions
from dreamgym_env.world_model.build import format_settings
from dreamgym_env.world_model.chat import ChatFormat
from dreamgym_env.world_model.generators.hf.loading import locate, readable_failures

__all__ = ["PretrainedBase"]

_MAX_LENGTH = 4096
_SMALL = 512
"""Width of the hidden states up to which a model counts as small; the embedded one has 256."""


class PretrainedBase:
    """A model of the Hugging Face hub, of a folder, or of a ``.gguf`` file.

    One that this project trained is asked in the prompt format that it has learnt, any other in the chat format.
    """

    def __init__(self, name: str, model: str = "") -> None:
        """Read the model's configuration.

        Args:
            name: what it was asked for by.
            model: its id or path; the name itself where empty.

        Raises:
            WorldModelError: there is no such model.
            TrainingError: it is no causal language model.
            MissingDependencyError: it is a ``.gguf`` file and the package gguf is missing.
        """
        self.name = name
        self._place, self._file = locate(model or name)
        self.prompt_format = format_settings(self._place).get("format", ChatFormat.name)
        with readable_failures(name):
            self._config: Any = AutoConfig.from_pretrained(self._place, **self._file)
        self._check_causal()

    def check(self, options: TrainingOptions) -> None:
        """Check that PEFT is there for LoRA, and that the context holds the examples."""
        if options.lora and importlib.util.find_spec("peft") is None:
            raise MissingDependencyError('LoRA needs the package peft: pip install "dreamgym_env[training]".')
        context = self._context()
        if options.max_length is not None and context is not None and options.max_length > context:
            raise TrainingError(
                f"--max-length {options.max_length} is more than {self.name} can read, which is {context} tokens."
            )

    def learning_rate(self, options: TrainingOptions) -> float:
        """Return 2e-4 for adapters and 2e-5 for the whole model; 5e-4 for a small one, which learns faster."""
        if options.lora:
            return 2e-4
        return 5e-4 if self._config.get_text_config().hidden_size <= _SMALL else 2e-5

    def max_length(self, options: TrainingOptions) -> int:
        """Return 4,096 tokens, or the model's context if that is less."""
        return options.max_length or min(_MAX_LENGTH, self._context() or _MAX_LENGTH)

    def tokenizer(self, texts: Iterable[str], max_length: int) -> PreTrainedTokenizerBase:
        """Load the model's tokenizer.

        Raises:
            WorldModelError: it cannot be loaded.
            TrainingError: it has no token that ends a text.
        """
        with readable_failures(self.name):
            tokenizer: PreTrainedTokenizerBase = AutoTokenizer.from_pretrained(self._place, **self._file)
        if tokenizer.eos_token_id is None:
            raise TrainingError(
                f"The tokenizer of {self.name} has no end-of-sequence token (eos_token), so the model could not learn "
                "where an answer ends. Name one in its tokenizer_config.json."
            )
        return tokenizer

    def model(self, tokenizer: PreTrainedTokenizerBase, max_length: int, options: TrainingOptions) -> PreTrainedModel:
        """Load the weights, and put adapters on them if there is a rank.

        Frozen weights under adapters are held in bfloat16 on a GPU that has it; weights that are trained in float32.

        Raises:
            WorldModelError: they cannot be loaded.
        """
        halves = options.lora > 0 and torch.cuda.is_available() and torch.cuda.is_bf16_supported()
        dtype = torch.bfloat16 if halves else torch.float32
        with readable_failures(self.name):
            model: PreTrainedModel = AutoModelForCausalLM.from_pretrained(self._place, dtype=dtype, **self._file)
            if self._file:  # its weights are plain numbers by now, but transformers refuses to train what was quantized
                weights = model.state_dict()
                model = type(model).from_pretrained(None, config=self._config, state_dict=weights, dtype=dtype)
        if not options.lora:
            return model
        from peft import LoraConfig, get_peft_model

        config = LoraConfig(
            r=options.lora, lora_alpha=2 * options.lora, target_modules="all-linear", task_type="CAUSAL_LM"
        )
        adapted: Any = get_peft_model(model, config)
        return adapted

    def saved_dtype(self) -> torch.dtype:
        """Return the base's own, or float32 where it names none."""
        dtype = getattr(self._config, "dtype", None)
        return dtype if isinstance(dtype, torch.dtype) else torch.float32

    def figures(self) -> dict[str, Any]:
        """Return nothing further: the base's name says it all."""
        return {}

    def _context(self) -> int | None:
        return getattr(self._config.get_text_config(), "max_position_embeddings", None)

    def _check_causal(self) -> None:
        """Raise TrainingError unless the checkpoint says that it predicts the next token."""
        heads = MODEL_FOR_CAUSAL_LM_MAPPING_NAMES.get(self._config.model_type, ())
        known = {heads} if isinstance(heads, str) else set(heads)
        saved = set(self._config.architectures or known)  # a .gguf file names none
        if not known & saved:
            kind = ", ".join(sorted(saved)) or f"of the type {self._config.model_type!r}"
            raise TrainingError(
                f"{self.name} is no causal language model ({kind}), and only such a model can write answers. Give one "
                "whose config.json names an architecture such as LlamaForCausalLM, or new:small."
            )
