"""The examples of the adapters run as they are written, with their real packages."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"
REAL_SHOP = ("--env-id", "DreamGymReal/WebShop-v0")
ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1"}


def run(name: str, *options: str) -> str:
    command = [sys.executable, str(EXAMPLES / name), *options]
    done = subprocess.run(command, capture_output=True, text=True, env=ENVIRONMENT, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_skyrl_env(tmp_path):
    pytest.importorskip("skyrl_gym", reason='needs skyrl-gym: pip install "dreamgym_env[skyrl]"')
    said = run("skyrl_env.py", *REAL_SHOP, "--episodes", "2", "--max-turns", "3")
    assert "webshop/train/1: 3 turns, won 0.00, task_score 0.00, well_formed 1.00" in said


def test_verl_agent_env():
    said = run("verl_agent_env.py", *REAL_SHOP, "--max-steps", "3")
    assert said.count("group 0: return") == said.count("group 1: return") == 3 and "# The current state" in said


def test_verifiers_env():
    pytest.importorskip("verifiers.v1", reason='needs verifiers: pip install "dreamgym_env[verifiers]"')
    said = run("verifiers_env.py", *REAL_SHOP, "--max-turns", "2")
    assert "webshop/test/0: 2 turns" in said and "'well_formed': 1.0" in said


def test_verl_webshop(tmp_path):
    pytest.importorskip("verl", reason='needs verl: pip install "dreamgym_env[verl]"')
    said = run("verl_webshop.py", "--tasks", "5", "--out", str(tmp_path))
    assert f"data.train_files={tmp_path / 'train.parquet'}" in said
    (loop,) = json.loads((tmp_path / "agent_loop.yaml").read_text())
    assert loop["_target_"] == "dreamgym_env.integrations.verl.DreamAgentLoop"


def test_openenv_server_serves_and_plays():
    pytest.importorskip("openenv.core", reason='needs openenv: pip install "dreamgym_env[openenv]"')
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    serving = [sys.executable, str(EXAMPLES / "openenv_server.py"), *REAL_SHOP, "--port", port]
    server = subprocess.Popen(serving, env=ENVIRONMENT, stderr=subprocess.PIPE, text=True)
    try:
        while not is_healthy(port):
            assert server.poll() is None, server.stderr.read()
            time.sleep(0.2)
        said = run("openenv_server.py", "--port", port, "--play", "2")
    finally:
        server.terminate()
        server.communicate(timeout=60)
    assert "webshop/train/0: " in said and "webshop/train/1: " in said and "task score" in said


def is_healthy(port: str) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/health").status_code == 200
    except httpx.HTTPError:
        return False
