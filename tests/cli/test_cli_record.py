"""Promises of ``dreamgym record``: the file, the report, and an interruption that costs nothing."""

from __future__ import annotations

import json

import pytest

from dreamgym_env.memory import read_transitions
from dreamgym_env.training import record as recording
from dreamgym_env.types import Source


def test_a_recording_is_written_and_reported(dreamgym, tmp_path):
    out = tmp_path / "new" / "real.jsonl.gz"
    result = dreamgym("record", "webshop", "--real", "--episodes", 5, "--out", out, "--json")
    assert result.exit_code == 0, result.output
    report = json.loads(result.stdout)
    assert report["env_id"] == "DreamGymReal/WebShop-v0"
    assert report["episodes"] == 5
    assert report["transitions"] == len(read_transitions(out))
    assert (
        f"{report['transitions']} transitions of 5 episodes in DreamGymReal/WebShop-v0"
        in dreamgym("record", "webshop", "--real", "--episodes", 5, "--out", out).output
    )


def test_a_dream_is_recorded_as_a_dream(dreamgym, shop, copying_model, tmp_path):
    out = tmp_path / "dream.jsonl"
    result = dreamgym(
        "record", "webshop", "--world-model", copying_model, "--agents", "random", "--episodes", 2, "--out", out
    )
    assert result.exit_code == 0, result.output
    assert "in DreamGym/WebShop-v0" in result.output
    assert {step.source for step in read_transitions(out)} == {Source.DREAM}


def test_what_the_model_failed_to_answer_is_not_recorded(dreamgym, shop, tmp_path):
    from dreamgym_env.testing.openai_server import LoopbackServer, completion_reply

    out = tmp_path / "garbage.jsonl"
    with LoopbackServer(lambda call: completion_reply(call, "I would rather not.")) as server:
        model = f"openai:refuser@{server.url}"
        result = dreamgym(
            "record", "webshop", "--world-model", model, "--agents", "oracle", "--episodes", 2, "--out", out
        )
    assert result.exit_code == 0, result.output
    assert "0 transitions of 0 episodes" in result.output
    assert read_transitions(out) == []


def test_ctrl_c_says_how_to_go_on(dreamgym, tmp_path, monkeypatch):
    def interrupted(*arguments):
        yield from ()
        raise KeyboardInterrupt

    out = tmp_path / "cut.jsonl"
    with monkeypatch.context() as patch:
        patch.setattr(recording, "play_each", interrupted)
        result = dreamgym("record", "webshop", "--real", "--episodes", 2, "--out", out)
    assert result.exit_code == 130
    assert "The same command continues the recording." in result.stderr
    assert dreamgym("record", "webshop", "--real", "--episodes", 2, "--out", out).exit_code == 0
    assert out.exists()


@pytest.mark.parametrize(("more", "code"), [((), 1), (("--overwrite",), 0)])
def test_a_file_is_replaced_only_when_asked_to(dreamgym, tmp_path, more, code):
    out = tmp_path / "kept.jsonl"
    assert dreamgym("record", "webshop", "--real", "--episodes", 1, "--out", out).exit_code == 0
    result = dreamgym("record", "webshop", "--real", "--episodes", 1, "--seed", 9, "--out", out, *more)
    assert result.exit_code == code
    assert ("--overwrite" in result.stderr) == bool(code)
