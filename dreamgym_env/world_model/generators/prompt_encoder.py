"""From prompts to token ids: through the tokenizer's chat template where it has one, else as plain text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from dreamgym_env.errors import WorldModelError
from dreamgym_env.types import Prompt
from dreamgym_env.world_model.generators.batches import clean_text

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

__all__ = ["PromptEncoder"]

_PROBE = Prompt(system="the-system-part", user="the-user-part")


class PromptEncoder:
    """Writes prompts the way a model was trained to read them.

    With a chat template, the system part becomes a system message; where the template has no system role (it raises,
    or leaves the message out) the two parts are joined into one user message.  Without one, the text is
    ``system + user``, encoded with the tokenizer's own special tokens.

    Args:
        tokenizer: any Hugging Face tokenizer.
        chat: whether to use the chat template; None means "when there is one".
        chat_options: variables for the chat template, for example ``{"enable_thinking": False}``.

    Raises:
        WorldModelError: ``chat`` is True and there is no template, or the template cannot render a user's message.
    """

    def __init__(
        self,
        tokenizer: PreTrainedTokenizerBase,
        chat: bool | None = None,
        chat_options: Mapping[str, Any] | None = None,
    ) -> None:
        self._tokenizer = tokenizer
        self._chat_options = dict(chat_options or {})
        has_template = bool(getattr(tokenizer, "chat_template", None))
        if chat and not has_template:
            raise WorldModelError(
                "chat=True was asked for, but the model's tokenizer has no chat template. Leave chat out for plain "
                "text, or use a model with a template (an instruction-tuned one)."
            )
        self.chat: bool = has_template if chat is None else chat
        """Whether prompts go through the chat template."""
        self._system_role = self.chat and self._knows_system_role()

    def encode(self, prompts: Sequence[Prompt]) -> list[list[int]]:
        """Return the token ids of each prompt; lone surrogates are replaced by ``?``."""
        if not prompts:
            return []
        texts = [clean_text(self.render(prompt)) for prompt in prompts]
        encoded = self._tokenizer(texts, add_special_tokens=not self.chat, verbose=False)
        return [list(ids) for ids in encoded["input_ids"]]

    def render(self, prompt: Prompt) -> str:
        """Return the text that the tokenizer reads."""
        if not self.chat:
            return prompt.system + prompt.user
        if self._system_role and prompt.system:
            return self._apply([("system", prompt.system), ("user", prompt.user)])
        joined = f"{prompt.system}\n\n{prompt.user}" if prompt.system else prompt.user
        return self._apply([("user", joined)])

    def _apply(self, messages: Sequence[tuple[str, str]]) -> str:
        conversation = [{"role": role, "content": content} for role, content in messages]
        text = self._tokenizer.apply_chat_template(
            conversation, tokenize=False, add_generation_prompt=True, **self._chat_options
        )
        return str(text)

    def _knows_system_role(self) -> bool:
        from jinja2 import TemplateError

        try:
            user_only = self._apply([("user", _PROBE.user)])
        except TemplateError as error:
            raise WorldModelError(
                f"The tokenizer's chat template cannot render a user's message ({error}); pass chat=False to use "
                "plain text instead."
            ) from error
        if _PROBE.user not in user_only:
            raise WorldModelError(
                "The tokenizer's chat template leaves out the user's message; pass chat=False to use plain text."
            )
        try:
            return _PROBE.system in self._apply([("system", _PROBE.system), ("user", _PROBE.user)])
        except TemplateError:
            return False
