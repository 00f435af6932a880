"""Promises of ``finetune``: what is learnt, that nothing leaks, that interruptions cost nothing, and clear refusals."""

from __future__ import annotations

import importlib.util
import json
import logging
import os
import random
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from toy_domain import ToyHouse, record
from transformers import AutoModelForCausalLM, AutoTokenizer, BertConfig, TrainerCallback

from dreamgym_env.errors import (
    ExperienceFormatError,
    MissingDependencyError,
    TrainingError,
    WorldModelError,
)
from dreamgym_env.memory import ReplayBuffer, write_transitions
from dreamgym_env.testing.tiny_model import CHAT_TEMPLATE, save_tiny_model
from dreamgym_env.training.examples import Example, ExampleOptions, make_examples
from dreamgym_env.training.finetune import FinetuneReport, FormatOptions, TrainingOptions, finetune
from dreamgym_env.training.new_base import SIZES, NewBase
from dreamgym_env.training.rows import IGNORED, Collator, Schedule, tokenise
from dreamgym_env.types import Prompt, Transition
from dreamgym_env.world_model.build import format_settings, prompt_format, world_model_from_string
from dreamgym_env.world_model.chat import ChatFormat
from dreamgym_env.world_model.generators.prompt_encoder import PromptEncoder

QUICK = TrainingOptions(steps=4, batch_size=4, save_steps=2)
EXAMPLES = (
    Example(Prompt("Be a house.", "# Task\nFind the key."), '{"reasoning": "It is there.", "next_state": "C"}'),
    Example(Prompt("Be a house.", "go hall"), "C 1-2"),
)


@pytest.fixture(scope="module")
def steps() -> list[Transition]:
    """Successes and failures, valid and invalid actions, pages that change and that do not."""
    taken = []
    for number in range(8):
        task = f"toyhouse/train/{number}"
        place = "cellar" if number % 2 else "kitchen"
        thing = ("key", "lamp", "rope", "coin")[number % 4]
        taken += record(task, ["look", f"go {place}", f"take {thing}"], episode=f"{number}/good")
        taken += record(task, ["take sun", "go cellar", "leave"], episode=f"{number}/bad")
    return taken


@pytest.fixture(scope="module")
def experience(steps, tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("experience") / "house.jsonl.gz"
    write_transitions(path, steps)
    return path


@pytest.fixture(scope="module")
def chat_model(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("model")
    return save_tiny_model(folder, chat_template=CHAT_TEMPLATE, max_position_embeddings=4096, initializer_range=0.02)


@pytest.fixture(autouse=True)
def cache(tmp_path_factory, monkeypatch) -> Iterator[None]:
    monkeypatch.setenv("DREAMGYM_CACHE", str(tmp_path_factory.getbasetemp() / "cache"))
    yield


def weights(folder: Path) -> dict[str, torch.Tensor]:
    return load_file(folder / "model.safetensors")


def same(left: dict[str, torch.Tensor], right: dict[str, torch.Tensor]) -> bool:
    return left.keys() == right.keys() and all(torch.equal(left[name], right[name]) for name in left)


# a new model


def test_a_new_model_is_a_world_model_at_once(experience, tmp_path, caplog):
    caplog.set_level(logging.INFO)
    out = tmp_path / "model"
    report = finetune(experience, "new:tiny", out, domain=ToyHouse(), options=QUICK)
    assert format_settings(str(out)) == {"format": "compact", "codec": "edits", "max_memories": 3}
    card = json.loads((out / "dreamgym.json").read_text())["training"]
    assert card["base"] == "new:tiny"
    assert card["loss"] == report.loss > 0
    assert (card["steps"], card["seed"], card["learning_rate"]) == (4, 0, 2e-3)
    assert card["examples"] == report.examples == report.transitions == 48
    assert report.explained_by_rules == 48
    assert "48 of 48 transitions carry no reasoning" in caplog.text
    assert not (out / "checkpoints").exists()
    model = world_model_from_string(f"transformers:{out}", ToyHouse(), max_new_tokens=4)
    assert model.format.name == "compact"
    assert model.generator.generate([Prompt("", "<|task|>")], model.sampling, [0])[0].completion_tokens > 0
    model.close()


def test_the_random_states_of_the_process_are_left_as_they_were(experience, tmp_path):
    torch.manual_seed(5)
    np.random.seed(5)
    random.seed(5)
    before = torch.get_rng_state(), np.random.get_state()[1].tolist(), random.getstate()
    finetune(experience, "new:tiny", tmp_path / "model", domain=ToyHouse(), options=replace(QUICK, steps=1))
    assert torch.equal(before[0], torch.get_rng_state())
    assert before[1:] == (np.random.get_state()[1].tolist(), random.getstate())


def test_it_learns(experience, tmp_path):
    options = replace(QUICK, steps=60, batch_size=8, save_steps=0)
    report = finetune(experience, "new:tiny", tmp_path / "model", domain=ToyHouse(), options=options)
    assert report.final_loss < 0.7 * report.loss


# what the loss counts


@pytest.mark.parametrize("template", [None, CHAT_TEMPLATE])
def test_the_loss_counts_the_answer_alone_and_prompts_are_those_that_a_generator_asks(template, tmp_path):
    tokenizer = AutoTokenizer.from_pretrained(save_tiny_model(tmp_path, chat_template=template))
    rows = tokenise(EXAMPLES, tokenizer, 4096)
    asked = PromptEncoder(tokenizer).encode([example.prompt for example in EXAMPLES])
    batch = Collator(tokenizer.eos_token_id)(rows)
    for at, (example, prompt) in enumerate(zip(EXAMPLES, asked, strict=True)):
        labels, counted = batch["labels"][at], batch["labels"][at] != IGNORED
        assert tokenizer.decode(labels[counted]) == example.answer + tokenizer.eos_token
        assert batch["input_ids"][at, : len(prompt)].tolist() == prompt
        assert (labels[: len(prompt)] == IGNORED).all()
        assert batch["attention_mask"][at].sum() == len(prompt) + counted.sum()


def test_a_saved_models_prompts_are_token_for_token_those_it_was_trained_on(experience, chat_model, tmp_path):
    domain = ToyHouse()
    options = replace(QUICK, steps=1, batch_size=1)
    report = finetune(experience, str(chat_model), tmp_path / "model", domain=domain, options=options)
    assert report.settings == {"format": "chat", "codec": "edits", "max_memories": 5}
    model = world_model_from_string(f"transformers:{tmp_path / 'model'}", domain)
    assert model.format.max_memories == 5
    trained = tokenise(EXAMPLES, AutoTokenizer.from_pretrained(chat_model), 4096)
    asked = model.generator._encoder.encode([example.prompt for example in EXAMPLES])
    assert [row.ids[: row.prompt_length].tolist() for row in trained] == asked
    model.close()


def test_a_chat_prompt_shows_and_an_answer_refers_to_no_more_memories_than_it_may(steps):
    domain, last = ToyHouse(), steps[2]
    with ReplayBuffer(domain, seed_experience=False) as buffer:
        buffer.add(steps[6:])
        for most in (0, 1, None):
            chat = ChatFormat(domain, "edits", max_memories=most)
            options = ExampleOptions(hide_task=0, hide_action=0)
            (example,) = make_examples([last], buffer, domain, chat, seed=0, options=options)
            assert example.prompt.user.count("\n## M") == (5 if most is None else most)
            assert most != 0 or "M1" not in example.answer


def test_every_row_is_read_once_a_pass_and_the_order_is_the_seeds():
    rows = tokenise(EXAMPLES * 5, NewBase("new:tiny").tokenizer(["ab"] * 9, 99), 4096)
    orders = [Schedule(rows, 25, 4, seed)._order for seed in (0, 0, 1)]
    assert orders[0] == orders[1] != orders[2]
    assert sorted(orders[0][:10]) == sorted(orders[0][10:20]) == list(range(10))
    assert len(orders[0]) == 25


# leaks


def shown(steps: list[Transition], known: list[Transition], **options: float) -> list[bool]:
    """Return for each example whether its prompt shows any memory."""
    domain = ToyHouse()
    with ReplayBuffer(domain, seed_experience=False) as buffer:
        buffer.add(known)
        written = prompt_format(domain, "chat", codec="edits")
        made = make_examples(steps, buffer, domain, written, seed=0, options=ExampleOptions(**options))
    return ["# Memories\nnone" not in example.prompt.user for example in made]


def test_no_example_sees_its_own_episode_nor_its_task_where_that_is_hidden(steps):
    episode, of_the_task = steps[:3], steps[:6]
    assert not any(shown(episode, episode, hide_task=0, hide_action=0))
    assert all(shown(episode, of_the_task, hide_task=0, hide_action=0))
    assert not any(shown(episode, of_the_task, hide_task=1, hide_action=0))
    assert all(shown(episode, steps, hide_task=1, hide_action=0))


# interruptions


class Interrupt(TrainerCallback):
    """Ctrl-C in the middle."""

    def on_step_end(self, args, state, control, **kwargs):
        if state.global_step == 5:
            raise KeyboardInterrupt


@pytest.mark.parametrize(("base", "lora"), [("new:tiny", 0), ("chat_model", 4)])
def test_an_interrupted_training_continues_to_the_same_weights(experience, tmp_path, request, base, lora):
    base = base if base.startswith("new:") else str(request.getfixturevalue(base))
    # 48 examples, 16 a step: it is interrupted in the second pass over them and ends in the third
    options = replace(QUICK, steps=8, batch_size=8, gradient_accumulation=2, save_steps=4, lora=lora)
    keywords = {"domain": ToyHouse(), "options": options, "format_options": FormatOptions("compact")}
    straight = finetune(experience, base, tmp_path / "straight", **keywords)
    cut = tmp_path / "cut"
    with pytest.raises(KeyboardInterrupt):
        finetune(experience, base, cut, callbacks=[Interrupt()], **keywords)
    with pytest.raises(WorldModelError, match=r"no config\.json"):
        world_model_from_string(f"transformers:{cut}", ToyHouse())
    with pytest.raises(TrainingError, match=r"seed was 0 and is 1.*--overwrite"):
        finetune(experience, base, cut, **{**keywords, "options": replace(options, seed=1)})
    torn = cut / "checkpoints" / "checkpoint-5"
    torn.mkdir()  # as a process leaves it that is killed while it writes
    resumed = finetune(experience, base, cut, keep_checkpoints=True, **keywords)
    assert (straight.resumed_at, resumed.resumed_at) == (0, 4)
    assert resumed.loss == straight.loss
    assert same(weights(tmp_path / "straight"), weights(cut))
    assert (cut / "checkpoints" / "checkpoint-8").is_dir()
    (cut / "dreamgym.json").unlink()  # as if it was killed just before the end
    (cut / "model.safetensors").unlink()
    assert finetune(experience, base, cut, **keywords).loss == straight.loss
    assert same(weights(tmp_path / "straight"), weights(cut))


def test_a_model_is_replaced_only_when_asked_to(experience, tmp_path):
    keywords = {"domain": ToyHouse(), "options": replace(QUICK, steps=1)}
    finetune(experience, "new:tiny", tmp_path, **keywords)
    with pytest.raises(TrainingError, match=r"holds a model already.*--overwrite"):
        finetune(experience, "new:tiny", tmp_path, **keywords)
    finetune(experience, "new:tiny", tmp_path, overwrite=True, **keywords)


TRAINING = """
import sys
from test_finetune import QUICK, ToyHouse, TrainerCallback, finetune

class Wait(TrainerCallback):
    def on_train_begin(self, args, state, control, **kwargs):
        print("training", flush=True)
        sys.stdin.read()

finetune(sys.argv[1], "new:tiny", sys.argv[2], domain=ToyHouse(), options=QUICK, callbacks=[Wait()])
"""


def test_a_second_process_is_refused_until_the_first_one_ends_or_is_killed(experience, tmp_path):
    keywords = {"domain": ToyHouse(), "options": QUICK}
    tests = Path(__file__).parent
    first = subprocess.Popen(
        [sys.executable, "-c", TRAINING, str(experience), str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(tests), str(tests.parent), *sys.path])},
    )
    try:
        assert first.stdout is not None
        assert first.stdout.readline() == "training\n"
        for overwrite in (False, True):
            with pytest.raises(TrainingError, match=r"Another process is training into .*--out"):
                finetune(experience, "new:tiny", tmp_path, overwrite=overwrite, **keywords)
    finally:
        first.kill()
        first.communicate()
    finetune(experience, "new:tiny", tmp_path, **keywords)
    assert not list(tmp_path.glob("*.lock"))


# LoRA


def test_adapters_are_trained_and_merged(experience, chat_model, tmp_path):
    options = replace(QUICK, steps=2, batch_size=1, gradient_accumulation=2, lora=4, gradient_checkpointing=True)
    report = finetune(experience, str(chat_model), tmp_path, domain=ToyHouse(), options=options, keep_adapter=True)
    assert report.trained_parameters < report.parameters / 2
    assert json.loads((tmp_path / "dreamgym.json").read_text())["training"]["learning_rate"] == 2e-4
    base, merged = weights(chat_model), weights(tmp_path)
    assert base.keys() == merged.keys()
    changed = {name for name in base if not torch.equal(base[name], merged[name])}
    assert changed
    assert not any("embed" in name or "norm" in name for name in changed)
    assert AutoModelForCausalLM.from_pretrained(tmp_path).num_parameters() < report.parameters
    assert (tmp_path / "adapter" / "adapter_model.safetensors").is_file()


def test_lora_without_peft_says_what_to_install(experience, chat_model, tmp_path, monkeypatch):
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "peft" else find(name))
    with pytest.raises(MissingDependencyError, match=r"dreamgym_env\[training\]"):
        finetune(experience, str(chat_model), tmp_path, domain=ToyHouse(), options=replace(QUICK, lora=4))


# refusals


def test_a_file_that_cannot_be_learnt_from_is_refused(steps, experience, tmp_path):
    def trained(path: Path, domain: ToyHouse | None = None) -> None:
        finetune(path, "new:tiny", tmp_path / "model", domain=domain, options=QUICK)

    other = tmp_path / "other.jsonl"
    write_transitions(other, [*steps[:3], replace(steps[3], domain="toyflat")])
    with pytest.raises(ExperienceFormatError, match="'toyflat', and not of 'toyhouse' alone"):
        trained(other)
    write_transitions(other, [])
    with pytest.raises(ExperienceFormatError, match="holds no transitions"):
        trained(other, ToyHouse())
    write_transitions(other, [replace(step, domain="toyflat") for step in steps])
    with pytest.raises(ExperienceFormatError, match="'toyflat', and not of 'toyhouse' alone"):
        trained(other, ToyHouse())
    header, _, rest = other.read_text().partition("\n")
    other.write_text(
        header.replace('"version":1', '"version":99').replace('"version": 1', '"version": 99') + f"\n{rest}"
    )
    with pytest.raises(ExperienceFormatError, match="99"):
        trained(other, ToyHouse())
    assert not (tmp_path / "model").exists()


def test_a_base_that_cannot_be_trained_is_refused(experience, tmp_path):
    def trained(base: Path | str, **options: int) -> None:
        finetune(experience, str(base), tmp_path / "model", domain=ToyHouse(), options=replace(QUICK, **options))

    bert = tmp_path / "bert"
    BertConfig(architectures=["BertForMaskedLM"], vocab_size=99).save_pretrained(bert)
    with pytest.raises(TrainingError, match=r"no causal language model \(BertForMaskedLM"):
        trained(bert)
    with pytest.raises(WorldModelError, match="no model folder"):
        trained(tmp_path / "missing")
    (tmp_path / "empty").mkdir()
    with pytest.raises(WorldModelError, match=r"no config\.json"):
        trained(tmp_path / "empty")
    with pytest.raises(TrainingError, match=f"new:{', new:'.join(SIZES)}"):
        trained("new:huge")
    with pytest.raises(TrainingError, match="leave --lora out"):
        trained("new:tiny", lora=4)
    with pytest.raises(TrainingError, match="can read, which is 256 tokens"):
        trained(save_tiny_model(tmp_path / "short"), max_length=512)
    assert not (tmp_path / "model").exists()


def test_examples_that_are_too_long_are_counted_and_one_must_remain(experience, tmp_path, caplog):
    def trained(max_length: int) -> FinetuneReport:
        options = replace(QUICK, steps=1, max_length=max_length)
        return finetune(experience, "new:tiny", tmp_path / str(max_length), domain=ToyHouse(), options=options)

    report = trained(88)
    assert 0 < report.too_long < 48
    assert report.too_long + report.examples == 48
    assert f"{report.too_long} of 48 examples are longer than 88 tokens and were left out." in caplog.text
    with pytest.raises(TrainingError, match="--max-length 64"):
        trained(64)


@pytest.mark.parametrize(
    "error", [torch.OutOfMemoryError("CUDA out of memory"), RuntimeError("DefaultCPUAllocator: can't allocate memory")]
)
def test_a_full_memory_names_the_options_that_help(experience, tmp_path, error):
    class Full(TrainerCallback):
        def on_step_begin(self, args, state, control, **kwargs):
            raise error

    with pytest.raises(TrainingError, match=r"--batch-size.*--gradient-accumulation.*--max-length.*--lora"):
        finetune(experience, "new:tiny", tmp_path, domain=ToyHouse(), options=QUICK, callbacks=[Full()])


@pytest.mark.parametrize(
    "wrong", [{"steps": 0}, {"batch_size": 0}, {"lora": -1}, {"learning_rate": 0.0}, {"max_length": 3}]
)
def test_numbers_out_of_their_range_are_refused(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        TrainingOptions(**wrong)
