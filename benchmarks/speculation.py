"""What engines' own ways of copying give beside the codec ``edits``.

``python benchmarks/speculation.py [--part passes|transformers|vllm]`` prints tables and writes
``results/speculation.json``.

* ``passes``: how many forward passes an answer takes that is right to the last token, for a model that is shown whole
  pages (format ``chat``).  Prompt lookup is followed exactly (Saxena, "Prompt Lookup Decoding", 2023, as transformers
  has it: the first place where the last two tokens, or the last, stand; ten guesses at once), so no model is needed;
* ``transformers``: the embedded model, one prompt after the other, with prompt lookup and without, and in a batch;
* ``vllm``: the same in vLLM, with n-gram speculation and without (where vLLM is installed, as by ``make test-vllm``).
"""

from __future__ import annotations

import datetime
import enum
import importlib.util
import json
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from fidelity import held_out, query_of
from machine import describe_machine
from rich.console import Console

from dreamgym_env.domains import load_domain
from dreamgym_env.memory import ReplayBuffer
from dreamgym_env.simulation.grounding import Grounding
from dreamgym_env.types import Domain, Prompt, Sampling, TextGenerator, Transition
from dreamgym_env.world_model.build import EMBEDDED_PATH, format_settings, prompt_format
from dreamgym_env.world_model.formats import PromptFormat
from dreamgym_env.world_model.generators.prompt_encoder import PromptEncoder

RESULTS = Path(__file__).parent / "results" / "speculation.json"
GUESSES = 10
_NGRAM = 2
_EPISODES = 30
_CONSOLE = Console(width=140)


class Part(enum.StrEnum):
    """What is measured."""

    PASSES = "passes"
    TRANSFORMERS = "transformers"
    VLLM = "vllm"


def main(
    part: Annotated[Part | None, typer.Option(help="Measure only this part.")] = None,
    prompts: Annotated[int, typer.Option(help="Held-out steps that are asked.")] = 96,
) -> None:
    """Measure, print and write the results; a part that is not measured keeps what the file has."""
    results: dict[str, Any] = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.exists() else {}
    possible = [one for one in Part if one is not Part.VLLM or importlib.util.find_spec("vllm")]
    parts = [part] if part is not None else possible
    domain = load_domain("webshop")
    steps = [step for step in held_out(_EPISODES) if step.valid][:prompts]
    for one in parts:
        results[one.value] = MEASURES[one](domain, steps)
        _CONSOLE.print(results[one.value])
        run = {"date": datetime.date.today().isoformat(), "machine": describe_machine(), "prompts": len(steps)}
        results.setdefault("runs", {})[one.value] = run
    RESULTS.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")


def count_passes(domain: Domain, steps: Sequence[Transition]) -> dict[str, Any]:
    """Count tokens and forward passes of right answers in both codecs, with prompt lookup and without."""
    from transformers import AutoTokenizer

    encoder = PromptEncoder(AutoTokenizer.from_pretrained(EMBEDDED_PATH))
    figures = {}
    for codec in ("full", "edits"):
        asked = questions(domain, steps, prompt_format(domain, "chat", codec=codec))
        encoded = encoder.encode([prompt for prompt, _ in asked])
        answers = encoder.encode([Prompt("", answer) for _, answer in asked])
        pairs = list(zip(encoded, answers, strict=True))
        figures[codec] = {
            "tokens": sum(len(answer) for _, answer in pairs) / len(pairs),
            "passes_with_lookup": sum(passes_with_lookup(*pair) for pair in pairs) / len(pairs),
        }
    return figures


def passes_with_lookup(prompt: Sequence[int], answer: Sequence[int]) -> int:
    """Return how many forward passes prompt lookup takes to write an answer, if the model would write just that."""
    known, end, passes = list(prompt), len(prompt) + len(answer), 0
    places: dict[tuple[int, ...], int] = {}
    """N-gram -> where it first ended."""
    indexed = 0
    while len(known) < end:
        for at in range(indexed, len(known) - 1):  # what the last token ends has no continuation yet
            for size in range(1, _NGRAM + 1):
                if at + 1 >= size:
                    places.setdefault(tuple(known[at + 1 - size : at + 1]), at + 1)
        indexed = max(0, len(known) - 1)
        found = [places[gram] for size in range(_NGRAM, 0, -1) if (gram := tuple(known[-size:])) in places]
        guesses = known[found[0] : found[0] + GUESSES] if found else []
        left = answer[len(known) - len(prompt) :]
        right = 0
        while right < min(len(guesses), len(left) - 1) and guesses[right] == left[right]:
            right += 1
        known.extend(left[: right + 1])  # the pass that checks the guesses gives one more token
        passes += 1
    return passes


def time_transformers(domain: Domain, steps: Sequence[Transition]) -> dict[str, Any]:
    """Time the embedded model one prompt after the other, with prompt lookup and without, and all at once."""
    from dreamgym_env.world_model.generators.hf.generator import TransformersGenerator

    plain = TransformersGenerator(EMBEDDED_PATH)
    guessing = TransformersGenerator(EMBEDDED_PATH, prompt_lookup=GUESSES)
    ways = {"one by one": (plain, 1), "one by one, prompt lookup": (guessing, 1), "32 at once": (plain, 32)}
    return time_ways(domain, steps, ways)


def time_vllm(domain: Domain, steps: Sequence[Transition]) -> dict[str, Any]:
    """Time vLLM with n-gram speculation and without, one prompt after the other and 32 at once."""
    from dreamgym_env.world_model.generators.vllm import VLLMGenerator

    settings: dict[str, Any] = {"dtype": "float32", "enforce_eager": True, "max_num_seqs": 32}
    guesses = {"method": "ngram", "num_speculative_tokens": GUESSES, "prompt_lookup_max": _NGRAM}
    figures: dict[str, Any] = {}
    variants: dict[str, dict[str, Any]] = {"": {}, ", n-gram speculation": {"speculative_config": guesses}}
    for name, further in variants.items():
        generator = VLLMGenerator(EMBEDDED_PATH, **settings, **further)
        ways = {f"one by one{name}": (generator, 1), f"32 at once{name}": (generator, 32)}
        figures.update(time_ways(domain, steps, ways))
        generator.close()
    return figures


def time_ways(
    domain: Domain, steps: Sequence[Transition], ways: Mapping[str, tuple[TextGenerator, int]]
) -> dict[str, Any]:
    """Time generators on the same prompts, in batches of their size; the answers must be the same."""
    written_by = prompt_format(domain, **format_settings(str(EMBEDDED_PATH)))
    prompts = [prompt for prompt, _ in questions(domain, steps, written_by)]
    sampling = Sampling(max_new_tokens=200, stop=written_by.stop)
    figures: dict[str, Any] = {}
    first: list[str] = []
    for name, (generator, size) in ways.items():
        generator.generate(prompts[:size], sampling, [0] * min(size, len(prompts)))  # what is made when first needed
        began = time.perf_counter()
        answers = []
        for at in range(0, len(prompts), size):
            batch = prompts[at : at + size]
            answers.extend(generator.generate(batch, sampling, [0] * len(batch)))
        seconds = time.perf_counter() - began
        texts = [answer.text for answer in answers]
        first = first or texts
        figures[name] = {
            "tokens": sum(answer.completion_tokens for answer in answers) / len(answers),
            "rate": len(answers) / seconds,
            "same_answers": sum(map(str.__eq__, texts, first)) / len(texts),
        }
    return figures


def questions(domain: Domain, steps: Sequence[Transition], written_by: PromptFormat) -> list[tuple[Prompt, str]]:
    """Return prompts about held-out steps, and the answers that a model of this format should give."""
    queries = [query_of(domain, step) for step in steps]
    with ReplayBuffer(domain) as buffer:
        memories = Grounding(domain, buffer).retrieve(queries, 5, exclude_episode=True, exclude_task=True)
    asked = []
    for step, query, found in zip(steps, queries, memories, strict=True):
        view = written_by.viewer.view(query, found)
        told = domain.teach(step, [one.memory for one in written_by.shown(view)])
        asked.append((written_by.prompt(view), written_by.answer(view, told)))
    return asked


MEASURES: dict[Part, Callable[[Domain, Sequence[Transition]], dict[str, Any]]] = {
    Part.PASSES: count_passes,
    Part.TRANSFORMERS: time_transformers,
    Part.VLLM: time_vllm,
}


if __name__ == "__main__":
    typer.run(main)
