"""The embedded world model, made again: ``python -m dreamgym_env.training.embedded``.

Trains a small Llama-type model from scratch on the shipped seed experience of every domain, in the compact format,
each example grounded in memories that are retrieved from the same experience without its own episode.  Grounding needs
a buffer and no accelerator, training the other way round: ``--examples FILE`` keeps what was grounded, so that the two
can be done on different machines.  The defaults take minutes on a GPU, a night on two cores; ``--passes 1 --steps 1000
--batch-size 16`` takes about half an hour there.

``--base embedded`` goes on from the shipped weights, for example when a domain is new: the model card says how the
shipped ones came about.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer

from dreamgym_env.domains import DOMAINS, RECORDED, load_domain
from dreamgym_env.memory import ReplayBuffer
from dreamgym_env.memory.experience import read_transitions
from dreamgym_env.training.examples import Example, make_examples, read_examples, write_examples
from dreamgym_env.training.finetune import TrainingOptions, finetune_examples
from dreamgym_env.types import Domain, Transition
from dreamgym_env.world_model.build import EMBEDDED_PATH, MODEL_SETTINGS_FILE
from dreamgym_env.world_model.compact import CompactFormat

__all__ = ["main", "seed_examples"]

_BASE, _CODEC, _MAX_MEMORIES = "new:small", "edits", 3


def seed_examples(seed: int, passes: int) -> list[Example]:
    """Return the examples that the shipped experience of all domains gives.

    Each domain's experience is drawn once more as a recording of an environment that nobody described, without its
    reasons: by such examples the model learns what to make of any other environment's recordings.

    Args:
        seed: decides what is drawn, and which memories are hidden from it.
        passes: how often it is drawn; each pass draws and hides anew.
    """
    examples: list[Example] = []
    for name in DOMAINS:
        domain = load_domain(name)
        path = domain.seed_experience()
        if not path:
            continue
        experience = read_transitions(path)
        examples.extend(_grounded(domain, experience, range(seed, seed + passes)))
        undescribed = [replace(step, reasoning="") for step in experience]
        examples.extend(_grounded(load_domain(RECORDED, experience=path), undescribed, [seed + passes]))
    return examples


def _grounded(domain: Domain, experience: Sequence[Transition], seeds: Iterable[int]) -> Iterator[Example]:
    prompt_format = CompactFormat(domain, _CODEC, max_memories=_MAX_MEMORIES)
    with ReplayBuffer(domain) as buffer:
        for seed in seeds:
            yield from make_examples(experience, buffer, domain, prompt_format, seed=seed)


def main(
    out: Annotated[Path, typer.Option(help="Folder for the model.")] = EMBEDDED_PATH,
    steps: Annotated[int, typer.Option(help="Optimiser steps.")] = 5500,
    batch_size: Annotated[int, typer.Option(help="Examples a step.")] = 64,
    learning_rate: Annotated[float, typer.Option(help="Peak learning rate.")] = 2e-3,
    base: Annotated[str, typer.Option(help="What to start from: new:small, or embedded, the shipped model.")] = _BASE,
    passes: Annotated[int, typer.Option(help="How often examples are drawn from the experience and grounded.")] = 4,
    seed: Annotated[int, typer.Option(help="Seed of examples, weights and order.")] = 0,
    examples_file: Annotated[
        Path | None,
        typer.Option("--examples", help="File (.jsonl.gz) of grounded examples: read if it is there, else written."),
    ] = None,
    ground_only: Annotated[bool, typer.Option("--ground-only", help="Write --examples, and train elsewhere.")] = False,
) -> None:
    """Train the embedded world model and write it to a folder."""
    logging.basicConfig(level=logging.INFO)
    if ground_only and examples_file is None:
        raise typer.BadParameter("--ground-only writes a file: name it with --examples.")
    if examples_file is not None and examples_file.exists():
        examples = read_examples(examples_file)
    else:
        examples = seed_examples(seed, passes)
        if examples_file is not None:
            write_examples(examples_file, examples)
    if ground_only:
        return
    options = TrainingOptions(steps=steps, batch_size=batch_size, learning_rate=learning_rate, seed=seed)
    settings: dict[str, Any] = {
        "format": CompactFormat.name,
        "codec": _CODEC,
        "max_memories": _MAX_MEMORIES,
        "domains": [name for name in DOMAINS if load_domain(name).seed_experience()],
    }
    if base == "embedded":
        shipped = json.loads((EMBEDDED_PATH / MODEL_SETTINGS_FILE).read_text(encoding="utf-8"))
        settings["before"] = {"domains": shipped["domains"], **shipped["training"]}
    report = finetune_examples(examples, base, out, settings=settings, options=options)
    logging.getLogger(__name__).info("Mean training loss %.4f nats a token; written to %s.", report.loss, out)


if __name__ == "__main__":
    typer.run(main)
