"""Promises of ``dreamgym compare``: one command, two environments, figures under their names, and honest refusals."""

from __future__ import annotations

import errno
import json
import os
import signal

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


@pytest.fixture
def interrupt(monkeypatch):
    """Let a signal come when the random agent first acts; returns the output options and their files' reader."""

    def at_the_first_act(number):
        def act(self, state, available_actions):
            os.kill(os.getpid(), number)
            return available_actions[0]

        monkeypatch.setattr("dreamgym_env.domains.webshop.agents.RandomAgent.act", act)

    return at_the_first_act


def short(agents, model, *more):
    return (
        "compare", "webshop", "--agent", agents, "--tasks", 3, "--seeds", 1, "--world-model", model, *more
    )  # fmt: skip


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interruption_keeps_agents_that_have_finished(dreamgym, shop, copying_model, tmp_path, interrupt, number):
    interrupt(number)
    report, figures, table = (tmp_path / name for name in ("out.html", "out.json", "out.md"))
    before = signal.getsignal(number)
    outputs = ("--report", report, "--json", figures, "--markdown", table)
    result = dreamgym(*short("oracle,random,lazy", copying_model, *outputs))
    assert result.exit_code == 130, result.output
    found = json.loads(figures.read_text())
    assert [agent["agent"] for agent in found["agents"]] == ["oracle"]
    assert found["interrupted"]
    assert found["broken_off"] == {"random": "Interrupted.", "lazy": "Interrupted before its turn."}
    said = "The comparison was interrupted"
    assert said in result.output and said in report.read_text(encoding="utf-8")
    assert "it was interrupted, and lacks all or some seeds of random, lazy" in table.read_text(encoding="utf-8")
    assert signal.getsignal(number) is before


def test_an_interruption_before_anything_is_finished_writes_nothing(dreamgym, shop, copying_model, tmp_path, interrupt):
    interrupt(signal.SIGINT)
    result = dreamgym(*short("random,oracle", copying_model, "--json", tmp_path / "out.json"))
    assert result.exit_code == 130
    assert "nothing was written" in result.stderr
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("times", [1, 2])
def test_a_comparison_that_was_played_is_written_unless_it_is_interrupted_twice(
    dreamgym, shop, copying_model, tmp_path, monkeypatch, times
):
    import dreamgym_env.evaluation.findings as module

    def interrupted(*given, work_out=module.findings, **options):
        for _ in range(times):
            os.kill(os.getpid(), signal.SIGINT)
        return work_out(*given, **options)

    monkeypatch.setattr(module, "findings", interrupted)
    result = dreamgym(*short("oracle", copying_model, "--json", tmp_path / "out.json"))
    assert result.exit_code == 130
    assert [path.name for path in tmp_path.iterdir()] == (["out.json"] if times == 1 else [])
    if times == 1:
        assert not json.loads((tmp_path / "out.json").read_text())["interrupted"], "all was played"


def test_a_file_that_cannot_be_written_in_the_end_costs_no_other(dreamgym, shop, copying_model, tmp_path, monkeypatch):
    def full(*given):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("dreamgym_env.evaluation.report.write_html", full)
    outputs = ("--report", tmp_path / "out.html", "--json", tmp_path / "out.json", "--markdown", tmp_path / "out.md")
    result = dreamgym(*short("oracle", copying_model, *outputs))
    assert result.exit_code == 1
    assert "out.html could not be written: No space left on device." in result.stderr
    assert {path.name for path in tmp_path.iterdir()} == {"out.json", "out.md"}
    assert "consistency" in result.output, "the tables are shown all the same"


def test_one_failing_judge_costs_the_other_no_mark(dreamgym, shop, copying_model, tmp_path):
    judges = ("--judge", "rules", "--judge", f"transformers:{tmp_path / 'nothing'}")
    result = dreamgym(*short("oracle", copying_model, *judges, "--json", tmp_path / "out.json"))
    assert result.exit_code == 0, result.output
    found = json.loads((tmp_path / "out.json").read_text())
    assert [judge["judge"] for judge in found["judges"]] == ["rules"]
    ((name, why),) = found["judges_failed"].items()
    assert name.startswith("transformers:") and "nothing" in why
    assert any(f"{name} has marked no step" in warning for warning in found["warnings"])


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
        (("webshop", "--agent", "noisy-oracle,noisy-oracle(0.30)"), "are the same agent: name it once"),
        (("webshop", "--agent", "x" * 300), "no agent"),
        (("webshop", "--agent", "~nobody-is-called-so/policy"), "no agent"),
        (("webshop", "--agent", "policy(~nobody-is-called-so)"), "no folder of a policy"),
        (("webshop", "--judge", "rules", "--judge", "rules"), "'rules' is named twice"),
        (("webshop", "--tasks", "0"), "--tasks"),
        (("webshop", "--json", "out", "--markdown", "./out"), "name the same file"),
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
