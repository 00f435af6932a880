"""Promises of ``dreamgym fidelity``: figures of recorded steps beside the floors, and what is refused."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from dreamgym_env.domains.webshop import domain as webshop
from dreamgym_env.memory import read_transitions, write_transitions
from dreamgym_env.types import Source


def test_figures_are_printed_and_written(dreamgym, shop, copying_model, tmp_path):
    out = tmp_path / "fidelity.json"
    result = dreamgym("fidelity", "webshop", "--world-model", copying_model, "--episodes", 4, "--ablate", "--out", out)
    assert result.exit_code == 0, result.output
    assert "state repeated" in result.output
    figures = json.loads(out.read_text(encoding="utf-8"))
    floors = {"state repeated", "nearest memory copied", "composed answer copied"}
    assert set(figures["overall"]) == {"world model", *floors}
    exact = figures["overall"]["world model"]["exact_match"]
    assert exact["low"] <= exact["value"] <= exact["high"]
    assert exact["count"] == figures["steps"]
    variants = set(figures["ablation"])
    assert {"as it is", "without memories", "without history", "without reasoning", "edits in place of full"} < variants
    assert figures["ablation"]["as it is"]["exact_match"] == exact


def test_steps_that_are_no_real_ones_of_the_domain_are_refused(dreamgym, experience, copying_model, tmp_path):
    from dataclasses import replace

    path = tmp_path / "dreams.jsonl"
    some = read_transitions(experience)[:3]
    for strange, said in (
        ([replace(step, source=Source.DREAM) for step in some], "holds dreamt transitions (3 of 3)"),
        ([*some, replace(some[0], domain="house")], "of 'house', and not of 'webshop' alone"),
        ([], "holds no transitions"),
    ):
        write_transitions(path, strange)
        result = dreamgym("fidelity", "webshop", "--world-model", copying_model, "--transitions", path)
        assert result.exit_code == 1
        assert said in result.stderr


@pytest.fixture
def own_shop(tmp_path):
    """The ``--set`` options of a shop of two goals, which the package does not ship."""
    data = Path(webshop.__file__).parent / "data"
    goals = gzip.decompress((data / "goals.jsonl.gz").read_bytes()).splitlines(keepends=True)[:2]
    (tmp_path / "goals.jsonl").write_bytes(b"".join(goals))
    return "--set", f"products={data / 'products.jsonl.gz'}", "--set", f"goals={tmp_path / 'goals.jsonl'}"


@pytest.mark.parametrize("recorded_before", [False, True])
def test_a_shop_of_ones_own_is_measured(dreamgym, copying_model, own_shop, tmp_path, recorded_before):
    real, figures = tmp_path / "real.jsonl", tmp_path / "figures.json"
    result = dreamgym("record", "webshop", "--real", "--split", "test", "--episodes", 4, *own_shop, "--out", real)
    assert result.exit_code == 0, result.output
    asked = ("--transitions", real) if recorded_before else ("--episodes", 4)
    memories = ("--set", f"seed_experience={real}")
    result = dreamgym(
        "fidelity", "webshop", "--world-model", copying_model, *asked, *own_shop, *memories, "--out", figures
    )
    assert result.exit_code == 0, result.output
    told = json.loads(figures.read_text(encoding="utf-8"))
    assert told["steps"] == len(read_transitions(real))
    assert told["settings"]["seed_experience"] == str(real)


@pytest.mark.parametrize(
    ("settings", "code", "words"),
    [
        (("colour=red",), 2, "no keyword 'colour' here; there are: products, goals, seed_experience"),
        (("goals=goals.jsonl",), 2, "goals= needs products="),
        (("products=missing.jsonl", "goals=missing.jsonl"), 1, "missing.jsonl"),
        (("seed_experience=3",), 2, "--set"),
        (("seed_experience=missing.jsonl",), 1, "no seed experience at missing.jsonl"),
    ],
)
def test_a_setting_that_cannot_be_is_answered_with_a_sentence(dreamgym, experience, settings, code, words):
    options = [option for setting in settings for option in ("--set", setting)]
    result = dreamgym("fidelity", "webshop", "--transitions", experience, *options)
    assert result.exit_code == code, result.output
    assert words in " ".join(result.stderr.replace("│", " ").split())
