"""Promises of ``dreamgym judge``: the table, the file, two judges, and one sentence for what goes wrong."""

from __future__ import annotations

import json
import os
import signal
from dataclasses import replace

import pytest

from dreamgym_env.evaluation.judging import RUBRIC
from dreamgym_env.memory import read_transitions, write_transitions
from dreamgym_env.testing.openai_server import LoopbackServer, completion_reply
from dreamgym_env.types import Source


@pytest.fixture(scope="module")
def files(experience, tmp_path_factory):
    """Real steps, and the same as a dream that has forgotten what follows them."""
    folder = tmp_path_factory.mktemp("steps")
    real = read_transitions(experience)[:60]
    dream = [replace(step, source=Source.DREAM, next_state=step.state) for step in real]
    write_transitions(folder / "real.jsonl", real)
    write_transitions(folder / "dream.jsonl", dream)
    return folder / "real.jsonl", folder / "dream.jsonl"


def answering(text):
    return LoopbackServer(lambda call: completion_reply(call, text(call) if callable(text) else text))


MARKS = json.dumps({"reason": "So it is.", **dict.fromkeys(RUBRIC.names, 1)})


def test_rules_judge_real_and_dream_side_by_side(dreamgym, files, tmp_path):
    out = tmp_path / "deep" / "judged.json"
    result = dreamgym("judge", "webshop", *files, "--sample", 40, "--json", out)
    assert result.exit_code == 0, result.output
    assert "judged by rules (rubric 1)" in result.output and "dream: mean" in result.output
    told = json.loads(out.read_text())
    (rules,) = told["judges"]
    assert rules["judge"] == "rules" and told["agreement"] == []
    real, dream = rules["sources"]["real"], rules["sources"]["dream"]
    assert (real["judged"], dream["judged"], len(told["steps"])) == (40, 40, 80)
    assert real["marks"]["causal_consistency"]["mean"]["value"] == 2
    assert dream["marks"]["causal_consistency"]["mean"]["high"] < 1.5
    assert real["marks"]["diversity"]["mean"]["value"] == 2


def test_two_judges_are_compared(dreamgym, files, tmp_path):
    out = tmp_path / "judged.json"
    with answering(MARKS) as server:
        judges = ("--judge", "rules", "--judge", f"openai:m@{server.url}")
        result = dreamgym("judge", "webshop", *files, *judges, "--sample", 10, "--json", out)
    assert result.exit_code == 0, result.output
    assert "Agreement of rules and openai:m@" in result.output
    (pair,) = json.loads(out.read_text())["agreement"]
    assert pair["criteria"]["causal_consistency"]["count"] == 20
    assert pair["criteria"]["causal_consistency"]["plain"] == 0


def test_an_answer_that_cannot_be_read_is_counted_and_never_a_mark(dreamgym, files, tmp_path):
    out = tmp_path / "judged.json"
    with answering(
        lambda call: MARKS if "search[" in call.text.rpartition("# The step to mark")[2] else "Fine!"
    ) as server:
        result = dreamgym(
            "judge", "webshop", files[0], "--judge", f"openai:m@{server.url}", "--sample", 20, "--json", out
        )
    assert result.exit_code == 0, result.output
    (real,) = json.loads(out.read_text())["judges"][0]["sources"].values()
    assert real["judged"] > 0 and real["invalid"] > 0 and real["judged"] + real["invalid"] == 20
    assert real["marks"]["diversity"]["mean"]["value"] == 1
    assert "could not be read: The answer is not one JSON object: 'Fine!'" in " ".join(result.output.split())


def test_the_same_sample_is_judged_each_time(dreamgym, files, tmp_path):
    for name in ("one.json", "two.json"):
        assert dreamgym("judge", "webshop", *files, "--sample", 15, "--json", tmp_path / name).exit_code == 0
    assert (tmp_path / "one.json").read_text() == (tmp_path / "two.json").read_text()


def test_a_recorded_environment_is_judged_by_general_rules(dreamgym, files, tmp_path):
    mine = tmp_path / "mine.jsonl"
    write_transitions(mine, [replace(step, domain="mine") for step in read_transitions(files[0])])
    result = dreamgym("judge", "mine", mine, "--sample", 5)
    assert result.exit_code == 0, result.output
    assert "mine, judged by rules" in result.output


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--judge", "embedded"), "'embedded' predicts pages and cannot judge them. Judges are \"rules\""),
        (("--judge", "openai:m@http://127.0.0.1:9/v1"), "127.0.0.1:9"),
    ],
)
def test_what_goes_wrong_is_one_sentence(dreamgym, files, arguments, said):
    result = dreamgym("judge", "webshop", files[0], *arguments)
    assert result.exit_code == 1
    assert said in result.stderr and "Traceback" not in result.output


GONE = "openai:m@http://127.0.0.1:9/v1"


@pytest.mark.parametrize("judges", [("rules", GONE), (GONE, "rules")])
def test_a_judge_that_fails_costs_the_other_no_mark(dreamgym, files, tmp_path, judges):
    out = tmp_path / "judged.json"
    asked = [text for judge in judges for text in ("--judge", judge)]
    result = dreamgym("judge", "webshop", *files, *asked, "--sample", 10, "--json", out)
    assert result.exit_code == 1
    assert "judged by rules" in result.output and f"{GONE} has marked no step: " in result.stderr
    told = json.loads(out.read_text())
    assert [judge["judge"] for judge in told["judges"]] == ["rules"] and list(told["failed"]) == [GONE]
    assert told["agreement"] == [] and all(len(step["judgements"]) == 1 for step in told["steps"])


@pytest.mark.parametrize(("judges", "finished"), [(("rules", "openai"), ["rules"]), (("openai", "rules"), [])])
def test_an_interruption_keeps_the_marks_of_judges_that_have_finished(dreamgym, files, tmp_path, judges, finished):
    out = tmp_path / "judged.json"

    def interrupting(call):
        os.kill(os.getpid(), signal.SIGINT)
        return MARKS

    with answering(interrupting) as server:
        names = {"rules": "rules", "openai": f"openai:m@{server.url}"}
        asked = [text for judge in judges for text in ("--judge", names[judge])]
        result = dreamgym("judge", "webshop", files[0], *asked, "--sample", 1, "--json", out)
    assert result.exit_code == 130, result.output
    assert out.exists() == bool(finished)
    if finished:
        told = json.loads(out.read_text())
        assert [judge["judge"] for judge in told["judges"]] == finished
        assert told["interrupted"] and told["failed"] == {names["openai"]: "Interrupted."}


def test_what_cannot_be_done_is_told_before_a_judge_is_asked(dreamgym, files, tmp_path):
    result = dreamgym("judge", "webshop", files[0], "--json", tmp_path)
    assert result.exit_code == 1 and "Is a directory" in result.stderr
    assert "judged by" not in result.output
    before = files[0].read_bytes()
    result = dreamgym("judge", "webshop", files[0], "--json", files[0])
    assert result.exit_code == 2 and "one of the files that are to be judged" in result.stderr
    assert files[0].read_bytes() == before
    result = dreamgym("judge", "webshop", files[0], "--judge", "rules", "--judge", " rules")
    assert result.exit_code == 1 and "'rules' is named twice" in result.stderr


def test_files_of_another_domain_or_none_are_refused(dreamgym, files, tmp_path):
    assert dreamgym("judge", "alfworld", files[0]).exit_code == 1
    result = dreamgym("judge", "webshop", tmp_path / "none.jsonl")
    assert result.exit_code == 1 and "none.jsonl" in result.stderr
    assert dreamgym("judge", "webshop").exit_code == 2
