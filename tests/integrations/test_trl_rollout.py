"""Promises of the rollouts for TRL, kept with the real trainer: what is played, what is trained on, what is refused."""

from __future__ import annotations

import json

import pytest

pytest.importorskip("trl", reason='needs trl: pip install "dreamgym_env[trl]"')

import torch
from scripted import failing_model, house_model, simulator
from talkers import Talker, save_house_model
from toy_domain import RealToyHouse, ToyHouse
from transformers import AutoTokenizer
from trl import GRPOConfig, GRPOTrainer

from dreamgym_env.envs.text_vector_env import TextVectorEnv
from dreamgym_env.errors import KeywordError, ResetOptionError, TrainingError
from dreamgym_env.integrations.trl import TextRollout, episode_reward, make_dataset, make_rollout_func
from dreamgym_env.integrations.trl.sampling import refuse_uneven_processes
from dreamgym_env.testing.tiny_model import CHAT_TEMPLATE

HOUSE = ToyHouse()
TEMPLATE = CHAT_TEMPLATE.replace("<|end|>", "</s>")
"""A reply ends with the token that ends a sequence, as in most models."""
ONE_TASK = make_dataset(HOUSE, n=1)


def winning_or_leaving(row, text):
    """Even rows fetch the thing, odd ones leave the house."""
    place = text.rpartition("# The current state")[2]
    if "Here: key" in place:
        return "There it is.\nAction: take key"
    return "It may be there.\nAction: go kitchen" if row % 2 == 0 else "Action: leave"


@pytest.fixture(scope="session")
def folder(tmp_path_factory):
    return save_house_model(tmp_path_factory.mktemp("talker"), TEMPLATE)


def lanes(model=None, num_envs=4, **options):
    backend = simulator(model or house_model(), **{"memo": False, **options})
    return TextVectorEnv(HOUSE, backend, num_envs, autoreset_mode="Disabled")


@pytest.fixture
def train(folder, tmp_path):
    """Make a trainer of a talking model (or, without a speech, one that samples) and what keeps a batch's columns."""

    def make(speech=winning_or_leaving, rollout=None, data=ONE_TASK, **settings):
        kept = []

        def keep(**columns):
            kept.append(columns)
            return episode_reward(**columns)

        usual = {"max_completion_length": 900, "num_generations": 4, "max_steps": 1, "bf16": False}
        args = GRPOConfig(
            output_dir=str(tmp_path),
            **{**usual, "per_device_train_batch_size": 4, "per_device_eval_batch_size": 4, **settings},
            **{"gradient_checkpointing": False, "use_cpu": True, "report_to": "none", "save_strategy": "no"},
            **{"logging_steps": 1, "disable_tqdm": True, "learning_rate": 0.01},
        )
        model = Talker.from_pretrained(folder, dtype=torch.float32)
        trainer = GRPOTrainer(
            model,
            reward_funcs=keep,
            args=args,
            train_dataset=data,
            processing_class=AutoTokenizer.from_pretrained(folder),
            rollout_func=rollout or TextRollout(lanes(), tokens_per_turn=40),
        )
        if speech is None:
            model.generate = super(Talker, model).generate
        else:
            model.listen_to(trainer.processing_class, speech)
        return trainer, kept

    return make


def scored(trainer, data=ONE_TASK):
    """Return what TRL trains on for the first batch."""
    rows = [dict(data[at // trainer.num_generations % len(data)]) for at in range(4)]
    trainer.model.train()
    return rows, trainer._generate_and_score_completions(rows)


def test_a_model_that_samples_is_trained_on_a_dream(train):
    model = house_model()
    trainer, kept = train(None, TextRollout(lanes(model), tokens_per_turn=6), make_dataset(HOUSE), max_steps=2)
    trainer.train()
    assert trainer.state.global_step == 2 and len(kept) == 2
    assert all(turns == HOUSE.max_episode_steps for columns in kept for turns in columns["turns"])
    assert {"episodes/success", "episodes/turns", "replies/ill_formed", "replies/cut"} <= trainer.state.log_history[
        0
    ].keys()


def test_all_running_episodes_are_sampled_in_one_call_and_step_in_one(train):
    model = house_model()
    trainer, _ = train(rollout=TextRollout(lanes(model), tokens_per_turn=40))
    scored(trainer)
    assert [len(batch) for batch in trainer.model.read] == [4, 2]
    assert [len(batch) for batch in model.batches] == [4, 2]


def test_the_reward_is_the_environments_verdict(train):
    trainer, kept = train()
    _, batch = scored(trainer)
    (columns,) = kept
    assert columns["won"] == [True, False, True, False] and columns["episode_return"] == [1.0, 0.0, 1.0, 0.0]
    assert columns["stop_reason"] == ["success", "failure", "success", "failure"]
    assert columns["task_score"] == [1.0, 0.25, 1.0, 0.25] and columns["turns"] == [2, 1, 2, 1]
    assert (batch["advantages"].sign().tolist()) == [1, -1, 1, -1]


def test_a_group_plays_one_task_and_its_members_have_seeds_of_their_own(train, monkeypatch):
    begun = []
    envs = lanes()
    begin = envs.backend.begin
    monkeypatch.setattr(envs.backend, "begin", lambda tasks, seeds: begun.append((tasks, seeds)) or begin(tasks, seeds))
    data = make_dataset(HOUSE, n=2)
    trainer, kept = train(rollout=TextRollout(envs, tokens_per_turn=40), data=data, num_generations=2)
    scored(trainer, data)
    ((tasks, seeds),) = [(tasks, seeds) for tasks, seeds in begun if tasks]
    assert [task.id for task in tasks] == [*[data[0]["task_id"]] * 2, *[data[1]["task_id"]] * 2] == kept[0]["task_id"]
    groups = [seed >> 32 for seed in seeds]  # what is decided for a group, such as its anchors, depends on this half
    assert groups[0] == groups[1] != groups[2] == groups[3] and len(set(seeds)) == 4


def test_what_is_trained_on_is_what_was_read_and_sampled(train):
    trainer, _ = train()
    talker = trainer.model
    _, batch = scored(trainer)
    for row, lane in ((0, 0), (2, 1)):
        prompt = batch["prompt_ids"][row][batch["prompt_mask"][row].bool()].tolist()
        completion = batch["completion_ids"][row][batch["completion_mask"][row].bool()].tolist()
        own = batch["tool_mask"][row][: len(completion)].bool()
        first, second = talker.said[0][row], talker.said[1][lane]
        assert talker.read[0][row] == prompt
        assert talker.read[1][lane] + second == prompt + completion  # the second turn only adds to the first
        assert torch.tensor(completion)[own].tolist() == first + second
        between = trainer.processing_class.decode(torch.tensor(completion)[~own])
        assert "Room: kitchen" in between and "Here: key" in between and "Action: go" not in between


def test_tokens_of_the_environment_have_no_part_in_the_loss(train, monkeypatch):
    trainer, _ = train(beta=0.1)
    _, batch = scored(trainer)
    seen = []
    of_tokens = trainer._get_per_token_logps_and_entropies

    def watched(*args, **settings):
        logps, *others = of_tokens(*args, **settings)
        logps.retain_grad()
        seen.append(logps)
        return logps, *others

    monkeypatch.setattr(trainer, "_get_per_token_logps_and_entropies", watched)
    trainer.current_gradient_accumulation_steps = 1
    trainer._compute_loss(trainer.model, batch).backward()
    (logps,) = seen  # all that the loss knows of the model
    told = batch["completion_mask"].bool() & (batch["tool_mask"] == 0)
    own = (batch["completion_mask"] * batch["tool_mask"]).bool()
    assert told.sum() > 50 and (logps.grad[told] == 0).all()
    assert (logps.grad[own] != 0).all()


def test_what_won_becomes_likelier_than_what_lost(train):
    trainer, _ = train()
    _, batch = scored(trainer)
    ids = torch.cat([batch["prompt_ids"], batch["completion_ids"]], dim=1)
    read = torch.cat([batch["prompt_mask"], batch["completion_mask"]], dim=1)
    own = batch["completion_mask"] * batch["tool_mask"]

    def likelihoods():
        with torch.no_grad():
            logps, *_ = trainer._get_per_token_logps_and_entropies(trainer.model, ids, read, own.shape[1])
        return (logps * own).sum(1) / own.sum(1)

    before = likelihoods()
    trainer.train()
    gained = likelihoods() - before
    assert gained[[0, 2]].min() > gained[[1, 3]].max()


def test_a_reply_ends_where_it_makes_the_environment_up(train):
    def dreaming(row, text):
        return "Action: go kitchen\nState: Room: kitchen\nAction: leave"

    trainer, kept = train(dreaming)
    _, batch = scored(trainer)
    assert set(kept[0]["stop_reason"]) == {"step_limit"}  # nobody left
    assert kept[0]["cut_replies"] == kept[0]["turns"] and not any(kept[0]["ill_formed"])
    text = trainer.processing_class.decode(batch["completion_ids"][0])
    assert "Action: leave" not in text and text.count("\nState:</s>") == HOUSE.max_episode_steps - 1


def test_unreadable_replies_are_the_environments_to_answer(train):
    trainer, kept = train(lambda row, text: "I had rather think about it and go on and on ...")
    scored(trainer)
    assert kept[0]["ill_formed"] == kept[0]["cut_replies"] == kept[0]["turns"] == [HOUSE.max_episode_steps] * 4
    assert kept[0]["episode_return"] == [0.0] * 4


def test_no_episode_is_longer_than_a_completion_may_be(train):
    trainer, kept = train(lambda row, text: "Action: look", max_completion_length=230)
    _, batch = scored(trainer)
    assert set(kept[0]["stop_reason"]) == {"token_budget"} and 1 < kept[0]["turns"][0] < HOUSE.max_episode_steps
    assert batch["completion_mask"].sum(1).max() <= 230
    assert batch["tool_mask"][0][batch["completion_mask"][0].bool()][-1] == 1  # it ends with a reply


def test_an_episode_without_a_verdict_has_no_part_in_the_training(train):
    trainer, kept = train(rollout=TextRollout(lanes(failing_model("gibberish")), tokens_per_turn=40))
    _, batch = scored(trainer)
    assert all("gibberish" in failure for failure in kept[0]["failure"])
    assert episode_reward(**kept[0]) == [None] * 4
    assert batch["advantages"].tolist() == [0.0] * 4


def test_a_prompt_that_is_too_long_is_counted_and_left_out(train, caplog):
    trainer, kept = train()
    trainer.model.config.max_position_embeddings = 100
    _, batch = scored(trainer)
    assert all("no room" in failure for failure in kept[0]["failure"]) and kept[0]["turns"] == [0] * 4
    assert not batch["advantages"].any() and not (batch["tool_mask"] * batch["completion_mask"]).any()
    assert not trainer.model.read and "toyhouse/train/0 has" in caplog.text
    assert trainer.train().training_loss == 0


def test_more_prompts_than_lanes_are_played_in_waves(train):
    trainer, kept = train(rollout=TextRollout(lanes(num_envs=2), tokens_per_turn=40), num_generations=2)
    scored(trainer)
    assert kept[0]["won"] == [True, False, True, False] and [len(batch) for batch in trainer.model.read] == [2, 1, 2, 1]


def test_what_an_engine_tells_of_its_sampling_stays_with_its_tokens(train):
    """vLLM tells log probabilities; here a stand-in for it, as it needs a GPU."""

    class Engine:
        max_completion_length = 900
        asked = ()

        def generate(self, prompts, images, num_generations, profiler):
            self.asked = (*self.asked, (len(prompts), num_generations, self.max_completion_length))
            padded = [torch.tensor(ids) for ids in prompts]
            width = max(map(len, prompts))
            ids = torch.stack([torch.nn.functional.pad(one, (width - len(one), 0)) for one in padded])
            mask = torch.stack([torch.arange(width) >= width - len(one) for one in padded])
            trainer.model.generate(ids, mask, generation_config=trainer.generation_config)
            replies = trainer.model.said[-1]
            return prompts, replies, [[[-0.5]] * len(reply) for reply in replies], None

    trainer, _ = train()
    engine = Engine()
    trainer.use_vllm, trainer.vllm_mode, trainer.vllm_generation = True, "colocate", engine
    rows = [dict(ONE_TASK[0]) for _ in range(4)]
    trainer._last_loaded_step = trainer.state.global_step  # no weights to send
    batch = trainer._generate_and_score_completions(rows)
    assert engine.asked == ((4, 1, 40), (2, 1, 40)) and engine.max_completion_length == 900
    told, own = batch["sampling_per_token_logps"], (batch["tool_mask"] * batch["completion_mask"]).bool()
    assert (told[own] == -0.5).all() and (told[~own] == 0).all() and "importance_sampling_ratio" in batch
    trainer.model.config.max_position_embeddings = 100  # no prompt fits, and the engine is not asked
    assert not trainer._generate_and_score_completions(rows)["sampling_per_token_logps"].any()


def test_an_evaluation_may_be_in_another_environment(train):
    real = TextVectorEnv(HOUSE, RealToyHouse(HOUSE), 4, autoreset_mode="Disabled")
    dream = house_model()
    trainer, _ = train(rollout=TextRollout(lanes(dream), eval_envs=real, tokens_per_turn=40))
    figures = trainer.evaluate(make_dataset(HOUSE, "test", 1))
    assert figures["eval_episodes/success"] == 0.5 and real.real_transitions == 6 and not dream.asked


def test_rows_are_the_tasks_of_a_split():
    data = make_dataset(HOUSE, "test")
    assert data["task_id"] == [f"toyhouse/test/{number}" for number in range(4)]
    assert data[1]["prompt"] == [
        {"role": "user", "content": "# Task\nFind the lamp (task 1 of test).", "task_id": "toyhouse/test/1"}
    ]
    json.dumps(data[0])
    with pytest.raises(ValueError, match="at least 1"):
        make_dataset(HOUSE, n=0)


def test_what_cannot_be_trained_is_refused_with_a_way_out(train):
    with pytest.raises(KeywordError, match="autoreset_mode='Disabled'"):
        TextRollout(TextVectorEnv(HOUSE, simulator(), 4))
    with pytest.raises(KeywordError, match="autoreset_mode cannot be chosen"):
        make_rollout_func("DreamGym/WebShop-v0", 4, autoreset_mode="SameStep")
    with pytest.raises(ValueError, match="tokens_per_turn"):
        TextRollout(lanes(), tokens_per_turn=0)
    trainer, _ = train(max_completion_length=39)
    with pytest.raises(TrainingError, match="raise max_completion_length"):
        scored(trainer)
    trainer, _ = train()
    for prompt in ("Find the key.", [{"role": "user", "content": "Find the key."}], []):
        with pytest.raises(TrainingError, match="make_dataset"):
            trainer.rollout_func([prompt] * 4, trainer)
    trainer, _ = train(rollout=TextRollout(lanes(num_envs=6), tokens_per_turn=40))
    with pytest.raises(ResetOptionError, match="divides num_envs=6"):
        scored(trainer)


def test_processes_that_would_wait_for_each_other_are_refused(train, monkeypatch):
    trainer, _ = train()
    monkeypatch.setattr(type(trainer.accelerator), "num_processes", 2)
    refuse_uneven_processes(trainer)  # each samples from a model of its own
    trainer.use_vllm, trainer.vllm_mode = True, "server"
    with pytest.raises(TrainingError, match="vllm_mode='colocate'"):
        refuse_uneven_processes(trainer)
