"""From recorded transitions to supervised examples, each grounded in memories that do not leak.

The paper's experience model is trained to write first the reasoning and then the outcome, given the retrieved
transitions (DreamGym, arXiv 2511.03773, section 4.1).  An example is therefore (prompt, answer) of a prompt format,
with memories as the simulator would retrieve them: never of the example's own episode.  Some examples also hide what
was recorded of the same task and its hidden facts, and some hide every memory of the same action, so that the model
learns to do without.
"""

from __future__ import annotations

import gzip
import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from tqdm import tqdm

from dreamgym_env.memory import ReplayBuffer
from dreamgym_env.simulation.grounding import Grounding, recorded_question
from dreamgym_env.training.mixing import mix
from dreamgym_env.types import Domain, Memory, Prompt, Transition
from dreamgym_env.world_model.formats import PromptFormat

__all__ = ["Example", "ExampleOptions", "make_examples", "read_examples", "write_examples"]

_BATCH = 256
_LONGEST_EDITS = 400  # characters


@dataclass(frozen=True, slots=True)
class Example:
    """A question and the answer to learn."""

    prompt: Prompt
    answer: str


@dataclass(frozen=True, slots=True)
class ExampleOptions:
    """How examples are grounded."""

    k: int = 5
    """Memories retrieved for each."""
    hide_task: float = 0.4
    """Share of examples that see nothing recorded of their own task, and none of its hidden facts."""
    hide_action: float = 0.25
    """Share of examples that see no memory of the same action."""
    count: int = 16_000
    """How many transitions to draw, by :func:`~dreamgym_env.training.mixing.mix`."""
    longest_answer: int | None = None
    """Characters; longer answers are left out.  None for 400 in the codec ``edits``, where a longer one had too little
    to refer to and teaches to make things up, and for no bound in ``full``."""


def make_examples(
    transitions: Sequence[Transition],
    buffer: ReplayBuffer,
    domain: Domain,
    prompt_format: PromptFormat,
    *,
    seed: int,
    options: ExampleOptions | None = None,
) -> list[Example]:
    """Turn transitions into examples, in an order that the seed shuffles.

    Args:
        transitions: real experience, which the domain teaches (reasons, and what can be known).
        buffer: what memories are retrieved from.
        domain: teaches and composes memories.
        prompt_format: writes prompts and answers.
        seed: decides which examples hide what.
        options: shares of the above.
    """
    options = options or ExampleOptions()
    rng = np.random.default_rng(seed)
    grounding = Grounding(domain, buffer)
    examples: list[Example] = []
    for batch in _batches(mix(domain, transitions, options.count, rng)):
        examples.extend(_ground(batch, grounding, domain, prompt_format, rng, options))
    return examples


def write_examples(path: Path, examples: Sequence[Example]) -> None:
    """Write examples to a gzip file of JSON Lines, one ``[system, user, answer]`` a line."""
    with gzip.open(path, "wt", encoding="utf-8") as file:
        for example in examples:
            file.write(json.dumps([example.prompt.system, example.prompt.user, example.answer]) + "\n")


def read_examples(path: Path) -> list[Example]:
    """Read what :func:`write_examples` wrote. Raises ValueError or OSError for any other file."""
    with gzip.open(path, "rt", encoding="utf-8") as file:
        texts = (json.loads(line) for line in file)
        return [Example(Prompt(system, user), answer) for system, user, answer in texts]


def _batches(transitions: Sequence[Transition]) -> Iterator[Sequence[Transition]]:
    for start in tqdm(range(0, len(transitions), _BATCH), desc="grounding examples", disable=None):
        yield transitions[start : start + _BATCH]


def _ground(
    batch: Sequence[Transition],
    grounding: Grounding,
    domain: Domain,
    prompt_format: PromptFormat,
    rng: np.random.Generator,
    options: ExampleOptions,
) -> Iterator[Example]:
    told, untold = [recorded_question(domain, step) for step in batch], [step.question() for step in batch]
    draws = rng.random((len(batch), 2))
    longest = options.longest_answer or (_LONGEST_EDITS if prompt_format.codec.name == "edits" else sys.maxsize)
    all_known = grounding.buffer.retrieve(told, options.k, exclude_episode=True)
    known_elsewhere = grounding.buffer.retrieve(untold, options.k, exclude_episode=True, exclude_task=True)
    for at, (step, draw) in enumerate(zip(batch, draws, strict=True)):
        hides_task = draw[0] < options.hide_task
        query, memories = (untold[at], known_elsewhere[at]) if hides_task else (told[at], all_known[at])
        if draw[1] < options.hide_action:
            memories = [memory for memory in memories if not _same_action(domain, memory, step)]
        memories = grounding.complete(query, memories, exclude_episode=True, exclude_task=hides_task)[: options.k]
        view = prompt_format.viewer.view(query, memories)
        taught = domain.teach(step, [related.memory for related in prompt_format.shown(view)])
        answer = prompt_format.answer(view, taught)
        if len(answer) <= longest:
            yield Example(prompt_format.prompt(view), answer)


def _same_action(domain: Domain, memory: Memory, step: Transition) -> bool:
    return domain.parse_action(memory.transition.action) == domain.parse_action(step.action)
