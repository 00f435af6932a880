"""Promises of ``dreamgym train``: from the dream to the world in one command, and Ctrl-C costs nothing."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time

import pytest

pytest.importorskip("sb3_contrib", reason='needs sb3-contrib: pip install "dreamgym_env[sb3]"')

SMALL = ("--lanes", 4, "--hyper", "n_steps=8", "--evaluate-every", 32, "--tasks", 4, "--most-candidates", 20)


def test_from_the_dream_to_the_world_and_a_report(dreamgym, shop, copying_model, tmp_path):
    out = tmp_path / "run"
    command = ("train", "webshop", "--out", out, "--steps", 64, "--then-real", 40, "--world-model", copying_model)
    command += ("--curriculum", "--anchor", 0.5)
    result = dreamgym(*command, *SMALL)
    assert result.exit_code == 0, result.output
    assert "64 steps in DreamGym/WebShop-v0 and 40 in DreamGymReal/WebShop-v0" in " ".join(result.output.split())
    progress = json.loads((out / "progress.json").read_text())
    assert progress["steps"] == {"dream": 64, "real": 40}
    assert progress["real_transitions"]["real"] == 40 and 0 < progress["real_transitions"]["dream"] < 64
    assert sum(progress["curriculum"]["drawn"].values()) >= 8  # four lanes, two chunks
    report = (out / "report.html").read_text()
    assert "Success in DreamGymReal/WebShop-v0 while learning" in report and "after learning" in report
    agent = f"policy({out / 'policy'}):1.0"
    played = dreamgym("record", "webshop", "--out", tmp_path / "more.jsonl", "--agents", agent, "--episodes", 1)
    assert played.exit_code == 0, played.output
    again = dreamgym(*command, *SMALL, "--no-report")
    assert again.exit_code == 0 and json.loads((out / "progress.json").read_text())["steps"] == progress["steps"]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (("--curriculum", "--variations", 1.5), "variations is a share between 0 and 1"),
        (("--algo", "sarsa"), "There is no algorithm 'sarsa'"),
        (("--hyper", "speed=3"), "has no hyper-parameter 'speed'"),
        (("--set", "producs=x"), "knows 'producs'"),
        (("--start", "nowhere"), "nowhere is no folder of a policy"),
        (("--steps", 0), "nothing to learn from"),
    ],
)
def test_what_cannot_be_done_is_said(dreamgym, shop, tmp_path, given, said):
    result = dreamgym("train", "webshop", "--out", tmp_path / "run", *SMALL, *given)
    assert result.exit_code in (1, 2), result.output
    assert said in " ".join(result.output.replace("│", " ").split())


def test_ctrl_c_leaves_a_checkpoint_and_the_same_command_goes_on(tmp_path):
    out = tmp_path / "run"
    arguments = ["train", "webshop", "--out", out, "--steps", 0, "--then-real", 600, *SMALL, "--no-report"]
    command = [sys.executable, "-m", "dreamgym_env.cli", *map(str, arguments)]
    # what runs in the background of a shell ignores Ctrl-C, and so do its children
    begin = "import signal, os, sys; signal.signal(signal.SIGINT, signal.SIG_DFL); os.execv(sys.argv[1], sys.argv[1:])"
    process = subprocess.Popen([sys.executable, "-c", begin, *command], stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 120
    while not (out / "checkpoints").is_dir() and time.monotonic() < deadline:
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=120)
    assert process.returncode == 130, errors
    assert "the same command goes on from there" in errors and "Traceback" not in errors
    stopped = json.loads((out / "progress.json").read_text())["steps"]["real"]
    assert stopped < 600
    finished = subprocess.run(command, capture_output=True, text=True, timeout=240)
    assert finished.returncode == 0, finished.stderr
    assert stopped < json.loads((out / "progress.json").read_text())["steps"]["real"] <= 600
