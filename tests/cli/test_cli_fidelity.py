"""Promises of ``dreamgym fidelity``: figures of recorded steps beside the floors, and what is refused."""

from __future__ import annotations

import json

from dreamgym_env.memory import read_transitions, write_transitions
from dreamgym_env.types import Source


def test_figures_are_printed_and_written(dreamgym, shop, copying_model, tmp_path):
    out = tmp_path / "fidelity.json"
    result = dreamgym("fidelity", "webshop", "--world-model", copying_model, "--episodes", 4, "--ablate", "--out", out)
    assert result.exit_code == 0, result.output
    assert "nearest memory copied" in result.output
    figures = json.loads(out.read_text(encoding="utf-8"))
    assert set(figures["overall"]) == {"world model", "state repeated", "nearest memory copied"}
    exact = figures["overall"]["world model"]["exact_match"]
    assert exact["low"] <= exact["value"] <= exact["high"]
    assert exact["count"] == figures["steps"]
    variants = set(figures["ablation"])
    assert {"as it is", "without memories", "without history", "without reasoning", "edits in place of full"} < variants
    assert figures["ablation"]["as it is"]["exact_match"] == exact


def test_steps_that_are_no_real_ones_of_the_domain_are_refused(dreamgym, experience, copying_model, tmp_path):
    from dataclasses import replace

    path = tmp_path / "dreams.jsonl"
    write_transitions(path, [replace(step, source=Source.DREAM) for step in read_transitions(experience)[:3]])
    result = dreamgym("fidelity", "webshop", "--world-model", copying_model, "--transitions", path)
    assert result.exit_code != 0
    assert "holds a dream transition of the domain 'webshop'" in result.output
