"""verl's agent loop plays an episode and returns it as tokens, by verl's own assembly of them."""

from __future__ import annotations

import asyncio

import pytest

pytest.importorskip("verl", reason='needs verl: pip install "dreamgym_env[verl]"')

import hydra
from omegaconf import OmegaConf
from transformers import AutoTokenizer
from verl.experimental.agent_loop.agent_loop import DictConfigWrap, ToolListWrap
from verl.utils.dataset.rl_dataset import RLHFDataset
from verl.workers.rollout.replica import TokenOutput

from dreamgym_env.errors import TrainingError
from dreamgym_env.integrations.verl import DreamAgentLoop, dataset_rows
from dreamgym_env.testing.tiny_model import CHAT_TEMPLATE, save_tiny_model

CONFIGURED = """
- name: dreamgym
  _target_: dreamgym_env.integrations.verl.DreamAgentLoop
  env_id: DreamGymReal/WebShop-v0
  settings: {max_episode_steps: 3}
"""


class ScriptedEngine:
    """In the place of verl's client of an inference engine: says the next text of a script, as tokens."""

    def __init__(self, tokenizer, texts, *, logprobs=True):
        self.tokenizer, self.texts, self.logprobs = tokenizer, list(texts), logprobs
        self.prompts, self.requests = [], set()

    async def generate(self, request_id, *, prompt_ids, sampling_params, **options):
        self.prompts.append(list(prompt_ids))
        self.requests.add(request_id)
        text = self.texts[min(len(self.prompts), len(self.texts)) - 1] + "<|end|>"
        ids = self.tokenizer(text, add_special_tokens=False)["input_ids"]
        return TokenOutput(token_ids=ids, log_probs=[-0.5] * len(ids) if self.logprobs else None)


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tiny")
    return AutoTokenizer.from_pretrained(save_tiny_model(folder, chat_template=CHAT_TEMPLATE))


def loop_of(tokenizer, engine, *, response_length=20_000, max_assistant_turns=None):
    """Make the agent loop as verl's worker makes one for each trajectory."""
    (configured,) = OmegaConf.create(CONFIGURED)
    rollout = {
        "prompt_length": 20_000,
        "response_length": response_length,
        "multi_turn": {"max_assistant_turns": max_assistant_turns},
    }
    config = OmegaConf.create({"actor_rollout_ref": {"rollout": rollout}, "data": {}})
    return hydra.utils.instantiate(
        config=configured,
        trainer_config=DictConfigWrap(config=config),
        server_manager=engine,
        tokenizer=tokenizer,
        processor=None,
        hf_model_type=None,
        dataset_cls=RLHFDataset,
        data_config=DictConfigWrap(config.data),
        tools=ToolListWrap([]),
    )


def play(tokenizer, texts, *, logprobs=True, row=0, **limits):
    engine = ScriptedEngine(tokenizer, texts, logprobs=logprobs)
    told = dataset_rows("webshop", "train", row + 1)[row]

    async def run():
        loop = loop_of(tokenizer, engine, **limits)
        assert isinstance(loop, DreamAgentLoop)
        return await loop.run({"temperature": 1.0}, raw_prompt=told["prompt"], extra_info=told["extra_info"])

    return asyncio.run(run()), engine


def test_rows_are_those_of_verls_data_sets():
    rows = dataset_rows("webshop", "test", 2, name="shop")
    assert {row["agent_name"] for row in rows} == {"shop"} and {row["data_source"] for row in rows} == {
        "dreamgym/webshop"
    }
    assert [row["extra_info"] for row in rows] == [
        {"index": number, "split": "test", "task_id": f"webshop/test/{number}"} for number in range(2)
    ]


def test_an_episode_is_one_trajectory_whose_own_tokens_are_the_models(tokenizer):
    output, engine = play(tokenizer, ["I look.\nAction: search[cable]", "Hm.", "Action: search[charger]"])
    assert len(engine.prompts) == 3 and len(engine.requests) == 1
    ids = output.prompt_ids + output.response_ids
    for longer, shorter in zip([*engine.prompts[1:], ids], engine.prompts, strict=True):
        assert longer[: len(shorter)] == shorter  # ids only ever grow
    said = [one for one, own in zip(output.response_ids, output.response_mask, strict=True) if own]
    assert (
        tokenizer.decode(said).replace("<|end|>", "|").startswith("I look.\nAction: search[cable]|Hm.|Action: search[")
    )
    assert len(output.response_logprobs) == len(output.response_mask)
    assert all(
        logprob == (-0.5 if own else 0.0)
        for logprob, own in zip(output.response_logprobs, output.response_mask, strict=True)
    )
    assert "# The current state" in tokenizer.decode(output.response_ids)
    assert "# Task" in tokenizer.decode(output.prompt_ids)
    assert output.reward_score == 0.0 and output.num_turns == 7
    extra = output.extra_fields["reward_extra_info"]
    assert extra["won"] == 0.0 and extra["well_formed"] == pytest.approx(2 / 3)
    assert output.metrics.generate_sequences > 0 and output.extra_fields["turn_scores"] == [0.0] * 3


def test_engines_without_log_probabilities_are_taken(tokenizer):
    output, _ = play(tokenizer, ["Action: search[cable]"], logprobs=False)
    assert output.response_logprobs is None and len(output.response_ids) == len(output.response_mask)


def test_verls_limits_end_a_trajectory(tokenizer):
    output, engine = play(tokenizer, ["Action: search[cable]"], max_assistant_turns=2)
    assert len(engine.prompts) == 2 and output.response_mask[-1] == 1
    output, engine = play(tokenizer, ["Action: search[cable]"], response_length=30)
    assert len(engine.prompts) == 1 and len(output.response_ids) == len(output.response_mask) == 30


def test_samples_of_a_row_begin_alike(tokenizer):
    first, second = (play(tokenizer, ["Action: search[cable]"], row=1)[0] for _ in range(2))
    assert first.prompt_ids == second.prompt_ids


def test_a_row_without_a_task_is_refused(tokenizer):
    async def run():
        loop = loop_of(tokenizer, ScriptedEngine(tokenizer, ["Hm."]))
        await loop.run({}, raw_prompt=[], extra_info={"index": 0})

    with pytest.raises(TrainingError, match="names no task"):
        asyncio.run(run())
