"""The examples run as they are written, for a few steps, and leave a policy that can be played."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from transformers import AutoModelForCausalLM

from dreamgym_env.domains import load_domain
from dreamgym_env.policies.policy import Policy

EXAMPLES = Path(__file__).parents[2] / "examples"
REAL_SHOP = "DreamGymReal/WebShop-v0"


def run(name: str, folder: Path, *options: str) -> str:
    command = [sys.executable, str(EXAMPLES / name), "--out", str(folder / "policy"), *options]
    done = subprocess.run(
        command, capture_output=True, text=True, cwd=folder, env={**os.environ, "OMP_NUM_THREADS": "1"}, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("algorithm", ["maskable-ppo", "dqn"])
def test_sb3_webshop(algorithm, tmp_path):
    for package in ("stable_baselines3", "sb3_contrib"):
        pytest.importorskip(package, reason=f'needs {package}: pip install "dreamgym_env[sb3]"')
    options = ("--algorithm", algorithm, "--envs", "4", "--episodes", "4")
    said = run("sb3_webshop.py", tmp_path, "--env-id", REAL_SHOP, "--steps", "256", *options)
    assert f"{REAL_SHOP}, 4 test tasks: solved before" in said and "solved after 256 steps" in said
    policy = Policy.load(tmp_path / "policy", load_domain("webshop"))
    assert policy.settings.most_candidates == 20


def test_cleanrl_ppo_in_the_dream_and_on_in_the_real_environment(tmp_path):
    options = ("--num-envs", "2", "--num-steps", "8", "--num-minibatches", "2", "--eval-episodes", "2")
    said = run("cleanrl_ppo.py", tmp_path, "--total-timesteps", "16", *options)
    assert "after 16 steps in DreamGym/WebShop-v0" in said
    shop = load_domain("webshop")
    first = Policy.load(tmp_path / "policy", shop).scorer.state_dict()
    start = ("--start", str(tmp_path / "policy"), "--env-id", REAL_SHOP, "--learning-rate", "0.0")
    run("cleanrl_ppo.py", tmp_path, "--total-timesteps", "32", *start, *options)
    again = Policy.load(tmp_path / "policy", shop).scorer.state_dict()
    assert all(weights.equal(again[name]) for name, weights in first.items())  # it went on from there


def test_cleanrl_ppo_writes_tensorboards_files_where_that_is_installed(tmp_path):
    pytest.importorskip("tensorboard", reason='needs tensorboard: pip install "dreamgym_env[sb3]"')
    options = ("--num-envs", "2", "--num-steps", "4", "--num-minibatches", "1", "--eval-episodes", "2")
    run("cleanrl_ppo.py", tmp_path, "--env-id", REAL_SHOP, "--total-timesteps", "8", *options)
    assert list((tmp_path / "policy").glob("events.out.tfevents.*"))


def test_trl_grpo(tmp_path):
    pytest.importorskip("trl", reason='needs trl: pip install "dreamgym_env[trl]"')
    sizes = ("--steps", "1", "--batch", "4", "--group", "2", "--test-tasks", "4")
    lengths = ("--max-turns", "2", "--max-tokens", "2500", "--tokens-per-turn", "4")
    said = run("trl_grpo.py", tmp_path, "--env-id", REAL_SHOP, "--model", "tiny", *sizes, *lengths)
    assert f"{REAL_SHOP}, 4 test tasks: solved before 0.00" in said and "solved after 1 steps" in said
    assert AutoModelForCausalLM.from_pretrained(tmp_path / "policy").num_parameters() > 0
