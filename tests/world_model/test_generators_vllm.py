"""The vllm generator with a real engine; run by ``make test-vllm``, which installs vLLM for the CPU."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Iterator

import pytest

from dreamgym_env.errors import WorldModelError
from dreamgym_env.testing.generator_contract import TextGeneratorContract
from dreamgym_env.testing.tiny_model import CHAT_TEMPLATE, save_tiny_model
from dreamgym_env.types import Prompt, Sampling
from dreamgym_env.world_model.generators import TransformersGenerator, VLLMGenerator

pytestmark = [
    pytest.mark.vllm,
    pytest.mark.timeout(1200),  # starting the engine takes a minute on an idle machine
    pytest.mark.skipif(
        importlib.util.find_spec("vllm") is None, reason="vLLM is not installed; run `make test-vllm` to test with it"
    ),
]

SCHEMA = {
    "type": "object",
    "properties": {"reward": {"enum": [0, 1]}, "terminated": {"type": "boolean"}},
    "required": ["reward", "terminated"],
    "additionalProperties": False,
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("tiny")
    return str(save_tiny_model(folder, chat_template=CHAT_TEMPLATE, hidden_size=128, num_key_value_heads=4))


@pytest.fixture(scope="module")
def engine(folder: str) -> Iterator[VLLMGenerator]:
    # A model of random weights would fill any answer with the white space that JSON allows between its members.
    compact = {"backend": "xgrammar", "disable_any_whitespace": True}
    generator = VLLMGenerator(
        folder, dtype="float32", enforce_eager=True, max_num_seqs=32, structured_outputs_config=compact
    )
    yield generator
    generator.close()
    generator.close()
    with pytest.raises(WorldModelError, match="closed"):
        generator.generate([Prompt("", "a")], Sampling(), [0])


class TestVLLMGenerator(TextGeneratorContract):
    deterministic = False  # greedy answers may change with the batch: vLLM promises no more

    @pytest.fixture
    def generator(self, engine: VLLMGenerator) -> VLLMGenerator:
        return engine

    def test_close_may_be_called_twice(self) -> None:
        """The fixture ``engine`` does it; an engine of its own would take a minute more."""

    def test_answers_follow_the_schema(self, engine: VLLMGenerator) -> None:
        """Even a model of random weights writes the JSON that is asked for."""
        sampling = Sampling(max_new_tokens=60, temperature=1.0, json_schema=SCHEMA)
        for answer in engine.generate([Prompt("rules", f"ask {index}") for index in range(6)], sampling, range(6)):
            assert set(json.loads(answer.text)) == {"reward", "terminated"}

    def test_text_ends_before_a_stop_string_of_a_single_prompt(self, engine: VLLMGenerator) -> None:
        """Exactly before it."""
        prompt = Prompt("rules", "click on the red shoes")
        full = engine.generate([prompt], Sampling(max_new_tokens=24), [0])[0].text
        stop = full[len(full) // 2 :][:3]
        answer = engine.generate([prompt], Sampling(max_new_tokens=24, stop=("", stop)), [0])[0]
        assert answer.text == full[: full.find(stop)]

    def test_a_single_prompt_repeats_with_its_seed(self, engine: VLLMGenerator) -> None:
        """Seeds are per prompt, not per batch."""
        prompt, sampling = Prompt("rules", "click on the red shoes"), Sampling(max_new_tokens=12, temperature=1.0)
        first, other, again = (engine.generate([prompt], sampling, [seed])[0].text for seed in (7, 8, 7))
        assert first == again != other

    def test_prompts_are_written_as_by_the_transformers_generator(self, engine: VLLMGenerator, folder: str) -> None:
        """The same chat template, the same tokens, the same greedy answer: the engines can stand in for each other."""
        reference = TransformersGenerator(folder, device="cpu")
        prompts = [Prompt("rules", f"click on shoes {index}") for index in range(4)]
        for prompt in prompts:  # one by one, since in a batch the engine's last bits may differ
            ours, theirs = (
                generator.generate([prompt], Sampling(max_new_tokens=6), [0])[0] for generator in (engine, reference)
            )
            assert ours.prompt_tokens == theirs.prompt_tokens
            # The engines write bytes that are no whole character in different ways.
            assert ours.text.replace("\ufffd", "") == theirs.text.replace("\ufffd", "")
