"""Supervised fine-tuning of a small world model from scratch.

The loss is the paper's, −log P(R*|s,a,H,D) − log P(s',r|s,a,R*,H,D): the negative log-likelihood of the answer's
tokens (reasoning first, then outcome), given the prompt, which is not itself trained on.
"""

from __future__ import annotations

import json
import logging
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast, Trainer, TrainingArguments

from dreamgym_env.training.examples import Example
from dreamgym_env.training.tokenizer import train_tokenizer
from dreamgym_env.world_model.build import MODEL_SETTINGS_FILE

__all__ = ["ModelSize", "TrainingOptions", "finetune_from_scratch"]

_LOGGER = logging.getLogger(__name__)
_IGNORED = -100  # label of tokens that the loss leaves out


@dataclass(frozen=True, slots=True)
class ModelSize:
    """Shape of a Llama-type model."""

    vocabulary: int = 4096
    hidden: int = 256
    layers: int = 6
    heads: int = 4
    feed_forward: int = 768
    context: int = 1024


@dataclass(frozen=True, slots=True)
class TrainingOptions:
    """How long and how fast to train."""

    steps: int = 1000
    batch_size: int = 16
    learning_rate: float = 2e-3
    seed: int = 0


def finetune_from_scratch(
    examples: Sequence[Example],
    out: Path,
    *,
    model_settings: dict[str, Any],
    size: ModelSize | None = None,
    options: TrainingOptions | None = None,
) -> float:
    """Train tokenizer and model on the examples and write both to a folder.

    Args:
        examples: questions and answers, already shuffled.
        out: folder for ``config.json``, ``model.safetensors``, the tokenizer and ``dreamgym.json``.
        model_settings: what ``dreamgym.json`` says beside the training's own figures: ``format``, ``codec``, ...
        size: shape of the model.
        options: length and speed of the training.

    Returns:
        The mean loss over all steps of the training, in nats a token.
    """
    size, options = size or ModelSize(), options or TrainingOptions()
    tokenizer = train_tokenizer(
        (f"{example.prompt.system}{example.prompt.user}{example.answer}" for example in examples),
        size.vocabulary,
        size.context,
    )
    torch.manual_seed(options.seed)
    model = LlamaForCausalLM(_config(size, tokenizer))
    _LOGGER.info("Training %.1f M parameters on %d examples.", model.num_parameters() / 1e6, len(examples))
    with tempfile.TemporaryDirectory() as scratch:
        trainer = Trainer(
            model=model,
            args=_arguments(scratch, options),
            train_dataset=_Tokenised(examples, tokenizer, size.context),
            data_collator=_Collator(tokenizer.pad_token_id),
        )
        result = trainer.train()
    model.half().save_pretrained(out)
    tokenizer.save_pretrained(out)
    card = {
        **model_settings,
        "training": {
            "examples": len(examples),
            "parameters": model.num_parameters(),
            "loss": round(result.training_loss, 4),
            **asdict(size),
            **asdict(options),
        },
    }
    (out / MODEL_SETTINGS_FILE).write_text(json.dumps(card, indent=2) + "\n", encoding="utf-8")
    return float(result.training_loss)


def _config(size: ModelSize, tokenizer: PreTrainedTokenizerFast) -> LlamaConfig:
    return LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=size.hidden,
        intermediate_size=size.feed_forward,
        num_hidden_layers=size.layers,
        num_attention_heads=size.heads,
        num_key_value_heads=size.heads,
        max_position_embeddings=size.context,
        tie_word_embeddings=True,
        bos_token_id=None,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )


def _arguments(scratch: str, options: TrainingOptions) -> TrainingArguments:
    return TrainingArguments(
        output_dir=scratch,
        max_steps=options.steps,
        per_device_train_batch_size=options.batch_size,
        learning_rate=options.learning_rate,
        lr_scheduler_type="cosine",
        warmup_steps=max(1, options.steps // 20),
        weight_decay=0.05,
        adam_beta2=0.98,
        train_sampling_strategy="group_by_length",
        logging_steps=25,
        save_strategy="no",
        report_to="none",
        seed=options.seed,
        data_seed=options.seed,
        disable_tqdm=None,
        dataloader_pin_memory=False,
    )


class _Tokenised(torch.utils.data.Dataset[dict[str, list[int]]]):
    """Examples as token ids; the prompt's labels are ignored."""

    def __init__(self, examples: Sequence[Example], tokenizer: PreTrainedTokenizerFast, context: int) -> None:
        self.rows = []
        for example in examples:
            prompt = tokenizer(example.prompt.system + example.prompt.user)["input_ids"]
            answer = [*tokenizer(example.answer)["input_ids"], tokenizer.eos_token_id]
            if len(prompt) + len(answer) <= context:
                self.rows.append({"input_ids": prompt + answer, "labels": [_IGNORED] * len(prompt) + answer})
        if len(self.rows) < len(examples):
            _LOGGER.warning(
                "%d of %d examples are longer than the context of %d tokens and were left out.",
                len(examples) - len(self.rows),
                len(examples),
                context,
            )

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, at: int) -> dict[str, list[int]]:
        return self.rows[at]


class _Collator:
    """Pads a batch on the right."""

    def __init__(self, pad: int) -> None:
        self.pad = pad

    def __call__(self, rows: Sequence[dict[str, list[int]]]) -> dict[str, torch.Tensor]:
        length = max(len(row["input_ids"]) for row in rows)

        def padded(values: list[int], fill: int) -> list[int]:
            return values + [fill] * (length - len(values))

        return {
            "input_ids": torch.tensor([padded(row["input_ids"], self.pad) for row in rows]),
            "attention_mask": torch.tensor([padded([1] * len(row["input_ids"]), 0) for row in rows]),
            "labels": torch.tensor([padded(row["labels"], _IGNORED) for row in rows]),
        }
