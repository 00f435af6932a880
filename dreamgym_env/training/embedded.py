"""The embedded world model, made again: ``python -m dreamgym_env.training.embedded``.

Trains a small Llama-type model from scratch on the shipped seed experience of every domain, in the compact format,
each example grounded in memories that are retrieved from the same experience without its own episode.
"""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Annotated

import typer

from dreamgym_env.domains import DOMAINS, load_domain
from dreamgym_env.memory import ReplayBuffer
from dreamgym_env.memory.experience import read_transitions
from dreamgym_env.training.examples import Example, make_examples
from dreamgym_env.training.finetune import TrainingOptions, finetune_examples
from dreamgym_env.world_model.build import EMBEDDED_PATH
from dreamgym_env.world_model.compact import CompactFormat

__all__ = ["main", "seed_examples"]

_BASE, _CODEC, _MAX_MEMORIES = "new:small", "edits", 3


def seed_examples(seed: int) -> list[Example]:
    """Return the examples that the shipped experience of all domains gives, shuffled by the seed."""
    examples: list[Example] = []
    for name in DOMAINS:
        domain = load_domain(name)
        path = domain.seed_experience()
        if not path:
            continue
        prompt_format = CompactFormat(domain, _CODEC, max_memories=_MAX_MEMORIES)
        buffer = ReplayBuffer(domain)
        examples.extend(make_examples(read_transitions(path), buffer, domain, prompt_format, seed=seed))
        buffer.close()
    return examples


def main(
    out: Annotated[Path, typer.Option(help="Folder for the model.")] = EMBEDDED_PATH,
    steps: Annotated[int, typer.Option(help="Optimiser steps.")] = 1000,
    batch_size: Annotated[int, typer.Option(help="Examples a step.")] = 16,
    learning_rate: Annotated[float, typer.Option(help="Peak learning rate.")] = 2e-3,
    seed: Annotated[int, typer.Option(help="Seed of examples, weights and order.")] = 0,
) -> None:
    """Train the embedded world model and write it to a folder."""
    logging.basicConfig(level=logging.INFO)
    examples = seed_examples(seed)
    options = TrainingOptions(steps=steps, batch_size=batch_size, learning_rate=learning_rate, seed=seed)
    settings = {"format": CompactFormat.name, "codec": _CODEC, "max_memories": _MAX_MEMORIES}
    report = finetune_examples(examples, _BASE, out, settings=settings, options=options)
    logging.getLogger(__name__).info("Mean training loss %.4f nats a token; written to %s.", report.loss, out)


if __name__ == "__main__":
    typer.run(main)
