"""A byte-level BPE tokenizer trained on a model's own prompts and answers."""

from __future__ import annotations

from collections.abc import Iterable

from transformers import PreTrainedTokenizerFast

from dreamgym_env.world_model.compact import SPECIAL_TOKENS

__all__ = ["train_tokenizer"]


def train_tokenizer(texts: Iterable[str], vocabulary_size: int, max_length: int) -> PreTrainedTokenizerFast:
    """Train a tokenizer whose tags are single tokens and which can write any text.

    Args:
        texts: prompts and answers.
        vocabulary_size: number of tokens, at least 512.
        max_length: the model's context, in tokens.
    """
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, trainers

    tokenizer = Tokenizer(models.BPE())
    # digits one by one: a reference such as "C 17" is then two familiar tokens and never a rare one
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary_size - len(SPECIAL_TOKENS),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    plain = SPECIAL_TOKENS[:-2]  # all but <|end|> and <|pad|>: engines leave special tokens out of the text they return
    tokenizer.train_from_iterator((_without(plain, text) for text in texts), trainer)
    tokenizer.add_tokens([AddedToken(tag, special=False, normalized=False) for tag in plain])
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        eos_token="<|end|>",  # noqa: S106 - a token of a vocabulary
        pad_token="<|pad|>",  # noqa: S106
        model_max_length=max_length,
        padding_side="left",
        clean_up_tokenization_spaces=False,
    )


def _without(tags: Iterable[str], text: str) -> str:
    for tag in tags:
        text = text.replace(tag, " ")
    return text
