"""What belongs to the caller stays the caller's, and a task is never answered from another one's recordings."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import gymnasium as gym
import pytest

import dreamgym_env
from dreamgym_env.domains import load_domain
from dreamgym_env.envs.build import build_simulator
from dreamgym_env.memory import ReplayBuffer, read_transitions, write_transitions
from dreamgym_env.types import AnsweredBy, Prompt, StopReason
from dreamgym_env.world_model.compact import CompactFormat
from dreamgym_env.world_model.generators.scripted import ScriptedGenerator
from dreamgym_env.world_model.language import LanguageWorldModel

CONTINUE, SUCCESS, REWARDED = ("continue", "success", "rewarded")


def model(outcome: str = CONTINUE) -> LanguageWorldModel:
    def answer(prompt: Prompt) -> str:
        return f"So it is.<|state|>C\n+ more<|outcome|>{outcome}"

    return LanguageWorldModel(CompactFormat(load_domain("webshop")), ScriptedGenerator(answer))


def test_a_buffer_that_was_passed_in_is_neither_frozen_nor_closed():
    buffer = ReplayBuffer(load_domain("webshop"), seed_experience=False)
    env = gym.make("DreamGym/WebShop-v0", world_model=model(), buffer=buffer, evaluation=True)
    env.reset(seed=0)
    env.step("search[tea]")
    env.close()
    assert len(buffer) == 0
    assert not buffer.frozen
    buffer.flush()
    buffer.close()


def test_a_rephrased_task_is_not_answered_by_the_original_recording(tmp_path: Path):
    domain = load_domain("webshop")
    recorded = next(step for step in read_transitions(domain.seed_experience()) if step.step == 0 and step.valid)
    write_transitions(tmp_path / "one.jsonl", [recorded])
    simulator = build_simulator("webshop", world_model=model(), seed_experience=tmp_path / "one.jsonl")
    original = domain.task(recorded.task_id)
    rephrased = replace(
        original, instruction="Buy it.", initial_state=original.initial_state.replace(original.instruction, "Buy it.")
    )
    answers = {}
    for task in (original, rephrased):
        episode = simulator.begin([task], [0])[0]
        answers[task.instruction] = simulator.advance([episode], [recorded.action])[0]
    simulator.close()
    assert answers[original.instruction].answered_by is AnsweredBy.REPLAY
    assert answers["Buy it."].answered_by is AnsweredBy.MODEL
    assert original.instruction not in answers["Buy it."].transition.next_state


def test_a_shop_of_ones_own_is_not_grounded_in_the_shipped_one(tmp_path: Path):
    shipped = load_domain("webshop")
    data = Path(dreamgym_env.__file__).parent / "domains" / "webshop" / "data"
    own = load_domain("webshop", products=data / "products.jsonl.gz", goals=data / "goals.jsonl.gz")
    assert shipped.seed_experience()
    assert not own.seed_experience()


@pytest.mark.parametrize(
    ("outcome", "reward", "stop"), [(SUCCESS, 1.0, StopReason.SUCCESS), (REWARDED, 0.0, "running")]
)
def test_by_the_models_word_reward_comes_only_with_the_end(outcome: str, reward: float, stop: str):
    simulator = build_simulator("webshop", world_model=model(outcome), seed_experience=False, success="model")
    episode = simulator.begin([simulator.domain.task("webshop/test/0")], [0])[0]
    result = simulator.advance([episode], ["search[tea]"])[0]
    simulator.close()
    assert (result.transition.reward, result.stop) == (reward, stop)


def test_two_environments_read_one_folder_that_nobody_enriches(tmp_path: Path):
    ReplayBuffer(load_domain("webshop"), tmp_path / "buffer", seed_experience=False).close()
    envs = [gym.make("DreamGym/WebShop-v0", world_model=model(), buffer=str(tmp_path / "buffer")) for _ in range(2)]
    for env in envs:
        env.reset(seed=0)
        env.step("search[tea]")
        env.close()


@pytest.mark.parametrize("options", [{"evaluation": True, "enrich": True}, {"k": -1}, {"success": "hope"}])
def test_options_that_do_not_go_together_are_refused_before_anything_is_opened(options: dict[str, object]):
    with pytest.raises(ValueError, match=r"k,|success|evaluation"):
        build_simulator("webshop", world_model=model(), buffer="/nonexistent/folder", **options)
