"""Promises of ``dreamgym compare``: one command, two environments, figures under their names, and honest refusals."""

from __future__ import annotations

import json

import pytest

from dreamgym_env.domains.webshop.domain import WebShop
from dreamgym_env.memory import ReplayBuffer
from dreamgym_env.memory.experience import read_transitions
from dreamgym_env.training.record import parse_agent_shares, record_experience


def test_a_comparison_writes_what_it_is_asked_for(dreamgym, shop, copying_model, tmp_path):
    report, figures, table, steps = (tmp_path / name for name in ("out.html", "out.json", "out.md", "steps"))
    result = dreamgym(
        "compare", "webshop", "--agent", "oracle,noisy-oracle(0.5),random", "--tasks", 4, "--seeds", 2,
        "--world-model", copying_model, "--report", report, "--json", figures, "--markdown", table,
        "--recordings", steps,
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    lines = result.output.splitlines()
    assert max(map(len, lines)) <= 100
    found = json.loads(figures.read_text())
    assert found["verdict"][0].startswith(lines[0]), "the verdict comes first"
    assert [agent["agent"] for agent in found["agents"]] == ["oracle", "noisy-oracle(0.5)", "random"]
    assert {agent["episodes"] for agent in found["agents"]} == {8}
    assert (found["dream"]["id"], found["real"]["id"]) == ("DreamGym/WebShop-v0", "DreamGymReal/WebShop-v0")
    assert found["about"]["memories"]["sources"] == {"real": found["about"]["memories"]["transitions"]}
    assert [judge["judge"] for judge in found["judges"]] == ["rules"]
    assert all(task["task_id"].startswith("webshop/test/") for task in found["transcripts"])
    shown = report.read_text(encoding="utf-8")
    for said in (*found["verdict"], "noisy-oracle(0.5)", "DreamGymReal/WebShop-v0"):
        assert said.replace("'", "&#39;") in shown
    assert "DreamGym/WebShop-v0" in table.read_text(encoding="utf-8")
    assert sum(1 for _ in steps.iterdir()) == 6


def test_recordings_can_be_replayed(dreamgym, shop, copying_model, tmp_path):
    arguments = ("compare", "webshop", "--tasks", 3, "--seeds", 1, "--world-model", copying_model, "--judge", "none")
    dreamgym(*arguments, "--agent", "random", "--recordings", tmp_path)
    (path,) = tmp_path.glob("*.real.jsonl.gz")
    again = tmp_path / "again.json"
    result = dreamgym(*arguments, "--agent", f"replay({path})", "--json", again)
    assert result.exit_code == 0, result.output
    (agent,) = json.loads(again.read_text())["agents"]
    assert agent["speed"]["real"]["steps"] == len(read_transitions(path))


def test_a_buffer_with_the_tested_tasks_is_refused_unless_it_is_allowed(dreamgym, shop, copying_model, tmp_path):
    recorded, folder = tmp_path / "test.jsonl", tmp_path / "buffer"
    record_experience(
        "webshop", recorded, agents=parse_agent_shares("oracle:1"), episodes=1, split="eval", seed=1, progress=False
    )
    with ReplayBuffer(WebShop(), folder) as buffer:
        buffer.import_(recorded)
    arguments = (
        "compare", "webshop", "--agent", "oracle", "--tasks", 5000, "--seeds", 1, "--split", "eval",
        "--world-model", copying_model, "--set", f"buffer={folder}",
    )  # fmt: skip
    result = dreamgym(*arguments)
    assert result.exit_code == 1
    assert "experience of 1 of the" in result.stderr
    assert "--allow-test-tasks" in result.stderr


def test_what_was_played_outlives_a_judge_that_does_not_answer(dreamgym, shop, copying_model, tmp_path):
    figures = tmp_path / "out.json"
    result = dreamgym(
        "compare", "webshop", "--agent", "random", "--tasks", 2, "--seeds", 1, "--world-model", copying_model,
        "--judge", f"transformers:{tmp_path / 'nothing'}", "--json", figures,
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    found = json.loads(figures.read_text())
    assert found["judges"] == []
    assert "judges have not marked anything" in found["warnings"][-1]
    assert "judges have not marked anything" in result.stderr


def test_an_error_of_an_agent_is_not_blamed_on_the_settings(dreamgym, shop, copying_model, monkeypatch):
    def broken(self, state, available_actions):
        raise ValueError("no idea")

    monkeypatch.setattr("dreamgym_env.domains.webshop.agents.RandomAgent.act", broken)
    result = dreamgym("compare", "webshop", "--agent", "random", "--tasks", 1, "--world-model", copying_model)
    assert isinstance(result.exception, ValueError)
    assert "--set" not in result.output


def test_settings_are_told_without_secrets(dreamgym, shop, copying_model, tmp_path):
    figures, report = tmp_path / "out.json", tmp_path / "out.html"
    result = dreamgym(
        "compare", "webshop", "--agent", "random", "--tasks", 2, "--seeds", 1, "--world-model", copying_model,
        "--set", "k=3", "--set-real", "observation_mode=text", "--json", figures, "--report", report,
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    about = json.loads(figures.read_text())["about"]
    assert about["settings"] == {"k": "3", "observation_mode of DreamGymReal/WebShop-v0": "text"}
    assert about["split"] == "test"
    assert "observation_mode of DreamGymReal/WebShop-v0" in report.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--sim", "A/B-v0"), "both environments"),
        (("webshop", "--agent", "wizard"), "'wizard'"),
        (("webshop", "--agent", "noisy-oracle(2)"), "between 0 and 1"),
        (("webshop", "--set", "colour=red"), "colour"),
        (("webshop", "--set", "enrich=true"), "enrich"),
        (("webshop", "--set", "evaluation=false"), "evaluation"),
        (("castle",), "castle"),
        (("webshop", "--split", "night"), "night"),
        (("webshop", "--judge", "embedded"), "cannot judge"),
        (("webshop", "--judge", "rules", "--judge", "somebody"), "names no judge"),
        (("--sim", "DreamGym/Castle-v0", "--real", "DreamGymReal/WebShop-v0"), "there are: DreamGym/ALFWorld-v0"),
        (("--sim", "DreamGym/WebShop-v7", "--real", "DreamGymReal/WebShop-v0"), "'DreamGym/WebShop-v7'"),
        (("webshop", "--report", "."), "Is a directory"),
        (("webshop", "--json", f"{__file__}/out.json"), "test_cli_compare.py"),
        (("webshop", "--recordings", __file__), "test_cli_compare.py"),
        (("webshop", "--markdown", "x" * 300), "File name too long"),
        (("--sim", "Nobody/Sim-v0", "--real", "Nobody/Real-v0"), "cannot be made"),
    ],
)
def test_what_cannot_be_compared_is_one_sentence(dreamgym, shop, copying_model, arguments, said):
    result = dreamgym("compare", *arguments, "--world-model", copying_model)
    assert result.exit_code in (1, 2)
    assert said in result.stderr
    assert "Traceback" not in result.output
