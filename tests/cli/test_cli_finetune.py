"""Promises of ``dreamgym finetune``: from a recording to an environment, a report, and sentences for what is wrong."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import gymnasium as gym
import pytest
import torch
from safetensors.torch import load_file

import dreamgym_env  # noqa: F401 - registers the ids
from dreamgym_env.training import finetune as finetuning

QUICK = ("--base", "new:tiny", "--steps", 3, "--batch-size", 2, "--examples", 60)


@pytest.fixture
def tune(dreamgym, shop, experience, tmp_path):
    """Fine-tune on the little recording; options are added to the quick ones."""

    def run(*options, transitions=experience):
        return dreamgym("finetune", "--transitions", transitions, "--out", tmp_path / "model", *QUICK, *options)

    return run


def test_a_recording_becomes_a_dream(tune, experience, tmp_path):
    result = tune("--json", "--save-steps", 2)
    assert result.exit_code == 0, result.output
    report = json.loads(result.stdout)
    assert (report["base"], report["steps"], report["examples"] + report["too_long"]) == ("new:tiny", 3, 60)
    assert report["splits"] == {"train": report["transitions"]}
    assert report["loss"] > 0
    model = f"transformers:{tmp_path / 'model'}"
    env = gym.make("DreamGym/WebShop-v0", world_model=model, seed_experience=str(experience), max_new_tokens=8)
    env.reset(seed=0)
    observation, reward, _, _, info = env.step("search[shoe]")
    assert isinstance(observation, str)
    assert reward == 0
    assert info["answered_by"] == "model"
    env.close()


def test_the_report_is_for_people_unless_json_is_asked_for(tune, tmp_path):
    result = tune()
    assert result.exit_code == 0, result.output
    assert f'world_model="transformers:{tmp_path / "model"}"' in result.output
    assert "compact, codec edits, 3 memories" in result.output
    assert "carried no reasoning: the domain's rules gave them one" in result.output
    again = tune()
    assert again.exit_code == 1
    assert "--overwrite" in again.stderr


def test_two_processes_learn_what_one_learns_from_batches_of_twice_the_size(tune, experience, tmp_path):
    """As ``accelerate launch`` starts them on several GPUs; here on two processes of the CPU."""
    assert tune("--batch-size", 4, "--out", tmp_path / "one").exit_code == 0
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2", "--module"]
    command += [
        "dreamgym_env.cli",
        "finetune",
        "--transitions",
        experience,
        "--out",
        tmp_path / "two",
        *QUICK,
        "--json",
    ]
    environment = {**os.environ, "ACCELERATE_USE_CPU": "true", "OMP_NUM_THREADS": "1"}
    result = subprocess.run([str(part) for part in command], env=environment, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    assert json.loads(result.stdout)["steps"] == 3  # one report, not two
    one, two = (load_file(tmp_path / name / "model.safetensors") for name in ("one", "two"))
    assert all(torch.allclose(one[name], two[name], atol=2e-3) for name in one)


def test_ctrl_c_says_how_to_go_on(tune, monkeypatch):
    def interrupted(*arguments, **keywords):
        raise KeyboardInterrupt

    monkeypatch.setattr(finetuning, "fit", interrupted)
    result = tune()
    assert result.exit_code == 130
    assert "The same command continues" in result.stderr


@pytest.mark.parametrize(
    ("options", "code", "words"),
    [
        (("--base", "new:huge"), 1, "new models are: new:tiny"),
        (("--base", "./nowhere"), 1, "no model folder"),
        (("--lora", 4), 1, "leave --lora out"),
        (("--format", "prose"), 1, "no prompt format"),
        (("--codec", "prose"), 1, "no state codec"),
        (("--domain", "nothing"), 1, "'webshop', and not of 'nothing'"),
        (("--learning-rate", 7), 2, "between 0 and 1"),
        (("--set", "products=x"), 2, "--domain"),
    ],
)
def test_a_wrong_option_is_answered_with_a_sentence(tune, options, code, words):
    result = tune(*options)
    assert result.exit_code == code
    assert words in " ".join(result.stderr.replace("│", " ").split())


def test_a_file_of_another_domain_is_refused(tune, experience, tmp_path):
    from dataclasses import replace

    from dreamgym_env.memory import read_transitions, write_transitions

    other = tmp_path / "other.jsonl"
    write_transitions(other, [replace(step, domain="house") for step in read_transitions(experience)])
    assert "'house', and not of 'webshop' alone" in tune("--domain", "webshop", transitions=other).stderr
    assert "missing.jsonl" in tune(transitions=tmp_path / "missing.jsonl").stderr
