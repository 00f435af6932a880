"""Promises of ``dreamgym annotate``: the file, the report, and one sentence for what goes wrong."""

from __future__ import annotations

import gzip
import json
from dataclasses import replace

import pytest
from teaching import explain
from toy_domain import record

from dreamgym_env.memory import read_transitions, write_transitions
from dreamgym_env.testing.openai_server import LoopbackServer, completion_reply
from dreamgym_env.training import annotate as annotating


@pytest.fixture
def some(experience, tmp_path):
    """The first few steps of the real shop's recording."""
    path = tmp_path / "real.jsonl.gz"
    with gzip.open(experience) as stream:
        path.write_bytes(gzip.compress(b"".join(stream.readline() for _ in range(30))))
    return path


def teacher(answer):
    return LoopbackServer(lambda call: completion_reply(call, answer(call.body["messages"][-1]["content"])))


def test_rules_annotate_and_report(dreamgym, some):
    result = dreamgym("annotate", some, "--teacher", "rules")
    assert result.exit_code == 0, result.output
    out = some.with_name("real.annotated.jsonl.gz")
    assert "29 explained by rules, 0 kept as they were, 0 without a trace" in result.output
    assert all(step.reasoning for step in read_transitions(out))
    result = dreamgym("annotate", out, "--teacher", "rules", "--out", some.with_name("again.jsonl"), "--json")
    report = json.loads(result.stdout)
    assert (report["kept"], report["annotated"], report["domain"]) == (29, 0, "webshop")


def test_a_server_annotates_and_its_tokens_are_told(dreamgym, some, tmp_path):
    out = tmp_path / "told.jsonl"
    with teacher(explain) as server:
        result = dreamgym("annotate", some, "--teacher", f"openai:m@{server.url}", "--out", out, "--batch", 2)
    assert result.exit_code == 0, result.output
    assert "0 invalid answers, 0 asked again" in result.output and "tokens read" in result.output
    assert {step.reasoning.split(":")[0] for step in read_transitions(out)} <= {"Toward success", "Toward failure"}


def test_nonsense_is_reported(dreamgym, some, tmp_path):
    with teacher(lambda user: "I would rather not.") as server:
        result = dreamgym("annotate", some, "--teacher", f"openai:m@{server.url}", "--out", tmp_path / "told.jsonl")
    assert result.exit_code == 0, result.output
    assert "0 explained by" in result.output and "29 without a trace" in result.output
    assert "The last invalid answer: The answer is not one JSON object: 'I would rather not.'" in result.output


def test_ctrl_c_says_how_to_go_on(dreamgym, some, tmp_path, monkeypatch):
    def interrupted(*arguments, **keywords):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(annotating, "read_domain_transitions", interrupted)
        result = dreamgym("annotate", some, "--teacher", "rules")
    assert result.exit_code == 130
    assert "The same command continues the annotation." in result.stderr


def test_a_missing_server_is_one_sentence(dreamgym, some, tmp_path):
    out = tmp_path / "never.jsonl"
    result = dreamgym("annotate", some, "--teacher", "openai:m@http://127.0.0.1:9/v1", "--out", out)
    assert result.exit_code == 1
    assert "127.0.0.1:9" in result.stderr
    assert "Traceback" not in result.output
    assert list(tmp_path.iterdir()) == [some]


def test_a_file_is_replaced_only_when_asked_to(dreamgym, some, tmp_path):
    out = tmp_path / "told.jsonl"
    assert dreamgym("annotate", some, "--teacher", "rules", "--out", out).exit_code == 0
    result = dreamgym("annotate", some, "--teacher", "rules", "--seed", 9, "--out", out)
    assert result.exit_code == 1 and "--overwrite" in result.stderr
    assert dreamgym("annotate", some, "--teacher", "rules", "--seed", 9, "--out", out, "--overwrite").exit_code == 0


@pytest.mark.parametrize(
    ("who", "said"),
    [
        ("embedded", "'embedded' predicts pages and cannot explain them. Teachers are \"rules\""),
        ("openai:m@http://user:hunter2@127.0.0.1:9/v1?key=hunter2", "names no text generator"),
        ("oracle-of-delphi", "openai:MODEL@"),
    ],
)
def test_who_is_no_teacher_is_told_the_forms(dreamgym, some, who, said):
    result = dreamgym("annotate", some, "--teacher", who)
    assert result.exit_code == 1
    assert said in result.stderr and "hunter2" not in result.output
    assert not some.with_name("real.annotated.jsonl.gz").exists()


def test_a_file_of_another_domain_or_none_is_one_sentence(dreamgym, tmp_path):
    path = tmp_path / "mixed.jsonl"
    (step,) = record("toyhouse/train/0", ["look"])
    write_transitions(path, [step, replace(step, domain="webshop")])
    result = dreamgym("annotate", path, "--teacher", "rules")
    assert result.exit_code == 1 and "give a file of one domain" in result.stderr
    result = dreamgym("annotate", tmp_path / "nowhere.jsonl", "--teacher", "rules")
    assert result.exit_code == 1 and "nowhere.jsonl: No such file or directory." in result.stderr
