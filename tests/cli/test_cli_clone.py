"""Promises of ``dreamgym clone``: a policy and a report, or a sentence."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from dreamgym_env.cli import app
from dreamgym_env.training.record import parse_agent_shares, record_experience


@pytest.fixture(scope="module")
def experience(tmp_path_factory):
    path = tmp_path_factory.mktemp("clone") / "shop.jsonl.gz"
    record_experience("webshop", path, agents=parse_agent_shares("oracle"), episodes=20, progress=False)
    return path


def run(*arguments):
    return CliRunner().invoke(app, ["clone", *map(str, arguments)])


def test_a_policy_is_written_and_reported(experience, tmp_path):
    result = run("webshop", "--experience", experience, "--out", tmp_path / "p", "--epochs", 1, "--json")
    assert result.exit_code == 0, result.output
    report = json.loads(result.stdout)
    assert report["epochs"] == 1 and 0 <= report["accuracy"] <= 1
    assert {path.name for path in (tmp_path / "p").iterdir()} == {"config.json", "policy.safetensors"}
    described = run("webshop", "--experience", experience, "--out", tmp_path / "p", "--epochs", 1)
    assert "held-out" in described.stdout


def test_experience_of_another_domain_is_refused_in_a_sentence(experience, tmp_path):
    result = run("alfworld", "--experience", experience, "--out", tmp_path / "p")
    assert result.exit_code == 1
    assert "not of 'alfworld'" in result.output
    assert not (tmp_path / "p").exists()
