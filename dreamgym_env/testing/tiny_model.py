"""A language model of random weights with a real tokenizer, small enough to be made by the test that needs it."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

__all__ = ["CHAT_TEMPLATE", "save_tiny_model"]

CHAT_TEMPLATE = (
    "{% for message in messages %}<|{{ message['role'] }}|>{{ message['content'] }}<|end|>{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>{% endif %}"
)
"""A chat template with a system role."""

_TEXT = (
    "The agent looks at the page and clicks on the red trail running shoes in size 9.",
    "You are in the middle of a room. You open the drawer 2; in it, you see a mug 1 and a spoon 3.",
    "search[blue cotton shirt] [SEP] Back to Search [SEP] Page 1 (Total results: 50) [SEP] Next > [SEP] $24.99",
)


def save_tiny_model(
    folder: Path,
    *,
    chat_template: str | None = None,
    vocabulary: int = 512,
    text: Iterable[str] = _TEXT,
    seed: int = 0,
    **config: Any,
) -> Path:
    """Write a randomly initialised Llama model and a byte-level BPE tokenizer in Hugging Face format.

    The weights are drawn wide enough for the answers to depend on the prompt.  torch's random state is left as it was.

    Args:
        folder: where to write; made if need be.
        chat_template: the tokenizer's template; None for a base model.
        vocabulary: the most tokens in the vocabulary.
        text: what the tokenizer's merges are learned from.
        seed: of the weights.
        config: members of ``LlamaConfig`` that differ from the tiny default.

    Returns:
        ``folder``.
    """
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    tokenizer = _tokenizer(vocabulary, text)
    tokenizer.chat_template = chat_template
    shape: dict[str, Any] = {
        "hidden_size": 64,
        "intermediate_size": 128,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "max_position_embeddings": 256,
        "initializer_range": 0.4,
        "tie_word_embeddings": True,
    }
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        model = LlamaForCausalLM(
            LlamaConfig(
                vocab_size=len(tokenizer),
                bos_token_id=tokenizer.bos_token_id,
                eos_token_id=tokenizer.eos_token_id,
                **{**shape, **config},
            )
        )
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def _tokenizer(vocabulary: int, text: Iterable[str]) -> Any:
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary,
        special_tokens=["<s>", "</s>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(text, trainer)
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, bos_token="<s>", eos_token="</s>")  # noqa: S106
