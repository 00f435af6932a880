"""A language model that says what a function says, and learns as a real one does; for tests of trainers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from toy_domain import ToyHouse
from transformers import LlamaForCausalLM, PreTrainedTokenizerBase

from dreamgym_env.evaluation.thinking import PromptBounds, agent_prompt
from dreamgym_env.testing.tiny_model import save_tiny_model

Speech = Callable[[int, str], str]
"""Row of a batch, and what the model has read -> its reply."""


def save_house_model(folder: Path, template: str, **config: Any) -> Path:
    """Write a tiny model whose tokenizer spells the house's prompts in few tokens."""
    house = ToyHouse()
    prompts = [
        agent_prompt(
            house, task.instruction, (), task.initial_state, ("go kitchen", "take key", "look"), PromptBounds()
        )
        for task in map(house.task, house.task_ids("train")[:2])
    ]
    text = [part for prompt in prompts for part in (prompt.system, prompt.user)]
    settings = {"max_position_embeddings": 2048, "hidden_size": 32, "num_hidden_layers": 1, **config}
    return save_tiny_model(folder, chat_template=template, vocabulary=900, text=text, **settings)


class Talker(LlamaForCausalLM):
    """Replies by a function in place of sampling; everything else is the model's own."""

    speech: Speech
    tokenizer: PreTrainedTokenizerBase
    read: list[list[list[int]]]
    """Batches of ids that it was given, without padding."""
    said: list[list[list[int]]]
    """Its replies to them, likewise."""

    def listen_to(self, tokenizer: PreTrainedTokenizerBase, speech: Speech) -> None:
        """Say what a function says."""
        self.tokenizer, self.speech, self.read, self.said = tokenizer, speech, [], []

    def generate(self, input_ids: Any = None, attention_mask: Any = None, **settings: Any) -> Any:
        """Return what was read and the replies after it, as ``generate`` of transformers does."""
        self.read.append([ids[mask.bool()].tolist() for ids, mask in zip(input_ids, attention_mask, strict=True)])
        most = settings["generation_config"].max_new_tokens
        replies = []
        for row, ids in enumerate(self.read[-1]):
            text = self.speech(row, self.tokenizer.decode(ids))
            end = [] if text.endswith("...") else [self.tokenizer.eos_token_id]
            replies.append([*self.tokenizer(text, add_special_tokens=False)["input_ids"], *end][:most])
        self.said.append(replies)
        width = max(map(len, replies))
        pad = self.tokenizer.eos_token_id
        padded = torch.tensor([reply + [pad] * (width - len(reply)) for reply in replies])
        return torch.cat([input_ids, padded], dim=1)
