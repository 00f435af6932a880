"""Promises of the command line as a whole: help, version, and one sentence instead of a traceback."""

from __future__ import annotations

import os
import re
import subprocess
import sys

import pytest

import dreamgym_env


def test_help_lists_the_commands(dreamgym):
    result = dreamgym("--help")
    assert result.exit_code == 0
    for command in ("demo", "play", "record", "annotate", "buffer", "clone", "train", "compare"):
        assert command in result.output
        assert dreamgym(command, "--help").exit_code == 0


def test_version_is_the_packages(dreamgym):
    assert dreamgym("--version").output.split() == ["dreamgym_env", dreamgym_env.__version__]


def test_help_imports_nothing_heavy():
    code = (
        "import sys\n"
        "from typer.testing import CliRunner\n"
        "from dreamgym_env.cli import app\n"
        "assert CliRunner().invoke(app, ['play', '--help']).exit_code == 0\n"
        "heavy = {'torch', 'transformers', 'chromadb', 'bm25s', 'httpx', 'rapidfuzz'} & set(sys.modules)\n"
        "sys.exit(f'imported: {heavy}' if heavy else 0)\n"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert result.returncode == 0, result.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("play", "nowhere"), "There is no domain 'nowhere'; there are: alfworld, miniwob, webarena, webshop."),
        (("play", "webshop", "--real", "--split", "nowhere"), "has no split 'nowhere'"),
        (("play", "webshop", "--real", "--task-id", "webshop/test/9999"), "has no task 'webshop/test/9999'"),
        (("demo", "nowhere"), "There is no domain 'nowhere'"),
        (("demo", "--world-model", "oracle-of-delphi"), "openai:MODEL@"),
        (("record", "nowhere", "--out", "never.jsonl"), "There is no domain 'nowhere'"),
        (("record", "webshop", "--real", "--agents", "genius", "--out", "never.jsonl"), "no agent 'genius'"),
        (("buffer", "info", "nowhere"), "nowhere"),
        (("buffer", "info", "seed", "--domain", "nowhere"), "There is no domain 'nowhere'"),
        (("buffer", "import", "buffer", "nowhere.jsonl"), "nowhere.jsonl: No such file or directory."),
    ],
)
def test_what_goes_wrong_is_one_sentence_and_exit_code_1(dreamgym, shop, tmp_path, monkeypatch, arguments, said):
    monkeypatch.chdir(tmp_path)
    result = dreamgym(*arguments)
    assert result.exit_code == 1
    assert said in result.stderr
    assert "Traceback" not in result.output
    assert not (tmp_path / "never.jsonl").exists()


SECRET_URL = "http://user:hunter2@127.0.0.1:9/v1?key=hunter2"


@pytest.mark.parametrize(
    "arguments",
    [
        ("demo", "--world-model", f"openai:m@{SECRET_URL}"),
        ("play", "webshop", "--world-model", f"opneai:m@{SECRET_URL}"),
        ("play", "webshop", "--world-model", f"openai:m@{SECRET_URL}", "--set", "colour=red"),
        ("play", "webshop", "--world-model", f"openai:m@{SECRET_URL}", "--set", "products=3"),
        ("record", "webshop", "--world-model", f"openai:m@{SECRET_URL}", "--out", "never.jsonl"),
        ("play", "webshop", "--set", f"buffer={SECRET_URL}"),
        ("play", "webshop", "--set", SECRET_URL),
        ("buffer", "info", SECRET_URL, "--json"),
    ],
)
def test_no_secret_is_repeated(dreamgym, shop, tmp_path, monkeypatch, arguments):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TERMINAL_WIDTH", "400")
    result = dreamgym(*arguments)
    assert result.exit_code in (1, 2)
    assert "hunter2" not in re.sub(r"[\s│]", "", result.output), "not even over two lines"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("record", "webshop", "--real", "--agents", "oracle:-1", "--out", "never.jsonl"), "oracle:-1"),
        (("record", "webshop", "--real", "--world-model", "embedded", "--out", "never.jsonl"), "--world-model"),
        (("record", "webshop", "--real", "--set", "nonsense", "--out", "never.jsonl"), "NAME=VALUE"),
        (("play", "webshop", "--real", "--set", "colour=red"), "colour"),
        (("play", "webshop", "--real", "--set", "observation_mod=text"), "mean 'observation_mode'?"),
        (("play", "webshop", "--real", "--set", "goals=goals.jsonl"), "products"),
        (("buffer", "query", "seed", "--action", "search[shoe]"), "--task-id"),
        (("buffer", "import", "seed", "file.jsonl"), "shipped experience"),
        (("demo", "--tasks", "0"), "--tasks"),
        (("unknown",), "unknown"),
    ],
)
def test_wrong_usage_is_exit_code_2(dreamgym, tmp_path, monkeypatch, arguments, said):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TERMINAL_WIDTH", "200")
    result = dreamgym(*arguments)
    assert result.exit_code == 2
    assert said in result.stderr
    assert "Traceback" not in result.output


@pytest.mark.parametrize("own", [None, "ACTIVE"])
def test_threads_of_the_command_line_sleep_while_they_wait_unless_the_user_says_otherwise(own):
    code = "import os, sys, dreamgym_env.cli; print(os.environ['OMP_WAIT_POLICY'], 'torch' in sys.modules)"
    environment = {name: value for name, value in os.environ.items() if name != "OMP_WAIT_POLICY"}
    environment |= {"OMP_WAIT_POLICY": own} if own else {}
    said = subprocess.check_output([sys.executable, "-c", code], env=environment, text=True)
    assert said.split() == [own or "PASSIVE", "False"]
