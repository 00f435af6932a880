"""The transformers generator: the same tokens as transformers' own loop, whatever the model keeps in its cache."""

from __future__ import annotations

import itertools
import statistics
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers

from dreamgym_env.errors import WorldModelError
from dreamgym_env.testing.tiny_model import CHAT_TEMPLATE, save_tiny_model
from dreamgym_env.types import Prompt, Sampling
from dreamgym_env.world_model.generators.hf import TransformersGenerator
from dreamgym_env.world_model.generators.hf.decoding import Row, split_batches
from dreamgym_env.world_model.generators.hf.kv_slab import fits_slab
from dreamgym_env.world_model.generators.prompt_encoder import PromptEncoder

SYSTEM = "You are a shop that answers what a customer clicks on, in the fewest words. "
PROMPTS = [
    Prompt(SYSTEM, "click on " + "the red trail running shoes " * (1 + index % 4) + str(index)) for index in range(9)
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_tiny_model(tmp_path_factory.mktemp("tiny"))


def random_model(config: Any) -> Any:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return transformers.AutoModelForCausalLM.from_config(config, dtype=torch.float32).eval()


def small_config(kind: str, vocabulary: int) -> Any:
    shape = {"vocab_size": vocabulary, "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4}
    decoder = {**shape, "intermediate_size": 64, "num_key_value_heads": 2, "initializer_range": 0.4}
    match kind:
        case "llama":
            return transformers.LlamaConfig(**decoder)
        case "gpt2":
            return transformers.GPT2Config(
                vocab_size=vocabulary, n_embd=32, n_layer=2, n_head=4, n_positions=256, initializer_range=0.4
            )
        case "sliding window":
            return transformers.MistralConfig(**decoder, sliding_window=16)
        case "hybrid":
            return transformers.Gemma3TextConfig(
                **decoder, head_dim=8, sliding_window=16, layer_types=["sliding_attention", "full_attention"]
            )
        case "no positions":
            return transformers.BloomConfig(
                vocab_size=vocabulary, hidden_size=32, n_layer=2, n_head=4, initializer_range=0.4
            )
    raise AssertionError(kind)


@pytest.mark.parametrize(
    ("kind", "in_slab"),
    [("llama", True), ("gpt2", True), ("sliding window", False), ("hybrid", False), ("no positions", False)],
)
def test_greedy_tokens_are_those_of_transformers(folder: Path, kind: str, in_slab: bool) -> None:
    """A batch with a shared prefix, padding and rows that end early decodes each row as ``generate`` does alone."""
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    model = random_model(small_config(kind, len(tokenizer)))
    if kind != "no positions":
        assert fits_slab(model) is in_slab
    expected = []
    for prompt in PROMPTS:
        ids = tokenizer(prompt.system + prompt.user, return_tensors="pt").input_ids
        output = model.generate(
            ids,
            attention_mask=torch.ones_like(ids),
            max_new_tokens=20,
            do_sample=False,
            eos_token_id=None,
            pad_token_id=0,
        )
        expected.append(output[0, ids.shape[1] :].tolist())
    common = statistics.mode(token for tokens in expected for token in tokens)
    model.generation_config.eos_token_id = [common]
    ends = {common, tokenizer.eos_token_id}
    expected = [list(itertools.takewhile(lambda token: token not in ends, tokens)) for tokens in expected]
    assert len({len(tokens) for tokens in expected}) > 1, "some rows must end early for this test to say anything"

    generator = TransformersGenerator.from_loaded(model, tokenizer, prefill_tokens=100)
    answers = generator.generate(PROMPTS, Sampling(max_new_tokens=20), [0] * len(PROMPTS))
    assert [answer.text for answer in answers] == [tokenizer.decode(tokens) for tokens in expected]
    assert [answer.completion_tokens for answer in answers] == [min(len(tokens) + 1, 20) for tokens in expected]


def test_torch_random_state_is_untouched(folder: Path) -> None:
    """Sampling draws from the seeds alone."""
    generator = TransformersGenerator(folder, device="cpu")
    torch.manual_seed(5)
    before = torch.random.get_rng_state()
    generator.generate(PROMPTS, Sampling(max_new_tokens=5, temperature=1.0), range(len(PROMPTS)))
    assert torch.equal(before, torch.random.get_rng_state())


def test_sampling_follows_the_model(folder: Path) -> None:
    """The share of first tokens over many seeds is the softmax of the logits."""
    generator = TransformersGenerator(folder, device="cpu")
    tokenizer, model = generator._tokenizer, generator._model
    ids = tokenizer("search[", return_tensors="pt").input_ids
    with torch.inference_mode():
        probabilities = torch.softmax(model(ids).logits[0, -1] / 0.7, dim=-1)
    answers = generator.generate([Prompt("", "search[")] * 600, Sampling(max_new_tokens=1, temperature=0.7), range(600))
    token = int(probabilities.argmax())
    share = sum(answer.text == tokenizer.decode([token]) for answer in answers) / len(answers)
    assert share == pytest.approx(float(probabilities[token]), abs=0.07)


def test_an_answer_ends_with_the_context(folder: Path) -> None:
    """A prompt that leaves room for three tokens gets three; one that leaves none gets an error that says so."""
    generator = TransformersGenerator(folder, device="cpu")
    nearly, full = (Prompt("", "é" * (count // 2) + "e" * (count % 2)) for count in (253, 256))
    answers = generator.generate([nearly, full], Sampling(max_new_tokens=20), [0, 0])
    assert [(answer.prompt_tokens, answer.completion_tokens) for answer in answers] == [(253, 3), (256, 0)]
    assert "256 tokens" in answers[1].error and not answers[0].error


def test_an_empty_prompt_is_an_error_of_its_own(folder: Path) -> None:
    """A model without a start token cannot answer nothing; the rest of the batch is answered."""
    generator = TransformersGenerator(folder, device="cpu")
    empty, good = generator.generate([Prompt("", ""), PROMPTS[0]], Sampling(max_new_tokens=3), [0, 0])
    assert "empty" in empty.error
    assert good.completion_tokens == 3 and not good.error


def test_stop_strings_across_tokens_and_inside_characters(folder: Path) -> None:
    """A stop string ends the text wherever its characters fall among tokens, and decoding ends with it."""
    generator = TransformersGenerator(folder, device="cpu")
    for prompt in PROMPTS:
        full = generator.generate([prompt], Sampling(max_new_tokens=30), [0])[0]
        for first in range(0, len(full.text) - 6, 5):
            stop = full.text[first : first + 6]
            if "\ufffd" in stop:
                continue  # a half-written character: what it becomes depends on what follows
            answer = generator.generate([prompt], Sampling(max_new_tokens=30, stop=(stop,)), [0])[0]
            assert answer.text == full.text[: full.text.find(stop)]
            assert answer.completion_tokens <= full.completion_tokens
    assert answer.completion_tokens < full.completion_tokens


def test_batches_are_bounded_by_tokens() -> None:
    """No batch of several rows exceeds the bound, no row is lost, lengths ascend."""
    rows = [Row([1] * length, limit, 0) for length, limit in zip(range(1, 60), [3, 20, 7] * 20, strict=False)]
    rows.append(Row([1] * 500, 9, 0))
    batches = split_batches(rows[::-1], batch_tokens=200)
    assert sorted(id(row) for batch in batches for row in batch) == sorted(map(id, rows))
    for batch in batches:
        padded = len(batch) * (len(batch[-1].prompt) + max(row.limit for row in batch))
        assert padded <= 200 or len(batch) == 1
    assert len(batches[-1]) == 1
    assert [len(row.prompt) for batch in batches for row in batch] == sorted(len(row.prompt) for row in rows)


NO_SYSTEM = (
    "{% if messages[0]['role'] == 'system' %}{{ raise_exception('no system') }}{% endif %}{{ messages[0]['content'] }}|"
)
DROPS_SYSTEM = "{% for m in messages if m['role'] != 'system' %}{{ m['content'] }}|{% endfor %}"


@pytest.mark.parametrize(
    ("template", "text"),
    [
        (None, "rulesask"),
        (CHAT_TEMPLATE, "<|system|>rules<|end|><|user|>ask<|end|><|assistant|>"),
        (NO_SYSTEM, "rules\n\nask|"),
        (DROPS_SYSTEM, "rules\n\nask|"),
    ],
)
def test_prompts_are_written_as_the_tokenizer_wants_them(folder: Path, template: str | None, text: str) -> None:
    """The system part is a system message, or joined to the user's where the template knows no such role."""
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    tokenizer.chat_template = template
    encoder = PromptEncoder(tokenizer)
    assert encoder.render(Prompt("rules", "ask")) == text
    assert tokenizer.decode(encoder.encode([Prompt("rules", "ask")])[0]) == text


def test_chat_false_ignores_the_template(folder: Path) -> None:
    """A template can be left out on purpose, but not made up."""
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    with pytest.raises(WorldModelError, match="no chat template"):
        PromptEncoder(tokenizer, chat=True)
    tokenizer.chat_template = CHAT_TEMPLATE
    assert PromptEncoder(tokenizer, chat=False).render(Prompt("a", "b")) == "ab"


def test_a_template_that_cannot_render_is_an_error(folder: Path) -> None:
    """It is found when the generator is made, not at the first step."""
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    for template in ("{{ raise_exception('never') }}", "constant"):
        tokenizer.chat_template = template
        with pytest.raises(WorldModelError, match="chat=False"):
            PromptEncoder(tokenizer)


def test_models_that_cannot_be_loaded(tmp_path: Path, folder: Path) -> None:
    """Each message says what was tried and what to do."""
    with pytest.raises(WorldModelError, match=r"no model folder .*missing"):
        TransformersGenerator(tmp_path / "missing")
    with pytest.raises(WorldModelError, match=r"no config\.json"):
        TransformersGenerator(tmp_path)
    with pytest.raises(WorldModelError, match=r"Hugging Face hub.*hf download"):
        TransformersGenerator("nobody/no-such-model", load_options={"local_files_only": True})
    broken = tmp_path / "broken"
    broken.mkdir()
    for file in folder.iterdir():
        (broken / file.name).write_bytes(file.read_bytes()[: 200 if file.suffix == ".safetensors" else None])
    with pytest.raises(WorldModelError, match="could not be loaded"):
        TransformersGenerator(broken)


def test_a_closed_generator_says_so(folder: Path) -> None:
    """Generating after close is an error, not a crash."""
    generator = TransformersGenerator(folder, device="cpu")
    generator.close()
    with pytest.raises(WorldModelError, match="closed"):
        generator.generate(PROMPTS[:1], Sampling(), [0])


@pytest.mark.parametrize("stop", [(), ("e",)])
def test_prompt_lookup_changes_nothing_but_the_way(folder: Path, stop: tuple[str, ...]) -> None:
    prompts = [Prompt("", "one two three one two three one two"), Prompt("", "page page page page page")]
    sampling = Sampling(max_new_tokens=24, stop=stop)
    answers = []
    for guesses in (0, 4):
        generator = TransformersGenerator(folder, prompt_lookup=guesses)
        answers.append(generator.generate(prompts, sampling, [0, 1]))
        generator.close()
    assert answers[0] == answers[1]
    assert any(answer.completion_tokens > 1 for answer in answers[0])
