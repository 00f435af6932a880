"""Promises of environments as tools for TRL, kept with the real trainer."""

from __future__ import annotations

import importlib.resources

import pytest

pytest.importorskip("trl", reason='needs trl: pip install "dreamgym_env[trl]"')

import gymnasium as gym
import torch
from scripted import failing_model, simulator
from talkers import Talker, save_house_model
from toy_domain import RealToyHouse, ToyHouse
from transformers import AutoTokenizer
from transformers.utils import get_json_schema
from trl import GRPOConfig, GRPOTrainer

from dreamgym_env.envs.text_vector_env import TextVectorEnv
from dreamgym_env.errors import KeywordError, TrainingError, UnknownTaskError
from dreamgym_env.integrations.trl import EnvironmentFactory, ShopTools, TextTools, make_dataset

REAL_SHOP = "DreamGymReal/WebShop-v0"
QWEN = importlib.resources.files("trl").joinpath("chat_templates", "qwen2_5.jinja").read_text()
CALL = '<tool_call>\n{{"name": "{}", "arguments": {{"{}": "{}"}}}}\n</tool_call>'


@pytest.fixture(scope="module")
def shop():
    factory = EnvironmentFactory(REAL_SHOP)
    yield factory
    factory.close()


@pytest.fixture
def house(request):
    """A factory of houses, real ones unless the test names another backend."""
    domain = ToyHouse()
    backend = getattr(request, "param", RealToyHouse)(domain)
    gym.register("Toy/House-v0", vector_entry_point=lambda num_envs: TextVectorEnv(domain, backend, num_envs))
    factory = EnvironmentFactory("Toy/House-v0", max_episode_steps=3)
    yield factory
    factory.close()
    del gym.registry["Toy/House-v0"]


def test_a_trainer_calls_the_tools_and_reads_the_verdict(shop, tmp_path):
    def buying_or_not(row, text):
        calls = text.count("<tool_response>")
        if calls == 2:
            return "I am done."
        tool = ("search", "keywords", "shoes") if calls == 0 else ("click", "element", "back to search")
        return CALL.format(*tool) if row % 2 == 0 else "I buy nothing."

    folder = save_house_model(tmp_path / "model", QWEN, max_position_embeddings=8192)
    args = GRPOConfig(
        output_dir=str(tmp_path / "out"),
        **{"per_device_train_batch_size": 2, "num_generations": 2, "max_completion_length": 3000, "max_steps": 1},
        **{"bf16": False, "gradient_checkpointing": False, "use_cpu": True, "report_to": "none", "logging_steps": 1},
        **{"save_strategy": "no", "disable_tqdm": True},
    )
    model = Talker.from_pretrained(folder, dtype=torch.float32)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    data = make_dataset(shop.domain, n=1)
    trainer = GRPOTrainer(model, args=args, train_dataset=data, processing_class=tokenizer, environment_factory=shop)
    model.listen_to(tokenizer, buying_or_not)
    trainer.train()
    searching, idle = trainer.environments
    assert searching.info["task_id"] == idle.info["task_id"] == data[0]["task_id"]
    assert searching.info["valid"] and searching.info["available_actions"][0].startswith("search[")  # there and back
    assert "valid" not in idle.info  # it never took a step
    logged = trainer.state.log_history[0]
    assert logged["rewards/ShopTools/mean"] == 0.0
    assert logged["tools/call_frequency"] == 1.0 and logged["tools/failure_frequency"] == 0.0
    read = tokenizer.decode(model.read[0][0])
    assert data[0]["prompt"][0]["content"] in read and "# How this environment behaves" in read
    assert '"name": "search"' in read and '"name": "click"' in read and "get_reward" not in read


def test_the_shop_is_played_by_searching_and_clicking(shop):
    tools, other = shop(), shop()
    assert isinstance(tools, ShopTools) and tools._lane.unwrapped.backend is other._lane.unwrapped.backend
    first = tools.reset(task_id="webshop/train/0", prompt=[])
    assert "search[" in first.partition("# Actions that it offers")[2]
    assert "Back to Search" in tools.search("shoes")
    assert tools.get_reward() == 0.0
    assert "click[" in tools.click("back to search") or "search[" in tools.click("back to search")
    assert other.reset(task_id="webshop/train/0") == first


def test_other_domains_have_one_tool_which_says_when_it_is_over(house):
    tools = house()
    assert type(tools) is TextTools
    assert "Exit: kitchen" in tools.reset(task_id="toyhouse/train/0")
    assert "Here: key" in tools.act("go kitchen") and tools.get_reward() == 0.0
    assert tools.act("take key").endswith("The episode has ended.") and tools.get_reward() == 1.0
    with pytest.raises(ValueError, match="call no more tools"):
        tools.act("look")
    tools.reset(task_id="toyhouse/train/1")  # an environment serves many episodes
    assert tools.get_reward() == 0.0
    tools.act("look")
    assert "has ended" not in tools.act("look")
    assert tools.act("look").endswith("The episode has ended.") and tools.info["stop_reason"] == "step_limit"


@pytest.mark.parametrize("house", [lambda domain: simulator(failing_model("gibberish"), domain)], indirect=True)
def test_an_episode_without_a_verdict_has_no_reward(house):
    tools = house()
    tools.reset(task_id="toyhouse/train/0")
    assert tools.act("go kitchen").endswith("The episode has ended.")
    assert tools.get_reward() is None and "gibberish" in tools.info["failure"]


@pytest.mark.parametrize(("tool", "argument"), [("search", "keywords"), ("click", "element")])
def test_tools_are_described_to_the_model(shop, tool, argument):
    schema = get_json_schema(getattr(shop(), tool))["function"]
    assert schema["name"] == tool and schema["parameters"]["required"] == [argument]
    assert schema["parameters"]["properties"][argument]["type"] == "string" and schema["description"]


def test_what_tools_cannot_play_is_refused(shop):
    with pytest.raises(TrainingError, match="make_dataset"):
        shop().reset(prompt=[])
    with pytest.raises(UnknownTaskError):
        shop().reset(task_id="webshop/train/none")
    with pytest.raises(KeywordError, match="make_rollout_func"):
        EnvironmentFactory("DreamGym/WebShop-v0", anchor=0.1)
    with pytest.raises(KeywordError):
        EnvironmentFactory("DreamGym/WebShop-v0", flavour="sweet")
