"""Promises of the comparison: it counts what happened, says where, and never flatters a dream."""

from __future__ import annotations

import json

import pytest
from rich.console import Console
from scripted import ScriptedWorldModel, failing_model
from toy_agents import AGENTS, dream_house, real_house
from toy_domain import ToyHouse

from dreamgym_env.evaluation.side_by_side import compare
from dreamgym_env.types import Prediction

TEST = ToyHouse().task_ids("test")


def kind_model():
    """A world model that rewards whatever is done."""
    return ScriptedWorldModel(lambda query, memories, seed: Prediction("Well done!", query.state, 1.0, True))


def test_a_dream_that_is_right_agrees_with_the_real_environment():
    result = compare(dream_house(), real_house(), AGENTS, "finder", TEST, seed=0)
    assert (result.dream.solved, result.real.solved, result.replayed.solved) == (4, 4, 4)
    assert (result.agreement.both, result.agreement.share, result.consistency) == (4, 1.0, 1.0)


def test_a_dream_that_is_too_kind_is_found_out():
    kind = dream_house(model=kind_model(), success="model")
    result = compare(kind, real_house(), AGENTS, "finder", TEST, seed=0)
    assert (result.dream.solved, result.replayed.solved, result.real.solved) == (4, 0, 4)
    assert result.agreement.share == 1.0, "the agent solves all in both"
    assert result.consistency == 0.0, "and yet what it did in the dream is worth nothing"


def test_what_is_solved_in_the_dream_only_is_counted_so():
    kind = dream_house(model=kind_model(), success="model")
    result = compare(kind, real_house(), AGENTS, "sleeper", TEST, seed=0)
    assert (result.agreement.dream_only, result.agreement.share) == (4, 0.0)
    assert result.consistency is None, "nothing is solved in the real environment to be compared with"


def test_failures_of_the_model_count_as_failures():
    result = compare(dream_house(model=failing_model()), real_house(), AGENTS, "finder", TEST, seed=0)
    assert (result.dream.solved, result.dream.failures, result.agreement.real_only) == (0, 4, 4)
    assert result.to_json()["dream"]["model_failures"] == 4


def test_a_dream_that_may_peek_at_the_test_is_refused():
    with pytest.raises(ValueError, match="evaluation=True"):
        compare(dream_house(evaluation=False), real_house(), AGENTS, "finder", TEST, seed=0)


def test_a_comparison_leaves_nothing_in_the_buffer():
    dream = dream_house()
    compare(dream, real_house(), AGENTS, "wanderer", TEST, seed=0)
    assert len(dream.backend.buffer) == 0


def test_every_figure_stands_under_its_environment():
    result = compare(dream_house(), real_house(), AGENTS, "wanderer", TEST, seed=0)
    figures = json.loads(json.dumps(result.to_json()))
    assert {figures[part]["env_id"] for part in ("dream", "real", "dream_actions_in_real")} == {"TextVectorEnv"}
    assert sum(figures["agreement"][cell] for cell in list(figures["agreement"])[:4]) == figures["tasks"] == 4
    assert [row["task_id"] for row in figures["episodes"]] == list(TEST)
    console = Console(width=100, record=True)
    console.print(result.table())
    assert "tasks solved" in console.export_text()
    assert any("Same outcome in both" in sentence for sentence in result.sentences())


def test_the_same_seed_gives_the_same_comparison():
    def rows(seed):
        return compare(dream_house(), real_house(), AGENTS, "wanderer", TEST, seed).to_json()["episodes"]

    assert rows(4) == rows(4) != rows(5)
