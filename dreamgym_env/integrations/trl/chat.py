"""A conversation as token ids that only ever grow, for training on whole episodes.

What a model has sampled is kept as it was sampled: no turn is rendered or encoded a second time.  Encoding a decoded
reply may give other ids than the model chose, and many chat templates render a reply differently once another message
follows (they leave its thoughts out); the ids that are trained on would then not be those that acted.  So a turn is
prompt ids, sampled ids, and then the ids of what stands *between* this reply and the next: the end of the reply where
the model did not write it itself, the message, and the opening of the next reply.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any

from dreamgym_env.errors import TrainingError, WorldModelError
from dreamgym_env.types import Prompt
from dreamgym_env.world_model.generators.batches import clean_text
from dreamgym_env.world_model.generators.prompt_encoder import PromptEncoder

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

__all__ = ["ConversationEncoder"]

_REPLY = "what-was-replied"
_CLOSING = 3
"""Ids within which a template closes a reply; before the closing one there may be a space."""


class ConversationEncoder:
    """Encodes what a model reads before its first reply, and between two replies.

    Args:
        tokenizer: any Hugging Face tokenizer.  With a chat template its roles are used, a template without a system
            role included; without one messages are plain text, with blank lines between them.
        chat_options: variables for the chat template, for example ``{"enable_thinking": False}``.
        eos_token_ids: with which a reply may end.

    Raises:
        TrainingError: the chat template cannot render a conversation of texts with several turns.
    """

    def __init__(
        self, tokenizer: PreTrainedTokenizerBase, chat_options: Mapping[str, Any], eos_token_ids: Collection[int]
    ) -> None:
        self._tokenizer, self._options, self._eos = tokenizer, dict(chat_options), frozenset(eos_token_ids)
        try:
            self._first = PromptEncoder(tokenizer, chat_options=chat_options)
        except WorldModelError as error:
            raise TrainingError(
                "The tokenizer's chat template cannot render messages of pure text: train a language model whose "
                "template is for texts."
            ) from error
        self._between("what-is-asked")

    def opening(self, prompt: Prompt) -> list[int]:
        """Return the ids before the first reply."""
        return self._first.encode([prompt])[0]

    def between(self, reply: list[int], message: str) -> list[int]:
        """Return the ids between a reply and the next one.

        Args:
            reply: the ids that the model sampled, with or without one that ends a reply.
            message: what the model is told then.
        """
        text = clean_text(self._between(message))
        ids: list[int] = list(self._tokenizer(text, add_special_tokens=False, verbose=False)["input_ids"])
        if reply and reply[-1] in self._eos and reply[-1] in ids[:_CLOSING]:
            return ids[ids.index(reply[-1]) + 1 :]
        return ids

    def _between(self, message: str) -> str:
        from jinja2 import TemplateError

        if not self._first.chat:
            return f"\n\n{message}\n"
        said = [("user", "?"), ("assistant", _REPLY), ("user", message)]
        conversation = [{"role": role, "content": content} for role, content in said]
        try:
            text = str(
                self._tokenizer.apply_chat_template(
                    conversation, tokenize=False, add_generation_prompt=True, **self._options
                )
            )
        except TemplateError as error:
            raise TrainingError(
                f"The tokenizer's chat template cannot render a second turn ({error}): train a model with a template "
                "for conversations."
            ) from error
        _, found, after = text.rpartition(_REPLY)
        if not found or message.strip() not in after:
            raise TrainingError(
                "The tokenizer's chat template leaves out earlier replies, or what follows them: train a model with a "
                "template for conversations."
            )
        return after
