"""Any causal language model of Hugging Face transformers, batched, on a CPU or a GPU."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dreamgym_env.errors import WorldModelError
from dreamgym_env.types import Completion, Prompt, Sampling
from dreamgym_env.world_model.generators.batches import check_batch
from dreamgym_env.world_model.generators.hf.loading import load
from dreamgym_env.world_model.generators.prompt_encoder import PromptEncoder
from dreamgym_env.world_model.generators.stop_strings import StopStringWatch, cut_at_stop

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

    from dreamgym_env.world_model.generators.hf.decoding import Row

__all__ = ["TransformersGenerator"]


class TransformersGenerator:
    """Decodes with a model of transformers, in the library's own batched loop.

    Prompts are sorted by length and cut into batches bounded by tokens, a prefix that all share is read once, and
    sequences leave the batch as soon as they end.  With temperature 0 identical prompts are decoded once.  Above 0,
    each answer depends on its own seed only, never on the rest of the batch nor on torch's random state.

    ``Sampling.json_schema`` is ignored.

    Args:
        model: id on the Hugging Face hub, path of a folder in its format, or path of a ``.gguf`` file.
        device: for example ``"cpu"`` or ``"cuda:1"``; by default the first CUDA device, else the CPU.
        dtype: for example ``"bfloat16"``; by default the checkpoint's own on a GPU and float32 on a CPU.
        batch_tokens: the most tokens, padding and new ones included, that a batch holds at once; it bounds the memory
            of keys and values.
        prefill_tokens: the most prompt tokens read in one forward pass; by default 2,048 on a CPU (more spills its
            caches) and 16,384 elsewhere.
        chat: whether to use the tokenizer's chat template; None means "when there is one".
        chat_options: variables for the chat template, for example ``{"enable_thinking": False}``.
        skip_special_tokens: whether special tokens are left out of the texts; the end-of-sequence token always is.
        prompt_lookup: how many tokens to guess at once by copying from the prompt (prompt-lookup decoding); 0 for none.
            Greedy answers are then decoded one after the other by transformers' ``generate``.
        load_options: further keywords of ``from_pretrained``, for example ``{"revision": "main"}`` or
            ``{"local_files_only": True}``.

    Raises:
        WorldModelError: the model or its tokenizer cannot be loaded.
    """

    def __init__(
        self,
        model: str | Path,
        *,
        device: str | None = None,
        dtype: str | None = None,
        batch_tokens: int = 32_768,
        prefill_tokens: int | None = None,
        chat: bool | None = None,
        chat_options: Mapping[str, Any] | None = None,
        skip_special_tokens: bool = True,
        prompt_lookup: int = 0,
        load_options: Mapping[str, Any] | None = None,
    ) -> None:
        loaded, tokenizer = load(str(model), device, dtype, dict(load_options or {}))
        self._set_up(loaded, tokenizer, batch_tokens, prefill_tokens, chat, chat_options, skip_special_tokens)
        self._prompt_lookup = prompt_lookup

    @classmethod
    def from_loaded(
        cls,
        model: PreTrainedModel,
        tokenizer: PreTrainedTokenizerBase,
        *,
        batch_tokens: int = 32_768,
        prefill_tokens: int | None = None,
        chat: bool | None = None,
        chat_options: Mapping[str, Any] | None = None,
        skip_special_tokens: bool = True,
    ) -> TransformersGenerator:
        """Return a generator of a model and tokenizer that are in memory already; the model is used as it is."""
        generator = cls.__new__(cls)
        generator._set_up(model, tokenizer, batch_tokens, prefill_tokens, chat, chat_options, skip_special_tokens)
        return generator

    def _set_up(
        self,
        model: PreTrainedModel,
        tokenizer: PreTrainedTokenizerBase,
        batch_tokens: int,
        prefill_tokens: int | None,
        chat: bool | None,
        chat_options: Mapping[str, Any] | None,
        skip_special_tokens: bool,
    ) -> None:
        self._model: PreTrainedModel | None = model
        self._prompt_lookup = 0
        self._tokenizer = tokenizer
        self._encoder = PromptEncoder(tokenizer, chat, chat_options)
        self._batch_tokens = batch_tokens
        self._prefill_tokens = prefill_tokens or (2_048 if model.device.type == "cpu" else 16_384)
        self._skip_special_tokens = skip_special_tokens
        self._end_tokens = _end_tokens(model, tokenizer)
        self._context: int | None = getattr(model.config.get_text_config(), "max_position_embeddings", None)

    def generate(self, prompts: Sequence[Prompt], sampling: Sampling, seeds: Sequence[int]) -> list[Completion]:
        """Answer every prompt, in order.

        A prompt that leaves no room in the model's context gets a completion with ``error``; one that leaves room for
        fewer than ``max_new_tokens`` is decoded to the end of the context.

        Raises:
            WorldModelError: the generator was closed, or the device's memory does not hold a batch.
        """
        check_batch(prompts, seeds)
        encoded = self._encoder.encode(prompts)
        rows: list[Row | None] = []
        distinct: dict[tuple[int, ...] | int, Row] = {}
        for index, (ids, seed) in enumerate(zip(encoded, seeds, strict=True)):
            row = self._row(ids, sampling, seed)
            if row is not None:
                key = tuple(ids) if sampling.temperature <= 0 else index
                row = distinct.setdefault(key, row)
            rows.append(row)
        self._decode(list(distinct.values()), sampling)
        return [self._completion(row, ids, sampling) for row, ids in zip(rows, encoded, strict=True)]

    def close(self) -> None:
        """Release the model."""
        self._model = None

    def _row(self, ids: list[int], sampling: Sampling, seed: int) -> Row | None:
        """Return what to decode, or None if the prompt fills the context or is empty."""
        from dreamgym_env.world_model.generators.hf.decoding import Row

        room = sampling.max_new_tokens if self._context is None else self._context - len(ids)
        if room < 1 or not ids:
            return None
        return Row(ids, min(room, sampling.max_new_tokens), seed)

    def _decode(self, rows: Sequence[Row], sampling: Sampling) -> None:
        if self._model is None:
            raise WorldModelError("This generator was closed; make a new one to generate again.")
        import torch

        from dreamgym_env.world_model.generators.hf.decoding import decode, split_batches

        watch = StopStringWatch(sampling.stop, self._text)

        def ended(tokens: Sequence[int]) -> bool:
            return tokens[-1] in self._end_tokens or watch.stops(tokens)

        try:
            if self._prompt_lookup and sampling.temperature <= 0:
                from dreamgym_env.world_model.generators.hf.prompt_lookup import decode_by_lookup

                return decode_by_lookup(self._model, rows, self._prompt_lookup, self._end_tokens, ended)
            for batch in split_batches(rows, self._batch_tokens):
                decode(self._model, batch, sampling.temperature, ended, self._prefill_tokens)
        except torch.OutOfMemoryError as error:
            raise WorldModelError(
                f"The device's memory does not hold a batch of {self._batch_tokens} tokens; give a smaller "
                "batch_tokens or prefill_tokens, or a smaller model."
            ) from error

    def _completion(self, row: Row | None, ids: Sequence[int], sampling: Sampling) -> Completion:
        if row is None:
            reason = (
                f"The prompt has {len(ids)} tokens, and the model's context holds {self._context} together with the "
                "answer; shorten the history or retrieve fewer memories."
                if ids
                else "The prompt is empty, and this model needs at least one token to start from."
            )
            return Completion("", prompt_tokens=len(ids), error=reason)
        text = cut_at_stop(self._text(row.tokens), sampling.stop)
        return Completion(text, prompt_tokens=len(ids), completion_tokens=len(row.tokens))

    def _text(self, tokens: Sequence[int]) -> str:
        kept = tokens[:-1] if tokens[-1] in self._end_tokens else tokens
        text: Any = self._tokenizer.decode(
            list(kept), skip_special_tokens=self._skip_special_tokens, clean_up_tokenization_spaces=False
        )
        return str(text)


def _end_tokens(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase) -> frozenset[int]:
    configured = getattr(model.generation_config, "eos_token_id", None)
    ends = configured if isinstance(configured, list) else [configured]
    return frozenset(token for token in (*ends, tokenizer.eos_token_id) if isinstance(token, int))
