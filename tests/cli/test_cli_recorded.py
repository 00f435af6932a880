"""Every command that reads transitions reads those of an environment of one's own (README: "Your own environment")."""

from __future__ import annotations

import json

import gymnasium as gym
import pytest
from foreign_env import NAME, record_cave

import dreamgym_env  # noqa: F401 - registers the ids
from dreamgym_env.memory import read_transitions


@pytest.fixture
def cave(tmp_path, monkeypatch):
    """The recorded cave, and the index of it in a folder of its own."""
    monkeypatch.setenv("DREAMGYM_CACHE", str(tmp_path / "cache"))
    return record_cave(tmp_path / "cave.jsonl.gz")


@pytest.mark.parametrize("base", ["new:tiny", "embedded"])
def test_a_recording_becomes_a_world_model_and_a_dream(dreamgym, cave, tmp_path, base):
    options = ("--base", base, "--steps", 2, "--batch-size", 2, "--out", tmp_path / "model", "--json")
    result = dreamgym("finetune", "--transitions", cave, *options)
    assert result.exit_code == 0, result.output
    report = json.loads(result.stdout)
    assert (report["base"], report["transitions"], report["settings"]["format"]) == (base, 30, "compact")
    card = json.loads((tmp_path / "model" / "dreamgym.json").read_text(encoding="utf-8"))
    assert card["training"]["learning_rate"] == (5e-4 if base == "embedded" else 2e-3)
    model = f"transformers:{tmp_path / 'model'}"
    with gym.make("DreamGym/Recorded-v0", experience=str(cave), world_model=model, max_new_tokens=8) as env:
        env.reset(seed=0)
        observation, *_, info = env.step("look there")
    assert isinstance(observation, str)
    assert info["answered_by"] == "model"


def test_the_domain_can_be_named(dreamgym, cave, tmp_path):
    def tune(domain):
        options = ("--base", "new:tiny", "--steps", 1, "--batch-size", 2, "--out", tmp_path / domain[:4])
        return dreamgym("finetune", "--transitions", cave, "--domain", domain, *options)

    assert tune(NAME).exit_code == 0
    assert tune("recorded").exit_code == 0
    assert f"\"{NAME}\", and not of 'house': name that domain" in tune("house").stderr.replace("\n", " ")


@pytest.mark.parametrize("apart", [False, True])
def test_fidelity_is_measured_on_its_steps(dreamgym, copying_model, cave, tmp_path, apart):
    """With memories from a file of their own, or leaving out one task after the other."""
    unseen = record_cave(tmp_path / "unseen.jsonl", split="test", numbers=(2,))
    asked = ("--transitions", unseen, "--set", f"experience={cave}") if apart else ("--transitions", cave)
    out = tmp_path / "figures.json"
    result = dreamgym("fidelity", NAME, "--world-model", copying_model, *asked, "--out", out)
    assert result.exit_code == 0, result.output
    figures = json.loads(out.read_text(encoding="utf-8"))
    assert figures["steps"] == (6 if apart else 30)
    assert figures["overall"]["nearest memory copied"]["exact_match"]["value"] > 0.5


def test_fidelity_says_what_it_needs(dreamgym, cave, experience):
    result = dreamgym("fidelity", "recorded", "--set", f"experience={cave}")
    assert result.exit_code == 2 and "give real steps" in result.stderr
    result = dreamgym("fidelity", NAME)
    assert result.exit_code == 1 and "There is no domain" in result.stderr
    result = dreamgym("fidelity", "house", "--transitions", cave)
    assert result.exit_code == 1 and "and not of 'house'" in result.stderr
    result = dreamgym("fidelity", NAME, "--transitions", experience, "--set", f"experience={cave}")
    assert result.exit_code == 1 and "'webshop', and not of" in result.stderr


def test_its_steps_are_explained(dreamgym, cave, tmp_path):
    assert dreamgym("annotate", cave, "--teacher", "rules").exit_code == 0
    told = read_transitions(tmp_path / "cave.annotated.jsonl.gz")
    assert all(step.reasoning for step in told)


def test_its_buffer_is_looked_into(dreamgym, cave, tmp_path):
    result = dreamgym("buffer", "info", "seed", "--experience", cave, "--json")
    assert result.exit_code == 0, result.output
    figures = json.loads(result.stdout)
    assert (figures["domain"], figures["tasks"]) == (NAME, 3)
    of_cave = ("--experience", cave)
    assert dreamgym("buffer", "import", tmp_path / "buffer", cave, *of_cave).exit_code == 0
    result = dreamgym("buffer", "query", tmp_path / "buffer", "--action", "go attic", "--task-id", "cave/0", *of_cave)
    assert "-= attic =-" in result.output
    result = dreamgym("buffer", "export", tmp_path / "buffer", tmp_path / "out.jsonl", *of_cave)
    assert len(read_transitions(tmp_path / "out.jsonl")) == figures["transitions"]


def test_it_is_played(dreamgym, cave, copying_model):
    options = ("--set", f"experience={cave}", "--world-model", copying_model, "--task-id", "cave/0")
    result = dreamgym("play", "recorded", *options, typed="go attic\nquit\n")
    assert result.exit_code == 0 and "Left after 1 actions." in result.output
    assert "only dreamt" in dreamgym("play", "recorded", "--real").stderr
