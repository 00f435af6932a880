"""The embedded model through vLLM predicts what it predicts through transformers; run by ``make test-vllm``."""

from __future__ import annotations

import importlib.util

import pytest

from dreamgym_env.domains import load_domain
from dreamgym_env.memory import ReplayBuffer
from dreamgym_env.simulation.grounding import Grounding
from dreamgym_env.types import Prediction, Query
from dreamgym_env.world_model.build import EMBEDDED_PATH, world_model_from_string
from dreamgym_env.world_model.generators import VLLMGenerator

pytestmark = [
    pytest.mark.vllm,
    pytest.mark.timeout(1200),
    pytest.mark.skipif(
        importlib.util.find_spec("vllm") is None, reason="vLLM is not installed; run `make test-vllm` to test with it"
    ),
]
SEARCHES = ("water bottle", "dog harness", "area rug", "gaming keyboard", "yoga mat", "coffee mug", "desk", "tent")


def test_both_engines_dream_the_same_pages():
    domain = load_domain("webshop")
    with ReplayBuffer(domain) as buffer:
        task = domain.task("webshop/test/0")
        queries = [Query(task, (), task.initial_state, f"search[{words}]") for words in SEARCHES]
        memories = Grounding(domain, buffer).retrieve(queries, 5)

        def predicted(generator: VLLMGenerator | None) -> list[Prediction]:
            model = world_model_from_string("embedded", domain, generator=generator, max_new_tokens=200)
            try:
                return model.predict(queries, memories, [0] * len(queries))
            finally:
                model.close()

        theirs = predicted(VLLMGenerator(str(EMBEDDED_PATH), dtype="float32", enforce_eager=True, max_num_seqs=32))
        ours = predicted(None)
    assert not any(prediction.failure for prediction in theirs)
    same = [a.next_state == b.next_state for a, b in zip(ours, theirs, strict=True)]
    assert sum(same) >= len(same) - 1  # vLLM promises the same floating point only for the same batch
